"""What may still be spent: counts requests under way, and learns unknown and wrong prices."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.runs.spending import budget as spending
from flux_cli.runs.spending.budget import PLAUSIBLE, Rate


class Budget:
    """The budget of a run whose requests all have one rate."""

    def __init__(self, limit, price):
        self.budget, self.rate = spending.Budget(limit), Rate("m", price)

    @property
    def must_wait(self):
        return self.budget.must_wait(self.rate)

    def objection(self):
        return self.budget.objection(self.rate)

    def begin(self):
        self.budget.begin(self.rate)

    def end(self, cost, **how):
        self.budget.end(self.rate, cost, **how)


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


CHEAP, DEAR, UNKNOWN = Rate("a", 0.02), Rate("b", 0.5), Rate("c", None)


def proven(limit, *rates):
    """A budget of which one image at each rate has come at its price."""
    budget = spending.Budget(limit)
    for rate in rates:
        budget.begin(rate)
        budget.end(rate, rate.price_usd, made=True)
    return budget


def test_requests_of_different_prices_add_up():
    budget = proven(2.0, CHEAP, DEAR)
    for rate in (DEAR, CHEAP, DEAR):
        assert not budget.must_wait(rate)
        budget.begin(rate)
    assert budget.must_wait(DEAR)
    assert budget.objection(DEAR) == "the run would cost 2.04 USD, and the limit is 2.00 USD"
    assert not budget.must_wait(CHEAP)  # it fits where a dear one does not
    assert budget.objection(CHEAP) == ""


def test_what_one_rate_teaches_is_not_said_of_another():
    budget = proven(1.0, CHEAP)
    budget.begin(DEAR)
    budget.end(DEAR, 0.7, made=True)
    assert budget.objection(CHEAP) == ""
    assert budget.objection(DEAR) == "the run would cost 1.42 USD, and the limit is 1.00 USD"


def test_only_one_request_whose_price_nobody_has_seen_is_under_way():
    budget = proven(10.0, CHEAP)
    budget.begin(CHEAP)
    assert not budget.must_wait(DEAR)  # what is under way costs what it should
    budget.begin(DEAR)
    assert (budget.must_wait(DEAR), budget.must_wait(UNKNOWN)) == (True, True)
    assert not budget.must_wait(CHEAP)
    budget.end(DEAR, 0.5, made=True)
    budget.begin(UNKNOWN)
    assert budget.must_wait(UNKNOWN)
    assert not budget.must_wait(DEAR)


@given(
    st.lists(st.tuples(st.sampled_from([CHEAP, DEAR, UNKNOWN]), st.booleans()), max_size=60),
    st.sampled_from([0.3, 1.0, 4.0]),
)
def test_a_run_of_several_rates_exceeds_its_limit_by_no_more_than_one_surprise(requests, limit):
    """A request costs its price, or, as a surprise, three times as much."""
    budget, total, surprise = spending.Budget(limit), 0.0, 0.0
    under_way = []
    for rate, is_surprise in requests:
        while budget.must_wait(rate):
            done, bill = under_way.pop()
            budget.end(done, bill, made=True)
        if budget.objection(rate):
            continue
        factor = 3 if is_surprise and not under_way else 1
        bill = factor * (rate.price_usd or 0.1)
        surprise = max(surprise, bill if factor == 3 or rate == UNKNOWN else 0.0)
        budget.begin(rate)
        under_way.append((rate, bill))
        total += bill
    assert total <= limit + surprise + 1e-9
