"""The review page of `flux build --report` in Chromium, opened from the disk."""

import itertools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.gateway import Gateway, by_seed, status

from real.browser import Browser, Page, chromium
from real.test_page import FLUX, browser_command

pytestmark = pytest.mark.slow

HOSTILE = '</p></style><script>alert(1)</script><img src="/x" onerror="alert(2)">'
MANIFEST = """
[defaults]
model = "flux1.1-pro-ultra"
size = "1:1"
width = [64, 480]
output = "img/a-folder-with-a-long-name/{name}.webp"
[assets.goblin]
prompt = "a goblin guard"
seed = 100
candidates = 3
[assets.a-rather-long-name-of-an-image-that-does-not-fit-on-one-line-of-a-phone]
prompt = '''HOSTILE'''
[assets.hero]
prompt = "a harbor at dawn, line art"
alt = "A harbor"
[assets.edited]
prompt = "an owl"
[assets.gone]
prompt = "a fox"
[assets.same]
prompt = "a cat"
""".replace("HOSTILE", HOSTILE)
# What a text has behind it, and both as numbers; texts of equal color are measured once.
CONTRASTS = """(() => {
  const rgb = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const color = rgb(getComputedStyle(element).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = {};
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim()) continue;
    const ink = rgb(getComputedStyle(element).color), paper = ground(element);
    const [low, high] = [light(ink), light(paper)].sort((a, b) => a - b);
    const name = `${ink} on ${paper}: ${element.className || element.tagName}`;
    found[name] = (high + 0.05) / (low + 0.05);
  }
  return found;
})()"""
FOCUSED = """((one) => {
  const {outlineStyle, outlineWidth} = getComputedStyle(one);
  const text = one.value ?? one.href ?? one.parentElement.textContent;
  const [from, to] = [one.selectionStart ?? null, one.selectionEnd ?? null];
  return [one.tagName, text, from, to, `${outlineStyle} ${outlineWidth}`];
})(document.activeElement)"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    with chromium(browser_command(), tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    """The page of a build after which something changed, failed, was edited, and was left over."""
    folder = tmp_path_factory.mktemp("review")
    manifest = folder / "flux-build.toml"
    manifest.write_text(MANIFEST)
    with Gateway() as gateway:
        env = {"PATH": os.defpath, "HOME": str(folder), "LUMENFALL_API_KEY": "lmnfl_x.Sup3rS3cret"}
        env |= {"LUMENFALL_BASE_URL": gateway.url, "GITHUB_ACTIONS": ""}
        build = [FLUX, "build", "--yes", "--report", "report.html"]
        subprocess.run(build, cwd=folder, env=env, check=True, capture_output=True, timeout=60)
        text = MANIFEST.replace("at dawn", "at night, in the rain")
        text = text.replace("[assets.gone]", "[assets.failed]")
        manifest.write_text(text.replace('"a fox"', '"a bear"\nseed = 666'))
        (folder / "img/a-folder-with-a-long-name/edited-480.webp").write_bytes(b"not an image")
        gateway.answers(by_seed({666: status(422, "MODERATION", HOSTILE)}))
        subprocess.run(build, cwd=folder, env=env, check=False, capture_output=True, timeout=60)
    return folder / "report.html"


@pytest.fixture
def page(browser) -> Iterator[Page]:
    with browser.page(scripts=False) as opened:
        yield opened


def visit(page: Page, report: Path, width: int = 1280, scheme: str = "light") -> None:
    page.look(width=width, scheme=scheme)
    page.open(f"file://{report}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_22_it_loads_nothing_fits_and_can_be_read(page, report, scheme, width):
    visit(page, report, width, scheme)
    page.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.is_dark() == (scheme == "dark")
    assert page.value("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
    contrasts = page.value(CONTRASTS)
    assert len(contrasts) > 8
    assert {name: value for name, value in contrasts.items() if value < 4.5} == {}
    assert [url for url in page.requests if not url.startswith("data:image/")] == [
        f"file://{report}"
    ]
    assert page.complaints == []


def test_22_every_command_is_reached_and_selected_with_the_keyboard(page, report):
    visit(page, report)
    wanted = page.value("[...document.querySelectorAll('input')].map((one) => one.value)")
    stops = []
    while len(stops) < 100:
        page.press("Tab")
        stop = page.value(FOCUSED)
        if stop in stops or stop[0] == "BODY":
            break
        stops.append(stop)
    commands = [stop for stop in stops if stop[0] == "INPUT"]
    assert [value for _, value, *_ in commands] == wanted
    assert "flux build --pick goblin=3" in wanted
    assert "flux build --adopt edited" in wanted
    assert all(stop[2:4] == [0, len(stop[1])] for stop in commands), "one is not selected"
    assert {stop[4] for stop in stops} == {"solid 3px"}
    assert {"A", "SUMMARY"} <= {stop[0] for stop in stops}


def test_22_people_who_hear_the_page_get_all_of_it(page, report):
    visit(page, report)
    page.wait("[...document.images].every((one) => one.complete)")
    images = page.value("[...document.images].map((one) => [one.alt, one.naturalWidth])")
    assert len(images) >= 8
    assert all(alt and 0 < width <= 320 for alt, width in images)
    assert any(HOSTILE in alt for alt, _ in images)
    labels = page.value("[...document.querySelectorAll('input')].map((one) => one.labels.length)")
    assert set(labels) == {1}
    headings = page.value("[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => +h.tagName[1])")
    assert (headings[0], headings.count(1)) == (1, 1)
    steps = [after - before for before, after in itertools.pairwise(headings)]
    assert max(steps) == 1, "a level of headings is skipped"
    identities = page.value("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(identities) == len(set(identities))
    targets = page.value("[...document.querySelectorAll('nav a')].map((a) => a.hash.slice(1))")
    assert targets == identities == ["changed", "candidates", "decisions", "failed", *targets[4:]]
    assert targets[4:] == ["leftovers", "unchanged"]


def test_22_texts_of_others_stay_texts(page, report):
    visit(page, report)
    assert page.value("document.scripts.length") == 0
    assert page.value("document.querySelectorAll('[onerror], [src^=\"/\"]').length") == 0
    assert page.value("document.body.innerText").count(HOSTILE) >= 1
