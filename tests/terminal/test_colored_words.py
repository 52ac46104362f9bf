"""Colors mark the kind of a line and change nothing else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.terminal.messages import LABEL_COLORS, colored

CODES = re.compile(r"\x1b\[[0-9;]*m")


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
    assert CODES.split(colored(line)) == [line.partition(word)[0], word, line.partition(word)[2]]


@pytest.mark.parametrize(
    "line", ["", "flux: 2 saved, 1 of 3 calls failed", "flux: [1/2] sent", "a b c error: d"]
)
def test_other_lines_have_none(line):
    assert colored(line) == line


@given(
    st.text(st.sampled_from("a :\n"))
    | st.lists(st.sampled_from([*LABEL_COLORS, "flux:", "", "x"])).map(" ".join)
)
def test_the_text_stays_as_it_is(line):
    assert CODES.sub("", colored(line)) == line
