"""The seeds of a command line: numbers, lists, ranges, and what is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.errors import UsageError
from flux_cli.core.options import GenerateOptions, Parameters
from flux_cli.core.request import MAX_IMAGES
from flux_cli.request.command_line import read_parameters
from flux_cli.request.seeds import as_first_seed, describe_ranges, read_seeds


def read(**typed):
    return read_parameters(GenerateOptions(parameters=Parameters(**typed)))


LARGEST = 2**63 - 1
seeds = st.integers(0, LARGEST)
blanks = st.sampled_from(["", " "])


@st.composite
def items(draw):
    """One item as text, and the seeds that it names."""
    first = draw(st.one_of(seeds, st.integers(0, 50)))
    last = min(LARGEST, first + draw(st.integers(0, 20)))
    spaces = [draw(blanks) for _ in range(4)]
    if last == first and draw(st.booleans()):
        return f"{spaces[0]}{first}{spaces[1]}", [first]
    return f"{spaces[0]}{first}{spaces[1]}..{spaces[2]}{last}{spaces[3]}", [*range(first, last + 1)]


@given(st.lists(items(), min_size=1, max_size=8))
def test_any_list_of_numbers_and_ranges_names_its_seeds_in_order_or_says_what_is_listed_twice(row):
    text = ",".join(item for item, _ in row)
    named = [seed for _, part in row for seed in part]
    if len(set(named)) == len(named):
        assert read_seeds(text) == tuple(named)
        return
    with pytest.raises(UsageError, match=r"^seed \d+ is listed twice$") as raised:
        read_seeds(text)
    twice = int(raised.value.message.split()[1])
    assert named.count(twice) > 1


@given(st.lists(items(), min_size=2, max_size=4))
def test_repeated_options_are_one_list_and_equal_the_parameter_of_that_name(row):
    texts = [item for item, _ in row]
    joined = ",".join(texts)
    assert read(seed=texts) == {"seed": joined}
    assert read(param=[f"seed={joined}"]) == {"seed": joined}


@given(st.one_of(st.text("0123456789.,-+ e_x\n٣", max_size=12), st.text(max_size=6)))
def test_any_text_names_whole_numbers_or_is_refused_with_one_line(text):
    with contextlib.suppress(UsageError):
        named = read_seeds(text)
        assert all(type(seed) is int and 0 <= seed <= LARGEST for seed in named)
        assert named or text.strip() == "-1"
        return
    with pytest.raises(UsageError, match=r"\A[^\n]+\Z") as raised:
        read_seeds(text)
    assert raised.value.hint


@given(st.one_of(st.floats(), st.booleans(), st.none(), st.lists(st.integers()), st.integers()))
def test_json_is_read_like_text_and_only_whole_numbers_are_seeds(value):
    if type(value) is int and -1 <= value <= LARGEST:
        assert read_seeds(value) == (() if value == -1 else (value,))
        return
    with pytest.raises(UsageError, match=r"^seed must be"):
        read_seeds(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "seed must be a whole number, not ''"),
        ("1,,2", "seed must be a whole number, not '1,,2'"),
        ("1...3", "seed must be a whole number, not '1...3'"),
        ("..3", "seed must be a whole number, not '..3'"),
        ("1..-3", "seed must be at least 0, not '-3'"),
        ("-1..3", "seed must be at least 0, not '-1'"),
        ("3..1", "the range of seeds '3..1' goes backward"),
        ("1,1..2", "seed 1 is listed twice"),
        (f"0..{MAX_IMAGES}", "more than 10,000 seeds"),
        (f"1..{LARGEST}", "more than 10,000 seeds"),
        (f"0..{MAX_IMAGES - 1},{MAX_IMAGES}", "more than 10,000 seeds"),
        (f"{LARGEST + 1}", f"seed must be a whole number of 64 bits, not '{LARGEST + 1}'"),
        pytest.param(10**5000, "seed must be a whole number of 64 bits", id="huge"),
        pytest.param("9" * 5000, "seed must be a whole number of 64 bits", id="long"),
    ],
)
def test_what_is_refused_and_why(text, message):
    with pytest.raises(UsageError) as raised:
        read_seeds(text)
    assert raised.value.message.startswith(message)


def test_as_many_seeds_as_images_are_allowed():
    assert len(read_seeds(f"1..{MAX_IMAGES}")) == MAX_IMAGES


def test_ranges_of_seeds_are_described_shortly():
    assert describe_ranges([]) == ""
    assert describe_ranges([(7, 7)]) == ", seeds 7"
    assert describe_ranges([(7, 9), (12, 12)]) == ", seeds 7 to 9, 12"
    many = [(seed, seed) for seed in range(0, 16, 2)]
    assert describe_ranges(many) == ", seeds 0, 2, 4, 6, 8 and 3 more ranges"


@given(st.integers(0, 2**64))
def test_every_image_of_a_drawn_run_has_a_seed_of_31_bits(number):
    assert 1 <= as_first_seed(number) <= 2**31 - MAX_IMAGES
