"""Pictures people already have: whole, or one clear sentence."""

import io
import os

import pytest

from flux_cli import sources
from flux_cli.core.errors import UsageError


def test_a_file_is_read_whole(work):
    (work / "a").write_bytes(b"bytes" * 1000)
    assert sources.read("a") == b"bytes" * 1000


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("gone", "No such file"),
        (".", "Is a directory"),
        ("a\0b", "null byte"),
        ("empty", "is empty"),
        ("/dev/null", "is no file"),
    ],
)
def test_what_cannot_be_read_says_why(work, path, words):
    (work / "empty").touch()
    with pytest.raises(UsageError, match=words):
        sources.read(path)


def test_a_pipe_named_as_a_file_is_refused_and_not_waited_for():
    reading, writing = os.pipe()
    os.close(writing)
    with pytest.raises(UsageError, match="is no file"):
        sources.read(f"/dev/fd/{reading}")
    os.close(reading)


def test_standard_input_is_read_whole_or_refused():
    assert sources.read_stream(io.BytesIO(b"bytes")) == b"bytes"
    with pytest.raises(UsageError, match="is empty"):
        sources.read_stream(io.BytesIO())
    with pytest.raises(UsageError, match="is closed"):
        sources.read_stream(None)
