"""The landing page of `flux serve` in Chromium, used with the keyboard alone."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from real.browser import Browser, Page, chromium
from real.programs import PYTHON, SYSTEM, Program, free_port, installed, running

pytestmark = pytest.mark.slow

FLUX = str(Path(sys.executable).parent / "flux")
KEY = "open sesame"
SMALL = "flux-3-image"  # has sizes that are drawn at once
HOSTILE = "<img src=/x onerror=alert(1)>\"'</textarea>"


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    with chromium(browser_command(), tmp_path_factory.mktemp("chromium")) as started:
        yield started


def browser_command() -> str:
    """Chrome where it is there; Ubuntu's Chromium is a snap, which sees no temporary files."""
    return shutil.which("google-chrome", path=SYSTEM) or installed("chromium")


@pytest.fixture(scope="module")
def serve(tmp_path_factory):
    """Run `flux serve` at a free port: `with serve("--offline") as program`."""

    def start(*words: str, **env: str):
        port, folder = free_port(), tmp_path_factory.mktemp("serve")
        line = (FLUX, "serve", "--port", str(port), *words)
        return running(*line, port=port, folder=folder, env=env)

    return start


@pytest.fixture(scope="module")
def offline(serve) -> Iterator[Program]:
    with serve("--offline", "--model", SMALL) as program:
        yield program


@pytest.fixture
def page(browser) -> Iterator[Page]:
    with browser.page() as opened:
        opened.look(width=1280, scheme="light")
        yield opened


def visit(page: Page, program: Program) -> None:
    page.open(f"{program.origin}/")


def generate(page: Page, prompt: str) -> None:
    """Type the prompt and press the button, from wherever the focus is."""
    page.tab_to("prompt")
    page.press_with_control("a")
    page.type(prompt)
    page.tab_to("Generate")
    page.press("Enter")


def wait_for_the_end(page: Page) -> None:
    page.wait("document.getElementById('state').textContent.includes(' in ')")


