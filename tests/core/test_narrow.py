"""Tables and texts on a terminal that is narrower than they are: nothing is lost, no word is broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.narrow import wrapped
from flux_cli.core.rendering import table

WORD = st.text("abcdefgh-_/.", min_size=1, max_size=30)
CELL = st.lists(WORD, min_size=1, max_size=8).map(" ".join)
ROWS = st.integers(1, 5).flatmap(lambda columns: st.lists(st.tuples(*[CELL] * columns), min_size=1, max_size=5))
PEOPLE = [
    ("Name", "age", "what there is to say"),
    ("Ada", "36", "wrote the first program for a machine nobody had built"),
    ("Alan", "41", "asked whether machines can think"),
]


@given(ROWS, st.integers(20, 120))
def test_every_word_of_every_row_is_there_whole_and_fits_where_it_can(rows, width):
    text = table(rows, width=width)
    assert sorted(text.split()) == sorted(" ".join(" ".join(row) for row in rows).split())
    too_long = {word for row in rows for cell in row for word in cell.split() if len(word) > width - 4}
    assert all(len(line) <= width or too_long & set(line.split()) for line in text.splitlines())


@given(ROWS)
def test_a_table_that_has_room_is_a_line_a_row(rows):
    wide = table(rows)
    assert table(rows, width=max(map(len, wide.splitlines())) + 40) == wide
    assert len(wide.splitlines()) == len(rows)


def test_the_last_column_is_wrapped_in_its_place_as_long_as_a_sentence_can_be_read_there():
    assert table(PEOPLE, right=(1,), width=40).splitlines() == [
        "Name  age  what there is to say",
        "Ada    36  wrote the first program for a",
        "           machine nobody had built",
        "Alan   41  asked whether machines can",
        "           think",
    ]


def test_a_column_without_room_goes_below():
    assert table(PEOPLE, right=(1,), width=30).splitlines() == [
        "Name  age",
        "    what there is to say",
        "Ada    36",
        "    wrote the first program",
        "    for a machine nobody had",
        "    built",
        "Alan   41",
        "    asked whether machines can",
        "    think",
    ]


def test_a_cell_without_words_takes_no_line_below():
    rows = [("Name", "what there is to say"), ("Ada", ""), ("Alan", "asked whether machines can think")]
    assert table(rows, width=24).splitlines() == [
        "Name",
        "    what there is to say",
        "Ada",
        "Alan",
        "    asked whether",
        "    machines can think",
    ]


@pytest.mark.parametrize(
    ("words", "width", "lines"),
    [
        ("", 10, [""]),
        ("a b c", 3, ["a b", "c"]),
        ("https://example.org/a/long/address and more", 10, ["https://example.org/a/long/address", "and more"]),
        ("exactly ten", 11, ["exactly ten"]),
    ],
)
def test_lines_are_broken_between_words(words, width, lines):
    assert wrapped(words.split(), width) == lines
