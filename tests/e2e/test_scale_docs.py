"""The recipes of docs/build-at-scale.md: YAML is read, and its lines build offline in shards."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import SCRIPTS

PAGE = (Path(__file__).parents[2] / "docs/build-at-scale.md").read_text()
MANIFEST = """
[assets.a]
n = 4
model = "flux1.1-pro-ultra"
size = "1:1"
width = [64]
prompt = "a cat"
output = "img/{name}.png"
"""


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def github():
    steps = yaml.safe_load(blocks("yaml")[0])["jobs"]["shard"]["steps"]
    return next(step["run"] for step in steps if "--shard" in step.get("run", ""))


def gitlab():
    return next(
        line for line in yaml.safe_load(blocks("yaml")[1])["shard"]["script"] if "--s" in line
    )


def kubernetes():
    job = yaml.safe_load(blocks("yaml")[2])
    return " ".join(job["spec"]["template"]["spec"]["containers"][0]["command"])


RECIPES = {
    "GitHub": (github, {"SHARD": "{number}/2"}),
    "GitLab": (gitlab, {"CI_NODE_INDEX": "{number}", "CI_NODE_TOTAL": "2"}),
    "Kubernetes": (kubernetes, {"JOB_COMPLETION_INDEX": "{index}", "FLUX_SHARDS": "2"}),
    "Slurm": (
        lambda: blocks("sh")[1],
        {
            "SLURM_ARRAY_TASK_ID": "{index}",
            "SLURM_ARRAY_TASK_MIN": "0",
            "SLURM_ARRAY_TASK_COUNT": "2",
        },
    ),
}


@pytest.mark.parametrize("engine", RECIPES)
def test_the_lines_of_a_recipe_plan_one_shard_each_with_the_variables_of_the_engine(
    engine, environment, work
):
    (work / "flux-build.toml").write_text(MANIFEST)
    find, variables = RECIPES[engine]
    said = []
    for number in (1, 2):
        given = {
            key: text.format(number=number, index=number - 1) for key, text in variables.items()
        }
        done = subprocess.run(
            ["sh", "-ec", find().replace("flux build", "flux build --offline --plan")],
            env={**environment, **given, "PATH": f"{SCRIPTS}:{environment['PATH']}"},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said += re.findall(r"shard (\d)/2 of flux-build.toml", done.stderr)
    assert said == ["1", "2"]


def test_the_job_of_kubernetes_agrees_with_itself():
    spec = yaml.safe_load(blocks("yaml")[2])["spec"]
    pod = spec["template"]["spec"]
    env = {one["name"]: one.get("value") for one in pod["containers"][0]["env"]}
    assert env["FLUX_SHARDS"] == str(spec["completions"])
    assert spec["completionMode"] == "Indexed"
    assert pod["restartPolicy"] == "Never"  # which podFailurePolicy requires
    rules = {
        rule["action"]: rule.get("onExitCodes", {}) for rule in spec["podFailurePolicy"]["rules"]
    }
    assert rules["FailIndex"]["values"] == [2, 4, 5]
    assert rules["Count"]["values"] == [1, 3]