def paid(page: Page) -> list[str]:
    """The requests that are not only asked for their price."""
    return [url for url in page.requests if url.endswith("/v1/images/generations")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_an_image_is_made_with_the_keyboard_alone(page, offline, scheme, width):
    page.look(width=width, scheme=scheme)
    visit(page, offline)
    assert page.is_dark() == (scheme == "dark")
    page.tab_to("size")
    page.press("ArrowDown")
    chosen = page.value("document.getElementById('size').value")
    generate(page, "a red fox")
    wait_for_the_end(page)
    image = page.value(
        "(({alt, naturalWidth: w, naturalHeight: h}) => [alt, `${w}x${h}`])"
        "(document.querySelector('#result img'))"
    )
    assert image == ["a red fox", chosen]
    assert page.text("state").startswith("1 image in")
    assert page.text("fault") == ""
    assert page.value("document.querySelector('#latest img').alt") == "a red fox"
    assert page.focus() == "Generate"
    assert page.value("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
    assert [url for url in page.requests if not url.startswith(offline.origin)] == []
    assert page.complaints == []


def test_nothing_around_the_form_moves_while_the_page_loads_and_an_image_is_made(page, offline):
    page.look(width=360, height=1500, scheme="light")  # the form and its image are in view
    visit(page, offline)
    page.value(
        "new PerformanceObserver((list) => { globalThis.moved = (globalThis.moved ?? 0) + "
        "list.getEntries().reduce((sum, entry) => sum + entry.value, 0); })"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    page.value("document.getElementById('prompt').focus()")
    generate(page, "flux:slow:1")
    wait_for_the_end(page)
    assert page.value("globalThis.moved ?? 0") < 0.01


def test_whatever_has_the_focus_shows_it(page, offline):
    visit(page, offline)
    stops = page.stops()
    assert {"prompt", "model", "size", "n", "seed", "Generate", "Copy the base URL"} <= set(stops)
    assert {"Copy the curl code", "curl code", "Python pip install openai"} <= set(stops)
    assert {look for look in stops.values() if not look.startswith("solid 3px")} == set()


def test_an_error_is_announced_in_the_words_of_the_api(page, offline):
    visit(page, offline)
    generate(page, "flux:error:moderation")
    page.wait("document.getElementById('fault').textContent !== ''")
    assert page.text("fault") == "Error: the prompt was refused (on demand)"
    assert page.value("document.getElementById('fault').role") == "alert"
    assert (page.text("state"), page.focus()) == ("", "Generate")
    (complaint,) = page.complaints  # the browser's own
    assert "422" in complaint
    generate(page, "a fox")
    wait_for_the_end(page)
    assert page.text("fault") == ""


def test_a_server_that_has_ended_is_an_error(page, serve):
    with serve("--offline", "--model", SMALL) as program:
        visit(page, program)
    generate(page, "a fox")
    page.wait("document.getElementById('fault').textContent !== ''")
    assert "did not answer" in page.text("fault")


def test_a_hostile_prompt_stays_text(page, offline):
    visit(page, offline)
    generate(page, HOSTILE)
    wait_for_the_end(page)
    assert page.value("document.querySelector('#result img').alt") == HOSTILE
    assert page.value("document.querySelectorAll('#result img').length") == 1
    assert page.complaints == []


def test_the_policy_stops_html_that_is_made_of_text(page, offline):
    """That the other tests see no complaint says something."""
    visit(page, offline)
    script = "(() => { try { document.body.innerHTML = '<p>'; } catch (e) { return e.name; } })()"
    assert page.value(script) == "TypeError"
    assert page.complaints


def test_the_sizes_follow_the_model(page, offline):
    visit(page, offline)
    first = page.value("[...document.getElementById('size').options].map((o) => o.value)")
    page.tab_to("model")
    page.press("ArrowDown")
    then = page.value("[...document.getElementById('size').options].map((o) => o.value)")
    model = page.value("document.getElementById('model').value")
    documents = page.value("fetch('/v1/models').then((reply) => reply.json())")["data"]
    sizes = {document["id"]: document["sizes"] for document in documents}
    assert (first, then) == (sizes[SMALL], sizes[model])
    assert model != SMALL


def test_images_are_shown_only_with_the_key(page, serve):
    with serve("--offline", "--model", SMALL, FLUX_SERVE_KEY=KEY) as program:
        visit(page, program)
        page.tab_to("key")
        page.type(KEY)
        generate(page, "a fox")
        wait_for_the_end(page)
        visit(page, program)
        images = "document.querySelectorAll('#latest img').length"
        assert page.value(images) == 0
        page.tab_to("key")
        page.type("Sesam öffne dich")
        generate(page, "a fox")
        page.wait("document.getElementById('fault').textContent !== ''")
        assert "the key is not the one" in page.text("fault")
        assert page.value(images) == 0
        page.tab_to("key")
        page.press_with_control("a")
        page.type(KEY)
        page.press("Tab")
        page.wait(f"{images} === 1")
        assert page.value("document.querySelector('#latest img').complete")


def test_nothing_is_sent_whose_price_was_not_shown(page, serve):
    """The provider is never reached: the second press would be the one that pays."""
    with serve("--provider", "bfl", "--max-cost", "1", BFL_API_KEY="x") as program:
        visit(page, program)
        page.wait("document.getElementById('price').textContent.includes('0.06 USD')")
        page.tab_to("prompt")
        page.type("a fox")
        page.tab_to("n")
        page.press_with_control("a")
        page.type("2")
        page.press("Enter")
        page.wait("document.getElementById('state').textContent !== ''")
        assert page.text("price") == "This request costs 0.12 USD."
        assert "press Generate again" in page.text("state")
        assert paid(page) == []
        assert page.complaints == []


def test_without_scripts_it_says_what_to_do(browser, offline):
    with browser.page(scripts=False) as page:
        visit(page, offline)
        text = page.value("document.body.innerText")
        assert "use the curl command below" in text
        assert f"curl {offline.origin}/v1/images/generations" in text
        assert page.value("document.querySelector('form').checkVisibility()") is False
        assert "Copy" not in text
        assert page.complaints == []


@pytest.mark.parametrize(("motion", "name"), [("reduce", "none"), ("no-preference", "pass")])
def test_motion_is_for_those_who_want_it(page, offline, motion, name):
    page.look(width=1280, scheme="light", motion=motion)
    visit(page, offline)
    page.value("document.querySelector('form').setAttribute('aria-busy', 'true')")
    bar = "getComputedStyle(document.querySelector('.bar'), '::before').animationName"
    assert page.value(bar) == name


def test_code_is_copied_and_runs(page, offline):
    visit(page, offline)
    page.allow_the_clipboard(offline.origin)
    page.tab_to("Copy the curl code")
    page.press("Enter")
    page.wait("document.getElementById('said').textContent === 'Copied.'")
    code = page.value("navigator.clipboard.readText()")
    answer = subprocess.run(["sh", "-c", code], capture_output=True, check=True, timeout=60)
    assert json.loads(answer.stdout)["data"][0]["url"].startswith(offline.origin)


def test_the_code_in_other_languages_is_valid_and_runs(page, offline, tmp_path):
    visit(page, offline)
    node = tmp_path / "code.mjs"
    node.write_text(page.text("node"))
    subprocess.run([installed("node"), "--check", node], check=True, timeout=60)
    python = [installed("python", PYTHON), "-c", page.text("python")]
    answer = subprocess.run(python, capture_output=True, check=True, timeout=60, text=True)
    assert answer.stdout.startswith(f"{offline.origin}/images/")
