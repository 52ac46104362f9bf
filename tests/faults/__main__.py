"""`python -m tests.faults` prints the matrix; with `--run`, it tries every row and says what became of it."""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # where pytest finds these packages, too

from faults.row import Row
from faults.rows import GROUPS, ROWS
from faults.run import missing, verdict
from faults.table import table

SIDE_BY_SIDE = 2


def tried(row: Row) -> str:
    """What became of one row, in a word; what was wrong goes to stderr."""
    if without := missing(row):
        return f"not tried: no {without}"
    with tempfile.TemporaryDirectory() as folder:
        wrong = verdict(row, Path(folder) / "row")
    if wrong:
        print(f"{row.name}: {'; '.join(wrong)}\n", file=sys.stderr)
    return "failed" if wrong else "survived"


def main(words: list[str]) -> int:
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
