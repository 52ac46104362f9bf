"""How long a request takes, and all that are left, judged by those that are over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.runs.progress.estimate import RECENT, Pace, rounded, seconds_left


def pace(*seconds, earlier=()):
    made = Pace(earlier)
    for one in seconds:
        made.add(one)
    return made


def test_a_usual_request_takes_the_median_so_that_one_long_wait_does_not_count():
    assert pace(8, 9, 10, 3600).typical == 9.5
    assert pace(8, 3600, 9).typical == 9


def test_one_request_of_this_run_is_no_measure_but_one_of_an_earlier_run_is():
    assert pace().typical is None
    assert pace(9).typical is None
    assert pace(earlier=[9]).typical == 9


def test_what_this_run_measures_takes_the_place_of_earlier_runs():
    earlier = [5.0] * 5
    assert pace(30, earlier=earlier).typical == 5
    assert pace(*[30] * 6, earlier=earlier).typical == 30
    assert pace(*[100] * 3, *[7] * RECENT).typical == 7


@pytest.mark.parametrize(
    ("running", "to_come", "at_once", "expected"),
    [
        ([], 0, 4, 0),
        ([9, 9], 4, 2, 27),  # two turns after this one
        ([9, 9, 9, 9], 1, 4, 18),  # the fifth waits for one of four
        ([2, 6, 9, 9], 1, 4, 11),  # for the first one
        ([2, 9], 0, 2, 9),  # the slowest one decides
        ([0, 0], 2, 2, 9),  # late ones may end at any moment
        ([4], 2, 3, 9),  # there is room for two more
        ([60, 1], 1, 2, 60),
    ],
)
def test_the_time_left_counts_the_turns_of_as_many_as_go_at_once(
    running, to_come, at_once, expected
):
    assert seconds_left(running, to_come, 9, at_once) == expected


TIMES = st.lists(st.floats(0, 1e4), max_size=20)


@given(TIMES, st.integers(0, 10_000), st.floats(0, 1e4), st.integers(1, 200))
def test_the_time_left_is_never_negative_and_never_shorter_than_the_slowest(
    running, to_come, typical, at_once
):
    assert seconds_left(running, to_come, typical, at_once) >= max([0.0, *running])


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.2, 1), (9, 9), (18.2, 19), (21, 25), (60, 60), (61, 70), (300, 300), (301, 360)],
)
def test_an_estimate_is_rounded_up_the_more_the_longer_it_is(seconds, shown):
    assert rounded(seconds) == shown
