"""Other people's text, made safe to show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.text import SHOWN, plain


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb\r\n\tc", "a b c"),
        ("\x1b[2J\x1b]0;title\x07x", "[2J ]0;title x"),
        ("a\u202eb", "a b"),
        ("x" * 300, "x" * 300),
        ("x" * 301, "x" * 299 + "…"),
        ("\ud800", ""),
        ("", ""),
        ("雪の狐", "雪の狐"),
    ],
)
def test_a_server_s_words_are_one_line_that_cannot_act_on_a_terminal(text, line):
    assert plain(text) == line


def test_the_caller_says_how_much_is_shown():
    assert plain("a red fox", 5) == "a re…"
    assert plain("a red fox", 9) == "a red fox"


@given(
    st.text(max_size=400)
    | st.text(st.characters(categories=["Cc", "Cf", "Zl", "Zs", "Co", "Cs", "Lu"]), max_size=50)
)
def test_any_text_becomes_one_printable_line_of_the_given_length(text):
    line = plain(text)
    assert line.isprintable()
    assert len(line) <= SHOWN
    line.encode()
