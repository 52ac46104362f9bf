"""What tests of `flux recover` share: what is on disk, and a gateway with slow images."""

import threading
from collections.abc import Callable
from pathlib import Path

from fakes.gateway import Gateway, held, status

PATIENCE = 30.0  # seconds after which a test stops waiting for a process
SAFE = ("--response-format", "b64_json")


def journal_says(state: Path, event: str) -> Callable[[], bool]:
    mark = f'"event": "{event}"'
    return lambda: any(mark in path.read_text() for path in state.glob("*.jsonl"))


def files() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())


def folders(state: Path) -> list[Path]:
    return [path for path in state.iterdir() if path.is_dir()]


def states(flux) -> list[str]:
    return [run["state"] for run in flux("runs", "--json").json["runs"]]


class SlowGateway(Gateway):
    """Images wait until they are released, and are not found if they had to wait."""

    def __init__(self, release: threading.Event) -> None:
        super().__init__()
        self.release = release
        self.arrived = threading.Event()  # somebody has asked for an image

    def answer(self, request):
        if request.path.startswith("/media/") and not self.release.is_set():
            self.arrived.set()
            return held(self.release, status(404))
        return super().answer(request)
