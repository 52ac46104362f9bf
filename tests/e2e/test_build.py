"""`flux build` against a server that counts requests: each line of its contract, in order."""

import json
import os
import re
import shutil

import pytest
from fakes.gateway import image, status
from fakes.images import pixels_as
from manifests import DOCS

PATH = "flux-build.toml"


@pytest.fixture
def build(flux, keyed, work, gateway):
    """Run `flux build` with a key; `posts` are the requests that it sent."""
    (work / PATH).exists() or (work / PATH).write_text(DOCS)

    def run(*words, env=None, **more):
        before = len(gateway.posts)
        result = flux("build", *words, env=keyed | (env or {}), **more)
        assert "Traceback" not in result.err
        return Built(result.code, result.out, result.err, len(gateway.posts) - before)

    return run


class Built:
    def __init__(self, code, out, err, posts):
        self.code, self.out, self.err, self.posts = code, out, err, posts

    def __repr__(self):
        return f"{self.code} {self.posts}\n{self.out}\n{self.err}"


@pytest.fixture
def edit(work):
    """Replace a text of the manifest."""

    def run(old, new):
        text = (work / PATH).read_text()
        assert old in text
        (work / PATH).write_text(text.replace(old, new))

    return run


def snapshot(work):
    return {
        path.relative_to(work).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(work.rglob("*"))
        if path.is_file()
    }


def rows(work):
    return json.loads((work / "flux-build.lock").read_text())["assets"]


def test_1_a_first_build_makes_everything_and_a_second_changes_no_byte(build, work):
    first = build("--yes")
    assert (first.code, first.posts) == (0, 6), first
    assert len(first.out.split()) == 46
    assert len([path for path in work.rglob("docs/img/*") if path.is_file()]) == 46
    before = snapshot(work)
    second = build("--yes")
    assert (second.code, second.posts, second.out) == (0, 0, ""), second
    assert snapshot(work) == before


def test_2_a_new_width_is_free_and_writes_only_its_files(build, work, edit):
    build()
    before = snapshot(work)
    edit("[320, 640, 960]", "[320, 640, 800, 960]")
    plan = build("--plan")
    assert "width 800 is new: 3 files from the original" in plan.out
    made = build()
    assert (made.code, made.posts) == (0, 0), made
    assert len(made.out.split()) == 15
    after = snapshot(work)
    same = {path for path in before if after.get(path) == before[path]}
    assert before.keys() - same == {PATH, "flux-build.lock", ".flux/running"}
    assert build("--check").code == 0


def test_3_a_changed_word_is_one_request(build, edit):
    build()
    edit("a ship leaving", "two ships leaving")
    plan = build("--plan").out
    assert 'prompt: "a ship leaving" -> "two ships leaving"' in plan
    assert "\n1 request; 0.06 USD of 5.00" in plan
    made = build()
    assert (made.code, made.posts) == (0, 1), made
    assert min(made.out.split()) == "docs/img/deploy-320.avif"
    assert build("--check").code == 0


def test_4_order_and_environment_change_nothing(build, work, edit):
    build()
    head, *tables = (work / PATH).read_text().split("\n[")
    (work / PATH).write_text("\n[".join([head, *reversed(tables)]))
    edit("seed = 11", 'seed = 11\nroute = "fal"')
    env = {"FLUX_MODEL": "flux1.1-pro", "FLUX_PROVIDER": "replicate", "FLUX_OUTPUT_FORMAT": "png"}
    checked = build("--check", env=env)
    assert checked.code == 0, checked


def test_5_a_respelled_request_is_free(build, edit):
    build()
    edit('size = "16:9"', 'aspect_ratio = "16:9"')
    assert "respelled, same request" in build("--plan").out
    assert build("--check").code == 1
    made = build()
    assert (made.code, made.posts, made.out) == (0, 0, "")
    assert build("--check").code == 0


