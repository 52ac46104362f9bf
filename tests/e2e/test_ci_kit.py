"""The GitHub action and the GitLab template: their scripts, taken out of the YAML and run."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import SCRIPTS
from fakes.gateway import by_seed, status

from e2e.conftest import KEY
from flux_cli.cli.topics import EXIT_CODES

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
TEMPLATE = yaml.safe_load((ROOT / "templates/flux.gitlab-ci.yml").read_text())
JOB = TEMPLATE[".flux"]
BUILD_JOB = TEMPLATE[".flux-build"]
MANIFEST = """\
[defaults]
model = "flux1.1-pro-ultra"
[assets.hero]
prompt = "a red fox"
output = "img/{name}.{webp,jpg}"
"""
NASTY = """'"; touch hacked; $(touch hacked) `touch hacked` ${HOME} \\ %s !! *"""


def pip_settings():
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_")}


def unreachable(text):
    """Whether pip failed because there is no index to reach."""
    return "No matching distribution" in text or "Connection" in text or "connection" in text


@pytest.fixture
def runner(environment, gateway, tmp_path):
    """Run the action's Generate step as a runner would: inputs become variables."""
    installed = tmp_path / "flux-venv" / "bin"
    installed.mkdir(parents=True)
    (installed / "flux").symlink_to(SCRIPTS / "flux")
    (installed / "python").symlink_to(sys.executable)
    defaults = {name: row.get("default", "") for name, row in ACTION["inputs"].items()}

    def run(**inputs):
        values = (
            defaults
            | {"api-key": KEY}
            | {name.replace("_", "-"): value for name, value in inputs.items()}
        )
        given = {
            name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: values[match[1]], text)
            for name, text in STEPS["Generate"]["env"].items()
        }
        outputs = tmp_path / "outputs"
        outputs.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS["Generate"]["run"]],
            env=environment | given | {
                "LUMENFALL_BASE_URL": gateway.url, "RUNNER_TEMP": str(tmp_path),
                "GITHUB_OUTPUT": str(outputs), "GITHUB_ACTIONS": "true", "CI": "true",
                "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            },
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert KEY not in done.stdout + done.stderr
        return done, read_outputs(outputs.read_text())

    return run


def read_outputs(text):
    """What GitHub reads from the file of outputs: `name=value`, or `name<<END` up to END."""
    several = re.findall(r"^([\w-]+)<<(.+)\n((?:.*\n)*?)\2\n", text, re.MULTILINE)
    single = re.findall(r"^([\w-]+)=(.*)$", text, re.MULTILINE)
    return dict(single) | {name: value.rstrip("\n") for name, _, value in several}


# --- GitHub ---------------------------------------------------------------------------------------


def test_no_input_becomes_part_of_a_script():
    for step in STEPS.values():
        assert "${{" not in step.get("run", "")
        assert step.get("shell", "bash") == "bash"


def test_every_input_is_used_and_every_name_exists():
    text = (ROOT / "action.yml").read_text()
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    assert set(re.findall(r"steps\.(\w+)\.", text)) == {"generate", "part", "files"}
    assert all(
        row["description"] for row in (*ACTION["inputs"].values(), *ACTION["outputs"].values())
    )
    variables = set(STEPS["Generate"]["env"])
    assert variables == set(re.findall(r"FLUX_ACTION_\w+", STEPS["Generate"]["run"]))


def test_the_action_makes_images_and_hands_their_paths_on(runner, gateway):
    done, outputs = runner(prompt="a red fox", n="2", seed="7", output="out/{slug}-{seed}.jpg")
    assert (done.returncode, done.stdout) == (0, "")
    assert outputs["paths"].splitlines() == ["out/a-red-fox-7.jpg", "out/a-red-fox-8.jpg"]
    assert all(Path(path).is_file() for path in outputs["paths"].splitlines())
    assert (outputs["exit-code"], outputs["cost-usd"]) == ("0", "0.12")
    assert json.loads(Path(outputs["json"]).read_text())["status"] == "ok"
    assert set(outputs) == set(ACTION["outputs"])
    assert gateway.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_second_run_pays_for_what_is_missing_only(runner, gateway):
    runner(prompt="a red fox", n="2")
    Path("images/a-red-fox-1.jpg").unlink()
    _, outputs = runner(prompt="a red fox", n="2")
    assert len(gateway.posts) == 3
    assert outputs["paths"].splitlines() == ["images/a-red-fox-1.jpg", "images/a-red-fox-2.jpg"]


def test_a_changed_prompt_replaces_the_image_of_the_action(runner, gateway, environment):
    environment["FLUX_METADATA"] = "no-prompt"
    for count, prompt in enumerate(("a calm sea", "a calm sea", "a storm", "a storm")):
        done, outputs = runner(prompt=prompt, output="hero.jpg")
        assert (done.returncode, outputs["paths"]) == (0, "hero.jpg")
        assert len(gateway.posts) == 1 + count // 2
    assert gateway.posts[-1]["prompt"] == "a storm"


def test_a_partial_failure_fails_the_step_and_still_hands_on_what_was_saved(runner, gateway):
    gateway.answers(by_seed({2: status(400, "INVALID_REQUEST", "no")}))
    done, outputs = runner(prompt="a red fox", n="3")
    assert (done.returncode, outputs["exit-code"]) == (3, "3")
    assert len(outputs["paths"].splitlines()) == 2
    assert "::error title=flux::" in done.stderr
    assert "flux: 2 saved, 1 failed, 0.12 USD" in done.stderr


def test_a_wrong_input_fails_the_step_before_anything_is_sent(runner, gateway):
    for inputs in ({"n": "many"}, {"max_cost": "0.01"}, {"prompt": ""}, {"args": "--no-such"}):
        done, outputs = runner(**{"prompt": "a fox", **inputs})
        assert (done.returncode, outputs["exit-code"], outputs["paths"], gateway.posts) == (
            2,
            "2",
            "",
            [],
        )


@pytest.mark.parametrize(
    "prompt", [NASTY, "--help", "-", "@/etc/passwd", "two\nlines", "EOF\nSCRIPT\n"], ids=repr
)
def test_a_prompt_is_only_a_prompt(runner, gateway, prompt):
    done, _ = runner(prompt=prompt, output="a.jpg")
    assert done.returncode == 0, done.stderr
    assert gateway.posts[0]["prompt"].split() == prompt.split()
    assert [path.name for path in Path().iterdir()] == ["a.jpg"]


@pytest.mark.parametrize("name", ["output", "seed", "n", "max_cost", "args", "api_key"])
def test_no_other_input_is_run_by_the_shell(runner, name):
    runner(**{"prompt": "a fox", name: NASTY})
    assert not list(Path().rglob("hacked"))


MESSY = [
    "{}\n{}\n{}\n{}\n\n",
    "  {}\n\t{}  \n{} \n    {}",
    "{}\r\n{}\r\n \r\n{}\r\n{} \r\n",
    "\n\n{}\n{}\n\n{}\n{}",
]


@pytest.mark.parametrize("layout", MESSY, ids=repr)
def test_more_options_are_one_word_a_line_whatever_is_around_it(runner, gateway, layout):
    done, _ = runner(
        prompt="a fox", args=layout.format("--aspect-ratio", "16:9", "-p", "note=two words")
    )
    assert done.returncode == 0, done.stderr
    assert (gateway.posts[0]["size"], gateway.posts[0]["note"]) == ("1365x768", "two words")


def test_two_words_on_a_line_are_told_apart(runner):
    done, outputs = runner(prompt="a fox", args="--size 16:9")
    assert outputs["exit-code"] == "2"
    assert (
        "\nhint: this is one word: pass --size and 16:9 separately,"
        " one per line in a list of args\n" in done.stderr
    )


OTHER_DOCUMENTS = {
    "dry run": ("--dry-run", 0, 0, "0.12"),
    "help": ("--help", 0, 0, ""),
    "an option nobody knows": ("--curl", 2, 0, ""),
    "stdout": ("-o\n-", 2, 0, ""),
    "html": ("--html", 0, 2, "0.12"),
    "several files": ("-f\nwebp\n-f\njpeg\n--keep-original\n--sidecar\n--sheet", 0, 6, "0.12"),
}


@pytest.mark.parametrize(
    ("args", "code", "images", "cost"), OTHER_DOCUMENTS.values(), ids=OTHER_DOCUMENTS
)
def test_whatever_is_printed_the_outputs_are_right(runner, args, code, images, cost):
    done, outputs = runner(prompt="a red fox", n="2", args=args)
    assert "Traceback" not in done.stderr
    assert (done.returncode, outputs["exit-code"], outputs["cost-usd"]) == (code, str(code), cost)
    paths = outputs["paths"].splitlines()
    assert (len(paths), all(Path(path).is_file() for path in paths)) == (images, True)
    assert set(outputs) == set(ACTION["outputs"])


def saves_cache(outputs, path="images"):
    """What GitHub makes of the condition of the step that keeps images."""
    text = re.sub(
        r"steps\.generate\.outputs\.([\w-]+)", r"outputs['\1']", STEPS["Keep images"]["if"]
    )
    text = (
        text.replace("inputs.cache-path", "path")
        .replace("inputs.shard", "''")
        .replace("always()", "True")
        .replace("&&", "and")
    )
    return eval(text, {"outputs": outputs, "path": path})


def test_images_are_kept_where_there_are_any_and_nowhere_else(runner, gateway):
    assert not saves_cache(runner(prompt="a fox", n="many")[1])
    assert not saves_cache(runner(prompt="a fox", args="--dry-run")[1])
    gateway.answers(by_seed({2: status(400, "INVALID_REQUEST", "no")}))
    assert not saves_cache(runner(prompt="a fox", seed="2")[1])
    partial = runner(prompt="a fox", n="2")[1]
    assert (partial["exit-code"], saves_cache(partial), saves_cache(partial, path="")) == (
        "3",
        True,
        False,
    )
    assert saves_cache(runner(prompt="a fox")[1])


def test_a_checkout_cannot_put_its_own_modules_into_the_script(runner):
    Path("json.py").write_text("open('hacked', 'w')")
    assert runner(prompt="a fox", output="a.jpg")[1]["paths"] == "a.jpg"
    assert not Path("hacked").exists()


@pytest.fixture
def manifest(work):
    path = work / "flux-build.toml"
    path.write_text(MANIFEST)
    return path


def test_the_action_shows_the_plan_of_a_pull_request_on_its_page(runner, manifest, tmp_path):
    done, outputs = runner(build="plan", api_key="")
    assert (done.returncode, outputs["exit-code"]) == (0, "0"), done.stderr
    assert (outputs["cost-usd"], outputs["paths"]) == ("0.06", "")
    summary = (tmp_path / "summary.md").read_text()
    assert "1 request" in summary
    page = Path(STEPS["Keep the review page"]["with"]["path"].rpartition("/")[2])
    assert f"Review page: {page.stem}" in summary.replace("&#45;", "-")
    assert "This is a plan" in (tmp_path / page).read_text("utf-8")
    assert [path.name for path in Path().iterdir()] == [manifest.name]


@pytest.mark.usefixtures("manifest")
def test_the_action_builds_once_and_checks_without_a_key(runner, gateway):
    done, outputs = runner(build="check", api_key="")
    assert (done.returncode, outputs["exit-code"]) == (1, "1")
    done, outputs = runner(build="build", cache_path=".flux")
    assert (done.returncode, len(gateway.posts)) == (0, 1), done.stderr
    assert outputs["paths"].splitlines() == ["img/hero.webp", "img/hero.jpg"]
    assert set(outputs) == set(ACTION["outputs"])
    assert saves_cache(outputs, ".flux")
    done, outputs = runner(build="build", cache_path=".flux")
    assert (done.returncode, outputs["paths"], len(gateway.posts)) == (0, "", 1)
    assert not saves_cache(outputs, ".flux")
    assert runner(build="check", api_key="")[0].returncode == 0


def test_the_action_passes_options_and_manifests_to_a_build(runner, manifest, gateway):
    site = Path("site")
    site.mkdir()
    manifest.rename(site / "pages.toml")
    done, _ = runner(build="build", max_cost="0.05", args="site/pages.toml")
    assert (done.returncode, gateway.posts) == (2, []), done.stderr
    done, outputs = runner(build="build", args="site/pages.toml\n--offline", api_key="")
    assert (done.returncode, gateway.posts) == (0, []), done.stderr
    assert outputs["paths"].splitlines() == ["site/img/hero.webp", "site/img/hero.jpg"]


@pytest.mark.parametrize("mode", ["make", "--help", NASTY, "plan\n::error::x"], ids=repr)
def test_another_word_for_a_build_fails_before_anything_is_done(runner, gateway, manifest, mode):
    done, _ = runner(build=mode)
    assert (done.returncode, gateway.posts) == (2, [])
    message = "::error title=flux::the input build must be plan, check, build, merge, or empty\n"
    assert (done.stdout, done.stderr) == (message, "")
    assert [path.name for path in Path().iterdir()] == [manifest.name]


def test_every_exit_code_is_in_the_description():
    codes = re.findall(r"\b\d+(?= )", ACTION["outputs"]["exit-code"]["description"])
    assert codes == [code for code, _ in EXIT_CODES]


def test_the_install_step_installs_this_very_checkout(environment, tmp_path):
    runner = {
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_ACTION_PATH": str(ROOT),
        "PATH": f"{SCRIPTS}:{environment['PATH']}",
    }
    line = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS["Install flux"]["run"]]
    done = subprocess.run(
        line,
        env=environment | pip_settings() | runner,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode and unreachable(done.stderr):
        pytest.skip("pip reaches no index here")
    assert (done.returncode, done.stdout.splitlines()[-1][:5]) == (0, "flux "), done.stderr


# --- GitLab ---------------------------------------------------------------------------------------


@pytest.fixture(params=["sh", "bash"])
def job(request, environment, gateway, work):
    """Run the template's script as GitLab does: its variables are the environment."""
    installed = work / ".cache" / "flux-venv" / "bin"
    installed.mkdir(parents=True)
    (installed / "flux").symlink_to(SCRIPTS / "flux")

    def run(job=JOB, **variables):
        inherited = JOB["variables"] | job["variables"]
        given = {name: str(value) for name, value in (inherited | variables).items()}
        return subprocess.run(
            [request.param, "-e", "-c", "\n".join(job["script"])],
            env={
                **environment,
                **given,
                "LUMENFALL_BASE_URL": gateway.url,
                "LUMENFALL_API_KEY": KEY,
                "CI": "true",
            },
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


def test_the_job_makes_images_and_writes_result_and_log(job, gateway):
    done = job(
        FLUX_JOB_PROMPT=NASTY,
        FLUX_JOB_N=2,
        FLUX_JOB_ARGS="--aspect-ratio\n16:9",
        FLUX_JOB_FOLDER="out",
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert {post["prompt"] for post in gateway.posts} == {NASTY}
    assert {post["size"] for post in gateway.posts} == {"1365x768"}
    assert len(list(Path("out").glob("*-[12].jpg"))) == 2
    assert json.loads(Path("flux.json").read_text())["status"] == "ok"
    assert json.loads(Path("flux.log").read_text().splitlines()[-1])["exit_code"] == 0
    assert not list(Path().rglob("hacked"))
    assert job(FLUX_JOB_PROMPT=NASTY, FLUX_JOB_N=2, FLUX_JOB_FOLDER="out").returncode == 0
    assert len(gateway.posts) == 2


def test_a_changed_prompt_or_size_replaces_the_image_of_the_job(job, gateway, environment):
    environment["FLUX_METADATA"] = "no-prompt"
    changes = [
        {"FLUX_JOB_PROMPT": "a calm sea"},
        {"FLUX_JOB_PROMPT": "A calm sea!"},  # gives the file the same name
        {"FLUX_JOB_PROMPT": "A calm sea!", "FLUX_JOB_ARGS": "--size\n1:1"},
    ]
    for count, variables in enumerate(changes, 1):
        for _ in range(2):
            assert job(**variables).returncode == 0
            assert len(gateway.posts) == count
    assert [path.name for path in Path("images").iterdir()] == ["a-calm-sea-1.jpg"]


@pytest.mark.parametrize("layout", MESSY, ids=repr)
def test_the_job_s_options_are_one_word_a_line_whatever_is_around_it(job, gateway, layout):
    done = job(
        FLUX_JOB_PROMPT="a fox",
        FLUX_JOB_ARGS=layout.format("--aspect-ratio", "16:9", "-p", "note=two words"),
    )
    assert done.returncode == 0, done.stderr
    assert (gateway.posts[0]["size"], gateway.posts[0]["note"]) == ("1365x768", "two words")


def test_two_words_on_a_line_of_the_job_are_told_apart(job):
    done = job(FLUX_JOB_PROMPT="a fox", FLUX_JOB_ARGS="--raw --size 16:9")
    assert done.returncode == 2
    assert "hint: this is one word: pass --raw and --size and 16:9 separately" in done.stderr


def test_the_job_ends_with_the_exit_code_of_flux(job, gateway):
    gateway.answers(status(400, "CONTENT_POLICY_VIOLATION"))
    assert job(FLUX_JOB_PROMPT="a fox").returncode == 5
    assert job(FLUX_JOB_PROMPT="").returncode == 2


@pytest.mark.usefixtures("manifest")
def test_the_build_job_plans_builds_once_and_checks(job, gateway):
    planned = job(BUILD_JOB, FLUX_JOB_BUILD="plan", LUMENFALL_API_KEY="")
    assert planned.returncode == 0, planned.stderr
    assert planned.stdout.startswith("flux-build.toml: 1 asset, 2 files\n + hero  new  1 request")
    assert job(BUILD_JOB, LUMENFALL_API_KEY="").returncode == 1  # it checks, if nothing is said
    for made in ("img/hero.webp\nimg/hero.jpg\n", ""):
        built = job(BUILD_JOB, FLUX_JOB_BUILD="build")
        assert (built.returncode, built.stdout, len(gateway.posts)) == (0, made, 1), built.stderr
    assert job(BUILD_JOB, LUMENFALL_API_KEY="").returncode == 0
    (page,) = (path for path in BUILD_JOB["artifacts"]["paths"] if path.endswith(".html"))
    assert "This is a check" in Path(page).read_text("utf-8")


@pytest.mark.usefixtures("manifest")
def test_the_build_job_takes_options_and_refuses_other_modes(job, gateway):
    refused = job(BUILD_JOB, FLUX_JOB_BUILD="build", FLUX_JOB_ARGS="--max-cost\n0.05")
    assert (refused.returncode, gateway.posts) == (2, [])
    for mode in ("", "make", NASTY):
        done = job(BUILD_JOB, FLUX_JOB_BUILD=mode)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "FLUX_JOB_BUILD must be plan, check, build, shard, or merge\n"
    assert not list(Path().rglob("hacked"))


def test_a_cache_never_replaces_the_images_of_the_commit():
    assert BUILD_JOB["extends"] == ".flux"
    assert BUILD_JOB["cache"]["paths"] == [".cache/pip", ".flux"]


def test_every_variable_of_the_job_is_used_and_what_it_makes_is_kept():
    text = (ROOT / "templates/flux.gitlab-ci.yml").read_text().split("\n.flux:")[1]
    for name in JOB["variables"] | BUILD_JOB["variables"]:
        assert name == "PIP_CACHE_DIR" or text.count(f"${name}") >= 1
    assert {"$FLUX_JOB_FOLDER", "flux.json", "flux.log"} == set(JOB["artifacts"]["paths"])
    assert JOB["cache"]["when"] == JOB["artifacts"]["when"] == "always"


# --- the page about it ----------------------------------------------------------------------------


def test_the_examples_of_the_page_use_what_there_is():
    page = (ROOT / "docs/ci.md").read_text()
    github, checked, built, gitlab, gitlab_build, line = map(
        yaml.safe_load, re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    )
    for workflow in (github, checked, built):
        (step,) = [
            step for step in workflow["jobs"]["images"]["steps"] if "flux@" in step.get("uses", "")
        ]
        assert set(step["with"]) <= set(ACTION["inputs"])
    assert (ROOT / gitlab["include"][0]["file"]).is_file()
    assert gitlab["poster"]["extends"] == ".flux"
    assert gitlab_build["images"]["extends"] == ".flux-build"
    used = gitlab["poster"]["variables"] | gitlab_build["images"]["variables"]
    known = set(JOB["variables"]) | set(BUILD_JOB["variables"])
    assert {name for name in used if "JOB" in name} <= known
    assert line["script"].startswith("flux generate ")
