"""A prompt that is piped in without `-`: when it is read, and when it is left alone."""

import io
import sys

import pytest

from flux_cli.core.errors import UsageError
from flux_cli.core.options import GenerateOptions, Input, Parameters
from flux_cli.request.command_line import read_prompt
from flux_cli.request.files.piped import with_piped_prompt


class Terminal(io.TextIOWrapper):
    def isatty(self):
        return True


def piped(data):
    return io.TextIOWrapper(io.BytesIO(data), encoding="ascii")


@pytest.mark.parametrize(
    "prompt", ["a red fox", "雪の狐", "two\nlines", "@alice at the beach", "@@home", "-x"]
)
def test_what_is_piped_in_is_the_prompt_itself(monkeypatch, prompt):
    monkeypatch.setattr(sys, "stdin", piped(f" {prompt}\n".encode()))
    (word,) = with_piped_prompt(GenerateOptions()).input.prompt
    assert read_prompt(word) == prompt


def closed():
    stream = piped(b"a fox")
    stream.close()
    return stream


@pytest.mark.parametrize(
    "make",
    [
        lambda: piped(b""),
        lambda: piped(b" \n\t\n"),
        lambda: Terminal(io.BytesIO(b"a fox")),
        closed,
        lambda: None,
    ],
    ids=["empty", "blank", "terminal", "closed", "none"],
)
def test_there_is_no_prompt_without_a_pipe_that_has_one(monkeypatch, make):
    monkeypatch.setattr(sys, "stdin", make())
    with pytest.raises(UsageError, match="no prompt given") as raised:
        with_piped_prompt(GenerateOptions())
    assert "pipe the prompt in" in raised.value.hint


@pytest.mark.parametrize(
    "options",
    [
        GenerateOptions(input=Input(image=["a.png", "-"])),
        GenerateOptions(input=Input(mask="-")),
        GenerateOptions(parameters=Parameters(image_prompt="-")),
        GenerateOptions(parameters=Parameters(param=["seed=1", "image=@-"])),
    ],
)
def test_standard_input_that_something_else_reads_is_no_prompt(monkeypatch, options):
    monkeypatch.setattr(sys, "stdin", piped(b"a fox"))
    with pytest.raises(UsageError, match="no prompt given"):
        with_piped_prompt(options)
    assert sys.stdin.buffer.read() == b"a fox"


def test_a_pipe_that_is_no_text_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "stdin", piped(b"fox \xff"))
    with pytest.raises(UsageError, match="not valid UTF-8"):
        with_piped_prompt(GenerateOptions())