def test_6_a_check_needs_neither_key_nor_network(build, flux, environment, work):
    build()
    env = environment | {"LUMENFALL_BASE_URL": "http://127.0.0.1:9/v1"}
    assert flux("build", "--check", env=env).code == 0
    assert flux("build", "--plan", env=env).code == 0
    image = work / "docs/img/og.jpg"
    data = image.read_bytes()
    image.write_bytes(data[:-1] + b"x")  # the same size
    checked = flux("build", "--check", env=env)
    assert checked.code == 1
    assert " ! og  edited: docs/img/og.jpg" in checked.out
    (work / PATH).write_text("x")
    assert flux("build", "--check", env=env).code == 2


def test_8_a_style_is_planned_for_every_asset_that_has_it(build, edit):
    build()
    edit("two colors", "three colors")
    assert build("--plan").out.count(" ~ ") == 6
    edit("three colors", "two colors")
    edit("[assets.og]", "[assets.og]\nstyle = []")
    assert build("--plan").out.count(" ~ ") == 1


def test_9_limits_are_checked_before_the_first_request(build):
    over = build("--max-cost", "6")
    assert (over.code, over.posts) == (2, 0)
    under = build("--max-cost", "0.15")
    assert (under.code, under.posts) == (2, 0)
    part = build("--max-cost", "0.15", "--partial")
    assert (part.code, part.posts) == (3, 2), part
    assert "plan over the limit" in part.err
    rest = build()
    assert (rest.code, rest.posts) == (0, 4), rest


def test_10_an_expensive_build_in_a_pipe_needs_a_limit_or_yes(build, work):
    many = DOCS.replace("max_cost = 5.00\n", "") + '[assets.many]\nprompt = "x"\nn = 80\n'
    (work / PATH).write_text(many)
    for words in ((), ("--plan",)):
        result = build(*words)
        assert (result.code, result.posts) == (2, 0), result
        assert "86 images at 0.06 USD cost 5.16 USD, more than confirm_cost" in result.err
    assert build("--plan", "--yes").code == 0
    assert build("--plan", "--max-cost", "6").code == 0
    (work / PATH).write_text("max_cost = 6\n" + many)
    assert build("--plan").code == 0


def test_11_an_edited_file_stays_until_a_person_decides(build, work):
    build()
    image = work / "docs/img/og.jpg"
    made = image.read_bytes()
    image.write_bytes(shutil.copy(work / "docs/img/hero-320.jpg", work / "x.jpg").read_bytes())
    (work / "x.jpg").unlink()
    edited = image.read_bytes()
    result = build()
    assert (result.code, result.posts) == (3, 0), result
    assert image.read_bytes() == edited
    assert "og edited: docs/img/og.jpg (--adopt keeps it, --overwrite replaces it)" in result.err
    restored = build("--overwrite")
    assert (restored.code, restored.posts) == (0, 0), restored
    assert image.read_bytes() == made
    image.write_bytes(edited)
    adopted = build("--adopt", "og")
    assert (adopted.code, adopted.posts) == (0, 0), adopted
    assert image.read_bytes() == edited
    assert rows(work)["og"]["adopted"] is True
    assert build("--check").code == 0


def test_12_renamed_assets_move_and_removed_ones_are_listed_and_pruned(build, work, edit):
    build()
    edit("assets.cache", "assets.store")
    moved = build()
    assert (moved.code, moved.posts) == (0, 0), moved
    assert (work / "docs/img/store-320.webp").exists()
    assert not (work / "docs/img/cache-320.webp").exists()
    assert build("--check").code == 0
    edit('[assets.plan]\nprompt = "a map on a table"\n', "")
    (work / "docs/img/plan-320.jpg").write_bytes(b"mine")
    listed = build()
    assert listed.code == 0
    assert "- plan not in the manifest: 9 files (--prune)" in listed.err
    assert build("--check").code == 1
    pruned = build("--prune")
    assert len(pruned.out.split()) == 8
    assert (work / "docs/img/plan-320.jpg").read_bytes() == b"mine"


