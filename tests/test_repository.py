"""The files around the package: scripts, workflows, hooks, metadata, and the contributor guide."""

import ast
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
ACTION = re.compile(r"actions/[a-z-]+@v\d+")
POSIX_ONLY = {"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def start(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def project() -> dict:
    return tomllib.loads(read("pyproject.toml"))["project"]


def workflow(name: str) -> dict:
    return yaml.safe_load(read(f".github/workflows/{name}"))


def steps(name: str) -> list[dict]:
    jobs = workflow(name)["jobs"].values()
    return [step for job in jobs for step in job.get("steps", [])]


def pure_test_files() -> list[Path]:
    """The files that scripts/test-pure runs."""
    words = read("scripts/test-pure").split()
    named = [ROOT / word for word in words if word.startswith("tests/")]
    options = [word for word in words if word.startswith("--ignore=")]
    ignored = [ROOT / option.removeprefix("--ignore=") for option in options]
    gone = [str(path) for path in named + ignored if not path.exists()]
    assert gone == [], "scripts/test-pure names tests that were moved"
    found = set()
    for path in named:
        found.update(path.rglob("test_*.py"))
    for path in ignored:
        found.difference_update([path], path.rglob("test_*.py"))
    return sorted(found)


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
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [node.module]
            assert not POSIX_ONLY.intersection(names), file


# --- the guide and the workflows


def named_scripts(text: str) -> set[str]:
    return set(re.findall(r"(?:scripts|\.ci)/[a-z_-]+(?:\.py)?", text))


@pytest.mark.parametrize("path", [ROOT / "CONTRIBUTING.md", *WORKFLOWS], ids=lambda path: path.name)
def test_every_script_that_is_named_exists_and_can_be_started(path):
    found = named_scripts(path.read_text(encoding="utf-8"))
    assert found
    for name in found:
        assert (ROOT / name).is_file(), name
        assert name.endswith(".py") or os.access(ROOT / name, os.X_OK), name


def test_contributors_can_run_what_ci_runs():
    runs = [step["run"] for step in steps("ci.yml") if "run" in step]
    unknown = [line for line in runs if line not in read("CONTRIBUTING.md")]
    assert unknown == ["python -m pip install -e '.[test]'"]  # without the checkers
    assert ".ci/run" in runs
    assert "scripts/test-pure" in runs


def test_ci_tests_the_oldest_and_the_newest_python_that_are_declared():
    matrix = workflow("ci.yml")["jobs"]["pure"]["strategy"]["matrix"]
    label = "Programming Language :: Python :: 3."
    minors = [int(line.removeprefix(label)) for line in project()["classifiers"] if label in line]
    assert matrix["python"] == [f"3.{min(minors)}", f"3.{max(minors)}"]
    assert project()["requires-python"] == f">={matrix['python'][0]}"


def test_systems_are_declared_where_ci_tests_them_and_windows_is_not():
    """CONTRIBUTING.md says why: on Windows, only a part of the tests runs."""
    matrix = workflow("ci.yml")["jobs"]["pure"]["strategy"]["matrix"]
    assert matrix["os"] == ["ubuntu-latest", "macos-latest", "windows-latest"]
    systems = [line for line in project()["classifiers"] if line.startswith("Operating System")]
    assert systems == ["Operating System :: MacOS", "Operating System :: POSIX :: Linux"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_the_least_permissions_and_no_secrets(path):
    text = path.read_text(encoding="utf-8")
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    assert "secrets" not in text
    for action in re.findall(r"uses: (\S+)", text):
        assert ACTION.fullmatch(action) or (ROOT / action).is_file(), action


def test_a_release_is_published_only_after_ci_and_by_the_one_job_that_may():
    jobs = workflow("release.yml")["jobs"]
    assert [name for name, job in jobs.items() if "permissions" in job] == ["publish"]
    assert jobs["publish"]["permissions"] == {"contents": "write"}
    assert jobs["publish"]["needs"] == ["ci", "build"]
    runs = " ".join(step.get("run", "") for step in jobs["build"]["steps"])
    assert "python scripts/check_wheel.py dist" in runs


# --- hooks, forms, and metadata


def test_hooks_run_the_checks_of_the_script_and_fetch_nothing():
    (repository,) = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert repository["repo"] == "local"
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}
    checks = [line for line in read("scripts/check").splitlines() if line.startswith("scripts/run")]
    for hook in repository["hooks"]:
        assert any(check.startswith(hook["entry"]) for check in checks), hook["entry"]


@pytest.mark.parametrize("name", ["bug.yml", "feature.yml"])
def test_an_issue_form_asks_for_at_least_one_thing(name):
    form = yaml.safe_load(read(f".github/ISSUE_TEMPLATE/{name}"))
    assert {"name", "description", "body"} <= set(form)
    fields = [part for part in form["body"] if part["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields)
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_the_page_of_the_default_model_is_the_one_in_the_catalog():
    models = ROOT / "flux_cli/catalog/models"
    table = tomllib.loads((models / "flux1.1-pro-ultra.toml").read_text(encoding="utf-8"))
    assert project()["urls"]["Model"] == table["page"]


def test_the_source_distribution_holds_the_whole_repository():
    listed = start("git", "-C", ROOT, "ls-files").stdout.splitlines()
    if "pyproject.toml" not in listed:
        pytest.skip("this is not a clone")
    tracked = {f"/{name.partition('/')[0]}" for name in listed}
    build = tomllib.loads(read("pyproject.toml"))["tool"]["hatch"]["build"]
    always = {"/pyproject.toml", "/.gitignore"}
    assert set(build["targets"]["sdist"]["include"]) == tracked - always


def test_no_page_has_the_marks_of_a_merge_conflict():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "templates").glob("*")]
    marked = [
        page.name
        for page in pages
        if re.search(r"^(<{7} |>{7} )", page.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert marked == []
