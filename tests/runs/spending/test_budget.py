"""What may still be spent: counts requests under way, and learns unknown and wrong prices."""

import math

import pytest

from flux_cli.runs.spending.budget import PLAUSIBLE, Budget


def send(budget, most=100):
    """Send requests until one must wait or may not be sent. Returns how many were sent."""
    sent = 0
    while sent < most and not budget.must_wait and not budget.objection():
        budget.begin()
        sent += 1
    return sent


def spend(limit, price, costs, concurrency=16):
    """A run at a server that bills `costs`, one after the other. Returns what it bills in all.

    What is in flight ends together, which is the worst case.
    """
    budget, bills = Budget(limit, price), iter(costs)
    total = 0.0
    for _ in range(1000):
        billed = [next(bills) for _ in range(send(budget, concurrency))]
        if not billed:
            return total
        total += sum(billed)
        for bill in billed:
            budget.end(bill, made=True)
    raise AssertionError("it goes on for ever")


def all_equal(cost):
    return [cost] * 1000


def test_without_a_limit_everything_may_go_out():
    budget = Budget(None, None)
    assert send(budget, 100) == 100
    assert (budget.objection(), budget.must_wait) == ("", False)


def test_calls_under_way_count_as_if_they_were_paid():
    budget = Budget(0.12, 0.06)
    budget.begin()
    assert budget.objection() == ""
    budget.begin()
    assert budget.objection() == "the run would cost 0.18 USD, and the limit is 0.12 USD"


@pytest.mark.parametrize(
    ("cost", "made", "billed", "more"),
    [
        (None, False, False, True),
        (0.0, True, False, True),
        (0.01, True, False, True),
        (None, True, False, False),
        (None, False, True, False),
        (0.06, True, False, False),
        (-5.0, True, False, False),
        (math.nan, True, False, False),
    ],
)
def test_what_is_reported_counts_else_the_price_if_it_may_be_paid(cost, made, billed, more):
    budget = Budget(0.115, 0.06)
    budget.begin()
    budget.end(cost, made=made, billed=billed)
    assert (budget.objection() == "") is more


def test_a_call_that_was_dearer_than_said_teaches_the_price():
    budget = Budget(0.3, 0.06)
    budget.begin()
    budget.end(0.2, made=True)
    assert budget.objection() == "the run would cost 0.40 USD, and the limit is 0.30 USD"


def test_calls_whose_cost_was_not_reported_count_at_the_price_learned_later():
    budget = Budget(1.0, None)
    budget.begin()
    budget.end(None, made=True)
    budget.begin()
    budget.end(0.4, made=True)
    assert budget.objection() == "the run would cost 1.20 USD, and the limit is 1.00 USD"


@pytest.mark.parametrize("price", [0.06, None])
def test_the_first_call_goes_alone_until_one_has_brought_an_image(price):
    budget = Budget(10.0, price)
    assert send(budget) == 1
    budget.end(None, made=False)  # it failed, and cost nothing
    assert send(budget) == 1
    budget.end(None, made=False, billed=True)  # nobody knows what it has cost
    assert send(budget) == 1
    budget.end(0.06, made=True)
    assert send(budget, 16) > 1


def test_a_price_that_is_right_fans_out_to_the_limit_after_the_first():
    budget = Budget(0.96, 0.06)
    assert send(budget) == 1
    budget.end(0.06, made=True)
    assert send(budget) == 15
    assert budget.must_wait


def test_a_server_that_never_names_a_cost_fans_out_at_the_price_of_the_catalog():
    budget = Budget(0.96, 0.06)
    send(budget)
    budget.end(None, made=True)
    assert send(budget) == 15


def test_what_does_not_fit_waits_for_what_is_under_way_which_may_end_for_free():
    budget = Budget(0.18, 0.06)
    send(budget)
    budget.end(0.06, made=True)
    assert send(budget) == 2
    assert budget.must_wait
    budget.end(None, made=False)
    assert send(budget) == 1


def test_as_long_as_no_cost_is_reported_an_unknown_price_goes_one_by_one():
    budget = Budget(0.3, None)
    for cost in (None, 0.0, -1.0):
        assert send(budget) == 1
        budget.end(cost, made=True)


def test_an_unknown_price_fans_out_as_far_as_ten_times_the_highest_cost_fits():
    budget = Budget(10.0, None)
    send(budget)
    budget.end(0.05, made=True)
    assert send(budget) == int((10.0 - 0.05) / (PLAUSIBLE * 0.05))


@pytest.mark.parametrize("limit", [0.3, 1.0, 4.0])
@pytest.mark.parametrize(
    ("price", "costs"),
    [
        (0.06, all_equal(0.06)),
        (0.06, all_equal(0.5)),  # the catalog is wrong
        (None, all_equal(0.1)),
        (None, [0.01, *all_equal(0.1)]),  # the server raises its price
        (None, [0.0, *all_equal(0.1)]),
        (None, [0.0, 0.0, 0.01, 0.02, *all_equal(0.1)]),
    ],
)
def test_the_limit_is_exceeded_by_no_more_than_one_request_of_an_unknown_price(limit, price, costs):
    total = spend(limit, price, costs)
    surprise = max(costs) if max(costs) > limit else 0.0
    assert total <= limit + surprise + 1e-9
    assert total > limit - 2 * max(costs)  # and it is used
