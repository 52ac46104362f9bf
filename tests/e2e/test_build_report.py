"""`flux build --report`: the page says and shows what was there before the build, and after it."""

import base64
import io
import os
import re
from html import unescape

import pytest
from fakes.gateway import image, status
from manifests import assets_of
from PIL import Image

from e2e.builder import Builder
from flux_cli.build.lock.rows import File, Row
from flux_cli.build.lock.text import lock_text
from flux_cli.build.review.file import BEGINNING

TWO = """
[defaults]
model = "flux1.1-pro-ultra"
size = "1:1"
width = [64]
output = "img/{name}.png"
[assets.fox]
prompt = "a red fox"
seed = 1
[assets.owl]
prompt = "an owl"
seed = 2
alt = "An owl at night"
"""
RED, BLUE = (200, 20, 20), (20, 20, 200)


@pytest.fixture
def builder(command, keyed, gateway, work):
    found = Builder(command, keyed, gateway, work)
    (work / "flux-build.toml").write_text(TWO)
    return found


def paint(work, name, color):
    """Make the file of an asset a plain image, and have its row say so."""
    path = work / f"img/{name}-64.png"
    Image.new("RGB", (64, 64), color).save(path)


def page_of(work, name="report.html"):
    return (work / name).read_text("utf-8")


def section(page, identity):
    found = re.search(f'<section aria-labelledby="{identity}">(.*?)</section>', page, re.DOTALL)
    return found[1] if found else ""


