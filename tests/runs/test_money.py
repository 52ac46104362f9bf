"""What may still be spent: counts requests under way, and learns unknown prices."""

import pytest

from flux_cli.runs.money import Budget


def test_without_a_limit_everything_may_go_out():
    budget = Budget(None, None)
    for _ in range(100):
        assert (budget.objection(), budget.must_wait) == ("", False)
        budget.begin()


def test_calls_under_way_count_as_if_they_were_paid():
    budget = Budget(0.12, 0.06)
    budget.begin()
    assert budget.objection() == ""
    budget.begin()
    assert budget.objection() == "the run would cost 0.18 USD, and the limit is 0.12 USD"


@pytest.mark.parametrize(
    ("cost", "paid", "more"),
    [
        (None, False, True),
        (0.0, True, True),
        (0.01, True, True),
        (None, True, False),
        (0.06, True, False),
    ],
)
def test_what_is_known_in_the_end_counts_else_the_price_if_it_may_be_paid(cost, paid, more):
    budget = Budget(0.115, 0.06)
    budget.begin()
    budget.end(cost, paid=paid)
    assert (budget.objection() == "") is more


def test_a_call_that_was_dearer_than_said_teaches_the_price():
    budget = Budget(0.3, 0.06)
    budget.begin()
    budget.end(0.2, paid=True)
    assert budget.objection() == "the run would cost 0.40 USD, and the limit is 0.30 USD"


def test_the_first_call_goes_alone_where_nobody_knows_the_price():
    budget = Budget(1.0, None)
    assert not budget.must_wait
    budget.begin()
    assert budget.must_wait
    budget.end(None, paid=False)  # it failed, and cost nothing
    budget.begin()
    assert budget.must_wait
    budget.end(0.6, paid=True)
    budget.begin()
    assert (budget.must_wait, budget.objection()) == (
        False,
        "the run would cost 1.80 USD, and the limit is 1.00 USD",
    )