def test_13_deleted_outputs_come_back_byte_for_byte(build, work):
    build()
    before = {path: data for path, (data, _) in snapshot(work).items() if path.startswith("docs")}
    shutil.rmtree(work / "docs")
    made = build()
    assert (made.code, made.posts) == (0, 0), made
    after = {path: data for path, (data, _) in snapshot(work).items() if path.startswith("docs")}
    assert after == before
    shutil.rmtree(work / ".flux")
    assert build("--check").code == 0
    (work / "docs/img/og.jpg").unlink()
    plan = build("--plan").out
    assert "+ og  lost: docs/img/og.jpg is missing" in plan
    assert "0.06 USD" in plan
    again = build()
    assert (again.code, again.posts) == (0, 1), again


def test_15_a_refused_prompt_is_not_sent_again(build, gateway, work):
    build("--exclude", "og")
    gateway.answers(status(400, code="content_policy_violation", message="refused"), image())
    refused = build()
    assert refused.posts == 1
    assert refused.code == 5, refused
    assert "refused" in rows(work)["og"]
    again = build()
    assert (again.code, again.posts) == (3, 0), again
    shutil.rmtree(work / ".flux")  # another clone
    assert build().posts == 0
    made = build("--reroll", "og")
    assert (made.code, made.posts) == (0, 1), made
    assert "refused" not in rows(work)["og"]


def test_15_a_changed_prompt_is_sent(build, gateway, edit):
    build("--exclude", "og")
    gateway.answers(status(400, code="content_policy_violation", message="refused"), image())
    build()
    edit("lots of sky", "much sky")
    assert build().posts == 1


def test_one_failure_leaves_the_other_assets_and_its_own_image(build, gateway, work, edit):
    build()
    before = (work / "docs/img/og.jpg").read_bytes()
    edit("lots of sky", "much sky")
    edit("a ship leaving", "two ships")
    gateway.answers(status(400, code="invalid_request"), image())
    result = build("--concurrency", "1")
    assert result.posts == 2
    assert result.code == 3, result
    assert (work / "docs/img/og.jpg").exists()
    assert before


def test_18_placeholders_are_replaced_by_the_next_build(build, work):
    build("--only", "hero")
    hero = snapshot(work)["docs/img/hero-320.jpg"]
    drawn = build("--offline")
    assert (drawn.code, drawn.posts) == (0, 0), drawn
    assert snapshot(work)["docs/img/hero-320.jpg"] == hero
    assert rows(work)["og"]["placeholder"] is True
    assert build("--check").code == 1
    assert build("--check", "--offline").code == 0
    made = build()
    assert (made.code, made.posts) == (0, 5), made
    assert "placeholder" not in rows(work)["og"]
    assert build("--check").code == 0


def test_19_two_offline_builds_are_identical(build, work):
    found = []
    for date in ("1700000000", "1800000000"):
        build("--offline", "--only", "hero", "--only", "og", env={"SOURCE_DATE_EPOCH": date})
        found.append(
            {path: data for path, (data, _) in snapshot(work).items() if ".flux/r" not in path}
        )
        shutil.rmtree(work / "docs")
        shutil.rmtree(work / ".flux")
        os.unlink(work / "flux-build.lock")
    assert found[0] == found[1]


def test_files_of_parameters_are_read_as_on_the_command_line(build, work, gateway):
    (work / "guide.png").write_bytes(pixels_as("png", 8, 8))
    (work / "style.txt").write_text("ink on paper\n")
    (work / PATH).write_text(
        '[defaults]\nmodel = "other"\noutput = "{name}.jpg"\n'
        'image_prompt = "guide.png"\nparam = { look = "@style.txt", control = "@guide.png" }\n'
        '[assets.a]\nprompt = "a cat"\n[assets.b]\nprompt = "a dog"\n'
    )
    made = build("--yes")
    assert (made.code, made.posts) == (0, 2), made
    for post in gateway.posts:
        assert post["look"] == "ink on paper"
        assert post["control"] == post["image_prompt"]
        assert post["control"].startswith("data:image/png;base64,")


