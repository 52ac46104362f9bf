"""Items made on demand behave like items in a list."""

import pytest

from flux_cli.core.lite import LazySequence


def test_it_is_a_sequence():
    squares = LazySequence(4, lambda place: place * place)
    assert (list(squares), len(squares), squares[-1], squares[2]) == ([0, 1, 4, 9], 4, 9, 4)
    assert list(reversed(squares)) == [9, 4, 1, 0]
    assert 4 in squares
    assert 5 not in squares
    assert squares.index(9) == 3
    assert squares == [0, 1, 4, 9]
    assert squares != [0, 1, 4]


@pytest.mark.parametrize("place", [4, -5, 100])
def test_there_is_nothing_beyond_its_ends(place):
    with pytest.raises(IndexError):
        LazySequence(4, str)[place]


def test_an_empty_one_is_false_and_makes_nothing():
    assert not LazySequence(0, lambda _place: pytest.fail("made"))
