"""Images of real screens for the README: the installed command on a real terminal, against a server on the loopback.

    python scripts/screens.py            write docs/images/*.svg anew where more than times has changed
    python scripts/screens.py --check    only say which are not what the command shows now (exit code 1)

It needs tmux, and the test tools in tests/e2e.
"""

import os
import re
import sys
import tempfile
import threading
import time
from collections import defaultdict
from functools import partial
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from e2e.gateway import Gateway, Reply, held, status  # noqa: E402
from e2e.screen import Screen  # noqa: E402

WIDTH, HEIGHT = 104, 30  # cells
CELL, LINE, MARGIN, BAR = 8.4, 19, 18, 34  # pixels
COLORS = {"31": "#f47067", "32": "#57ab5a", "33": "#c69026", "36": "#39c5cf"}
INK, DIM, PAPER = "#dde3ea", "#8b949e", "#1c2128"
CODE = re.compile(r"\x1b\[([\d;]*)m")
CHANGES = re.compile(r'[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]|\s*\d+(?:\.\d)? (?:s|kB)\b|(?:x|textLength)="[\d.]+"')  # with every run


class Scene(NamedTuple):
    """One image: the command line, which seeds are made in which order, and what the server says to others.

    A scene that is not `ready` before its end is taken when the command has ended.
    """

    name: str
    words: tuple[str, ...]
    made: tuple[int, ...] = ()
    odd: dict[int, Reply] = {}  # noqa: RUF012 - never written to
    ready: str = r"\[exit "


FIRST = 7  # the seed of call 1
PROMPT = "a lighthouse by the sea at sunset"
BUSY = status(429, "RATE_LIMITED", "too many requests, try again soon", retry_after="20")
REFUSED = status(400, "CONTENT_POLICY_VIOLATION", "the prompt was flagged")
SCENES = (
    Scene(
        "progress", ("generate", PROMPT, "-n", "12", "--seed", "7", "-a", "16:9", "--concurrency", "4"),
        (7, 8, 9, 10), {14: BUSY}, r"4/12 done · 4 under way .* left",
    ),
    Scene("saved", ("generate", PROMPT, "-n", "4", "--seed", "7", "-o", "out/"), (7, 8, 9, 10)),
    Scene("partial", ("generate", PROMPT, "-n", "3", "--seed", "7", "-o", "{seed}.webp"), (7, 9), {8: REFUSED}),
    Scene("resolve", ("resolve", "a red fox", "--size", "1920x1080")),
)  # fmt: skip


def shoot(scene: Scene) -> list[str]:
    """The lines of the screen, with their colors, when the scene is ready."""
    doors: defaultdict[int, threading.Event] = defaultdict(threading.Event)
    with tempfile.TemporaryDirectory() as folder, Gateway() as gateway:
        gateway.answers(lambda asked: scene.odd.get(asked.body["seed"]) or held(doors[asked.body["seed"]]))
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": folder,
            "FLUX_PREVIEW": "off",
        }
        if scene.made:
            environment |= {"LUMENFALL_BASE_URL": gateway.url, "LUMENFALL_API_KEY": "lmnfl_of-no-use"}
        line = ["env", "-C", folder, "flux", *scene.words]
        with Screen(line, environment, width=WIDTH, height=HEIGHT, folder=Path(folder)) as screen:
            for seed in scene.made:
                time.sleep(0.5)
                doors[seed].set()
                screen.until(partial(re.search, rf"✓ +{seed - FIRST + 1}/"))
            screen.until(partial(re.search, scene.ready))
            lines = screen.colored.split("\n")
            screen.press("C-c")
            screen.end()
            for door in list(doors.values()):
                door.set()
    return [text for text in lines if "[exit " not in text]


def runs(line: str) -> list[tuple[str, str]]:
    """Pieces of a line and the color of each."""
    pieces, color, at = [], INK, 0
    for code in CODE.finditer(line):
        pieces.append((line[at : code.start()], color))
        for number in code[1].split(";"):
            color = COLORS.get(number) or (DIM if number == "2" else INK if number in ("", "0", "39") else color)
        at = code.end()
    return [(text, shade) for text, shade in [*pieces, (line[at:], color)] if text]


def drawn(command: str, lines: list[str]) -> str:
    """The screen as an SVG that needs no font of its own: every piece is as wide as its cells."""
    width, height = WIDTH * CELL + 2 * MARGIN, (len(lines) + 1) * LINE + BAR + MARGIN
    size = f'viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}"'
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(command)}">',
        f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>',
        *(f'<circle cx="{MARGIN + 16 * place}" cy="17" r="5" fill="#444c56"/>' for place in range(3)),
        '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="14">',
    ]
    for row, line in enumerate([f"\x1b[32m$\x1b[0m {command}", *lines]):
        column = 0
        for text, color in runs(line):
            bare, before = text.strip(), len(text) - len(text.lstrip())
            if bare:
                x, y = MARGIN + (column + before) * CELL, BAR + (row + 0.6) * LINE
                body.append(
                    f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" textLength="{len(bare) * CELL:.1f}"'
                    f' xml:space="preserve">{escape(bare)}</text>'
                )
            column += len(text)
    return "\n".join([*body, "</g>", "</svg>", ""])


def spelled(words: tuple[str, ...]) -> str:
    """The command as a person types it."""
    return " ".join(["flux", *(f'"{word}"' if re.search(r"[^\w:./-]", word) else word for word in words)])


def main(*options: str) -> int:
    """Make every image. Returns 1 where one is out of date and only a check was asked for."""
    stale = 0
    for scene in SCENES:
        path = ROOT / "docs" / "images" / f"{scene.name}.svg"
        new = drawn(spelled(scene.words), shoot(scene))
        old = path.read_text() if path.exists() else ""
        if CHANGES.sub("", old) == CHANGES.sub("", new):
            continue
        stale += 1
        print(f"{path.relative_to(ROOT)} {'is out of date' if '--check' in options else 'is new'}")
        if "--check" not in options:
            path.write_text(new)
    return int(stale > 0 and "--check" in options)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
