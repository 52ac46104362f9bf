"""Limits what a run spends. The price of a request is reserved until its cost is known."""

from __future__ import annotations

ROUNDING = 1e-9  # USD


class Budget:
    """The budget of one run, in USD.

    `price` is the expected cost of one request, None or 0 if unknown. Without a `limit`, every
    request may be sent.
    """

    def __init__(self, limit: float | None, price: float | None) -> None:
        self._limit, self._price = limit, price or 0.0
        self._spent, self._under_way = 0.0, 0
        self._price_is_unknown = limit is not None and not price

    @property
    def must_wait(self) -> bool:
        """Whether the next request must wait: if the price is unknown, the first one runs alone."""
        return self._price_is_unknown and self._under_way > 0

    def objection(self) -> str:
        """Why no further request may be sent; "" if one may."""
        if self._limit is None:
            return ""
        expected = self._spent + (self._under_way + 1) * self._price
        if expected <= self._limit + ROUNDING:
            return ""
        return f"the run would cost {expected:.2f} USD, and the limit is {self._limit:.2f} USD"

    def begin(self) -> None:
        """Reserve the price of a request that is about to be sent."""
        self._under_way += 1

    def end(self, cost: float | None, *, paid: bool) -> None:
        """Account for a request that has ended.

        `cost` is what the provider reported, in USD. If it is None but the request may be `paid`
        for, the price is counted.
        """
        self._under_way -= 1
        self._price_is_unknown = self._price_is_unknown and not paid
        if cost is not None:
            self._price = max(self._price, cost)
            self._spent += cost
        elif paid:
            self._spent += self._price
