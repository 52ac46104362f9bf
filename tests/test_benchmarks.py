"""The benchmarks run and say how they measured. People read the figures, on a quiet machine."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_startup_prints_a_row_for_every_line_and_says_when_it_cannot_count(environment):
    """Without valgrind the table is printed, too, and its first lines say that it is rough."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/startup.py"), "--quick"],
        env=environment | {"PATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    assert "valgrind is NOT installed" in done.stdout
    rows = re.findall(r"^(S1|S2|S3|C1)\b(.*)", done.stdout, re.MULTILINE)
    assert [name for name, _ in rows] == ["S1"] * 3 + ["S2"] * 2 + ["S3"] * 3 + ["C1"]
    for name, row in rows:
        if name != "C1":
            words = row.split()
            figure = words[-4 if "most" in words else -3]
            assert float(figure) > 0
    assert "NOT measured" in done.stdout or os.name != "posix"


def test_claims_pay_for_nothing_twice(environment):
    """A few requests, two machines, one of them killed."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/claims.py"), "--short"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    twice, unclear, missing, _ = done.stdout.splitlines()[1:]
    assert twice.split()[-2:] == missing.split()[-2:] == ["0.00", "0"]
    assert float(unclear.split()[-3]) <= 8


def test_shards_and_one_process_make_the_same_images():
    line = [sys.executable, str(ROOT / "benchmarks/shards.py"), "--short"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^B8 .* 8 images +\d+\.\d\d  <= 1\.25$", done.stdout, re.MULTILINE)
