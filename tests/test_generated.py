"""What is made by scripts/generate is what it would make now."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_no_generated_file_is_stale():
    """After changing an option, a command or a model: run scripts/generate."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/generate"), "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
