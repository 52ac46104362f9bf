"""`flux build --plan` and `--check`: offline, without a key, and without writing anything."""

import json
import os

import jsonschema
import pytest
from manifests import DOCS, ICONS, ONE, PRODUCTS

from flux_cli.catalog.reading import BUILT_IN


@pytest.fixture
def build(flux, environment, work):
    """Run `flux build` where no server can be reached and no key is known."""

    def run(*words, env=None):
        (work / "flux-build.toml").exists() or (work / "flux-build.toml").write_text(DOCS)
        before = sorted(work.rglob("*"))
        dead = {"LUMENFALL_BASE_URL": "http://127.0.0.1:9/v1"}
        result = flux("build", *words, env=environment | dead | (env or {}))
        assert sorted(work.rglob("*")) == before
        assert "Traceback" not in result.err
        return result

    return run


def test_a_plan_shows_requests_and_cost(build):
    result = build("--plan")
    assert result.code == 0
    assert result.out == (
        "flux-build.toml: 6 assets, 46 files\n"
        " + hero     new  1 request  0.06 USD\n"
        " + install  new  1 request  0.06 USD\n"
        " + plan     new  1 request  0.06 USD\n"
        " + cache    new  1 request  0.06 USD\n"
        " + deploy   new  1 request  0.06 USD\n"
        " + og       new  1 request  0.06 USD\n"
        "6 requests; 0.36 USD of 5.00 (0.06 per image, catalog price)\n"
    )


def test_many_assets_of_one_group_are_one_line(build, work):
    (work / "flux-build.toml").write_text(ICONS)
    (work / "products.csv").write_text(PRODUCTS)
    lines = build("--plan").out.splitlines()
    line = "+ icon (199 of 199) new: A0-light, A0-dark … A99-dark 199 requests 11.94 USD"
    assert " ".join(lines[1].split()) == line
    assert len(build("--plan", "-v").out.splitlines()) == 201


def test_the_document_of_a_plan_has_its_schema(build, flux):
    schema = json.loads(flux("schema", "build").out)
    for words in (["--plan"], ["--check"], ["--plan", "--max-cost", "0.1"]):
        document = json.loads(build(*words, "--json").out)
        jsonschema.validate(document, schema)
        assert document["counts"]["new"] == 6
        assert document["requests"] == 6
        assert document["steps"][0]["make"][0] == "docs/img/hero-320.avif"


def test_a_check_of_what_was_never_built_is_out_of_sync(build):
    result = build("--check")
    assert result.code == 1
    assert result.out.startswith("flux-build.toml: out of sync\n + hero     new\n")


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["--only", "hero"], 1),
        (["--only", "*l*"], 3),
        (["--only", "hero", "--only", "og"], 2),
        (["--exclude", "hero"], 5),
        (["--only", "*l*", "--exclude", "plan"], 2),
    ],
)
def test_assets_are_selected_by_name(build, words, count):
    assert f"\n{count} request" in build("--plan", *words).out


@pytest.mark.parametrize(
    ("text", "words", "message", "hint"),
    [
        (ONE + 'promt = "x"', [], "unknown key 'promt'", "did you mean prompt?"),
        (ONE + 'style = "x"', [], "no style 'x'", "[styles.x]"),
        (ONE.replace("hero.png", "{nam}.png"), [], "no field {nam}", "did you mean name?"),
        (ONE.replace("hero.png", "../x.png"), [], "leaves the folder", ""),
        (ONE + ONE.replace("hero]", "b]"), [], "both write hero.png", "{name}"),
        (ONE + 'base_url = "http://x"', [], "cannot be in a manifest", "option"),
        (DOCS.replace("seed = 11", "seed = 1.5"), [], "seed must be a whole number", ""),
        (DOCS, ["--only", "her"], "no asset has such a name", "did you mean hero?"),
        (DOCS, ["--max-cost", "6"], "above max_cost of the manifest", ""),
        (
            DOCS,
            ["--max-cost", "0.1"],
            "6 images at 0.06 USD cost 0.36 USD, over the limit of 0.10",
            "",
        ),
        (DOCS, ["--check"], "contradict each other", "only one"),
    ],
)
def test_what_would_be_refused_is_exit_2_with_a_hint(build, work, text, words, message, hint):
    (work / "flux-build.toml").write_text(text)
    result = build("--plan", *words)
    assert result.code == 2
    assert message in result.err
    assert hint in result.err
    assert result.err.count("\nhint: ") == 1


def test_a_broken_lock_cannot_be_checked(build, work):
    (work / "flux-build.lock").write_text("{")
    result = build("--check")
    assert result.code == 2
    assert "hint: restore it from git" in result.err


