"""`python -m tests.faults` prints the matrix, and `--write` writes it into docs/reliability.md.

`--run` tries every row. `--kill` kills a hundred runs at random moments, and recovers them.
"""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # where pytest finds these packages, too

from faults.kill import killed
from faults.row import Row, can_be_proxied
from faults.rows import GROUPS, ROWS
from faults.run import missing, verdict
from faults.table import PAGE, renewed, table

SIDE_BY_SIDE = 2
KILLS = 100


def tried(row: Row) -> str:
    """The result of a row, directly and through a proxy. What went wrong goes to stderr."""
    if without := missing(row):
        return f"not tried: no {without}"
    with tempfile.TemporaryDirectory() as folder:
        wrong = verdict(row, Path(folder) / "direct")
        if can_be_proxied(row):
            wrong += verdict(row, Path(folder) / "proxied", proxied=True)
    if wrong:
        print(f"{row.name}: {'; '.join(wrong)}\n", file=sys.stderr)
    return "failed" if wrong else "survived"


def run_all() -> int:
    """Try every row and print the tables with the results. Returns 1 if a row failed."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        results = dict(zip((row.name for row in ROWS), pool.map(tried, ROWS), strict=True))
    print(table(GROUPS, results))
    outcomes = list(results.values())
    survived, failed = outcomes.count("survived"), outcomes.count("failed")
    print(f"Faults survived: {survived} of {survived + failed} tried.")
    return int(failed > 0)


def kill_all() -> int:
    """Kill runs at random moments. What `flux recover` did not bring back goes to stderr."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        results = list(pool.map(lambda number: killed(Path(folder), number), range(KILLS)))
    for number, wrong in enumerate(results):
        if wrong:
            print(f"{number}: {'; '.join(wrong)}", file=sys.stderr)
    print(
        f"Runs killed and completely recovered: {sum(not wrong for wrong in results)} of {KILLS}."
    )
    return int(any(results))


def main(words: list[str]) -> int:
    """Do what the option says. Returns the exit code."""
    if words == ["--run"]:
        return run_all()
    if words == ["--kill"]:
        return kill_all()
    if words == ["--write"]:
        PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    if words:
        print(__doc__, file=sys.stderr)
        return 2
    print(table(GROUPS), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
