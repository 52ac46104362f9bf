"""What a run may still spend. The price of a call is reserved until its cost is known."""

from __future__ import annotations

ROUNDING = 1e-9  # USD


class Budget:
    """The money of one run, in USD.

    `price` is the expected cost of one call, None or 0 if it is unknown. Without a `limit`, every
    call may be sent.
    """

    def __init__(self, limit: float | None, price: float | None) -> None:
        self._limit, self._price = limit, price or 0.0
        self._spent, self._under_way = 0.0, 0
        self._price_is_unknown = limit is not None and not price

    @property
    def must_wait(self) -> bool:
        """Whether the next call must wait: the first one runs alone, to learn the price."""
        return self._price_is_unknown and self._under_way > 0

    def objection(self) -> str:
        """Why no further call may be sent; "" if one may."""
        if self._limit is None:
            return ""
        expected = self._spent + (self._under_way + 1) * self._price
        if expected <= self._limit + ROUNDING:
            return ""
        return f"the run would cost {expected:.2f} USD, and the limit is {self._limit:.2f} USD"

    def begin(self) -> None:
        """A call is about to be sent."""
        self._under_way += 1

    def end(self, cost: float | None, *, paid: bool) -> None:
        """A call has ended.

        `cost` is what the provider named; if it named none but the call may be `paid`, it counts
        with the price.
        """
        self._under_way -= 1
        self._price_is_unknown = self._price_is_unknown and not paid
        if cost is not None:
            self._price = max(self._price, cost)
            self._spent += cost
        elif paid:
            self._spent += self._price
