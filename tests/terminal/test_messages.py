"""Messages: how a failure is told, and the colors of labels, which change nothing else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.errors import NetworkError
from flux_cli.core.text import Secret
from flux_cli.terminal import messages

CODES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize(
    ("said", "billed", "line"),
    [
        ("the server hung up.", True, "the server hung up; it may have been billed (request r1)"),
        ("the server hung up", True, "the server hung up; it may have been billed (request r1)"),
        ("the server hung up.", False, "the server hung up. (request r1)"),
    ],
)
def test_a_bill_goes_on_with_the_sentence_of_somebody_else(said, billed, line, capsys, monkeypatch):
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    messages.error(NetworkError(said, billed=billed, request_id="r1"))
    assert capsys.readouterr().err == f"flux: error: {line}\n"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("flux: error: no such file", "error:"),
        ("hint: note: this is a hint", "hint:"),
        ("flux: note: size 3x3 becomes 1024x1024", "note:"),
        ("flux: saved a.png (1x1 png)", "saved"),
        ("flux: [2/3] failed: no", "failed:"),
        ("flux: [2/3] kept a.png: already there", "kept"),
    ],
)
def test_the_word_that_says_what_a_line_is_has_a_color(line, word):
    assert CODES.split(messages.colored(line)) == [
        line.partition(word)[0],
        word,
        line.partition(word)[2],
    ]


@pytest.mark.parametrize(
    "line", ["", "flux: 2 saved, 1 of 3 calls failed", "flux: [1/2] sent", "a b c error: d"]
)
def test_other_lines_have_none(line):
    assert messages.colored(line) == line


@given(
    st.text(st.sampled_from("a :\n"))
    | st.lists(st.sampled_from([*messages.LABEL_COLORS, "flux:", "", "x"])).map(" ".join)
)
def test_the_text_stays_as_it_is(line):
    assert CODES.sub("", messages.colored(line)) == line


def test_a_key_with_a_line_break_in_it_is_hidden(capsys):
    Secret("lmnfl_Sup3rS3cretV4lue")
    messages.err("no: lmnfl_\nSup3r\nS3cret\nV4lue\nbye")
    assert capsys.readouterr().err == "no: ***\nbye\n"
