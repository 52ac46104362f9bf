"""What is made by scripts/generate is what it would make now."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
ALIASES = 'aliases = ["flux-pro-1.1"]'


def generate(root: Path, *options: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the script in `root`."""
    command = [sys.executable, str(root / "scripts/generate"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def copy(tmp_path) -> Path:
    """A working copy that may be changed. Another copy of the package is installed."""
    ignore = shutil.ignore_patterns("__pycache__")
    for folder in ("flux_cli", "scripts", "completions", "man", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignore)
    return tmp_path


def change_model(root: Path, new: str) -> None:
    """Replace the aliases of a model."""
    path = root / "flux_cli/catalog/models/flux1.1-pro.toml"
    text = path.read_text(encoding="utf-8")
    assert ALIASES in text
    path.write_text(text.replace(ALIASES, new), encoding="utf-8")


def test_no_generated_file_is_stale():
    """After changing an option, a command or a model: run scripts/generate."""
    assert generate(ROOT, "--check") == (0, "", "")


def test_one_run_is_enough(copy):
    """Files made from the app see the models as they are now, those of this working copy."""
    change_model(copy, 'aliases = ["flux-pro-1.1", "quick-fox"]')
    code, out, err = generate(copy)
    assert (code, err) == (0, "")
    assert "wrote flux_cli/catalog/own_models.py" in out
    assert "wrote completions/flux.bash" in out
    assert generate(copy, "--check") == (0, "", "")


@pytest.mark.parametrize(
    ("aliases", "reason"),
    [("aliases = [", "is not valid TOML"), ("alias = []", "alias"), ("aliases = 3", "aliases")],
)
def test_an_invalid_model_file_is_reported_in_one_line(copy, aliases, reason):
    change_model(copy, aliases)
    code, out, err = generate(copy)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "flux1.1-pro.toml" in err
    assert reason in err
