"""The files around the package: the scripts for daily work."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
POSIX_ONLY = {"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def start(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def pure_test_files() -> list[Path]:
    """The files that scripts/test-pure runs."""
    words = read("scripts/test-pure").split()
    named = [ROOT / word for word in words if word.startswith("tests/")]
    options = [word for word in words if word.startswith("--ignore=")]
    ignored = [ROOT / option.removeprefix("--ignore=") for option in options]
    gone = [str(path) for path in named + ignored if not path.exists()]
    assert gone == [], "scripts/test-pure names tests that were moved"
    files = [file for path in named for file in sorted(path.rglob("test_*.py"))]
    return [file for file in files if not any(file.is_relative_to(path) for path in ignored)]


# --- scripts


@pytest.mark.parametrize("name", ["run", "check", "test", "test-pure", "generate"])
def test_a_daily_command_can_be_started_by_its_name(name):
    path = ROOT / "scripts" / name
    assert path.stat().st_mode & 0o111
    assert path.read_text(encoding="utf-8").startswith("#!")


def test_a_script_passes_its_arguments_on():
    done = start(ROOT / "scripts/test-pure", "--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "pytest"), done.stderr


def test_a_program_of_the_environment_comes_before_one_of_the_path(tmp_path):
    script = tmp_path / "scripts/run"
    script.parent.mkdir()
    script.write_bytes((ROOT / "scripts/run").read_bytes())
    script.chmod(0o755)
    tool = tmp_path / ".venv/bin/tool"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\necho of the environment: $*\n")
    tool.chmod(0o755)
    assert start(script, "tool", "a b").stdout == "of the environment: a b\n"
    assert start(script, "echo", "a b").stdout == "a b\n"


def test_ci_runs_the_checks_of_contributors():
    assert "\nscripts/check\n" in read(".ci/run")


def test_pure_tests_import_nothing_that_only_posix_systems_have():
    """They run on Windows, too."""
    found = pure_test_files()
    assert len(found) > 40
    for file in found:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert not POSIX_ONLY.intersection(names), file
