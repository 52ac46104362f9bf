"""The result of a run: exit code, status, warnings and cost. `documents` builds its JSON."""

from __future__ import annotations

from flux_cli.core.errors import Interrupted, common_exit_code, status_of
from flux_cli.core.lite import NamedTuple
from flux_cli.runs.saving.differences import find_differences
from flux_cli.runs.saving.existing import Existing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flux_cli.core.errors import FluxError
    from flux_cli.core.outcome import Outcome, SavedImage
    from flux_cli.core.request import Note, Resolved
    from flux_cli.runs.combined.documents import Asked


class RunResult(NamedTuple):
    """What became of the tasks of a run, in their order."""

    outcomes: Sequence[Outcome]
    interrupted: bool = False
    canceled: tuple[tuple[str, bool], ...] = ()  # see Report
    remarks: tuple[str, ...] = ()
    seconds: float = 0.0


class Report(NamedTuple):
    """The result of a run. Text, JSON and exit code are all derived from it."""

    resolved: Resolved
    notes: tuple[Note, ...]
    provider: str
    hosted: bool
    outcomes: Sequence[Outcome]
    interrupted: bool = False
    # Ids of canceled jobs, and whether the provider confirmed.
    canceled: tuple[tuple[str, bool], ...] = ()
    remarks: tuple[str, ...] = ()  # notes on the files, as sentences
    faults: tuple[FluxError, ...] = ()  # failures of the run as a whole, not of one request
    run: str = ""  # its name in the journal, if it is recorded there
    existing: Existing = Existing()
    seconds: float = 0.0
    parts: Sequence[Asked] = ()  # what the parts of a run ask for, if it has several

    def asked_of(self, outcome: Outcome) -> Resolved:
        """What a request asked for."""
        return outcome.resolved or self.resolved

    @property
    def saved(self) -> Iterator[SavedImage]:
        """The saved files, in the order asked for."""
        return (saved for outcome in self.outcomes for saved in outcome.saved)

    @property
    def errors(self) -> tuple[FluxError, ...]:
        return (*(outcome.error for outcome in self.outcomes if outcome.error), *self.faults)

    @property
    def exit_code(self) -> int:
        """See `common_exit_code`; a run can also be interrupted after its last call."""
        if self.interrupted:
            return Interrupted.exit_code
        succeeded = any(outcome.saved or outcome.was_there for outcome in self.outcomes)
        return common_exit_code(self.errors, some_succeeded=succeeded)

    @property
    def status(self) -> str:
        return status_of(self.exit_code)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Remarks on the files, and where the server did something else than requested."""
        found = list(self.remarks)
        for outcome in self.outcomes:
            asked = self.asked_of(outcome)
            told: dict[str, str] = {}  # what is different, and the first file in which it is
            for saved in outcome.saved:
                for text in find_differences(asked, outcome.call, saved):
                    told.setdefault(text, saved.path)
            found += [f"{path}: {text}" for text, path in told.items()]
        return tuple(found)

    @property
    def cost_usd(self) -> float | None:
        """What the provider says this run cost, in USD; None if a paid request has no price."""
        return total_cost(self.outcomes)

    @property
    def known_cost_usd(self) -> float:
        """The sum of the costs the provider named, in USD. The run cost at least this much."""
        return _known_cost(self.outcomes)


def total_cost(outcomes: Sequence[Outcome]) -> float | None:
    """What the provider says requests cost, in USD; None if one that was paid has no price."""
    for outcome in outcomes:
        is_billed = bool(outcome.error and outcome.error.billed)
        is_paid = bool(outcome.saved) or outcome.has_image or is_billed
        if is_paid and _named_cost(outcome) is None:
            return None
    return _known_cost(outcomes)


def _known_cost(outcomes: Sequence[Outcome]) -> float:
    return sum(cost for cost in map(_named_cost, outcomes) if cost is not None)


def _named_cost(outcome: Outcome) -> float | None:
    return outcome.saved[0].facts.cost_usd if outcome.saved else outcome.cost_usd
