"""The state of every call and run in a journal, from whole lines, torn ones and garbage."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals import line

from flux_cli.http.replies import MARK
from flux_cli.runs.records.history import read
from flux_cli.runs.records.lines import LINE_SCHEMA, LISTED, UNSEALED, trace
from flux_cli.runs.records.past import PastCall, PastRun

CALL_FACTS = {"model": "m", "template": "{seed}.{ext}"}
CALLS = [
    CALL_FACTS | {"number": number, "seed": number + 6, "fields": {"seed": number}}
    for number in (1, 2, 3)
]
FACTS = {"event": "run", "id": "r", "time": 5.0, "prompt": "a fox"}
RUN = FACTS | {"schema": LINE_SCHEMA, "n": 3, **CALL_FACTS, "fields": {"seed": 1}}
LISTING_RUN = FACTS | {"schema": LISTED, "calls": CALLS}  # as an older flux wrote it
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
SENT = {"event": "sent", "call": 1, "seed": 7, "fields": {"seed": 1}}
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


def lines(events) -> list[bytes]:
    return [line(event) for event in events]


def told(*events: dict) -> PastRun:
    """The run that has these events. Every schema tells it alike."""
    past, older = (read(lines((run, *events))) for run in (RUN, LISTING_RUN))
    assert past is not None
    assert [call.state for call in past.calls] == [call.state for call in older.calls]
    assert (past.state, past.cost_usd) == (older.state, older.cost_usd)
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
    "ended before anything": ([END], "interrupted"),
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
    "n", "skipped", "delivery", "about", "key", "price_usd", "private",
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
    rows = lines([*([RUN] if whole else []), *events])
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
    whole = line(ANSWERED)
    torn = whole[: cut % (len(whole) - 1)] + garbage
    start = [line(RUN), *before]
    read_torn, expected = read([*start, torn, *after]), read([*start, *after])
    doubtful = [one.sent for one in read_torn.calls].count(True)
    assert read_torn.damaged == 1
    assert [one._replace(sent=True) for one in read_torn.calls] == [
        one._replace(sent=True) for one in expected.calls
    ]
    assert doubtful - [one.sent for one in expected.calls].count(True) in (0, 1)


@given(st.permutations([*for_all(SENT, ANSWERED), *for_all(FETCHED)]))
def test_lines_of_different_calls_may_come_in_any_order(events):
    in_order = sorted(events, key=lambda event: event["call"])
    assert told(*events).calls == told(*in_order).calls


def test_what_is_no_journal_of_this_kind_is_none():
    assert read([]) is None
    assert read([b"hello", b"{}", b"\xff\xfe"]) is None
    assert read(lines([RUN | {"schema": LINE_SCHEMA + 1}])) is None
    assert read(lines([{key: value for key, value in RUN.items() if key != "id"}])) is None
    assert read(lines([LISTING_RUN | {"calls": 3}])) is None


def test_a_run_of_thousands_of_calls_is_read_line_by_line():
    numbers = range(3000)
    story = (SENT, ANSWERED, FETCHED, SAVED, WHOLE)
    events = [event | {"call": number} for number in numbers for event in story]
    past = read(iter(lines([RUN | {"n": 2999}, *events])))
    assert past is not None
    assert (past.count("saved"), past.count("not_sent")) == (3000, 0)
    assert past.state == "complete"


def test_every_call_has_a_trace_of_its_own_and_always_the_same():
    traces = [trace(run, number) for run in ("a", "b") for number in range(50)]
    assert len({*traces}) == 100
    assert all(len(name) == 32 and int(name, 16) for name in traces)
    assert trace("a", 0) == traces[0]


def test_a_name_that_is_missing_has_a_stand_in():
    row = {"number": 1, "fields": {"seed": [1], "id": "x"}}
    past = read(lines([LISTING_RUN | {"calls": [row]}]))
    assert past.calls == (PastCall(1, None, "", past.calls[0].name, delivery={}),)
    assert past.calls[0].name.path("png") == "recovered.png"
    past = read(lines([FACTS | {"schema": LINE_SCHEMA}, row | {"event": "sent", "call": 1}]))
    assert past.calls == (PastCall(1, None, "", past.calls[0].name, sent=True, delivery={}),)
    assert past.calls[0].name.path("png") == "recovered.png"


def test_every_changed_bit_of_a_line_is_seen():
    whole = line(ANSWERED)
    for place in range(len(whole) * 8):
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << place % 8
        past = read([line(RUN), line(SENT), bytes(damaged)])
        assert (past.damaged, past.calls[0].state) == (1, "unclear")


def test_lines_of_the_first_schema_have_no_checksum():
    old = LISTING_RUN | {"schema": UNSEALED}
    past = read(json.dumps(event).encode() for event in (old, SENT, ANSWERED))
    assert (past.damaged, past.calls[0].state) == (0, "waiting")
    mixed = read([json.dumps(old).encode(), json.dumps(SENT).encode(), line(ANSWERED)])
    assert (mixed.damaged, mixed.calls[0].state) == (0, "waiting")


def test_a_line_without_checksum_counts_in_no_newer_journal():
    past = read([line(RUN), json.dumps(ANSWERED).encode()])
    assert (past.damaged, past.calls[0].answered) == (1, False)
    assert read([json.dumps(RUN).encode(), line(SENT)]) is None


def test_a_damaged_line_makes_one_request_doubtful_that_seems_not_sent():
    """The line could have been the one that says it was sent."""
    past = read([*lines([RUN, SENT, SENT | {"call": 3}]), b"damaged"])
    assert [call.state for call in past.calls] == ["unclear", "unclear", "unclear"]
    past = read([*lines([RUN]), b"damaged"])
    assert [call.state for call in past.calls] == ["unclear", "not_sent", "not_sent"]


@pytest.mark.parametrize(
    "template",
    ["{nane}", "{seed:999999999999}", "{seed", "}", "{}", "{seed.real}", "a\0b", "\ud800", 7],
)
def test_a_template_that_makes_no_name_has_a_stand_in(template):
    for past in (
        read(lines([LISTING_RUN | {"calls": [CALLS[0] | {"template": template}]}])),
        read(lines([RUN, SENT | {"template": template}])),
    ):
        assert past.calls[0].name.path("png") == "recovered.png"


def test_replies_are_left_out_where_nobody_needs_them():
    """A list of runs must not hold every image of every reply."""
    rows = lines([RUN, SENT, ANSWERED])
    for with_replies in (True, False):
        (call, *_) = read(rows, with_replies=with_replies).calls
        assert (call.state, call.reply is not None) == ("waiting", with_replies)
    assert told(SENT, ANSWERED, FETCHED, SAVED, WHOLE).calls[0].reply is None


def test_the_files_of_a_request_are_those_that_its_lines_name():
    body = json.dumps({"data": [{"b64_json": f"{MARK}ab12"}, {"b64_json": f"{MARK}cd34"}]})
    assert told(SENT, ANSWERED | {"body": body}).calls[0].files == ("ab12", "cd34")
    assert told(SENT, ANSWERED, FETCHED).calls[0].files == ("aa",)


def test_a_process_that_has_closed_the_journal_is_no_owner():
    first, second = ({"host": "a", "pid": pid, "started": "7"} for pid in (1, 2))
    opened = {"event": "open"}
    assert told(opened | first, opened | second).owners == (opened | first, opened | second)
    assert told(opened | first, opened | second, END | first).owners == (opened | second,)


def test_a_request_has_what_its_line_says_and_else_what_its_run_says():
    run = RUN | {"delivery": {"metadata": True, "sidecar": True}, "price_usd": 0.06}
    more = {
        "seed": 9,
        "model": "other",
        "price_usd": None,
        "fields": {"seed": 9},
        "delivery": {"sidecar": False},
        "key": "hero",
        "about": {"request": "9f2c"},
    }
    one, two, three = read(lines([run, SENT, {"event": "sent", "call": 2, **more}])).calls
    assert (one.seed, one.model, one.price_usd, one.name.path("png")) == (7, "m", 0.06, "1.png")
    assert (one.delivery, one.key, one.about) == ({"metadata": True, "sidecar": True}, "", {})
    assert (two.seed, two.model, two.price_usd, two.name.path("png")) == (9, "other", None, "9.png")
    assert (two.delivery, two.key) == ({"metadata": True, "sidecar": False}, "hero")
    assert (two.about, three.state) == ({"request": "9f2c"}, "not_sent")


def test_requests_whose_files_were_there_are_none_of_the_run():
    past = read(lines([RUN | {"n": 5, "skipped": [2, 4]}, SENT, SENT | {"call": 3}]))
    assert [(call.number, call.state) for call in past.calls] == [
        (1, "unclear"),
        (3, "unclear"),
        (5, "not_sent"),
    ]


def test_a_run_that_does_not_count_its_requests_has_those_that_were_sent():
    past = read(lines([FACTS | {"schema": LINE_SCHEMA}, SENT | {"call": 70}]))
    assert [(call.number, call.state) for call in past.calls] == [(70, "unclear")]


@pytest.mark.parametrize("n", [10**12, -1, True, "3", None, 2.5])
def test_an_absurd_number_of_requests_takes_no_memory(n):
    past = read(lines([RUN | {"n": n}]))
    assert len(past.calls) <= 10_000
