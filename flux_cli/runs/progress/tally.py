"""What a run has come to: so far, counted from its events, and in the end. The caller brings the time."""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple
from flux_cli.core.request import Event
from flux_cli.runs.report import Report

Part = tuple[int, str]  # how easily it is left out (0: never), and the words

TIMED = 2  # calls that must have ended before anybody guesses how long the rest will take


class Active(NamedTuple):
    """One call under way. `since` and `until` (the end of its last pause) are the caller's seconds."""

    state: str
    since: float
    until: float = 0.0
    facts: str = ""  # size and cost, once they are known

    def words(self, now: float) -> str:
        """What the call is doing."""
        pause = f"waiting {self.until - now:.0f} s: " if self.until > now else ""
        return f"{pause}{self.state}" + (f" · {self.facts}" if self.facts else "")


class Tally:
    """Counts of calls, the cost the providers named, and how long the rest may take."""

    def __init__(self, total: int, began: float) -> None:
        self.total, self._began = total, began
        self.active: dict[int, Active] = {}
        self.failed, self.cost_usd = 0, 0.0
        self._ended: set[int] = set()
        self._width, self._timed, self._spent = 0, 0, 0.0  # most calls at once; calls that were timed, their seconds

    def take(self, event: Event, now: float) -> None:
        """Count one event."""
        number, before = event.number, self.active.get(event.number)
        since = before.since if before else now
        if event.kind == "sent":
            self.active[number] = Active("drawing, another try" if before else "drawing", since, now if before else 0.0)
        elif event.kind == "waiting":
            self.active[number] = Active(event.detail, since, now + event.seconds)
        elif event.kind == "received":
            self.cost_usd += event.cost_usd or 0.0
            self.active[number] = Active("saving", since, facts=", ".join(facts(event)))
        else:
            self._end(event, self.active.pop(number, None), now)
        self._width = max(self._width, len(self.active))

    def _end(self, event: Event, active: Active | None, now: float) -> None:
        self.failed += event.kind == "failed"
        self._ended.add(event.number)
        if active and event.kind == "saved":
            self._timed, self._spent = self._timed + 1, self._spent + now - active.since

    def left(self, now: float) -> float | None:
        """Seconds until all calls will have ended, if the rest take as long as the first; None: too early to say."""
        waiting = self.total - len(self._ended)
        if self._timed < TIMED or not waiting:
            return None
        each = self._spent / self._timed
        begun = [max(active.since, active.until) for active in tuple(self.active.values())]  # a pause puts it off
        rest = [max(0.0, each - (now - moment)) for moment in begun]
        to_come = waiting - len(rest)
        return max([*rest, (sum(rest) + each * to_come) / max(1, self._width)])

    def parts(self, now: float) -> list[Part]:
        """The summary in the order it is read."""
        active, ended, left = len(self.active), len(self._ended), self.left(now)
        to_come = self.total - ended - active
        parts = [(0, f"{ended}/{self.total} done"), (4, f"{active} under way")]
        parts += [(6, f"{to_come} to come")] if to_come else []
        parts += [(1, f"{self.failed} failed")] if self.failed else []
        parts += [(3, money(self.cost_usd))] if self.cost_usd else []
        parts += [(5, span(now - self._began))]
        return parts + ([(2, f"about {span(left)} left")] if left and left >= 1 else [])

    def sentence(self, now: float) -> str:
        """The whole summary on one line, and the call that has been under way for longest."""
        words = ", ".join(words for _, words in self.parts(now))
        oldest = min(tuple(self.active.items()), key=lambda item: item[1].since, default=None)
        if oldest is None:
            return words
        number, active = oldest
        return f"{words}; call {number} for {span(now - active.since)}: {active.words(now)}"


def summary(report: Report) -> str:
    """What a run has come to, on one line: `5 saved, 2 failed, 0.30 USD, 6 s`."""
    codes = [error.code for error in report.errors]
    stopped, held = codes.count("interrupted"), codes.count("not_sent")
    counts = {
        "saved": sum(bool(outcome.saved) for outcome in report.outcomes),
        "already there": sum(outcome.was_there for outcome in report.outcomes),
        "failed": len(codes) - stopped - held,
        "interrupted": stopped,
        "not sent": held,
    }
    parts = [f"{count} {what}" for what, count in counts.items() if count or what == "saved"]
    if known := report.known_cost_usd:
        parts.append(money(known) if report.cost_usd is not None else f"at least {money(known)}")
    return ", ".join([*parts, span(report.seconds)])


def event_line(event: Event, *, several: bool, verbose: bool = False) -> str:
    """One step of a call as a plain line, or "" where a log needs none.

    With `verbose`, also when a call was sent and answered, and the provider's name for it.
    """
    cost = f", {money(event.cost_usd)}" if event.cost_usd else ""
    request = f", request {event.request_id}" if verbose and event.request_id else ""
    if event.kind == "waiting":
        return f"waiting {event.seconds:.1f} s: {event.detail}"
    if event.kind == "saved":
        path = "to standard output" if event.path == "-" else event.path
        return f"saved {path} ({event.detail}{cost}) after {event.seconds:.1f} s{request}"
    if event.kind == "skipped":
        return f"kept {event.path}: {event.detail}"
    if event.kind == "failed" and several:
        return f"failed: {event.detail}{request}"
    if event.kind == "received" and verbose:
        return f"received {event.size / 1000:,.0f} kB{cost} after {event.seconds:.1f} s{request}"
    return "sent" if event.kind == "sent" and verbose else ""


def fitted(parts: list[Part], width: int, between: str = " · ") -> str:
    """The summary in at most `width` characters if leaving parts out can do that."""
    kept = list(parts)
    while len(line := between.join(words for _, words in kept)) > width and max(kept)[0] > 0:
        kept.remove(max(kept))
    return line


def facts(event: Event) -> list[str]:
    """Size on disk and cost of an image, as far as they are known."""
    size = [f"{event.size / 1000:,.0f} kB"] if event.size else []
    return size + ([money(event.cost_usd)] if event.cost_usd else [])


def money(usd: float) -> str:
    """`0.06 USD`: at least two decimals, and four where they say something."""
    text = f"{usd:.4f}".rstrip("0")
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest:0<2} USD"


def span(seconds: float) -> str:
    """`48 s`, `3 min 20 s` or `2 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 100:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
