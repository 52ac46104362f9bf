"""Shards in CI: jobs of the action and of the GitLab template, each in a clone of its own."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import SCRIPTS

from e2e.conftest import KEY

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
TEMPLATE = yaml.safe_load((ROOT / "templates/flux.gitlab-ci.yml").read_text())
MANIFEST = """
[assets.a]
n = 4
model = "flux1.1-pro-ultra"
size = "1:1"
width = [64]
prompt = "a cat"
output = "img/{name} [x].png"
"""
FIRST = f"""
git init -q --bare -b main ../remote.git
git init -q -b main . && git remote add origin ../remote.git
cat >flux-build.toml <<'END'
{MANIFEST}
END
git add . && git commit -qm first && git push -q -u origin main
"""


@pytest.fixture
def shell(environment, gateway, work, tmp_path):
    """Run lines in a clone, with the variables of a job. Origin has a manifest of four images."""
    for program in ("flux", "python"):
        link = tmp_path / "flux-venv" / "bin" / program
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(SCRIPTS / "flux" if program == "flux" else sys.executable)
    given = environment | {"LUMENFALL_BASE_URL": gateway.url, "RUNNER_TEMP": str(tmp_path)}
    for who in ("AUTHOR", "COMMITTER"):
        given |= {f"GIT_{who}_NAME": "A", f"GIT_{who}_EMAIL": "a@example.com"}

    def run(lines, folder=work, **variables):
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", lines], env=given | variables, cwd=folder,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert KEY not in done.stdout + done.stderr
        return done

    assert run(FIRST).returncode == 0
    return run


@pytest.fixture
def clone(shell, work):
    """Clone origin, as the checkout of a job does."""

    def make(name, commit="origin/main"):
        folder = work.parent / name
        lines = f"git clone -q remote.git '{name}' && cd '{name}' && git checkout -q {commit}"
        assert shell(lines, work.parent).returncode == 0
        return folder

    return make


def put(files, source, target):
    """Copy files from one job to another, as an artifact does: without their permissions."""
    for file in files:
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)


def files_of(folder, patterns):
    found = [path for pattern in patterns for path in folder.glob(pattern)]
    below = [file for path in found if path.is_dir() for file in path.rglob("*")]
    return [path for path in {*found, *below} if path.is_file() and ".git" not in path.parts]


# --- GitHub ---------------------------------------------------------------------------------------


@pytest.fixture
def step(shell, tmp_path):
    """Run a step of the action with inputs, and return what it ends with and its outputs."""
    defaults = {name: row.get("default", "") for name, row in ACTION["inputs"].items()}

    def run(name, folder, **inputs):
        values = defaults | {"api-key": KEY} | inputs
        variables = {
            key: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: values[match[1]], text)
            for key, text in STEPS[name].get("env", {}).items()
        }
        outputs = tmp_path / "outputs"
        outputs.write_text("")
        done = shell(STEPS[name]["run"], folder, GITHUB_OUTPUT=str(outputs), **variables)
        return done, outputs.read_text()

    return run


@pytest.fixture
def shard(step):
    """Run the job of a shard, and return its exit code and the files of its artifact."""

    def run(number, folder):
        inputs = {"build": "build", "shard": f"{number}/2", "max-cost": "5"}
        _, named = step("Name the part", folder, **inputs)
        assert named == f"name=flux-part-{number}-of-2\n"
        done, _ = step("Generate", folder, **inputs)
        _, listed = step("List the files of the part", folder)
        patterns = [line.removeprefix("./") for line in listed.splitlines()[1:-1]]
        return done, files_of(folder, ["**/.flux", *patterns])

    return run


def test_jobs_of_the_action_pay_once_and_the_merge_has_all_images(shard, step, clone, gateway):
    merged = clone("merged")
    for number in (1, 2):
        folder = clone(f"shard-{number}")
        done, files = shard(number, folder)
        assert done.returncode == 0, done.stderr
        put(files, folder, merged)
    assert len(gateway.posts) == 4
    done, outputs = step("Generate", merged, build="merge")
    assert done.returncode == 0, done.stderr
    assert "paths<<" in outputs
    assert step("Generate", merged, build="check")[0].returncode == 0
    _, outputs = step("Generate", merged, build="plan")
    assert "changes=0\n" in outputs
    assert len(gateway.posts) == 4


def test_a_job_that_runs_again_pays_for_nothing_twice(shard, clone, gateway):
    first, again = clone("first"), clone("again")
    _, files = shard(1, first)
    paid = len(gateway.posts)
    put(files, first, again)  # the step "Restore the part"
    done, _ = shard(1, again)
    assert (done.returncode, len(gateway.posts)) == (0, paid), done.stderr
    assert paid > 0


def test_a_merge_without_one_of_its_parts_keeps_the_others_and_fails(shard, step, clone):
    folder, merged = clone("shard"), clone("merged")
    put(shard(1, folder)[1], folder, merged)
    done, outputs = step("Generate", merged, build="merge")
    assert (done.returncode, "exit-code=3\n" in outputs) == (3, True)
    assert (merged / "flux-build.lock").is_file()
    _, outputs = step("Generate", merged, build="plan")
    assert re.search("^changes=[1-3]$", outputs, re.MULTILINE)


@pytest.mark.parametrize("text", ["1", "1/2/3", "$(touch hacked)/2", "1/2\n::error::x"], ids=repr)
def test_another_text_for_a_shard_fails_before_anything_is_done(step, clone, text):
    folder = clone("shard")
    done, named = step("Name the part", folder, build="build", shard=text)
    assert (done.returncode, named, (folder / "hacked").exists()) == (2, "", False)
    assert done.stdout.startswith("::error title=flux::the input shard ")


def test_a_shard_needs_git_and_a_build(step, clone, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    assert step("Name the part", bare, build="build", shard="1/2")[0].returncode == 2
    assert step("Name the part", clone("shard"), build="plan", shard="1/2")[0].returncode == 2


def test_the_part_is_kept_whatever_happens_and_found_again():
    kept, restored = STEPS["Keep the part"], STEPS["Restore the part"]
    assert kept["if"].startswith("always() && ")
    assert STEPS["List the files of the part"]["if"] == kept["if"]
    assert kept["with"]["include-hidden-files"]
    assert kept["with"]["overwrite"]
    assert kept["with"]["name"] == restored["with"]["name"]
    assert STEPS["Restore all parts"]["with"]["pattern"] == "flux-part-*"
    order = list(STEPS)
    assert order.index("Name the part") < order.index("Restore the part") < order.index("Generate")


# --- GitLab ---------------------------------------------------------------------------------------


@pytest.fixture
def job(shell):
    """Run the lines of a job of the template, and those that follow."""

    def run(name, folder, more=(), **variables):
        chain = [TEMPLATE[".flux"], TEMPLATE[".flux-build"], TEMPLATE[name]]
        keys = {key: value for part in chain for key, value in part.items()}
        given = {key: text for part in chain for key, text in part["variables"].items()}
        given |= {"FLUX_JOB_FOLDER": "img", "CI_COMMIT_BRANCH": "main", "CI_SERVER_HOST": "host"}
        given |= {"FLUX_STATE": str(folder / ".flux/state"), "CI_NODE_TOTAL": "2"}
        lines = [*keys["before_script"], *keys["script"], *more]
        text = "\n".join(line for line in lines if "venv .cache" not in line and "pip" not in line)
        text = text.replace(".cache/flux-venv/bin/", f"{SCRIPTS}/")
        done = shell(text, folder, LUMENFALL_API_KEY=KEY, **given | variables)
        paths = keys["artifacts"].get("paths", [])
        return done, files_of(folder, [path.replace("$FLUX_JOB_FOLDER", "img") for path in paths])

    return run


COMMIT = (
    "git add flux-build.lock img; git diff --cached --quiet || git commit -qm images",
    'git pull -q --rebase origin main; git push -q origin HEAD:main; exit "$code"',
)


def test_a_pipeline_that_is_retried_or_waited_pays_for_nothing_twice(job, clone, shell, gateway):
    start = shell("git rev-parse HEAD").stdout.strip()
    for attempt in ("first", "again"):  # both of the commit before the images
        merging = clone(f"merge-{attempt}", start)
        for number in "12":
            folder = clone(f"shard-{attempt}-{number}", start)
            done, files = job(".flux-build-shard", folder, CI_NODE_INDEX=number)
            assert done.returncode == 0, done.stderr
            put(files, folder, merging)
        done, _ = job(".flux-build-merge", merging, COMMIT)
        assert done.returncode == 0, done.stderr
        assert len(gateway.posts) == 4
    done, _ = job(".flux-build", clone("check"))
    assert done.returncode == 0, done.stdout


def test_a_merge_of_a_failed_pipeline_is_pushed_and_fails(job, clone):
    folder, merging = clone("shard"), clone("merging")
    put(job(".flux-build-shard", folder, CI_NODE_INDEX="1")[1], folder, merging)
    done, _ = job(".flux-build-merge", merging, COMMIT)
    assert done.returncode == 3, done.stderr
    assert (clone("later") / "flux-build.lock").is_file()


def test_a_plan_with_nothing_to_do_ends_the_jobs_after_it(job, clone, gateway):
    folder = clone("plan")
    done, _ = job(".flux-build-plan", folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "flux.env").read_text() == "FLUX_JOB_CHANGES=4\n"
    for name in (".flux-build-shard", ".flux-build-merge"):
        done, _ = job(name, folder, ["exit 9"], FLUX_JOB_CHANGES="0")
        assert (done.returncode, done.stdout) == (0, "nothing to do\n")
    refused, _ = job(".flux-build-plan", folder, FLUX_MAX_COST="0.01")
    assert (refused.returncode, gateway.posts) == (2, [])
