"""Progress that moves, on a terminal. The owner of Rich; elsewhere `console.Lines` does the work."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from flux_cli.core.request import Event
from flux_cli.core.secret import redact
from flux_cli.core.text import plain

ROWS = 12  # calls shown at once; finished ones make room


class Terminal:
    """One line a call under way with state and elapsed time, what was saved above it, a summary below."""

    def __init__(self, total: int, describe: str, *, paths: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._describe, self._clock = total, describe, clock
        self._paths = paths  # False where stdout, on the same screen, shows them anyway
        self._began = clock()
        self._active: dict[int, tuple[str, float]] = {}
        self._done: set[int] = set()
        self._failed = 0
        self._console = Console(stderr=True, highlight=False)
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            refresh_per_second=10,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def __call__(self, event: Event) -> None:
        now = self._clock()
        if event.kind in ("sent", "received", "waiting"):
            began = self._active.get(event.number, ("", now))[1]
            state = {"sent": "drawing", "received": "saving"}.get(event.kind, "")
            self._active[event.number] = (state or f"waiting {event.seconds:.1f} s: {event.detail}", began)
            return
        self._active.pop(event.number, None)
        self._failed += event.kind == "failed"
        self._done.add(event.number)
        mark, style = {"saved": ("✓", "green"), "skipped": ("=", "yellow")}.get(event.kind, ("✗", "red"))
        place = f"{event.number}/{self._total} " if self._total > 1 else ""
        path = f"{event.path}  " if event.path and self._paths else ""
        seconds = f"  {event.seconds:.1f} s" if event.seconds else ""
        line = Text.assemble((f"{mark} ", style), place, plain(redact(path + event.detail), 4000), (seconds, "dim"))
        self._console.print(line, soft_wrap=True)

    def _render(self) -> RenderableType:
        grid = Table.grid(padding=(0, 1))
        for index, (state, began) in sorted(self._active.items())[:ROWS]:
            elapsed = f"{self._clock() - began:5.1f} s"
            name = f"{index}/{self._total}" if self._total > 1 else self._describe
            grid.add_row(
                self._spinner, Text(name, overflow="ellipsis", no_wrap=True), Text(elapsed, style="dim"), state
            )
        return Group(grid, self._summary()) if self._total > 1 else grid

    def _summary(self) -> Text:
        waiting = self._total - len(self._done) - len(self._active)
        parts = [f"{len(self._done)}/{self._total} done", f"{len(self._active)} under way"]
        parts += [f"{waiting} to come"] if waiting else []
        parts += [f"{self._failed} failed"] if self._failed else []
        return Text(f"{' · '.join(parts)} · {self._clock() - self._began:.0f} s", style="dim")
