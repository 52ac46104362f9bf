"""Tables and texts on a terminal narrower than they are: nothing is lost, no word broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from flux_cli.terminal.table import cell_text, table, wrap_words

WORD = st.text("abcdefgh-_/.", min_size=1, max_size=30)
CELL = st.lists(WORD, min_size=1, max_size=8).map(" ".join)
ROWS = st.integers(1, 5).flatmap(
    lambda columns: st.lists(st.tuples(*[CELL] * columns), min_size=1, max_size=5)
)
PEOPLE = [
    ("Name", "age", "what there is to say"),
    ("Ada", "36", "wrote the first program for a machine nobody had built"),
    ("Alan", "41", "asked whether machines can think"),
]


@given(ROWS, st.integers(20, 120))
def test_every_word_of_every_row_is_there_whole_and_fits_where_it_can(rows, width):
    text = table(rows, width=width)
    words = " ".join(" ".join(row) for row in rows).split()
    assert sorted(text.split()) == sorted(words)
    too_long = {word for word in words if len(word) > width - 4}
    for line in text.splitlines():
        assert len(line) <= width or too_long & set(line.split())


@pytest.mark.parametrize(
    "prompt", ["東京の夜景と富士山に降る雪、夜の街", "🦊 雪 " * 6, "e\u0301" * 40, "한국어" * 9]
)
@pytest.mark.parametrize("width", range(30, 100, 7))
def test_wide_characters_take_two_columns_and_marks_none(prompt, width):
    rows = [
        ("Run", "saved", "prompt"),
        ("20261125-101502-4f3a1c", "1/1", prompt),
        ("other", "12/12", "a fox"),
    ]
    lines = table(rows, right=(1,), width=width).splitlines()
    assert max(map(cell_len, lines)) <= max(width, 44 if "e" in prompt else 0)
    assert "".join(prompt.split()) in "".join("".join(lines).split())


def test_what_stands_after_wide_characters_stands_in_its_column():
    assert table([("Name", "n"), ("東京", "1"), ("e\u0301", "2"), ("…", "3")]).splitlines() == [
        "Name  n",
        "東京  1",
        "e\u0301     2",
        "…     3",
    ]


def test_headings_stay_in_the_order_of_their_columns():
    rows = [
        ("Output", "aspect_ratio + resolution", "megapixels"),
        ("1183 × 887", '"4:3" + "1K"', "1.05"),
    ]
    assert table(rows, width=40).splitlines()[:2] == [
        "Output      aspect_ratio + resolution",
        "    megapixels",
    ]


def test_a_path_stays_whole_in_any_writing():
    assert wrap_words(["a", "/home/ada/東京の夜景.jpg"], 12) == ["a", "/home/ada/東京の夜景.jpg"]
    assert wrap_words(["a", "東京の夜景"], 6) == ["a", "東京の", "夜景"]


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
    rows = [
        ("Name", "what there is to say"),
        ("Ada", ""),
        ("Alan", "asked whether machines can think"),
    ]
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
        (
            "https://example.org/a/long/address and more",
            10,
            ["https://example.org/a/long/address", "and more"],
        ),
        ("exactly ten", 11, ["exactly ten"]),
    ],
)
def test_lines_are_broken_between_words(words, width, lines):
    assert wrap_words(words.split(), width) == lines


def test_columns_are_two_blanks_apart_and_numbers_stand_right():
    rows = [("Name", "n"), ("a", "10"), ("bcdefg", "9")]
    assert table(rows, right=(1,)) == "Name     n\na       10\nbcdefg   9"


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), ("a\x1bb", "a b"), (True, "true"), (0.5, "0.5"), ([1], "[1]")]
)
def test_a_cell_shows_nothing_as_a_dash_and_values_as_json(value, text):
    assert cell_text(value) == text
