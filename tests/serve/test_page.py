"""The landing page without a browser: what it says, what it loads, and that nothing breaks it."""

import ast
import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import pytest

from flux_cli.catalog.find import list_models
from flux_cli.config import folders
from flux_cli.config.load import load_settings
from flux_cli.core.text import Secret
from flux_cli.providers.rows import ROWS
from flux_cli.serve.answering.landing import FILES, FOLDER, Facts, make_page
from flux_cli.serve.answering.refusals import Refusal
from flux_cli.serve.answering.snippets import snippets
from flux_cli.serve.asking.access import Access
from flux_cli.serve.asking.gate import HEADERS
from flux_cli.serve.options import ServeOptions
from flux_cli.serve.pictures import Pictures
from flux_cli.serve.service import Service

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>${model}"
FACTS = Facts(
    origin="http://127.0.0.1:8765",
    provider="offline",
    model="flux1.1-pro-ultra",
    is_hosted=False,
    has_key=False,
    limit_usd=None,
    models=list_models(()),
    latest=[f"{'a' * 22}-1.png", f"{'b' * 22}-1.png"],
)
KINDS = {
    "offline": FACTS,
    "hosted": FACTS._replace(provider="bfl", is_hosted=True, limit_usd=5.0),
    "with a key": FACTS._replace(has_key=True, latest=[]),
    "no model": FACTS._replace(models=[], latest=[]),
}


