"""Draw the terminal screens of docs/usage.md: the installed command on a real terminal, as SVG.

    python scripts/screens.py            write the files in docs/images that are out of date
    python scripts/screens.py --check    only list them (exit code 1)

A change of times and sizes alone does not count. It needs tmux, and the test tools in tests/e2e and
tests/fakes, which answer in place of a provider.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from e2e.screen import Screen  # noqa: E402
from fakes.gateway import Gateway, held, status  # noqa: E402
from fakes.messages import Reply  # noqa: E402

WIDTH, HEIGHT = 104, 30  # cells
CELL, LINE, MARGIN, BAR = 8.4, 19, 18, 34  # pixels
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"
FOREGROUND, FAINT, BACKGROUND = "#dde3ea", "#8b949e", "#1c2128"
COLORS = {  # by the number of the escape sequence
    "": FOREGROUND, "0": FOREGROUND, "39": FOREGROUND,
    "31": "#f47067", "32": "#57ab5a", "33": "#c69026", "36": "#39c5cf",
}  # fmt: skip
ESCAPE = re.compile(r"\x1b\[([\d;]*)m")
CHANGES_WITH_EVERY_RUN = re.compile(
    r'[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]|\s*\d+(?:\.\d)? (?:s|kB)\b|(?:x|textLength)="[\d.]+"'
)


class Scene(NamedTuple):
    """One drawn screen.

    `arrivals` are the seeds whose images arrive, in order; `answers` are other responses, by seed.
    The screen is drawn when `ready` (a regular expression) appears on it: by default, at the end.
    `prepare` fills the folder first: it gets the folder and the environment of a person with a key.
    """

    name: str
    arguments: tuple[str, ...]
    arrivals: tuple[int, ...] = ()
    answers: dict[int, Reply] = {}  # noqa: RUF012 - never written to
    ready: str = r"\[exit "
    prepare: Callable[[Path, dict[str, str]], None] | None = None


def change_site(folder: Path, environment: dict[str, str]) -> None:
    """Build the site of examples/, then change a prompt, a row, and a format."""
    shutil.copytree(ROOT / "examples" / "site", folder, dirs_exist_ok=True)
    command = ["flux", "build", "--quiet"]
    subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    for name, old, new in (
        ("prompts/hero.txt", "at sunrise", "at sunset"),
        ("products.csv", "jug,milk", "pot,flower pot,yellow,25\njug,milk"),
        ("flux-build.toml", '"img/{name}.jpg"', '"img/{name}.{webp,jpg}"'),
    ):
        text = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")


FIRST_SEED = 7
PROMPT = "a lighthouse by the sea at sunset"
BUSY = status(429, "RATE_LIMITED", "too many requests, try again soon", retry_after="20")
REFUSED = status(400, "CONTENT_POLICY_VIOLATION", "the prompt was flagged")
SCENES = (
    Scene(
        "progress",
        ("generate", PROMPT, "-n", "12", "--seed", "7", "-a", "16:9", "--concurrency", "4"),
        (7, 8, 9, 10),
        {14: BUSY},
        r"waiting[\s\S]* 4/12 done · 4 .* left",
    ),
    Scene("saved", ("generate", PROMPT, "-n", "4", "--seed", "7", "-o", "out/"), (7, 8, 9, 10)),
    Scene(
        "partial",
        ("generate", PROMPT, "-n", "3", "--seed", "7", "-o", "{seed}.webp"),
        (7, 9),
        {8: REFUSED},
    ),
    Scene("resolve", ("resolve", "a lighthouse by the sea", "--size", "1920x1080")),
    Scene("plan", ("build", "--plan"), prepare=change_site),
)


def screen_of(scene: Scene) -> list[str]:
    """The lines of the screen when the scene is ready, with their escape sequences."""
    gates: defaultdict[int, threading.Event] = defaultdict(threading.Event)  # seed -> may arrive

    def answer(request):  # noqa: ANN001, ANN202 - as tests/fakes/server.py types it
        seed = request.json["seed"]
        return scene.answers.get(seed) or held(gates[seed])

    with tempfile.TemporaryDirectory() as folder, Gateway() as gateway:
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": folder,
            "FLUX_PREVIEW": "off",
        }
        keyed = {"LUMENFALL_BASE_URL": gateway.url, "LUMENFALL_API_KEY": "lmnfl_of-no-use"}
        if scene.prepare:
            scene.prepare(Path(folder), environment | keyed)
        gateway.answers(answer)
        if scene.arrivals:
            environment |= keyed
        command = ["env", "-C", folder, "flux", *scene.arguments]
        size = {"width": WIDTH, "height": HEIGHT}
        with Screen(command, environment, **size, folder=Path(folder)) as screen:
            for seed in scene.arrivals:
                time.sleep(0.5)
                gates[seed].set()
                screen.until(partial(re.search, rf"✓ +{seed - FIRST_SEED + 1}/"))
            screen.until(partial(re.search, scene.ready))
            lines = screen.colored.split("\n")
            screen.press("C-c")
            screen.end()
            for gate in list(gates.values()):
                gate.set()
    return [line for line in lines if "[exit " not in line]


def colored_pieces(line: str) -> list[tuple[str, str]]:
    """The text between the escape sequences of a line, each piece with its color."""
    pieces, color, is_faint, start = [], FOREGROUND, False, 0
    for code in ESCAPE.finditer(line):
        pieces.append((line[start : code.start()], FAINT if is_faint else color))
        for number in code[1].split(";"):
            is_faint = number == "2" or (is_faint and number not in ("", "0", "22"))
            color = COLORS.get(number, color)
        start = code.end()
    pieces.append((line[start:], FAINT if is_faint else color))
    return [(text, color) for text, color in pieces if text]


def svg_texts(row: int, line: str) -> list[str]:
    """The elements of one line. Every piece is as wide as its cells, whatever the font."""
    texts, column = [], 0
    for text, color in colored_pieces(line):
        bare = text.strip()
        if bare:
            indent = len(text) - len(text.lstrip())
            x, y = MARGIN + (column + indent) * CELL, BAR + (row + 0.6) * LINE
            texts.append(
                f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" textLength="{len(bare) * CELL:.1f}"'
                f' xml:space="preserve">{escape(bare)}</text>'
            )
        column += len(text)
    return texts


def svg(command: str, lines: list[str]) -> str:
    """The screen below its command, as an SVG document."""
    width = WIDTH * CELL + 2 * MARGIN
    height = (len(lines) + 1) * LINE + BAR + MARGIN
    size = f'viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}"'
    label = escape(command)
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}">',
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
    ]
    body += [
        f'<circle cx="{MARGIN + 16 * place}" cy="17" r="5" fill="#444c56"/>' for place in range(3)
    ]
    body.append(f'<g font-family="{FONT}" font-size="14">')
    for row, line in enumerate([f"\x1b[32m$\x1b[0m {command}", *lines]):
        body += svg_texts(row, line)
    return "\n".join([*body, "</g>", "</svg>", ""])


def command_line(arguments: tuple[str, ...]) -> str:
    """The command as a person types it."""
    return " ".join(["flux", *map(quoted, arguments)])


def quoted(word: str) -> str:
    """A word in quotes if it needs them."""
    return f'"{word}"' if re.search(r"[^\w:./-]", word) else word


def main(*options: str) -> int:
    """Draw every scene. Returns 1 if --check finds a file that is out of date."""
    only_check = "--check" in options
    stale = 0
    for scene in SCENES:
        path = ROOT / "docs" / "images" / f"{scene.name}.svg"
        new = svg(command_line(scene.arguments), screen_of(scene))
        old = path.read_text() if path.exists() else ""
        if CHANGES_WITH_EVERY_RUN.sub("", old) == CHANGES_WITH_EVERY_RUN.sub("", new):
            continue
        stale += 1
        print(f"{path.relative_to(ROOT)} {'is out of date' if only_check else 'was written'}")
        if not only_check:
            path.write_text(new)
    return int(only_check and stale > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
