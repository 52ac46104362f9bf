"""docs/reliability.md shows the matrix as it is."""

import subprocess
import sys
from pathlib import Path

import pytest

from faults.rows import GROUPS
from faults.table import table

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reliability.md"
BEGIN, END = "<!-- matrix: made by python -m tests.faults -->\n", "<!-- end of matrix -->"


@pytest.mark.skipif(not PAGE.exists(), reason="the tests are here without the docs")
def test_the_docs_show_the_matrix_as_it_is():
    """To renew it: replace what is between the two marks by what `python -m tests.faults` prints."""
    shown = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert shown.strip() == table(GROUPS).strip()


def test_the_matrix_is_printed_by_a_command():
    done = subprocess.run([sys.executable, "-m", "tests.faults"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == table(GROUPS)
