"""Measures the start-up cost of commands, in starts of a Python that does nothing (S1 to S3, C1).

    python benchmarks/startup.py [--flux PATH] [--quick]

It runs whole processes of the installed command (best: the wheel in a fresh environment) and counts
instructions, which do not depend on the load of the machine. Without valgrind, it measures CPU time
and says so. C1 is the time of one TAB in bash relative to starting `/bin/true`.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """One command line, and its highest allowed cost in starts of Python."""

    id: str
    line: tuple[str, ...]
    target: float


ROWS = (
    Row("S1", ("sizes", "--json"), 2.2),
    Row("S1", ("sizes", "16:9", "--plain"), 2.2),
    Row("S1", ("--version",), 2.2),
    Row("S2", ("resolve", "a cat", "--size", "1920x1080"), 2.2),
    Row("S2", ("models",), 2.2),
    Row("S3", ("--help",), 8),
    Row("S3", ("generate", "--help"), 8),
    Row("S3", ("sizes", "--nonsense"), 8),
)
COUNT_INSTRUCTIONS = (
    "valgrind",
    "--tool=cachegrind",
    "--cache-sim=no",
    "--cachegrind-out-file=/dev/null",
)
TAB = """
source "$1"; COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
for line in 'flux generate x --out' 'flux resolve -a 16:' 'flux s'; do
    COMP_LINE=$line COMP_POINT=${#line} COMP_TYPE=9 word=${line##*[ :]}
    begin=${EPOCHREALTIME/./}
    for ((i = 0; i < $2; i++)); do _flux flux "$word"; done
    middle=${EPOCHREALTIME/./}
    for ((i = 0; i < $2; i++)); do /bin/true; done
    end=${EPOCHREALTIME/./}
    echo $((middle - begin)) $((end - middle))
done
"""


def instructions(argv: Sequence[str]) -> float:
    """The user instructions of one process, without its children."""
    with tempfile.NamedTemporaryFile() as log:
        line = [*COUNT_INSTRUCTIONS, f"--log-file={log.name}", *argv]
        subprocess.run(line, capture_output=True, check=False)
        counted = [line for line in Path(log.name).read_text().splitlines() if " refs:" in line]
    return float(counted[0].split()[-1].replace(",", ""))


def cpu_seconds(argv: Sequence[str]) -> float:
    """The CPU seconds of one process, user and kernel."""
    child = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, _, usage = os.wait4(child.pid, 0)
    child.returncode = 0
    return usage.ru_utime + usage.ru_stime


def startup(
    flux: str, cost: Callable[[Sequence[str]], float], rounds: int
) -> list[tuple[Row, float]]:
    """The median ratio of every row. All rows and the reference take turns."""
    python = Path(flux).read_text(encoding="utf-8").splitlines()[0].removeprefix("#!").strip()
    pass_by = [python, "-c", "pass"]
    cost(pass_by), cost([flux, "sizes"])  # fills the disk cache and compiles the modules
    measured: dict[tuple[str, ...], list[float]] = {row.line: [] for row in ROWS}
    for _ in range(rounds):
        unit = cost(pass_by)
        for row in ROWS:
            measured[row.line].append(cost([flux, *row.line]) / unit)
    return [(row, statistics.median(measured[row.line])) for row in ROWS]


def tab(flux: str, times: int) -> float | None:
    """The slowest of three TABs, in starts of `/bin/true`; None without bash 5."""
    line = [flux, "completion", "bash"]
    script = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    if not shutil.which("bash"):
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".bash") as file:
        file.write(script)
        file.flush()
        run_tabs = ["bash", "-c", TAB, "bash", file.name, str(times)]
        done = subprocess.run(run_tabs, capture_output=True, text=True, check=False)
    pairs = [line.split() for line in done.stdout.splitlines()]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        return None
    return max(int(one) / int(true) for one, true in pairs)


def main() -> int:
    """Print the table. Returns 1 if a row is over its target, except with --quick."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    installed = str(Path(sys.executable).parent / "flux")
    parser.add_argument("--flux", default=installed, help="the command to measure")
    parser.add_argument("--quick", action="store_true", help="one round: shows that it works")
    asked = parser.parse_args()
    cost, rounds, what = instructions, 3, "instructions, valgrind"
    if not shutil.which("valgrind"):
        cost, rounds = cpu_seconds, 15
        what = "CPU time: valgrind is NOT installed, so these figures are rough"
    if asked.quick:
        rounds = 1
    print(f"{asked.flux}\nmultiples of `python -c pass` ({what}; median of {rounds})\n")
    over = 0
    for row, ratio in startup(asked.flux, cost, rounds):
        over |= ratio > row.target
        print(_line(row.id, f"flux {' '.join(row.line)}", ratio, row.target))
    ratio = tab(asked.flux, 20 if asked.quick else 300)
    if ratio is None:
        print("C1  one TAB in bash: NOT measured, bash 5 is not installed")
    else:
        over |= ratio > 1
        print(_line("C1", "one TAB in bash, in starts of /bin/true", ratio, 1))
    return 0 if asked.quick else int(over)


def _line(name: str, what: str, ratio: float, target: float) -> str:
    verdict = "at most" if ratio <= target else "OVER"
    return f"{name}  {what:<42} {ratio:6.2f}   {verdict} {target:g}"


if __name__ == "__main__":
    sys.exit(main())
