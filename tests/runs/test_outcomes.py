"""What became of thousands of calls comes back as it was, and takes little room meanwhile."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.errors import NetworkError
from flux_cli.core.lite import LazySequence
from flux_cli.core.request import Call, Facts, Outcome, SavedImage
from flux_cli.runs.outcomes import Outcomes

# Lone surrogates included, as in file names that are not UTF-8.
TEXT = st.text(st.characters(), max_size=30)
FACTS = st.builds(
    Facts,
    TEXT,
    TEXT,
    st.none() | st.floats(allow_nan=False),
    st.none() | st.integers(),
    TEXT,
    st.lists(TEXT).map(tuple),
)
COUNT = st.integers(0, 1 << 40)
SAVED = st.builds(
    SavedImage,
    TEXT,
    TEXT,
    COUNT,
    COUNT,
    COUNT,
    st.booleans(),
    FACTS,
    st.none() | st.integers(1, 100),
    st.booleans(),
    TEXT,
)


def calls(count: int) -> LazySequence[Call]:
    return LazySequence(count, lambda place: Call(place + 1, 7 + place, "m", {}))


@given(st.lists(SAVED, max_size=3).map(tuple), st.lists(TEXT).map(tuple), st.floats(0, 1e6))
def test_what_is_put_in_comes_out(saved, kept, seconds):
    outcomes = Outcomes(calls(3))
    outcome = Outcome(Call(2, 8, "m", {}), saved, None, kept, seconds)
    outcomes.put(1, outcome)
    assert outcomes[1] == outcome
    assert [type(one.facts) for one in outcomes[1].saved] == [Facts] * len(saved)


def test_a_failure_stays_the_very_same_and_of_a_silent_one_nothing_was_sent():
    outcomes = Outcomes(calls(3))
    error = NetworkError("gone", billed=True)
    outcomes.put(2, Outcome(Call(3, 9, "m", {}), (), error))
    assert outcomes[2].error is outcomes[-1].error is error
    codes = [outcome.error and outcome.error.code for outcome in outcomes]
    assert codes == ["not_sent", "not_sent", "network"]
    assert [outcome.call.number for outcome in outcomes] == [1, 2, 3]


def test_long_outcomes_and_many_come_back_from_wherever_they_stand():
    outcomes = Outcomes(calls(40))
    for place in reversed(range(40)):
        saved = SavedImage("p" * (place * 1000), "png", 1, 1, place, True, Facts())
        outcomes.put(place, Outcome(outcomes[place].call, (saved,) * (place % 3)))
    for place, outcome in enumerate(outcomes):
        assert len(outcome.saved) == place % 3
        for saved in outcome.saved:
            assert len(saved.path) == 1000 * place
    assert outcomes[-1] == outcomes[39]


def test_ten_thousand_images_take_two_megabytes():
    outcomes = Outcomes(calls(10_000))
    tracemalloc.start()
    for place in range(10_000):
        facts = Facts(f"req_{place:032}", "replicate", 0.06, place)
        path = f"out/a-red-fox-{place}.png"
        saved = SavedImage(path, "png", 1024, 1024, 1_500_000 + place, True, facts)
        outcomes.put(place, Outcome(outcomes[place].call, (saved,), seconds=place / 7))
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 1_800_000
    assert sum(1 for outcome in outcomes if outcome.saved[0].facts.cost_usd == 0.06) == 10_000
