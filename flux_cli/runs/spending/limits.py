"""Checks the cost of a run before it is sent: the limit, and whether a person must confirm it.

Takes numbers, not options, so that every command that pays has the same rules.
"""

from __future__ import annotations

import math

from flux_cli.core.errors import BudgetError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.values import counted, show_amount
from flux_cli.runs.spending.budget import ROUNDING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_UNPRICED = 20  # images of unknown price that need no confirmation


class Bill(NamedTuple):
    """What is about to be paid for.

    `cost` in USD is that of the images with a known price; `unpriced` of the images have none.
    `price` is that of one image, if it is the same for all.
    """

    images: int
    cost: float
    unpriced: int = 0
    price: float | None = None

    def __str__(self) -> str:
        amount = counted(self.images, "image")
        if self.unpriced == self.images:
            return f"{amount} of unknown price"
        each = "" if self.price is None else f" at {show_amount(self.price)} USD"
        verb = "costs" if self.images == 1 else "cost"
        more = f", and the price of {self.unpriced:,} is unknown" if self.unpriced else ""
        return f"{amount}{each} {verb} {show_amount(self.cost)} USD{more}"


def bill_of(items: Iterable[tuple[int, float | None]]) -> Bill:
    """The bill for numbers of images at a price each, in USD; None if it is unknown."""
    counts: dict[float | None, int] = {}  # by price
    for count, price in items:
        if count:
            counts[price] = counts.get(price, 0) + count
    images, unpriced = sum(counts.values()), counts.pop(None, 0)
    cost = sum(count * price for price, count in counts.items() if price is not None)
    is_one_price = len(counts) == 1 and not unpriced
    return Bill(images, cost, unpriced, next(iter(counts)) if is_one_price else None)


def check_limit(
    bill: Bill,
    limit: float | None,
    *,
    accepts_unknown: bool,
    reason: str = "",
    hint: str = "ask for fewer images, or raise --max-cost",
    unknown_hint: str = "add --yes to proceed until the reported costs reach the limit",
) -> None:
    """Raise BudgetError with the hint if the bill is over the limit in USD (None: no limit).

    Without `accepts_unknown` (--yes), also if the price is unknown: `reason` says why it is, and
    `unknown_hint` what to do.
    """
    if limit is None or bill.images == 0:
        return
    if bill.cost > limit + ROUNDING:
        raise BudgetError(f"{bill}, over the limit of {show_amount(limit)} USD", hint=hint)
    if bill.unpriced and not accepts_unknown:
        because = f" ({reason})" if reason else ""
        message = f"the price is unknown{because}, and the limit is {show_amount(limit)} USD"
        raise BudgetError(message, hint=unknown_hint)


def reason_to_confirm(bill: Bill, threshold: float, *, is_limited: bool, is_remote: bool) -> str:
    """Why a person must confirm the bill, as a sentence without its period; "" if nobody must.

    `threshold` is the setting confirm_cost in USD. `is_limited`: a limit was given for this run,
    and the known costs are within it. `is_remote`: the images come from another machine.
    """
    if bill.cost > threshold + ROUNDING and not is_limited:
        return f"{bill}, more than confirm_cost ({show_amount(threshold)} USD)"
    if bill.unpriced > MOST_UNPRICED and is_remote:
        return f"{bill}, more than {MOST_UNPRICED}"
    return ""


def unconfirmed(bill: Bill, reason: str) -> BudgetError:
    """The error for a bill that must be confirmed where nobody can be asked."""
    hint = "add --yes; --max-cost USD limits the cost"
    if not bill.unpriced:
        enough = math.ceil(100 * bill.cost - ROUNDING) / 100
        hint = f"add --max-cost {enough:.2f} to allow that much, or --yes"
    return BudgetError(reason, hint=hint)
