"""What is counted while a run goes on, and what of it fits on a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.outcome import Event
from flux_cli.runs.progress.summary import (
    Progress,
    Scope,
    event_line,
    fit_parts,
    format_seconds,
    format_usd,
)


def after(total, *events):
    """Progress after (time, event) pairs that began at 100 s."""
    progress = Progress(Scope(total), 100.0)
    for now, event in events:
        progress.update(event, now)
    return progress


def words(progress, now):
    return fit_parts(progress.parts(now), 200)


def made(number, began, ended, cost=0.06):
    """The events of one call that went well."""
    return [
        (began, Event("sent", number)),
        (ended, Event("received", number, size=34_000, cost_usd=cost)),
        (ended, Event("saved", number, "64x64 png, 34 kB", ended - began, "a.png", 34_000, cost)),
    ]


def test_calls_are_done_running_or_failed():
    progress = after(
        4, (100, Event("sent", 1)), (100, Event("sent", 2)), (101, Event("failed", 2, "no"))
    )
    assert words(progress, 103.2) == "1/4 done · 1 running · 1 failed · 3 s"


def test_the_cost_is_what_the_providers_named_and_is_counted_once():
    assert "0.12 USD" in words(after(3, *made(1, 100, 101), *made(2, 100, 101)), 102)
    assert "USD" not in words(after(3, *made(1, 100, 101, None)), 102)
    assert "USD" not in words(after(3, *made(1, 100, 101, 0.0)), 102)


def test_an_image_that_was_paid_for_and_then_lost_still_costs():
    events = [
        (100, Event("sent", 1)),
        (101, Event("received", 1, cost_usd=0.06)),
        (102, Event("failed", 1, "disk")),
    ]
    assert words(after(2, *events), 102) == "1/2 done · 0 running · 1 failed · 0.06 USD · 2 s"


def test_a_call_with_an_image_and_a_fault_is_done_once_and_failed_once():
    assert words(
        after(1, *made(1, 100, 101), (101, Event("failed", 1, "second image"))), 101
    ).startswith("1/1 done · 0 running · 1 failed")


def test_the_time_left_counts_waves_of_as_many_calls_as_go_at_once():
    """Eight calls, two at a time, 10 s each: after the first two, three waves are left."""
    progress = after(
        8, *made(1, 100, 110), *made(2, 100, 110), (110, Event("sent", 3)), (110, Event("sent", 4))
    )
    assert progress.seconds_left(110) == pytest.approx(30)
    assert progress.seconds_left(115) == pytest.approx(25)
    assert "about 30 s left" in words(progress, 110)


def test_a_pause_puts_the_end_off():
    """Two calls took 10 s; the third waits 20 s more before it is tried again."""
    waiting = [(100, Event("sent", 3)), (110, Event("waiting", 3, "busy", 20.0))]
    progress = after(3, *made(1, 100, 110), *made(2, 100, 110), *waiting)
    assert progress.seconds_left(110) == pytest.approx(30)
    progress.update(Event("sent", 3), 131)
    assert progress.seconds_left(131) == pytest.approx(10)


def test_nobody_guesses_the_time_left_from_one_call_nor_from_failures():
    assert after(8, *made(1, 100, 110)).seconds_left(110) is None
    failed = [(101, Event("failed", number, "no")) for number in (1, 2, 3)]
    assert after(8, *failed).seconds_left(110) is None


def test_a_call_that_takes_longer_than_the_others_leaves_no_time_to_name():
    progress = after(3, (100, Event("sent", 3)), *made(1, 100, 110), *made(2, 100, 110))
    assert progress.seconds_left(150) == 0
    assert "left" not in words(progress, 150)


def test_a_pause_counts_down_and_ends():
    progress = after(1, (100, Event("sent", 1)), (101, Event("waiting", 1, "too many", 4.0)))
    assert progress.active[1].words(102) == "waiting 3 s: too many"
    assert progress.active[1].words(105) == "too many"
    progress.update(Event("sent", 1), 106)
    assert progress.active[1].words(106) == "drawing, retry"
    assert progress.active[1].since == 100


def test_an_image_that_came_shows_its_size_and_cost():
    progress = after(1, *made(1, 100, 101)[:2])
    assert progress.active[1].words(102) == "saving · 34 kB, 0.06 USD"


def test_the_heartbeat_names_the_call_that_has_been_under_way_for_longest():
    progress = after(3, (100, Event("sent", 1)), (105, Event("sent", 2)), *made(3, 100, 106))
    sentence = "1/3 done, 2 running, 0.06 USD, 62 s; request 1 for 62 s: drawing"
    assert progress.sentence(162) == sentence


KINDS = st.sampled_from(["sent", "waiting", "received", "saved", "skipped", "failed"])
EVENTS = st.lists(st.tuples(KINDS, st.integers(1, 300), st.floats(0, 1e4)), max_size=60)


def test_groups_and_the_limit_are_shown_as_far_as_there_are_any():
    keys = {"a-1": "assets.a", "a-2": "assets.a", "b": "assets.b"}
    progress = Progress(Scope(3, 5.0, keys), 100.0)
    progress.update(Event("received", 1, cost_usd=0.06, key="a-1"), 101.0)
    for _ in range(2):  # one event per file
        progress.update(Event("saved", 1, key="a-1"), 102.0)
    assert progress.groups() == ["assets.a: 1/2"]
    assert "0.06 of 5.00 USD" in progress.sentence(103.0)
    assert Progress(Scope(2, None, {"a-1": "assets.a", "a-2": "assets.a"}), 100.0).groups() == []


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (104.2, "4.2 s of about 9 s"),
        (109, "9.0 s of about 9 s"),
        (112, "12.0 s, usually about 9 s"),
    ],
)
def test_the_only_request_shows_the_time_it_takes_and_is_expected_to_take(now, words):
    progress = Progress(Scope(1, earlier=[8, 9, 40]), 100.0)
    progress.update(Event("sent", 1), 100.0)
    assert progress.timing(progress.active[1], now) == words


def test_a_pause_of_the_only_request_is_part_of_what_is_expected():
    progress = Progress(Scope(1, earlier=[9]), 100.0)
    progress.update(Event("sent", 1), 100.0)
    progress.update(Event("waiting", 1, "busy", 10.0), 101.0)
    assert progress.timing(progress.active[1], 104.0) == "4.0 s of about 20 s"


def test_without_earlier_requests_or_beside_others_only_the_elapsed_time_is_shown():
    for scope in (Scope(1), Scope(2, earlier=[9])):
        progress = Progress(scope, 100.0)
        progress.update(Event("sent", 1), 100.0)
        assert progress.timing(progress.active[1], 104.2) == "4.2 s"


def test_earlier_runs_tell_the_time_left_from_the_start():
    progress = Progress(Scope(5, earlier=[9]), 100.0)
    for number in (1, 2, 3, 4):
        progress.update(Event("sent", number), 100.0)
    assert "about 17 s left" in words(progress, 101)


@given(EVENTS, st.integers(1, 250))
def test_any_run_fits_any_width_as_far_as_what_must_be_said_does(events, width):
    progress = Progress(Scope(300), 0.0)
    for kind, number, now in events:
        progress.update(Event(kind, number, "detail", 1.0, cost_usd=0.06), now)
    line = fit_parts(progress.parts(1e4), width)
    ended = {number for kind, number, _ in events if kind in ("saved", "skipped", "failed")}
    assert line.startswith(f"{len(ended)}/300")
    assert len(line) <= max(width, len("300/300 done"))
    assert (progress.seconds_left(1e4) or 0) >= 0


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0.06, "0.06 USD"),
        (0.0025, "0.0025 USD"),
        (1.2, "1.20 USD"),
        (30, "30.00 USD"),
        (0.18 - 1e-12, "0.18 USD"),
    ],
)
def test_money_has_two_decimals_and_more_where_they_count(usd, text):
    assert format_usd(usd) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-1, "0 s"),
        (99.4, "99 s"),
        (200, "3 min 20 s"),
        (1200, "20 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_spans_of_time_are_said_as_people_say_them(seconds, text):
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("event", "usual", "verbose"),
    [
        (Event("sent", 1), "", "sent"),
        (
            Event("received", 1, "", 2.0, "", 34_000, 0.06, "req_1"),
            "",
            "received 34 kB, 0.06 USD after 2.0 s, request req_1",
        ),
        (
            Event("saved", 1, "1x1 png, 1 kB", 2.0, "a.png", 1000, 0.06, "req_1"),
            "saved a.png (1x1 png, 1 kB, 0.06 USD) after 2.0 s",
            "saved a.png (1x1 png, 1 kB, 0.06 USD) after 2.0 s, request req_1",
        ),
        (Event("waiting", 1, "busy", 2.0), "waiting 2.0 s: busy", "waiting 2.0 s: busy"),
        (
            Event("skipped", 1, "already there", path="a.png"),
            "kept a.png: already there",
            "kept a.png: already there",
        ),
        (
            Event("skipped", 1, "another run has requested it", key="owl"),
            "left owl: another run has requested it",
            "left owl: another run has requested it",
        ),
        (
            Event("failed", 1, "no", 2.0, request_id="req_1"),
            "failed: no",
            "failed: no, request req_1",
        ),
    ],
)
def test_verbose_lines_add_steps_timings_and_request_ids(event, usual, verbose):
    assert event_line(event, several=True) == usual
    assert event_line(event, several=True, verbose=True) == verbose


def test_the_only_call_that_fails_is_told_once_by_the_error_itself():
    assert event_line(Event("failed", 1, "no"), several=False, verbose=True) == ""
