"""The recipes of docs/build-at-scale.md: the lines of each engine build offline and are merged."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import jsonschema
import pytest
import yaml
from conftest import SCRIPTS

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs/build-at-scale.md").read_text()
MANIFEST = """
[assets.a]
n = 4
model = "flux1.1-pro-ultra"
size = "1:1"
width = [64]
prompt = "a cat"
output = "img/{name}.png"
"""
# Programs of the engines. Those that submit jobs run them at once, with the engine's variables.
OFFLINE = f'#!/bin/sh\nexec "{SCRIPTS}/flux" "$@" --offline\n'
SBATCH = """#!/bin/sh
for line in "$@"; do :; done
case "$*" in
  *--array=0-3*)
    for number in 0 1 2 3; do
      env SLURM_ARRAY_TASK_ID=$number SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_COUNT=4 \\
        sh -c "$line" >&2 || exit
    done
    echo 7 ;;
  *--dependency=afterany:7*) sh -c "$line" >&2 ;;
  *) exit 9 ;;
esac
"""
AWS = """#!/usr/bin/env python3
import json, os, subprocess, sys
words = dict(zip(sys.argv[3::2], sys.argv[4::2]))
assert sys.argv[1:3] == ["batch", "submit-job"]
command = json.loads(words["--container-overrides"])["command"]
rules = json.loads(words.get("--retry-strategy", '{"evaluateOnExit": []}'))["evaluateOnExit"]
assert len(rules) <= 5 and {rule["action"] for rule in rules} <= {"RETRY", "EXIT"}
size = int(words.get("--array-properties", "size=0")[5:])
assert size or words["--depends-on"] == "jobId=7"
array = [{"AWS_BATCH_JOB_ARRAY_SIZE": str(size), "AWS_BATCH_JOB_ARRAY_INDEX": str(number)}
         for number in range(size)]
for given in array or [{}]:
    subprocess.run(command, env=os.environ | given, check=True, stdout=sys.stderr)
