"""Limits what a run spends. The price of a request is reserved until its cost is known."""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple
from flux_cli.core.values import show_amount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDING = 1e-9  # USD by which a sum may exceed a limit
PLAUSIBLE = 10  # a request at an unpublished price may cost so many times what others have cost


class Rate(NamedTuple):
    """What requests of one price have in common. `price_usd` is expected; None if unknown."""

    model: str
    price_usd: float | None


class Budget:
    """The budget of one run, in USD. Its requests may have different rates.

    Without a `limit`, every request may be sent. With a limit, the requests of a rate go one by one
    until the first has brought an image. From then on, as many are in flight as the limit allows at
    the highest price known of each rate: the expected one, or what a request has cost. If no price
    was known before, ten times that: the next request may cost more, and nobody said that it will
    not. So only one request at a time can cost more than anybody expects.
    """

    def __init__(self, limit: float | None) -> None:
        self._limit, self._spent = limit, 0.0
        self._prices: dict[Rate, _Price] = {}

    def must_wait(self, rate: Rate) -> bool:
        """Whether the next request must wait until another one has ended."""
        active = [price for price in self._prices.values() if price.under_way]
        if self._limit is None or not active:
            return False
        if not self._price(rate).is_proven and not all(price.is_proven for price in active):
            return True
        return self._expected(rate, _Price.at_most) > self._limit + ROUNDING

    def objection(self, rate: Rate) -> str:
        """Why no further request of this rate may be sent; "" if one may."""
        if self._limit is None:
            return ""
        expected = self._expected(rate, _Price.at_least)
        if expected <= self._limit + ROUNDING:
            return ""
        cost, limit = show_amount(expected), show_amount(self._limit)
        return f"the run would cost {cost} USD, and the limit is {limit} USD"

    def begin(self, rate: Rate) -> None:
        """Reserve the price of a request that is about to be sent."""
        self._price(rate).under_way += 1

    def end(self, rate: Rate, cost: float | None, *, made: bool, billed: bool = False) -> None:
        """Account for a request that has ended.

        `made`: it brought an image. `billed`: it may have been paid for all the same. `cost` is
        what the provider reported, in USD; None, or anything that is not a cost, if it did not.
        """
        price = self._price(rate)
        price.under_way -= 1
        if cost is not None and cost >= 0:
            price.highest = max(price.highest, cost)
            self._spent += cost
        elif made or billed:
            price.uncounted += 1
        is_priced = price.was_known or price.highest > 0
        price.is_proven = price.is_proven or (made and is_priced)

    def _price(self, rate: Rate) -> _Price:
        if rate not in self._prices:
            self._prices[rate] = _Price(rate.price_usd)
        return self._prices[rate]

    def _expected(self, rate: Rate, price_of: Callable[[_Price], float]) -> float:
        """The cost of the run with one more request, if each one in flight costs `price_of`."""
        total = self._spent + price_of(self._price(rate))
        for price in self._prices.values():
            total += price.uncounted * price.highest + price.under_way * price_of(price)
        return total


class _Price:
    """What requests of one rate cost, in USD, and how many of them there are."""

    def __init__(self, expected: float | None) -> None:
        self.highest = expected or 0.0  # what was expected, or what a request has cost
        self.was_known = expected is not None
        self.is_proven = False  # one has brought an image
        self.under_way = 0
        self.uncounted = 0  # requests that may be paid for, at a cost that was not reported

    def at_least(self) -> float:
        """What the next request will cost, unless it costs more than all others."""
        return self.highest

    def at_most(self) -> float:
        """What the next request may cost."""
        return self.highest if self.was_known else PLAUSIBLE * self.highest