class Page(HTMLParser):
    """The elements of a page: names and attributes, and the text inside."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, attrs)
        self.elements.append((tag, {name: text or "" for name, text in attrs}))

    def handle_data(self, data):
        self.text += data

    def all(self, *names: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name in names]

    def values(self, attribute: str) -> list[str]:
        return [has[attribute] for _, has in self.elements if attribute in has]


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def page(request) -> Page:
    return Page(make_page(request.param))


def files() -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()}


# --- what it says


def test_it_says_offline_that_images_are_sketches():
    text = Page(make_page(FACTS)).text
    assert "images are free sketches" in text
    assert "http://127.0.0.1:8765/v1" in text
    assert "No key is needed" in text


def test_it_names_the_provider_the_limit_and_the_need_of_a_key():
    facts = FACTS._replace(provider="bfl", is_hosted=True, limit_usd=5.0, has_key=True)
    text = Page(make_page(facts)).text
    assert "the provider bfl" in text
    assert "at most 5.00 USD" in text
    assert "need the key" in text
    assert "sketches" not in text


def test_it_has_every_model_with_every_size():
    page = Page(make_page(FACTS))
    assert page.values("data-model") == [model.id for model in FACTS.models]
    for model in FACTS.models:
        for size in model.sizes:
            assert f"{size.name} {size.aspect_ratio}" in page.text
    assert len(page.values("data-default")) == len(FACTS.models)


def test_the_default_model_is_chosen_even_if_the_catalog_lacks_it():
    html = make_page(FACTS._replace(model="my-model"))
    assert re.findall(r"<option selected>(.*?)</option>", html) == ["my-model"]
    html = make_page(FACTS)
    assert re.findall(r"<option selected>(.*?)</option>", html) == ["flux1.1-pro-ultra"]


def test_only_a_server_with_a_key_asks_for_it():
    assert "key" in Page(make_page(KINDS["with a key"])).values("name")
    assert "key" not in Page(make_page(FACTS)).values("name")


@pytest.mark.parametrize(
    ("sent", "is_shown"), [("Bearer sesame", True), ("Bearer wrong", False), (None, False)]
)
def test_images_are_shown_only_to_those_with_the_key(sent, is_shown):
    settings = load_settings({"provider": "offline"}, ROWS)
    pictures = Pictures(is_paid=False)
    access = Access("127.0.0.1", Secret("sesame"))
    service = Service(ServeOptions(offline=True), settings, access, pictures, None)
    name = f"{'a' * 22}-1.png"
    (pictures.folder / name).write_bytes(b"image")
    headers = {} if sent is None else {"authorization": sent}
    assert (name in service.page(FACTS.origin, headers)) == is_shown
    pictures.close()


def test_models_that_the_provider_does_not_have_are_left_out(monkeypatch):
    monkeypatch.setenv("BFL_API_KEY", "x")
    settings = load_settings({"provider": "bfl", "max_cost": "1"}, ROWS)
    access = Access("127.0.0.1")
    service = Service(ServeOptions(), settings, access, Pictures(is_paid=True), None)
    found = Page(service.page(FACTS.origin, {})).values("data-model")
    assert found == [model.id for model in FACTS.models if "bfl" in model.dialects]
    assert 0 < len(found) < len(FACTS.models)


def test_a_wrong_model_file_is_refused_in_one_sentence():
    settings = load_settings({"provider": "offline"}, ROWS)
    access = Access("127.0.0.1")
    service = Service(ServeOptions(), settings, access, Pictures(is_paid=True), None)
    file = Path(folders.user_folder()) / "models/mine.toml"
    file.parent.mkdir(parents=True)
    file.write_text("id = 1")
    with pytest.raises(Refusal, match=r"mine\.toml"):
        service.page(FACTS.origin, {})


# --- what it loads


def test_it_is_small():
    html = max(len(make_page(facts).encode()) for facts in KINDS.values())
    sizes = [len(text.encode()) for name, text in files().items() if name != "page.html"]
    assert html + sum(sizes) < 30_000


def test_it_loads_only_files_of_its_own(page):
    loaded = [*page.values("src"), *[link["href"] for link in page.all("link")]]
    own = {f"/{name}" for name in FILES}
    for path in loaded:
        assert path in own or re.fullmatch(r"/images/[ab]{22}-1\.png", path), path
    assert own <= set(loaded)
    for link in page.all("a"):
        assert link["href"].startswith(("/images/", "https://")), link
    assert page.values("style") == page.all("style", "base", "iframe", "object", "embed") == []


def test_its_files_are_those_that_the_server_sends_and_name_no_other_place():
    assert set(files()) == {"page.html", *FILES}
    for name, text in files().items():
        rest = text.replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert re.findall(r"https?:|//[\w$]|url\(|@import|\bimport\b", rest) == [], name


def test_its_policy_allows_nothing_from_elsewhere_and_nothing_inline():
    rules = dict(
        rule.strip().split(" ", 1) for rule in HEADERS["content-security-policy"].split(";")
    )
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["frame-ancestors"] == rules["trusted-types"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"
    sources = {rule: text for rule, text in rules.items() if rule.endswith("-src")}
    assert set(sources.values()) <= {"'none'", "'self'"}


def test_its_script_makes_no_html_of_text():
    script = files()["page.js"]
    for word in ("HTML", "document.write", "DOMParser", "eval", "Function", "storage", "cookie"):
        assert word not in script.replace("HTMLElement", ""), word


# --- what could break it


def test_hostile_names_stay_text():
    model = FACTS.models[0]._replace(id=HOSTILE, summary=HOSTILE, page="javascript:alert(1)")
    shape = [name for name, _ in Page(make_page(FACTS._replace(models=[model]))).elements]
    hostile = FACTS._replace(
        provider=HOSTILE, model=HOSTILE, models=[model], origin=f"http://{HOSTILE}"
    )
    page = Page(make_page(hostile))
    assert page.all("script") == [{"src": "/page.js", "defer": ""}]
    assert [name for name, _ in page.elements if name == "img"] == ["img", "img"]
    assert len(page.elements) == len(shape) - 1  # the default model is in the catalog
    assert not [name for _, has in page.elements for name in has if name.startswith("on")]
    assert page.text.count(HOSTILE) >= 4
    assert "javascript:" not in make_page(hostile)


def test_snippets_are_what_they_should_be_whatever_the_model_is():
    base_url = "http://127.0.0.1:8765/v1"
    curl, python, node = snippets(base_url, HOSTILE, has_key=True)
    words = shlex.split(curl.code.replace("\\\n", ""))
    body = json.loads(words[-1])
    assert words[:2] == ["curl", f"{base_url}/images/generations"]
    assert "Authorization: Bearer $FLUX_SERVE_KEY" in words
    assert (body["model"], body["response_format"]) == (HOSTILE, "url")
    literals = [node.value for node in ast.walk(ast.parse(python.code)) if is_text(node)]
    assert {HOSTILE, base_url, "FLUX_SERVE_KEY", body["prompt"]} <= set(literals)
    assert json.loads(re.search(r"model: (.*),", node.code).group(1)) == HOSTILE


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_snippets_without_a_key_name_none():
    for snippet in snippets("http://127.0.0.1:8765/v1", "m", has_key=False):
        assert "FLUX_SERVE_KEY" not in snippet.code


# --- whether everybody can use it


def test_every_control_has_a_label(page):
    labels = [label["for"] for label in page.all("label")]
    controls = page.all("input", "select", "textarea")
    assert sorted(labels) == sorted(control["id"] for control in controls)
    for copy in page.values("data-copy"):
        assert copy in page.values("id")
    for image in page.all("img"):
        assert image["alt"]


def test_ids_are_unique_and_references_have_targets(page):
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    for attribute in ("aria-labelledby", "aria-describedby", "for", "data-copy"):
        assert set(page.values(attribute)) <= set(ids)


def test_it_has_a_language_landmarks_and_places_where_changes_are_announced(page):
    assert page.all("html") == [{"lang": "en"}]
    for name in ("header", "main", "footer", "h1", "title"):
        assert len(page.all(name)) == 1, name
    assert len(page.all("section")) == len(page.all("h2")) == 4
    assert {"status", "alert"} <= set(page.values("role"))
    assert page.all("noscript")


def colors() -> list[dict[str, str]]:
    """The colors of the light and of the dark page, by name."""
    blocks = re.findall(r":root \{(.*?)\}", files()["page.css"], re.DOTALL)
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks]


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_edges_can_be_told_from_the_ground(scheme):
    """4.5:1 for text and 3:1 for the edges of controls, as WCAG 2.2 AA wants."""
    color = colors()[scheme]
    for ground in ("ground", "surface"):
        for text in ("text", "quiet", "accent", "fault"):
            assert contrast(color[text], color[ground]) >= 4.5, (text, ground)
        assert contrast(color["edge"], color[ground]) >= 3, ground
    assert contrast(color["on-accent"], color["accent"]) >= 4.5
    assert (luminance(color["ground"]) < 0.1) == (scheme == 1)