print(7)
"""
IDENTITY = {
    f"GIT_{who}_{what}": text
    for who in ("AUTHOR", "COMMITTER")
    for what, text in (("NAME", "A"), ("EMAIL", "a@example.com"))
}


def blocks(engine, language):
    section = re.search(rf"^### {engine}\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)[1]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def document(engine, number=0):
    """A file of a recipe. A key `on` is not the truth value that YAML 1.1 makes of it."""
    read = yaml.safe_load(blocks(engine, "yaml")[number])
    return {"on" if key is True else key: value for key, value in read.items()}


# Each recipe is its lines, in order, with the variables that the engine sets for each.


def github():
    jobs = document("GitHub")["jobs"]
    lines = {
        name: "\n".join(step["run"] for step in job["steps"] if "run" in step)
        for name, job in jobs.items()
    }
    yield lines["plan"], {"GITHUB_OUTPUT": "outputs"}
    numbers = jobs["shard"]["strategy"]["matrix"]["shard"]
    for number in numbers:
        yield lines["shard"], {"SHARD": f"{number}/{len(numbers)}"}
    Path("outputs").unlink()
    yield lines["merge"], {}


def gitlab():
    jobs = document("GitLab")
    lines = {
        name: "\n".join(jobs["default"]["before_script"] + jobs[name]["script"])
        for name in jobs["stages"]
    }
    total = jobs["shard"]["parallel"]
    yield lines["plan"], {}
    for number in range(1, total + 1):
        yield lines["shard"], {"CI_NODE_INDEX": str(number), "CI_NODE_TOTAL": str(total)}
    address = "git push origin"
    yield re.sub('git push "https:[^"]+"', address, lines["merge"]), {"CI_COMMIT_BRANCH": "main"}


def kubernetes():
    shards, merge = document("Kubernetes"), document("Kubernetes", 1)
    for index in range(shards["spec"]["completions"]):
        container = shards["spec"]["template"]["spec"]["containers"][0]
        given = {one["name"]: one["value"] for one in container["env"] if "value" in one}
        yield " ".join(container["command"]), given | {"JOB_COMPLETION_INDEX": str(index)}
    yield " ".join(merge["spec"]["template"]["spec"]["containers"][0]["command"]), {}


def slurm():
    yield blocks("Slurm", "sh")[0], {}


def aws():
    yield blocks("AWS Batch", "sh")[0], {}


def snakemake():
    rules = re.findall(
        r'rule (\w+):.*?shell: "(.+?)"\n', blocks("Snakemake", "python")[0], re.DOTALL
    )
    lines = dict(rules)
    for number in range(1, 5):
        yield lines["shard"].replace("{wildcards.number}", str(number)), {}
    yield lines["merge"], {}


class Operator:
    """Stands for an operator of Airflow: notes its lines. Its tasks run in order of creation."""

    lines: ClassVar[list[str]] = []

    def __init__(self, *, task_id, bash_command, trigger_rule="all_success"):
        assert task_id
        assert trigger_rule in ("all_success", "all_done")
        self.lines.append(bash_command)

    @classmethod
    def partial(cls, *, task_id, retries):
        assert retries < 3
        return type("Mapped", (), {"expand": staticmethod(cls.lines_of(task_id))})

    @classmethod
    def lines_of(cls, task_id):
        return lambda bash_command: [cls(task_id=task_id, bash_command=one) for one in bash_command]

    def __rshift__(self, other):
        return other

    def __rrshift__(self, others):
        return self


class Dag:
    def __init__(self, name, *, schedule, default_args):
        assert (name, schedule, *default_args) == ("images", None, "cwd")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def airflow():
    names = ("airflow", "airflow.providers", "airflow.providers.standard")
    operators = (
        "airflow.providers.standard.operators",
        "airflow.providers.standard.operators.bash",
    )
    modules = {name: ModuleType(name) for name in names + operators}
    modules["airflow"].DAG = Dag
    modules[operators[-1]].BashOperator = Operator
    Operator.lines = []
    with pytest.MonkeyPatch.context() as patch:
        for name, module in modules.items():
            patch.setitem(sys.modules, name, module)
        exec(compile(blocks("Airflow", "python")[0], "dag", "exec"), {})
    yield from ((line, {}) for line in Operator.lines)


@pytest.fixture
def runner(work, environment, tmp_path):
    """Run a line in a repository with a remote, and with the programs of the engines."""
    programs = {"flux": OFFLINE, "pip": "#!/bin/sh\n", "sbatch": SBATCH, "aws": AWS}
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{SCRIPTS}:{environment['PATH']}"
    (work / "flux-build.toml").write_text(MANIFEST)

    def run(line, given):
        return subprocess.run(
            ["bash", "-ec", line], env={**environment, **IDENTITY, **given, "PATH": path},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    remote = tmp_path / "remote.git"
    start = (
        f"git init -q --bare -b main {remote}; git init -q -b main; git remote add origin {remote}"
    )
    done = run(f"{start}; git add .; git commit -qm first; git push -q -u origin main", {})
    assert done.returncode == 0, done.stderr
    return run


RECIPES = (github, gitlab, kubernetes, slurm, aws, snakemake, airflow)
COMMITS = {github, gitlab, slurm}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.__name__)
def test_the_lines_of_a_recipe_build_every_asset_in_its_shards_and_merge_them(recipe, runner, work):
    said = ""
    for line, given in recipe():
        done = runner(line, given)
        assert done.returncode == 0, done.stderr
        said += done.stderr
    assert re.findall(r"shard (\d)/4 of flux-build.toml", said) == ["1", "2", "3", "4"]
    assert re.search(r"4 parts in flux-build.lock: 4 assets", said)
    assert len(json.loads((work / "flux-build.lock").read_text())["assets"]) == 4
    if recipe in COMMITS:
        left = runner("git status --porcelain; git log --oneline | wc -l", {}).stdout
        assert left.split() == ["2"]
    if recipe in COMMITS - {slurm}:
        assert runner("git diff --quiet origin/main", {}).returncode == 0


@pytest.mark.parametrize(
    ("engine", "number", "schema"),
    [
        ("GitHub", 0, "github-workflow"),
        ("GitLab", 0, "gitlab-ci"),
        ("Kubernetes", 0, "kubernetes-job"),
        ("Kubernetes", 1, "kubernetes-job"),
    ],
)
def test_the_files_of_recipes_have_only_keys_that_the_engine_knows(engine, number, schema):
    rules = json.loads((TESTS / f"schemas/{schema}.json").read_text())
    validator = jsonschema.Draft202012Validator(rules)
    found = document(engine, number)
    validator.validate(found)
    job = found.get("jobs", found).get("shard", found)
    job["parallell"] = 4
    assert not validator.is_valid(found)


def test_the_jobs_of_kubernetes_agree_with_each_other():
    job, merge = (document("Kubernetes", number)["spec"] for number in (0, 1))
    pod, other = job["template"]["spec"], merge["template"]["spec"]
    env = {one["name"]: one.get("value") for one in pod["containers"][0]["env"]}
    assert env["FLUX_SHARDS"] == str(job["completions"])
    assert pod["restartPolicy"] == "Never"  # which podFailurePolicy requires
    rules = {
        rule["action"]: rule.get("onExitCodes", {}) for rule in job["podFailurePolicy"]["rules"]
    }
    assert rules["FailIndex"]["values"] == [2, 4, 5]
    assert rules["Count"]["values"] == [1, 3]
    assert other["volumes"] == pod["volumes"]
    assert f"job/{document('Kubernetes')['metadata']['name']}" in blocks("Kubernetes", "sh")[0]
