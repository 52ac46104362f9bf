"""What a run may still spend: the price of every call that goes out is held back until it is known what it has cost."""

from __future__ import annotations

ROUNDING = 1e-9  # USD


class Budget:
    """The money of one run, in USD. `price` is what one call is said to cost; without `limit` everything may go out."""

    def __init__(self, limit: float | None, price: float | None) -> None:
        self._limit, self._price = limit, price or 0.0
        self._spent, self._under_way = 0.0, 0
        self._price_is_unknown = limit is not None and not price

    @property
    def must_wait(self) -> bool:
        """Whether the next call has to wait for another's end: the first one goes alone, to learn the price."""
        return self._price_is_unknown and self._under_way > 0

    def objection(self) -> str:
        """Why no further call may go out; "" where it may."""
        expected = self._spent + (self._under_way + 1) * self._price
        if self._limit is None or expected <= self._limit + ROUNDING:
            return ""
        return f"the run would cost {expected:.2f} USD, and the limit is {self._limit:.2f} USD"

    def begin(self) -> None:
        """A call goes out."""
        self._under_way += 1

    def end(self, cost: float | None, *, paid: bool) -> None:
        """A call is over. `cost` is what the provider says; where it says nothing but may be `paid`, the price."""
        self._under_way -= 1
        self._price_is_unknown = self._price_is_unknown and not paid
        if cost is not None:
            self._price = max(self._price, cost)
        if cost is not None or paid:
            self._spent += self._price if cost is None else cost
