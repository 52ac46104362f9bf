"""docs/reliability.md shows the matrix as it is."""

import subprocess
import sys

import pytest

from faults.rows import GROUPS
from faults.table import BEGIN, END, PAGE, renewed, table


@pytest.mark.skipif(not PAGE.exists(), reason="the tests are here without the docs")
def test_the_docs_show_the_matrix_as_it_is():
    """To renew it, run `python -m tests.faults --write`."""
    page = PAGE.read_text(encoding="utf-8")
    assert table(GROUPS) in page
    assert renewed(page) == page


def test_only_what_is_between_the_marks_is_renewed():
    page = f"before\n{BEGIN}an old table\n{END}\nafter\n"
    assert renewed(page) == f"before\n{BEGIN}\n{table(GROUPS)}\n{END}\nafter\n"


def test_the_matrix_is_printed_by_a_command():
    line = [sys.executable, "-m", "tests.faults"]
    done = subprocess.run(line, cwd=PAGE.parents[1], capture_output=True, text=True, check=True)
    assert done.stdout == table(GROUPS)