def test_a_missing_manifest_is_an_error(flux, environment):
    result = flux("build", "--plan", env=environment)
    assert result.code == 2
    assert "no flux-build.toml here or above" in result.err


def test_the_lowest_limit_holds(build):
    assert build("--plan", env={"FLUX_MAX_COST": "0.2"}).code == 2
    assert build("--plan", "--max-cost", "0.3", env={"FLUX_MAX_COST": "1"}).code == 2
    assert "of 1.00" in build("--plan", env={"FLUX_MAX_COST": "1"}).out


def test_settings_about_images_are_not_used(build):
    env = {"FLUX_MODEL": "flux1.1-pro", "FLUX_OUTPUT_FORMAT": "png"}
    result = build("--plan", env=env)
    assert result.out == build("--plan").out
    assert result.err.count("flux: note: not used here: model, output_format") == 1


def test_what_a_setting_or_a_value_becomes_is_noted_once(build, work, home):
    folder = home / ".config" / "flux-image-cli"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("max_cost = 1.0")
    (work / "flux.toml").write_text("max_cost = 2.0")
    (work / "flux-build.toml").write_text(DOCS.replace('size = "16:9"', 'size = "1000x1000"'))
    result = build("--plan", "--json")
    assert result.err.count("flux: note: max_cost 2.0 becomes 1.0: ") == 1
    assert result.err.count("flux: note: size 1000x1000 becomes ") == 1
    warnings = json.loads(result.out)["warnings"]
    assert [f"flux: note: {warning}" for warning in warnings] == result.err.splitlines()


def test_an_offline_plan_costs_nothing(build):
    lines = build("--plan", "--offline").out.splitlines()
    assert " ".join(lines[1].split()) == "+ hero new 1 request free"
    assert lines[-1] == "6 requests; nothing to pay"


def test_many_assets_whose_files_are_in_the_way_are_one_line(build, work):
    (work / "flux-build.toml").write_text(ICONS)
    (work / "products.csv").write_text(PRODUCTS)
    steps = json.loads(build("--plan", "--json").out)["steps"]
    paths = [path for step in steps for path in step["make"]]
    for path in paths:
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_bytes(b"mine")
    lines = build("--plan").out.splitlines()
    assert len(lines) == 3
    choice = "(--adopt keeps it, --overwrite replaces it): A0-light, A0-dark … A99-dark"
    assert " ".join(lines[1].split()).endswith(f"in the way: shop/icons/*.webp {choice}")


def test_hints_name_what_a_manifest_has(build):
    result = build("--plan", env={"FLUX_MAX_COST": "0.2"})
    assert "hint: raise the limit, select assets with --only, or add --partial" in result.err


def test_several_manifests_are_planned_together(build, work):
    (work / "flux-build.toml").write_text(DOCS)
    (work / "more.toml").write_text(ONE.replace("hero", "more").replace('"m"', '"flux1.1-pro"'))
    lines = build("--plan", "flux-build.toml", "more.toml").out
    assert "flux-build.toml: 6 assets, 46 files\n" in lines
    assert "more.toml: 1 asset, 1 file\n" in lines
    assert build("--plan", "more.toml", "more.toml").code == 2


def test_a_folder_that_is_a_link_to_another_place_is_refused(build, work, tmp_path):
    (tmp_path / "far").mkdir()
    os.symlink(tmp_path / "far", work / "docs")
    result = build("--plan")
    assert result.code == 2
    assert "leads out of the folder of the manifest" in result.err


def test_a_hostile_prompt_commands_nothing(build, work):
    text = ONE.replace("hero]", '"a b"]').replace("a cat", "\\n::error::x\\n##[group]\\u001b[31m")
    (work / "flux-build.toml").write_text(text)
    for words in (["--plan"], ["--check"], ["--plan", "--json"]):
        result = build(*words, env={"GITHUB_ACTIONS": "true"})
        assert "\x1b" not in result.out + result.err
        assert "##[" not in result.out + result.err
        assert not any(line.startswith("::error::x") for line in result.out.splitlines())


def test_a_model_that_retires_warns_and_changes_no_exit_code(build, work, home):
    folder = home / ".config" / "flux-image-cli" / "models"
    folder.mkdir(parents=True)
    own = (BUILT_IN / "flux1.1-pro.toml").read_text()
    (folder / "flux1.1-pro.toml").write_text("retires = 2020-01-01\n" + own)
    (work / "flux-build.toml").write_text(ONE.replace('"m"', '"flux1.1-pro"'))
    for words, code in ((["--plan"], 0), (["--check"], 1)):
        result = build(*words)
        assert result.code == code
        assert "flux: note: flux1.1-pro retired on 2020-01-01" in result.err
    assert "retired on" in json.loads(build("--plan", "--json").out)["warnings"][-1]