def pictures(markup):
    """The color of each thumbnail in its middle, with its alternative text."""
    pattern = r'<img src="data:image/webp;base64,([^"]+)"[^>]* alt="([^"]*)"'
    for data, alt in re.findall(pattern, markup):
        image = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
        assert max(image.size) <= 320
        yield unescape(alt), image.getpixel((image.width // 2, image.height // 2))


def is_like(one, other):
    return all(abs(a - b) < 12 for a, b in zip(one, other, strict=True))


def middle(path):
    image = Image.open(path).convert("RGB")
    return image.getpixel((image.width // 2, image.height // 2))


def files_of(work):
    return {
        path.relative_to(work).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in work.rglob("*")
        if path.is_file()
    }


def test_22_a_changed_asset_shows_the_old_and_the_new_image(builder, work):
    builder.run()
    paint(work, "fox", RED)
    builder.run("--adopt", "fox")
    old = (work / "img/fox-64.png").read_bytes()
    text = TWO.replace("a red fox", "a blue fox")
    (work / "flux-build.toml").write_text(text)
    code, posts, _, err = builder.run("--report", "report.html")
    assert (code, posts) == (0, 1), err
    assert "flux: report report.html" in err
    assert (work / "img/fox-64.png").read_bytes() != old
    page = page_of(work)
    (before, first), (after, second) = pictures(section(page, "changed"))
    assert (before, after) == ("Before: a blue fox", "After: a blue fox")
    assert is_like(first, RED)
    assert is_like(second, middle(work / "img/fox-64.png"))
    assert not is_like(first, second)
    assert "a <del>red</del> fox" in page
    assert "a <ins>blue</ins> fox" in page
    ((alt, _),) = pictures(section(page, "unchanged"))
    assert alt == "An owl at night"
    assert "<dt>Cost</dt><dd>0.06 USD</dd>" in page


@pytest.mark.parametrize("mode", ["--plan", "--check"])
def test_a_plan_and_a_check_write_the_page_and_nothing_else(builder, work, mode):
    builder.run()
    (work / "flux-build.toml").write_text(TWO.replace("a red fox", "a blue fox"))
    before = files_of(work)
    _, posts, _, _ = builder.run(mode, "--report", "report.html")
    after = files_of(work)
    page = page_of(work)
    assert (posts, after.keys() - before.keys()) == (0, {"report.html"})
    assert {path: after[path] for path in before} == before
    assert len([*pictures(section(page, "changed"))]) == 1
    assert "not made yet" in section(page, "changed")
    builder.run(mode, "--report", "report.html")
    assert files_of(work) == after, "it was written again, although no byte differs"


CANDIDATES = TWO.replace('prompt = "an owl"', 'prompt = "an owl"\ncandidates = 3')


def test_22_candidates_are_side_by_side_each_with_its_command(builder, work):
    (work / "flux-build.toml").write_text(CANDIDATES)
    builder.run("--report", "report.html")
    shown = section(page_of(work), "candidates")
    found = [*pictures(shown)]
    alts = [f"Candidate {number}: An owl at night" for number in (1, 2, 3)]
    assert [alt for alt, _ in found] == alts
    originals = [middle(path) for path in (work / ".flux/originals").iterdir()]
    for _, color in found:
        assert any(is_like(color, other) for other in originals)
    commands = re.findall('value="([^"]*)"', shown)
    assert commands == [f"flux build --pick owl={number}" for number in (1, 2, 3)]
    assert re.findall("<dt>Seed</dt><dd>([0-9]+)</dd>", shown)[1:] == ["2", "3", "4"]
    assert shown.count("<dt>Cost</dt><dd>0.06 USD</dd>") == 4
    _, posts, _, _ = builder.run("--pick", "owl=3", "--report", "report.html")
    shown = section(page_of(work), "candidates")
    assert (posts, shown.count("picked</span>")) == (0, 1)
    assert re.findall('value="([^"]*)"', shown) == commands[:2]
    (_, before), (_, after), *_ = pictures(shown)
    assert is_like(before, found[0][1])
    assert is_like(after, found[2][1])
    assert builder.run("--check", "--report", "report.html")[0] == 0
    assert section(page_of(work), "candidates") == ""


def test_commands_name_the_manifest_if_it_was_named(builder, work):
    (work / "the site.toml").write_text(CANDIDATES)
    builder.run("the site.toml", "--report", "report.html")
    assert unescape(page_of(work)).count("flux build 'the site.toml' --pick owl=2") == 1


def test_an_edited_file_is_shown_with_the_commands_that_decide(builder, work):
    builder.run()
    paint(work, "fox", BLUE)
    code, posts, _, _ = builder.run("--report", "report.html")
    assert (code, posts) == (3, 0)
    decisions = section(page_of(work), "decisions")
    ((_, color),) = pictures(decisions)
    assert is_like(color, BLUE)
    assert 'value="flux build --adopt fox"' in decisions
    assert 'value="flux build --only fox --overwrite"' in decisions


def test_a_failure_keeps_the_old_image_in_view(builder, work, gateway):
    builder.run()
    gateway.answers(status(422, "MODERATION", "no <b>foxes</b>"))
    (work / "flux-build.toml").write_text(TWO.replace("a red fox", "a blue fox"))
    builder.run("--report", "report.html")
    failed = section(page_of(work), "failed")
    assert [alt for alt, _ in pictures(failed)] == ["Before: a blue fox"]
    assert "<b>foxes" not in failed
    assert "hint: " in failed


def test_prompts_that_the_lock_keeps_out_are_not_on_the_page(builder, work, gateway):
    (work / "flux-build.toml").write_text(TWO)
    builder.run()
    gateway.answers(status(422, "MODERATION", "refused: a blue fox"))
    text = f"lock_prompts = false\n{TWO.replace('a red fox', 'a blue fox')}"
    (work / "flux-build.toml").write_text(text)
    for mode in ("--plan", "--check", "--progress=none"):
        builder.run(mode, "--report", "report.html")
        page = page_of(work)
        words = re.sub(r'base64,[^"]+|<style>.*?</style>', "", page, flags=re.DOTALL)
        assert ">fox<" in words
        assert not re.search("red fox|blue|an owl", words)


def test_a_file_that_is_no_image_has_a_sentence(builder, work):
    builder.run()
    (work / "img/fox-64.png").write_text("not an image")
    builder.run("--report", "report.html")
    assert "cannot be shown" in section(page_of(work), "decisions")


def test_an_original_that_leads_out_of_the_folder_is_not_shown(builder, work, tmp_path_factory):
    (work / "flux-build.toml").write_text(CANDIDATES)
    builder.run()
    outside = tmp_path_factory.mktemp("private") / "photo.png"
    Image.new("RGB", (64, 64), RED).save(outside)
    for path in (work / ".flux/originals").iterdir():
        path.unlink()
        path.symlink_to(outside)
    builder.run("--plan", "--report", "report.html")
    shown = section(page_of(work), "candidates")
    assert shown.count("This file is not here.") == 3
    assert [*pictures(shown)] == []


REFUSED = {
    "another kind of file": "img/fox-64.png",
    "an output": "flux-build.toml",
    "no file": "",
    "a page of somebody else": "mine.html",
    "a link to something else": "link.html",
    "a folder of the images": "img.html",
    "below an image": "img.html/fox-64.png/report.html",
    "a folder": "folder.html",
    "a folder that takes no files": "/proc/report.html",
}


@pytest.mark.parametrize("path", REFUSED.values(), ids=REFUSED)
def test_what_is_no_report_is_refused_before_anything_is_sent(builder, work, path):
    (work / "flux-build.toml").write_text(TWO.replace("img/", "img.html/"))
    (work / "mine.html").write_text("<!doctype html>\n<p>mine")
    (work / "notes.txt").write_text("mine")
    (work / "folder.html").mkdir()
    os.symlink("notes.txt", work / "link.html")
    before = files_of(work)
    code, posts, _, err = builder.run("--report", path)
    assert (code, posts) == (2, 0), err
    assert "hint: " in err
    assert files_of(work) == before


def test_a_report_replaces_a_report(builder, work):
    (work / "report.html").write_bytes(BEGINNING)
    code, _, _, err = builder.run("--report", "report.html")
    assert code == 0, err
    assert "Image review" in page_of(work)


@pytest.mark.parametrize("mode", ["--html", "--init"])
def test_it_belongs_to_a_build_a_plan_or_a_check(builder, mode):
    assert builder.run(mode, "--report", "report.html")[0] == 2


def test_a_page_that_cannot_be_written_at_the_end_loses_no_image(builder, work, gateway):
    def spoil(_):
        (work / "report.html").write_text("mine")
        return image()

    gateway.answers(spoil)
    code, posts, out, err = builder.run("--report", "report.html")
    assert (code, posts, len(out.split())) == (1, 2, 2), err
    assert "report.html exists, and was not written by flux build --report" in err
    assert page_of(work) == "mine"
    assert builder.run("--check")[0] == 0


def test_beyond_a_thousand_assets_unchanged_ones_have_no_thumbnail(builder, work):
    text = TWO.replace('prompt = "an owl"', 'n = 1000\nprompt = "an owl"')
    (work / "flux-build.toml").write_text(text)
    (work / "img").mkdir()
    Image.new("RGB", (64, 64), RED).save(work / "owl.png")
    size = (work / "owl.png").stat().st_size
    rows = {}
    for name, asset in assets_of(text).items():
        ((path, digest),) = asset.files.items()
        if name != "fox":
            os.link(work / "owl.png", work / path)
        files = {path: File(digest, "0" * 64, size, 64, 64)}
        rows[name] = Row(asset.request, "0" * 16, asset.requested, files=files)
    (work / "flux-build.lock").write_text(lock_text(rows))
    builder.run("--plan", "--report", "report.html")
    page = page_of(work)
    unchanged = section(page, "unchanged")
    assert unchanged.count("<article") == 1000
    assert [*pictures(page)] == []
    assert "not made yet" in section(page, "changed")
    assert "<dt>Assets</dt><dd>1,001</dd>" in page


def test_the_page_of_a_ci_run_names_it(builder, work):
    builder.env["GITHUB_STEP_SUMMARY"] = str(work / "summary.md")
    builder.run("--plan", "--report", "report.html")
    assert "Review page: report.html" in (work / "summary.md").read_text()
