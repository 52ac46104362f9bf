"""Summarizes a run: while it goes on, counted from its events, and when it is over.

The caller passes the time, in seconds of a monotonic clock.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flux_cli.core.lite import NamedTuple
from flux_cli.core.outcome import Event
from flux_cli.core.values import show_amount
from flux_cli.runs.progress.estimate import Pace, rounded, seconds_left
from flux_cli.runs.report import Report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A part of the summary, and its rank. If space is short, the highest rank is left out first; 0
# always stays.
Part = tuple[int, str]


class Scope(NamedTuple):
    """What a run is about to do: its requests, their limit, and the groups of their keys.

    `at_once` is how many can be under way, if that is known. `earlier` are the seconds that such
    requests took in earlier runs.
    """

    total: int
    limit_usd: float | None = None
    groups: Mapping[str, str] = {}
    at_once: int = 0
    earlier: Sequence[float] = ()


class ActiveRequest(NamedTuple):
    """One request under way. `since` is when it began, `until` when its last pause ends."""

    state: str
    since: float
    until: float = 0.0
    facts: str = ""  # size and cost, once they are known

    def expected(self, typical: float) -> float:
        """The seconds from its beginning to its end, if it is a `typical` one.

        A pause starts it again.
        """
        return max(self.since, self.until) - self.since + typical

    def seconds_left(self, typical: float, now: float) -> float:
        """An estimate; 0 if it already takes longer than a `typical` one."""
        return max(0.0, self.expected(typical) - (now - self.since))

    def words(self, now: float) -> str:
        """What the request is doing."""
        pause = f"waiting {self.until - now:.0f} s: " if self.until > now else ""
        facts = f" · {self.facts}" if self.facts else ""
        return f"{pause}{self.state}{facts}"


class Progress:
    """Counts of requests, the cost the provider named, and an estimate of the time left."""

    def __init__(self, scope: Scope, began: float) -> None:
        self.total, self._scope, self._began = scope.total, scope, began
        self._done_of = dict.fromkeys(scope.groups.values(), 0)
        self._total_of = Counter(scope.groups.values())
        self.active: dict[int, ActiveRequest] = {}
        self.failed, self.cost_usd = 0, 0.0
        self._done: set[int] = set()
        self._at_once = scope.at_once
        self._pace = Pace(scope.earlier)

    def update(self, event: Event, now: float) -> None:
        """Count one event."""
        number, before = event.number, self.active.get(event.number)
        since = before.since if before else now
        if event.kind == "sent":
            state = "drawing, retry" if before else "drawing"
            self.active[number] = ActiveRequest(state, since, now if before else 0.0)
        elif event.kind == "begun":
            self.active[number] = ActiveRequest(event.detail, since)
        elif event.kind == "waiting":
            self.active[number] = ActiveRequest(event.detail, since, now + event.seconds)
        elif event.kind == "received":
            self.cost_usd += event.cost_usd or 0.0
            self.active[number] = ActiveRequest("saving", since, facts=", ".join(_facts(event)))
        else:
            self._end(event, self.active.pop(number, None), now)
        self._at_once = max(self._at_once, len(self.active))

    def _end(self, event: Event, active: ActiveRequest | None, now: float) -> None:
        self.failed += event.kind == "failed"
        group = self._scope.groups.get(event.key)
        if group and event.number not in self._done:
            self._done_of[group] += 1
        self._done.add(event.number)
        if active and event.kind == "saved":
            self._pace.add(now - active.since)

    @property
    def done(self) -> int:
        """How many requests are over, whatever became of them."""
        return len(self._done)

    def seconds_left(self, now: float) -> float | None:
        """An estimate; None if it is too early for one, or nothing is left."""
        unfinished, typical = self.total - self.done, self._pace.typical
        if typical is None or not unfinished or not self._at_once:
            return None
        running = [one.seconds_left(typical, now) for one in tuple(self.active.values())]
        return seconds_left(running, unfinished - len(running), typical, self._at_once)

    def timing(self, active: ActiveRequest, now: float) -> str:
        """How long a request has taken; if it is the only one, also how long it is expected to."""
        passed, typical = now - active.since, self._pace.typical
        words = f"{passed:.1f} s"
        if self.total > 1 or typical is None:
            return words
        expected = active.expected(typical)
        if passed > expected:
            return f"{words}, usually about {format_seconds(rounded(typical))}"
        return f"{words} of about {format_seconds(rounded(expected))}"

    def groups(self) -> list[str]:
        """How many requests of each group of several are done. A single group has no line."""
        totals = {group: total for group, total in self._total_of.items() if 1 < total < self.total}
        return [f"{group}: {self._done_of[group]}/{total}" for group, total in totals.items()]

    def _cost(self) -> str:
        """The cost so far, and of the limit if there is one; "" before anything was paid."""
        if not self.cost_usd:
            return ""
        if self._scope.limit_usd is None:
            return format_usd(self.cost_usd)
        return f"{show_amount(self.cost_usd)} of {format_usd(self._scope.limit_usd)}"

    def parts(self, now: float) -> list[Part]:
        """The parts of the summary, in the order in which they are shown."""
        parts = [(0, f"{self.done}/{self.total} done"), (4, f"{len(self.active)} running")]
        if self.failed:
            parts.append((1, f"{self.failed} failed"))
        if cost := self._cost():
            parts.append((3, cost))
        parts.append((5, format_seconds(now - self._began)))
        if left := self.seconds_left(now):
            parts.append((2, f"about {format_seconds(rounded(left))} left"))
        return parts

    def sentence(self, now: float) -> str:
        """The whole summary on one line, and the request that has been under way for longest."""
        words = ", ".join(words for _, words in self.parts(now))
        oldest = min(tuple(self.active.items()), key=lambda item: item[1].since, default=None)
        if oldest is None:
            return words
        number, active = oldest
        seconds = format_seconds(now - active.since)
        return f"{words}; request {number} for {seconds}: {active.words(now)}"


def summarize(report: Report) -> str:
    """The result of a run on one line: `5 saved, 2 failed, 0.30 USD, 6 s`."""
    codes = [error.code for error in report.errors]
    interrupted, not_sent = codes.count("interrupted"), codes.count("not_sent")
    saved = sum(bool(outcome.saved) for outcome in report.outcomes)
    was_there = sum(outcome.was_there for outcome in report.outcomes)
    counts = {
        "saved": saved,
        "already there": was_there,
        "failed": len(codes) - interrupted - not_sent,
        "interrupted": interrupted,
        "not sent": not_sent,
    }
    parts = [f"{count} {what}" for what, count in counts.items() if count or what == "saved"]
    if known := report.known_cost_usd:
        cost = format_usd(known)
        parts.append(cost if report.cost_usd is not None else f"at least {cost}")
    return ", ".join([*parts, format_seconds(report.seconds)])


def event_line(event: Event, *, several: bool, verbose: bool = False) -> str:
    """One step of a request as a plain line, or "" if a log does not need it.

    `verbose` adds when a request was sent and answered, and the provider's name for it.
    """
    cost = f", {format_usd(event.cost_usd)}" if event.cost_usd else ""
    request = f", request {event.request_id}" if verbose and event.request_id else ""
    if event.kind == "waiting":
        return f"waiting {event.seconds:.1f} s: {event.detail}"
    if event.kind == "saved":
        path = "to standard output" if event.path == "-" else event.path
        return f"saved {path} ({event.detail}{cost}) after {event.seconds:.1f} s{request}"
    if event.kind == "skipped":
        words = f"kept {event.path}" if event.path else f"left {event.key}"
        return f"{words.rstrip()}: {event.detail}"
    if event.kind == "failed" and several:
        name = f" {event.key}" if event.key else ""
        return f"failed{name}: {event.detail}{request}"
    if event.kind == "received" and verbose:
        size = f"{event.size / 1000:,.0f} kB"
        return f"received {size}{cost} after {event.seconds:.1f} s{request}"
    return "sent" if event.kind == "sent" and verbose else ""


def fit_parts(parts: list[Part], width: int, between: str = " · ") -> str:
    """The summary in at most `width` characters, if leaving parts out can do that."""
    kept = list(parts)
    while len(line := between.join(words for _, words in kept)) > width and max(kept)[0] > 0:
        kept.remove(max(kept))
    return line


def _facts(event: Event) -> list[str]:
    """Size on disk and cost of an image, as far as they are known."""
    facts = []
    if event.size:
        facts.append(f"{event.size / 1000:,.0f} kB")
    if event.cost_usd:
        facts.append(format_usd(event.cost_usd))
    return facts


def format_usd(usd: float) -> str:
    """An amount with its currency: `0.06 USD`."""
    return f"{show_amount(usd)} USD"


def format_seconds(seconds: float) -> str:
    """`48 s`, `3 min 20 s`, `20 min` or `2 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 100:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s".removesuffix(" 0 s")
    return f"{whole // 3600} h {whole % 3600 // 60} min"
