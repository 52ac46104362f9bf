"""Progress on a terminal, updated in place. Only this module uses Rich.

Without a terminal, see `lines.Lines`.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from threading import Thread
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleDimensions, Group, RenderableType
from rich.control import Control
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.segment import ControlType
from rich.style import Style
from rich.text import Text

from flux_cli.core.outcome import Event
from flux_cli.core.text import LONG, plain
from flux_cli.runs.progress.summary import (
    ActiveRequest,
    Progress,
    Scope,
    event_line,
    fit_parts,
    format_usd,
)
from flux_cli.terminal.links import address_of, has_links

ROWS = 12  # requests shown at once, the first ones; the summary counts the others
FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
MARKS = {"saved": ("✓", "green"), "skipped": ("=", "yellow"), "failed": ("✗", "red")}
LONGEST_BAR = 30  # cells
BAR_SHARE = 6  # the bar takes a sixth of the width, and leaves the rest to the words
TO_ASCII = str.maketrans(f"✓✗·…{FRAMES}", "+x-.|/-\\|/-\\|/")


class Terminal:
    """One line per request under way, with state and elapsed time.

    Saved files are above, a bar and a summary are below. No updated line is wider than the
    terminal. If the terminal goes away, the run goes on without progress.
    """

    def __init__(
        self,
        scope: Scope,
        describe: str,
        *,
        paths: bool,
        verbose: bool = False,
        gone: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._describe, self._clock, self._verbose = plain(describe), clock, verbose
        self._gone = gone  # called when the terminal is gone
        self._paths = paths  # False if stdout shows them on the same screen
        self._progress = Progress(scope, clock())
        self._console = Console(stderr=True, highlight=False, force_terminal=True)
        self._plain = not self._console.encoding.startswith("utf")
        self._drawn: list[int] = []  # cells of the lines on the screen
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            refresh_per_second=10,
            auto_refresh=_can_start_thread(),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._has_started = False  # it has not if the terminal went away meanwhile

    def __enter__(self) -> Self:
        with self._watched():
            self._live.start()
            self._has_started = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._has_started:
            with self._watched():
                self._live.stop()

    def __call__(self, event: Event) -> None:
        self._progress.update(event, self._clock())
        with self._watched():
            if event.kind in MARKS and (event.kind != "failed" or self._progress.total > 1):
                self._above(event)
            elif self._verbose and (line := event_line(event, several=True, verbose=True)):
                step = f"  {self._place(event.number)}{plain(line, LONG)}"
                self._print(Text(step, style="dim"))

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            self._gone()

    def _above(self, event: Event) -> None:
        """The end of a request, as a line that stays."""
        name = event.key or (event.path if self._paths else "")
        cost = f", {format_usd(event.cost_usd)}" if event.cost_usd else ""
        seconds = f"  {event.seconds:.1f} s" if event.seconds else ""
        has_request = self._verbose and event.request_id
        request = f"  {plain(event.request_id)}" if has_request else ""
        mark, style = MARKS[event.kind]
        place = self._place(event.number)
        detail = plain(event.detail + cost, LONG)
        words = f"  {detail}" if name else detail
        shown = (plain(name, LONG), _link_style("" if event.key else event.path))
        line = Text.assemble((f"{mark} ", style), place, shown, words, (seconds + request, "dim"))
        if event.kind == "failed":  # the whole message is printed at the end
            line.truncate(self._console.width - 1, overflow="ellipsis")
        self._print(line)

    def _print(self, line: Text) -> None:
        self._live.refresh()  # a narrower terminal has wrapped what was shown before
        self._console.print(self._shown(line), soft_wrap=True)

    def _place(self, number: int) -> str:
        total = str(self._progress.total)
        return f"{number:>{len(total)}}/{total} " if self._progress.total > 1 else ""

    def _render(self) -> RenderableType:
        self._measure()
        width, now = self._console.width, self._clock()
        self._erase_wrapped(width)
        rows = min(ROWS, max(1, self._console.height - 2))
        shown = sorted(self._progress.active.items())[:rows]
        lines = [self._row(number, active, now) for number, active in shown]
        groups = self._progress.groups()[: max(0, min(ROWS, self._console.height - 2 - len(lines)))]
        lines += [Text(plain(group), style="dim") for group in groups]
        if self._progress.total > 1:
            lines.append(self._summary(width - 1, now))
        for line in lines:
            line.no_wrap = True
            line.truncate(width - 1, overflow="ellipsis")
        self._drawn = [line.cell_len for line in lines]
        return Group(*map(self._shown, lines))

    def _row(self, number: int, active: ActiveRequest, now: float) -> Text:
        frame = FRAMES[int(now * 10) % len(FRAMES)]
        place = self._place(number)
        timing, words = f"{self._progress.timing(active, now):>7}  ", plain(active.words(now))
        about = "" if place else f"  {self._describe}"
        return Text.assemble((frame, "cyan"), " ", place, (timing, "dim"), words, about)

    def _summary(self, width: int, now: float) -> Text:
        """A bar, then counts, cost and times, in at most `width` cells."""
        bar = self._bar(min(LONGEST_BAR, width // BAR_SHARE))
        words = fit_parts(self._progress.parts(now), width - bar.cell_len - 1)
        return Text.assemble(bar, " ", (words, "dim"))

    def _bar(self, width: int) -> Text:
        """How much of the run is done, as text, which can be cut like that of all other lines."""
        bar = ProgressBar(
            total=self._progress.total,
            completed=self._progress.done,
            width=width,
            style="dim",
            complete_style="cyan",
            finished_style="cyan",
        )
        pieces = [(piece.text, piece.style or "") for piece in self._console.render(bar)]
        text = Text.assemble(*pieces)
        text.pad_right(width - text.cell_len)  # without colors, there is only the part that is done
        return text

    def _measure(self) -> None:
        """Take the size from this terminal: COLUMNS may be older than its last resize."""
        with contextlib.suppress(OSError, ValueError):
            columns, lines = os.get_terminal_size(self._console.file.fileno())
            if columns and lines:
                self._console.size = ConsoleDimensions(columns, lines)

    def _erase_wrapped(self, width: int) -> None:
        """Erase the lines that a terminal has added by wrapping, because it became narrower."""
        extra = sum((cells - 1) // width for cells in self._drawn if cells)
        up = ((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1))
        if extra:
            self._console.control(Control(*(up * extra)))
            self._drawn = []

    def _shown(self, line: Text) -> Text:
        """The line in characters this terminal can show."""
        if self._plain:
            line.plain = line.plain.translate(TO_ASCII)
        return line


def _link_style(path: str) -> Style:
    """The style of a path: a link to the file where the terminal has links."""
    if path in ("", "-") or not has_links(sys.stderr):
        return Style.null()
    return Style(link=address_of(path) or None)


def _can_start_thread() -> bool:
    """Whether the screen can be updated between two events, which takes a thread."""
    thread = Thread(target=bool)
    try:
        thread.start()
    except RuntimeError:
        return False
    thread.join()
    return True
