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
TEMPLATE = yaml.safe_load((TESTS.parent / "templates/flux.gitlab-ci.yml").read_text())
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
# Runs a Job of a file, one pod after another, with the variables of its container.
KUBECTL = f"""#!{sys.executable}
import os, pathlib, subprocess, sys
import yaml
verb, done = sys.argv[1], pathlib.Path(__file__).with_name("jobs")
if verb == "apply":
    job = yaml.safe_load(open(sys.argv[3]))
    (container,) = job["spec"]["template"]["spec"]["containers"]
    given = {{one["name"]: one["value"] for one in container.get("env", []) if "value" in one}}
    for index in range(job["spec"].get("completions", 1)):
        given["JOB_COMPLETION_INDEX"] = str(index)
        subprocess.run(container["command"], env=os.environ | given, check=True)
    done.write_text(job["metadata"]["name"])
elif verb == "get":
    assert sys.argv[2:4] == ["job", done.read_text()]
    print("SuccessCriteriaMet Complete")
elif verb == "wait":
    assert sys.argv[-1] == "job/" + done.read_text()
else:
    assert sys.argv[1:] == ["delete", "job", "images", "merge", "--ignore-not-found"]
"""
JQ = f"""#!{sys.executable}
import json, sys
assert sys.argv[1:] == ["-e", ".steps != []"]
sys.exit(json.load(sys.stdin)["steps"] == [])
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


class References(yaml.SafeLoader):
    """Reads `!reference [JOB, KEY]` of GitLab as a list."""


References.add_constructor("!reference", lambda loader, node: loader.construct_sequence(node))


def document(engine, number=0):
    """A file of a recipe. A key `on` is not the truth value that YAML 1.1 makes of it."""
    read = yaml.load(blocks(engine, "yaml")[number], References)
    return {"on" if key is True else key: value for key, value in read.items()}


# Each recipe is its lines, in order, with the variables that the engine sets for each.


def github():
    jobs = document("GitHub")["jobs"]
    uses = {
        name: [step["with"] for step in job["steps"] if step.get("uses", "").startswith("OWNER/")]
        for name, job in jobs.items()
    }
    ((plan,), (shard,), (merge,)) = uses.values()
    assert (plan["build"], shard["build"], merge["build"]) == ("plan", "build", "merge")
    yield "flux build --plan", {}
    numbers = jobs["shard"]["strategy"]["matrix"]["shard"]
    assert shard["shard"] == "${{ matrix.shard }}/${{ strategy.job-total }}"
    for number in numbers:
        yield f"flux build --shard {number}/{len(numbers)}", {}
    yield "flux build --merge", {}
    yield jobs["merge"]["steps"][-1]["run"], {}


def gitlab():
    """The jobs with the lines and variables that they take from the template."""
    jobs = document("GitLab", 1)
    total = jobs["shard"]["parallel"]
    for name in jobs["stages"]:
        for number in range(1, total + 1) if name == "shard" else [1]:
            node = {"CI_NODE_INDEX": str(number), "CI_NODE_TOTAL": str(total)}
            yield gitlab_job(jobs, name, node)


def gitlab_job(jobs, name, given):
    base, more = jobs[name]["extends"]
    chain = [TEMPLATE[".flux"], TEMPLATE[".flux-build"], TEMPLATE[base], jobs[more], jobs[name]]
    keys = {key: value for job in chain for key, value in job.items()}
    variables = {key: text for job in chain for key, text in job.get("variables", {}).items()}
    variables |= {"CI_COMMIT_BRANCH": "main", "FLUX_STATE": ".flux/state"}
    lines = []
    for line in keys["before_script"] + keys["script"]:
        lines += TEMPLATE[line[0]][line[1]] if isinstance(line, list) else [line]
    text = "\n".join(line for line in lines if "venv .cache" not in line)
    text = re.sub("remote=.*", "remote=origin", text.replace(".cache/flux-venv/bin/", ""))
    return text, variables | given


def kubernetes():
    names = iter(("shards.yaml", "merge.yaml"))
    for text in blocks("Kubernetes", "yaml"):
        Path(next(names)).write_text(text)
    yield blocks("Kubernetes", "sh")[0], {}


def slurm():
    yield blocks("Slurm", "sh")[0], {}


def aws():
    yield blocks("AWS Batch", "sh")[0], {}


def snakemake():
    yield "sh plan.sh", {}
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
        assert trigger_rule in ("all_success", "none_skipped")
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
    def __init__(self, name, *, schedule, max_active_runs, default_args):
        assert (name, schedule, *default_args) == ("images", None, "cwd")
        assert max_active_runs == 1

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
    programs |= {"kubectl": KUBECTL, "jq": JQ}
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{SCRIPTS}:{environment['PATH']}"
    (work / "flux-build.toml").write_text(MANIFEST)
    for name, text in zip(
        ("plan.sh", "merge.sh"),
        re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL),
        strict=True,
    ):
        (work / name).write_text(text)
    (work / ".gitignore").write_text("*.yaml\n.cache\nflux*.*\n!flux-build.*\noutputs\n")

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
PUSHES = {github, gitlab}


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
    left = runner("git status --porcelain; git log --oneline | wc -l", {}).stdout
    assert left.split() == ["2"]
    if recipe in PUSHES:
        assert runner("git diff --quiet origin/main", {}).returncode == 0


def test_a_merge_without_a_part_commits_the_others_and_ends_with_3(runner):
    assert runner("sh plan.sh", {}).returncode == 0
    plans = [runner(f"flux build --shard {number}/4 --plan --json", {}) for number in range(1, 5)]
    counts = {number: json.loads(plan.stdout)["requests"] for number, plan in enumerate(plans, 1)}
    *others, last = [number for number, count in counts.items() if count]
    for number in others:
        assert runner(f"flux build --shard {number}/4", {}).returncode == 0
    assert runner("sh merge.sh", {}).returncode == 3
    assert runner("git log --oneline | wc -l", {}).stdout.strip() == "2"
    assert runner(f"flux build --shard {last}/4 && sh merge.sh", {}).returncode == 0


def test_a_plan_tells_whether_there_is_something_to_do(runner):
    assert runner("sh plan.sh", {}).returncode == 0
    assert runner("flux build", {}).returncode == 0
    assert runner("sh plan.sh", {}).returncode == 99
    assert runner("sed -i '1i max_cost = 1' flux-build.toml; sh plan.sh", {}).returncode == 2


@pytest.mark.parametrize(
    ("engine", "number", "schema"),
    [
        ("GitHub", 0, "github-workflow"),
        ("GitLab", 0, "gitlab-ci"),
        ("GitLab", 1, "gitlab-ci"),
        ("Kubernetes", 0, "kubernetes-job"),
        ("Kubernetes", 1, "kubernetes-job"),
    ],
)
def test_the_files_of_recipes_have_only_keys_that_the_engine_knows(engine, number, schema):
    rules = json.loads((TESTS / f"schemas/{schema}.json").read_text())
    validator = jsonschema.Draft202012Validator(rules)
    found = document(engine, number)
    validator.validate(found)
    jobs = found.get("jobs", found)
    job = jobs.get("shard", jobs.get("images", found))
    job["parallell"] = 4
    assert not validator.is_valid(found)


def test_the_template_of_gitlab_has_only_keys_that_gitlab_knows():
    rules = json.loads((TESTS / "schemas/gitlab-ci.json").read_text())
    jsonschema.Draft202012Validator(rules).validate(TEMPLATE)


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
    assert f"job {document('Kubernetes')['metadata']['name']} " in blocks("Kubernetes", "sh")[0]
