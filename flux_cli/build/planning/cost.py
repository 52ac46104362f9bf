"""What the requests of a plan cost, as far as it is known, and whether a limit allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.planning.steps import PAID, WAITS
from flux_cli.core.errors import BudgetError, UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.values import counted, show_amount
from flux_cli.runs.spending.budget import ROUNDING
from flux_cli.runs.spending.limits import Bill, check_limit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flux_cli.build.planning.steps import Step

OVER_BUDGET = "over the limit: not requested (--partial)"
MOST_WITHOUT_LIMIT = 10_000  # requests; more need a limit in any case


class Cost(NamedTuple):
    """The cost of requests in USD."""

    requests: int = 0
    known_usd: float = 0.0  # of the requests with a known price
    unknown: int = 0  # requests without one
    prices: tuple[float, ...] = ()  # the different prices of one image

    @property
    def usd(self) -> float | None:
        """The whole cost; None if a price is unknown."""
        return None if self.unknown else self.known_usd

    @property
    def bill(self) -> Bill:
        """The bill of all requests."""
        price = self.prices[0] if len(self.prices) == 1 and not self.unknown else None
        return Bill(self.requests, self.known_usd, self.unknown, price)


class Priced(NamedTuple):
    """A step with the price of its request: None if it is unknown, 0 if nothing is requested."""

    step: Step
    usd: float | None = 0.0


def cost_of(priced: Iterable[Priced]) -> Cost:
    """The sum over all steps."""
    requested = [one.usd for one in priced if one.step.is_requested]
    known = [usd for usd in requested if usd is not None]
    return Cost(
        requests=len(requested),
        known_usd=sum(known),
        unknown=len(requested) - len(known),
        prices=tuple(sorted(set(known))),
    )


def fitting(priced: Sequence[Priced], limit: float | None) -> list[Priced]:
    """The steps, of which those over the limit wait. A request of unknown price may be sent.

    The first ones fit first, and what is needed before what needs it.
    """
    if limit is None:
        return list(priced)
    found = list(priced)
    waiting: set[str] = set()
    spent = 0.0
    steps = [one.step for one in priced]
    for place in sorted(
        range(len(found)), key=lambda place: (steps[place].stage, bool(steps[place].twin))
    ):
        step, usd = found[place].step, found[place].usd or 0.0
        is_over = step.is_requested and spent + usd > limit + ROUNDING
        if step.sign in PAID and (is_over or not waiting.isdisjoint((step.twin, *step.awaits))):
            found[place] = Priced(step._replace(sign=WAITS, reason=OVER_BUDGET, make=()))
            waiting.add(step.name)
        elif step.is_requested:
            spent += usd
    return found


def lowest(limits: Iterable[float | None]) -> float | None:
    """The limit that holds if several do; None without any."""
    known = [limit for limit in limits if limit is not None]
    return min(known, default=None)


def check_option(option: float | None, manifests: Sequence[float | None]) -> None:
    """Raise UsageError if --max-cost is above what the manifests allow together."""
    own = [limit for limit in manifests if limit is not None]
    if option is None or len(own) < len(manifests):
        return
    if option > sum(own) + ROUNDING:
        allowed = show_amount(sum(own))
        message = f"--max-cost {show_amount(option)} is above max_cost of the manifest, {allowed}"
        raise UsageError(message, hint="raise max_cost in the manifest, which is reviewed")


def check_budget(cost: Cost, limit: float | None, *, accepts_unknown: bool) -> None:
    """Raise BudgetError if the requests cost more than the limit, or may do so."""
    if limit is None and cost.requests > MOST_WITHOUT_LIMIT:
        message = f"{counted(cost.requests, 'request')} need a limit"
        raise BudgetError(message, hint="add --max-cost")
    check_sum(cost.bill, limit, accepts_unknown=accepts_unknown)


def check_sum(bill: Bill, limit: float | None, *, accepts_unknown: bool) -> None:
    """Raise BudgetError if a bill, such as that of several manifests, is above a limit."""
    hint = "raise the limit, select assets with --only, or add --partial"
    check_limit(bill, limit, accepts_unknown=accepts_unknown, hint=hint)