def test_a_date_that_is_none_is_refused_before_anything_is_sent(build):
    refused = build(env={"SOURCE_DATE_EPOCH": "tomorrow"})
    assert (refused.code, refused.posts) == (2, 0)
    assert "SOURCE_DATE_EPOCH must be a number of seconds" in refused.err


def test_a_reroll_brings_another_image(build, work):
    build()
    before = rows(work)["og"]["original"]
    made = build("--reroll", "og")
    assert (made.code, made.posts) == (0, 1), made
    assert rows(work)["og"]["take"] == 2
    refused = build("--reroll", "hero")
    assert (refused.code, refused.posts) == (2, 0)
    assert "same seed, same image" in refused.err
    assert before


def test_originals_are_pruned_only_if_no_lock_needs_them(build, work):
    build()
    (work / ".flux/originals" / f"{'0' * 64}.png").write_bytes(b"x")
    kept = len([*(work / ".flux/originals").iterdir()])
    build("--prune-originals")
    assert len([*(work / ".flux/originals").iterdir()]) == kept - 1
    assert build("--check").code == 0


def test_no_originals_are_kept_if_the_manifest_says_so(build, work):
    (work / PATH).write_text("originals = false\n" + DOCS)
    assert build().code == 0
    assert [*(work / ".flux/originals").iterdir()] == []
    assert build("--check").code == 0


def test_prompts_stay_out_of_the_lock_if_the_manifest_says_so(build, work, edit):
    (work / PATH).write_text("lock_prompts = false\n" + DOCS)
    assert build().code == 0
    assert "harbor" not in (work / "flux-build.lock").read_text()
    assert build("--check").code == 0
    edit("a ship leaving", "two ships")
    assert build().posts == 1


def test_without_a_key_nothing_is_sent(build):
    result = build(env={"LUMENFALL_API_KEY": ""})
    assert (result.code, result.posts) == (4, 0), result


def test_a_build_prints_one_document(build, flux):
    import jsonschema

    document = json.loads(build("--json").out)
    jsonschema.validate(document, json.loads(flux("schema", "build").out))
    assert document["status"] == "ok"
    assert len(document["paths"]) == 46
    assert (document["cost_usd"], document["cost_source"]) == (0.36, "provider")
    assert document["planned_cost_usd"] == 0.36


def test_the_cost_of_a_build_is_what_it_has_cost(build, gateway):
    gateway.answers(status(400, code="content_policy_violation", message="refused"), image())
    document = json.loads(build("--json").out)
    assert document["status"] == "partial"
    assert (document["cost_usd"], document["planned_cost_usd"]) == (0.3, 0.36)
    again = json.loads(build("--json").out)
    assert (again["cost_usd"], again["cost_source"]) == (0.0, "none")


def test_paths_start_at_the_folder_of_the_manifest(build, work, flux, keyed, monkeypatch):
    (work / "sub").mkdir()
    shutil.move(work / PATH, work / "sub" / PATH)
    made = build("sub/flux-build.toml")
    assert (made.code, made.posts) == (0, 6), made
    assert "sub/docs/img/og.jpg" in made.out.split()
    assert (work / "sub/flux-build.lock").exists()
    assert not (work / "docs").exists()
    (work / "sub/deep").mkdir()
    monkeypatch.chdir(work / "sub/deep")
    result = flux("build", "--check", env=keyed)
    assert result.code == 0, result.out + result.err


MORE = """
[defaults]
model = "flux1.1-pro-ultra"
size = "1:1"
output = "more/{name}.{webp,png}"
sidecar = true
[assets.one]
prompt = "@prompts/one.txt"
route = "replicate"
image_prompt = "refs/a.png"
[assets.two]
prompt = "a dog"
size = "64x64"
fit = "cover"
no_metadata = true
"""


