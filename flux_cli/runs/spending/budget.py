"""Limits what a run spends. The price of a request is reserved until its cost is known."""

from __future__ import annotations

ROUNDING = 1e-9  # USD by which a sum may exceed a limit
PLAUSIBLE = 10  # a request at an unpublished price may cost so many times what others have cost


class Budget:
    """The budget of one run, in USD.

    `price` is the expected cost of one request, None if unknown. Without a `limit`, every request
    may be sent. With a limit, requests go one by one until the first has brought an image. From
    then on, as many are in flight as the limit allows at the highest price known: the expected one,
    or what a request has cost. If no price was known before, ten times that: the next request may
    cost more, and nobody said that it will not.
    """

    def __init__(self, limit: float | None, price: float | None) -> None:
        self._limit, self._price = limit, price or 0.0
        self._was_known = price is not None
        self._spent, self._under_way = 0.0, 0
        self._uncounted = 0  # requests that may be paid for, at a cost that was not reported
        self._is_proven = False

    @property
    def must_wait(self) -> bool:
        """Whether the next request must wait until another one has ended."""
        if self._limit is None or not self._under_way:
            return False
        price = self._price if self._was_known else PLAUSIBLE * self._price
        return not self._is_proven or self._expected(price) > self._limit + ROUNDING

    def objection(self) -> str:
        """Why no further request may be sent; "" if one may."""
        if self._limit is None:
            return ""
        expected = self._expected(self._price)
        if expected <= self._limit + ROUNDING:
            return ""
        return f"the run would cost {expected:.2f} USD, and the limit is {self._limit:.2f} USD"

    def begin(self) -> None:
        """Reserve the price of a request that is about to be sent."""
        self._under_way += 1

    def end(self, cost: float | None, *, made: bool, billed: bool = False) -> None:
        """Account for a request that has ended.

        `made`: it brought an image. `billed`: it may have been paid for all the same. `cost` is
        what the provider reported, in USD; None, or anything that is not a cost, if it did not.
        """
        self._under_way -= 1
        if cost is not None and cost >= 0:
            self._price = max(self._price, cost)
            self._spent += cost
        elif made or billed:
            self._uncounted += 1
        is_priced = self._was_known or self._price > 0
        self._is_proven = self._is_proven or (made and is_priced)

    def _expected(self, price: float) -> float:
        """The cost of the run with one more request, if each one in flight costs `price`."""
        in_flight = (self._under_way + 1) * price
        return self._spent + self._uncounted * self._price + in_flight
