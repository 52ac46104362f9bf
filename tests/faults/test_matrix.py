"""The installed command under every fault of the matrix: exit code, files, POSTs, words, memory, and no debris."""

import pytest

from faults.rows import GROUPS, ROWS
from faults.run import missing, verdict


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_fault_ends_as_its_row_says(row, tmp_path):
    """A paid picture is never lost, an error never costs, and a broken server costs time and nothing else."""
    if without := missing(row):
        pytest.skip(f"this machine has no {without}")
    wrong = verdict(row, tmp_path)
    assert not wrong, "\n".join(wrong)


def test_every_row_has_a_name_of_its_own():
    names = [row.name for rows in GROUPS.values() for row in rows]
    assert sorted(names) == sorted(set(names))