def test_prompt_files_references_sidecars_and_two_manifests(build, work, gateway):
    (work / "refs").mkdir()
    (work / "refs/a.png").write_bytes(pixels_as("png", 8, 8))
    (work / "prompts").mkdir()
    (work / "prompts/one.txt").write_text("a fox\r\n")
    (work / "more.toml").write_text(MORE)
    made = build(PATH, "more.toml")
    assert (made.code, made.posts) == (0, 8), made
    names = sorted(path.name for path in (work / "more").iterdir())
    assert names == ["one.json", "one.png", "one.webp", "two.json", "two.png", "two.webp"]
    sent = next(post for post in gateway.posts if post["prompt"] == "a fox")
    assert sent["image_prompt"].startswith("data:image/png;base64,")
    assert build("--check", PATH, "more.toml").code == 0
    (work / "refs/a.png").write_bytes(pixels_as("png", 9, 9))
    plan = build("--plan", "more.toml")
    assert "image_prompt: sha256:" in plan.out
    assert build("more.toml").posts == 1
    (work / "more/one.json").unlink()
    again = build("more.toml")
    assert (again.code, again.posts, again.out.split()) == (0, 0, ["more/one.json"]), again


def test_html_has_an_element_per_selected_asset(build):
    build()
    result = build("--html", "--only", "hero")
    assert (result.code, result.posts) == (0, 0)
    assert result.out.startswith('<picture>\n  <source type="image/avif" srcset="docs/img/hero-320')
    assert 'alt="A harbor at dawn"' in result.out
    assert result.out.count("<picture>") == 1


def test_20_a_step_summary_shows_everything_and_obeys_nothing(build, work, edit, gateway):
    page = work / "summary.md"
    env = {"GITHUB_STEP_SUMMARY": str(page)}
    build("--exclude", "og")
    edit("a ship leaving", "<img src=x> | [a](http://x) ::error::x `b` @team")
    gateway.answers(status(400, code="content_policy_violation", message="refused"), image())
    build("--plan", env=env)
    build("--check", env=env)
    result = build("--concurrency", "1", env=env)
    assert result.code == 3, result
    text = page.read_text()
    assert "2 requests; 0.12 USD of 5.00" in text.replace("&#40;", "(")
    assert text.count("| deploy |") >= 3
    assert "| failed |" in text
    for harmful in ("<img", "](http", "::error", "`b`", "@team"):
        assert harmful not in text
    unwritable = build("--check", env={"GITHUB_STEP_SUMMARY": "/nonexistent/x"})
    assert unwritable.code == 1
    assert "note: cannot write GITHUB_STEP_SUMMARY" in unwritable.err


