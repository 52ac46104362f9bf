"""`python -m tests.faults` prints the matrix; `--run` tries every row, `--kill` kills a hundred runs and recovers."""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # where pytest finds these packages, too

from faults.kill import killed
from faults.row import Row
from faults.rows import GROUPS, ROWS
from faults.run import missing, verdict
from faults.table import table

SIDE_BY_SIDE = 2
KILLS = 100


def tried(row: Row) -> str:
    """What became of one row, in a word; what was wrong goes to stderr."""
    if without := missing(row):
        return f"not tried: no {without}"
    with tempfile.TemporaryDirectory() as folder:
        wrong = verdict(row, Path(folder) / "row")
    if wrong:
        print(f"{row.name}: {'; '.join(wrong)}\n", file=sys.stderr)
    return "failed" if wrong else "survived"


def killings() -> int:
    """Kill runs at random moments; what `flux recover` did not bring back goes to stderr."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        results = list(pool.map(lambda number: killed(Path(folder), number), range(KILLS)))
    for number, wrong in enumerate(results):
        if wrong:
            print(f"{number}: {'; '.join(wrong)}", file=sys.stderr)
    print(f"Runs killed and recovered whole: {sum(not wrong for wrong in results)} of {KILLS}.")
    return int(any(results))


def main(words: list[str]) -> int:
    if words == ["--kill"]:
        return killings()
    if words != ["--run"]:
        print(table(GROUPS), end="")
        return 0
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        results = dict(zip((row.name for row in ROWS), pool.map(tried, ROWS), strict=True))
    print(table(GROUPS, results))
    said = list(results.values())
    print(f"Faults survived: {said.count('survived')} of {len(said)} tried.")
    return int("failed" in said)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
