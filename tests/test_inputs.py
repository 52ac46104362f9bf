"""Pictures that people hand over: read whole, or refused with a word; nothing waits for ever."""

import io
import os

import pytest
from pictures import PICTURES

from flux_cli.core.errors import UsageError
from flux_cli.inputs import MAX_PICTURE, read_picture


def test_a_file_and_standard_input_are_read_whole(work):
    (work / "x.png").write_bytes(PICTURES["png"])
    assert read_picture("x.png", None) == PICTURES["png"]
    assert read_picture("-", io.BytesIO(PICTURES["png"])) == PICTURES["png"]


def test_what_is_no_picture_is_refused_with_the_formats_as_hint(work):
    (work / "x.txt").write_text("text")
    with pytest.raises(UsageError, match=r"x\.txt is no picture that flux reads") as raised:
        read_picture("x.txt", None)
    assert "png, jpeg" in raised.value.hint


@pytest.mark.parametrize("path", ["missing.png", "x\0y", "", "x" * 5000, "."])
def test_names_of_nothing_are_refused(path):
    with pytest.raises(UsageError):
        read_picture(path, None)


def test_a_named_pipe_is_refused_and_not_waited_for(work):
    os.mkfifo(work / "pipe.png")
    with pytest.raises(UsageError, match="is no file"):
        read_picture("pipe.png", None)


def test_a_file_larger_than_any_picture_is_refused(work):
    with (work / "x.png").open("wb") as file:
        file.truncate(MAX_PICTURE + 1)
    with pytest.raises(UsageError, match="larger than 256 MiB"):
        read_picture("x.png", None)


def test_a_closed_standard_input_is_said():
    with pytest.raises(UsageError, match="closed"):
        read_picture("-", None)
