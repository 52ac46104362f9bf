"""The state of every call and run in a journal, from whole lines, torn ones and garbage."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.runs.records.history import SCHEMA, PastCall, PastRun, read, trace

CALL_FACTS = {"model": "m", "template": "{seed}.{ext}"}
CALLS = [
    CALL_FACTS | {"number": number, "seed": number + 6, "fields": {"seed": number}}
    for number in (1, 2, 3)
]
RUN = {"event": "run", "schema": SCHEMA, "id": "r", "time": 5.0, "prompt": "a fox", "calls": CALLS}
MEDIA = [
    {
        "file": "aa",
        "request_id": "q",
        "provider": "fal",
        "cost_usd": 0.06,
        "seed": 7,
        "revised_prompt": "",
    }
]
SENT = {"event": "sent", "call": 1}
ANSWERED = {"event": "answered", "call": 1, "headers": {"x-a": "1"}, "body": "{}"}
FETCHED = {"event": "fetched", "call": 1, "media": MEDIA}
SAVED = {"event": "saved", "call": 1, "path": "/w/7.jpg", "cost_usd": 0.06}
WHOLE = {"event": "whole", "call": 1}
END = {"event": "end"}


def failed(code="network", *, billed=False, final=False):
    return {
        "event": "failed",
        "call": 1,
        "code": code,
        "message": "m",
        "billed": billed,
        "final": final,
    }


def told(*events: dict) -> PastRun:
    past = read(json.dumps(event).encode() for event in (RUN, *events))
    assert past is not None
    return past


STATES = {
    "nothing": ((), "not_sent"),
    "sent, and killed": ((SENT,), "unclear"),
    "sent, and surely not paid": ((SENT, failed()), "failed"),
    "sent, and perhaps paid": ((SENT, failed(billed=True)), "unclear"),
    "answered": ((SENT, ANSWERED), "waiting"),
    "answered after a failure": ((SENT, failed(billed=True), ANSWERED), "waiting"),
    "answered, and its address failed": ((SENT, ANSWERED, failed(billed=True)), "waiting"),
    "answered, and nothing is left to fetch": ((SENT, ANSWERED, failed(final=True)), "failed"),
    "fetched": ((SENT, ANSWERED, FETCHED), "waiting"),
    "fetched, and the disk was full": ((SENT, ANSWERED, FETCHED, failed("disk")), "waiting"),
    "saved, and killed before the last line": ((SENT, ANSWERED, FETCHED, SAVED), "waiting"),
    "saved": ((SENT, ANSWERED, FETCHED, SAVED, WHOLE), "saved"),
    "saved as it came": (
        (SENT, ANSWERED, FETCHED, SAVED, WHOLE, failed("image", final=True)),
        "saved",
    ),
    "expired": ((SENT, ANSWERED, failed("expired", final=True)), "expired"),
}


@pytest.mark.parametrize(("events", "state"), STATES.values(), ids=STATES)
def test_the_state_of_a_call_is_how_far_it_got(events, state):
    past = told(*events)
    assert past.calls[0].state == state
    assert [call.state for call in past.calls[1:]] == ["not_sent", "not_sent"]


def for_all(*events: dict) -> list[dict]:
    return [event | {"call": number} for number in (1, 2, 3) for event in events]


RUNS = {
    "killed before anything": ([], "interrupted"),
    "ended before anything": ([END], "failed"),
    "all saved, and killed": (for_all(SENT, ANSWERED, FETCHED, SAVED, WHOLE), "complete"),
    "all saved": ([*for_all(SENT, ANSWERED, FETCHED, SAVED, WHOLE), END], "complete"),
    "some saved": ([SENT, ANSWERED, SAVED, WHOLE, END], "partial"),
    "some saved, and killed": ([SENT, ANSWERED, SAVED, WHOLE], "interrupted"),
    "something to fetch, something unclear": (
        [SENT, ANSWERED, {"event": "sent", "call": 2}, END],
        "recoverable",
    ),
    "something unclear": ([SENT, END], "unclear"),
    "something expired": ([SENT, ANSWERED, failed("expired", final=True), END], "expired"),
    "all refused": ([*for_all(SENT, failed("moderation", final=True)), END], "failed"),
}


@pytest.mark.parametrize(("events", "state"), RUNS.values(), ids=RUNS)
def test_the_state_of_a_run_names_first_what_there_is_to_do(events, state):
    assert told(*events).state == state


COSTS = {
    "nothing sent": ((), 0),
    "refused": ((SENT, failed()), 0),
    "saved": ((SENT, ANSWERED, FETCHED, SAVED, WHOLE), 0.06),
    "fetched": ((SENT, ANSWERED, FETCHED), 0.06),
    "answered, so paid, and nobody said how much": ((SENT, ANSWERED), None),
    "saved, and nobody said how much": ((SENT, ANSWERED, SAVED | {"cost_usd": None}, WHOLE), None),
    "unclear": ((SENT, failed(billed=True)), None),
    "expired": ((SENT, ANSWERED, failed("expired", final=True)), None),
    "paid, and useless": ((SENT, ANSWERED, failed("provider", billed=True, final=True)), None),
    "not a number": ((SENT, SAVED | {"cost_usd": float("nan")}, WHOLE), None),
}


@pytest.mark.parametrize(("events", "cost"), COSTS.values(), ids=COSTS)
def test_the_cost_is_what_was_said_and_none_where_something_paid_has_no_price(events, cost):
    assert told(*events).cost_usd == cost


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=4,
)
KINDS = ("run", "sent", "answered", "fetched", "saved", "whole", "failed", "end", "later")
KEYS = (
    "call", "headers", "body", "media", "path", "cost_usd", "code", "final", "billed", "message",
    "calls", "id", "schema", "time", "number", "template", "fields", "seed", "file", "request_id",
)  # fmt: skip
ROWS = st.lists(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4), max_size=3)
CALL = st.sampled_from([1, 2, 3, 4, True, 1.0, "1"])
ODD = st.fixed_dictionaries(
    {"event": st.sampled_from(KINDS)}, optional=dict.fromkeys(KEYS, JSON | ROWS) | {"call": CALL}
)
GOOD = st.sampled_from(
    [SENT, ANSWERED, FETCHED, SAVED, WHOLE, END, failed(), failed(billed=True), failed(final=True)]
)
EVENTS = st.builds(lambda event, call: {**event, "call": call}, GOOD, st.integers(1, 3))


RUN_STATES = (
    "recoverable", "unclear", "expired", "interrupted", "complete", "partial", "failed",
)  # fmt: skip
CALL_STATES = ("saved", "waiting", "unclear", "failed", "expired", "not_sent")


def lines(events) -> list[bytes]:
    return [json.dumps(event).encode() for event in events]


def looked_at(past: PastRun | None) -> None:
    """Everything that commands ask of a run."""
    if past is None:
        return
    assert isinstance(past.cost_usd, int | float | None)
    assert past.began is None or 0 <= abs(past.began) < 1e12
    assert past.state in RUN_STATES
    assert past.text("prompt") is not None
    for call in past.calls:
        assert call.state in CALL_STATES
        for one in call.media:
            assert isinstance(one.file, str)
            assert isinstance(one.facts.request_id, str)


@given(
    st.lists(ODD | EVENTS, max_size=8),
    st.lists(st.binary(max_size=40), max_size=3),
    st.randoms(),
    st.booleans(),
)
def test_no_journal_is_odd_enough_to_raise(events, garbage, chance, whole):
    rows = [*([json.dumps(RUN).encode()] if whole else []), *lines(events)]
    for part in garbage:
        rows.insert(chance.randrange(len(rows) + 1), part)
    looked_at(read(rows))


@given(
    st.lists(EVENTS, max_size=12),
    st.integers(0, 400),
    st.binary(max_size=10).filter(lambda part: b"\n" not in part),
)
def test_a_torn_line_is_left_out_and_the_others_count(events, cut, garbage):
    """Whatever is torn: the run reads as if that line had never been begun."""
    before, after = lines(events[::2]), lines(events[1::2])
    torn = json.dumps(ANSWERED).encode()[: cut % (len(json.dumps(ANSWERED)) - 1)] + garbage
    if isinstance(_value(torn), dict):
        return
    start = [json.dumps(RUN).encode(), *before]
    assert read([*start, torn, *after]) == read([*start, *after])


def _value(line: bytes):
    try:
        return json.loads(line)
    except ValueError:
        return None


@given(st.permutations([*for_all(SENT, ANSWERED), *for_all(FETCHED)]))
def test_lines_of_different_calls_may_come_in_any_order(events):
    in_order = sorted(events, key=lambda event: event["call"])
    assert told(*events).calls == told(*in_order).calls


def test_what_is_no_journal_of_this_kind_is_none():
    assert read([]) is None
    assert read([b"hello", b"{}", b"\xff\xfe"]) is None
    assert read(lines([RUN | {"schema": SCHEMA + 1}])) is None
    assert read(lines([{key: value for key, value in RUN.items() if key != "id"}])) is None
    assert read(lines([RUN | {"calls": 3}])) is None


def test_a_run_of_thousands_of_calls_is_read_line_by_line():
    numbers = range(3000)
    calls = [CALLS[0] | {"number": number} for number in numbers]
    story = (SENT, ANSWERED, FETCHED, SAVED, WHOLE)
    events = [event | {"call": number} for number in numbers for event in story]
    past = read(iter(lines([RUN | {"calls": calls}, *events])))
    assert past is not None
    assert (past.count("saved"), past.count("not_sent")) == (3000, 0)
    assert past.state == "complete"


def test_every_call_has_a_trace_of_its_own_and_always_the_same():
    traces = [trace(run, number) for run in ("a", "b") for number in range(50)]
    assert len({*traces}) == 100
    assert all(len(name) == 32 and int(name, 16) for name in traces)
    assert trace("a", 0) == traces[0]


def test_a_name_that_is_missing_has_a_stand_in():
    past = read(lines([RUN | {"calls": [{"number": 1, "fields": {"seed": [1], "id": "x"}}]}]))
    assert past is not None
    assert past.calls == (PastCall(1, None, "", past.calls[0].name),)
    assert past.calls[0].name.path("png") == "recovered.png"