def test_19b_init_writes_a_manifest_that_adopt_and_check_accept(build, work, flux, keyed):
    (work / PATH).unlink()
    env = keyed | {"FLUX_METADATA": "full"}
    lines = [
        ["a red fox", "--seed", "7", "-o", "img/fox.{webp,png}", "--width", "64", "--width", "32"],
        ['a "quoted" cat: {x}', "--size", "16:9", "-o", "img/cat.jpg"],
        ["a dog", "--offline", "-o", "dog.png"],
        ["@@fox", "--seed", "4", "-n", "2", "-s", "40x30", "--fit", "cover", "-o", "x-{index}.png"],
    ]
    for line in lines:
        assert flux("generate", *line, env=env).code == 0
    (work / "bare.png").write_bytes(pixels_as("png", 8, 8))
    (work / "link.png").symlink_to("bare.png")
    os.mkfifo(work / "pipe.png")
    made = build("--init")
    assert (made.code, made.posts, made.out) == (0, 0, "flux-build.toml\n"), made
    text = (work / PATH).read_text()
    assert "# [assets.bare]" in text
    assert "link" not in text
    assert text.count("width = [32, 64]") == 1
    full, widths = text.index("[assets.fox]"), text.index("[assets.fox-2]")
    assert full < text.index('output = "img/{name}.{png,webp}"') < widths
    assert 'width = [32, 64]\noutput = "img/fox.{png,webp}"' in text[widths:]
    assert 'prompt = "@@fox"\nsize = "40x30"\nseed = 4\nfit = "cover"\nn = 2\n' in text
    assert "flux: 11 images, 10 with a recorded prompt\nhint: keep the existing files" in made.err
    adopted = build("--adopt", "*")
    assert (adopted.code, adopted.posts) == (0, 0), adopted
    assert adopted.err.endswith("flux: 0 files changed, 6 adopted, 0 unchanged\n")
    check = build("--check")
    assert (check.code, "dog only a placeholder" in " ".join(check.out.split())) == (1, True), check
    assert build("--check", "--exclude", "dog").code == 0
    again = build("--init")
    assert (again.code, (work / PATH).read_text()) == (2, text)
    empty = work / "empty"
    empty.mkdir()
    assert build("--init", "empty/flux-build.toml").code == 0
    for words, message in (
        (["x.json"], "--init writes TOML, not x.json"),
        (["x.toml", "y.toml"], "--init writes one manifest"),
    ):
        refused = build("--init", *words)
        assert (refused.code, message in refused.err) == (2, True)
    named = build("--init", "a b.toml")
    assert "flux build 'a b.toml' --" in named.err
    assert build("--plan", "empty/flux-build.toml").code == 0


def test_a_log_has_every_step_with_the_name_of_its_asset(build, work):
    made = build("--only", "hero", "--only", "og", "--log-file", "build.log")
    assert made.code == 0, made
    entries = [json.loads(line) for line in (work / "build.log").read_text().splitlines()]
    start, *steps, end = entries
    assert (start["event"], start["manifests"]) == ("start", [PATH])
    assert {step["asset"] for step in steps} == {"hero", "og"}
    assert sorted(step["event"] for step in steps) == sorted(2 * ["sent", "received", "saved"])
    assert (end["event"], end["saved"], end["failed"], end["cost_usd"]) == ("end", 2, 0, 0.12)
    assert len({entry["run"] for entry in entries}) == 1
    for words in ([], ["--plan"]):
        refused = build("--log-file", "no/such/build.log", *words)
        assert (refused.code, refused.posts) == (2, 0), refused


def test_progress_has_one_line_per_asset_whatever_the_number_of_its_files(build):
    made = build("--only", "hero", "--only", "og")
    assert made.code == 0, made
    lines = sorted(re.sub(r"[\d.]+ s$|[\d,]+ kB", "#", line) for line in made.err.splitlines())
    assert [line for line in lines if "note:" not in line] == [
        "flux: 10 files changed, 0 unchanged, 0.12 USD",
        "flux: [1/2] saved hero (9 files, #, 0.06 USD) after #",
        "flux: [2/2] saved docs/img/og.jpg (600x315 jpeg, #, 0.06 USD) after #",
    ]


def test_one_side_borders_and_points_are_made_from_the_original(build, work):
    text = """[assets.hero]
prompt = "a fox"
model = "flux1.1-pro-ultra"
output = "hero.png"
"""
    made = set()
    for lines, posts in (
        ("", 1),
        ('size = "32x"', 0),
        ('size = "x16"', 0),
        ('size = "32x16"', 1),  # about the request, too
        ('size = "32x16"\nfit = "pad"\npad_color = "navy"', 0),
        ('size = "32x16"\nfit = "pad"\npad_color = "red"', 0),
        ('size = "32x16"\nfit = "cover"\nfocus = "0.3,0"', 0),
        ('size = "32x16"\nfit = "cover"\nfocus = "0.3,1"', 0),
    ):
        (work / PATH).write_text(f"{text}{lines}\n")
        result = build()
        assert (result.code, result.posts) == (0, posts), result
        assert build("--check").code == 0
        made.add((work / "hero.png").read_bytes())
    assert len(made) == 8
