"""The landing page: what the server is, how to use it, a form, and the last images."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, NamedTuple

from flux_cli import __version__
from flux_cli.core.values import counted, show_amount
from flux_cli.serve.answering.snippets import snippets
from flux_cli.serve.asking.asked import MOST
from flux_cli.serve.pictures import LATEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flux_cli.core.model import Model
    from flux_cli.serve.answering.snippets import Snippet

FOLDER = Path(__file__).parents[1] / "page"
FILES = {  # what the page loads, and nothing else
    "page.css": "text/css",
    "page.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
KEY_FIELD = """<div class="field wide">
<label for="key">Key of this server</label>
<input id="key" name="key" type="password" autocomplete="off" required>
</div>"""
FREE = "Sketches are free."


class Facts(NamedTuple):
    """What the page says. `latest` are names of images, the newest first.

    `model` is that of requests which name none. It may not be among `models`.
    """

    origin: str
    provider: str
    model: str
    is_hosted: bool
    has_key: bool
    limit_usd: float | None
    models: Sequence[Model]
    latest: Sequence[str]


def make_page(facts: Facts) -> str:
    """The page as HTML. Every value is escaped."""
    base_url = f"{facts.origin}/v1"
    examples = snippets(base_url, facts.model, has_key=facts.has_key)
    return Template((FOLDER / "page.html").read_text("utf-8")).substitute(
        badge=escape(facts.provider),
        about=escape(" ".join(_about(facts))),
        base_url=escape(base_url),
        hosted=str(facts.is_hosted).lower(),
        options="".join(_options(facts)),
        most=MOST,
        key_field=KEY_FIELD if facts.has_key else "",
        price=_price(facts),
        snippets="\n".join(map(_snippet, examples)),
        latest="".join(map(_image, facts.latest)),
        most_latest=LATEST,
        no_latest=_no_latest(facts),
        models="\n".join(map(_model, facts.models)),
        version=escape(__version__),
    )


def _about(facts: Facts) -> Iterator[str]:
    """What the images are and cost, and who may ask, as sentences."""
    if facts.is_hosted:
        yield f"The images come from the provider {facts.provider}."
        if facts.limit_usd is not None:
            yield f"All requests together may cost at most {show_amount(facts.limit_usd)} USD."
    else:
        yield "It is offline: images are free sketches, which flux draws itself without the model."
    yield "Requests need the key of this server." if facts.has_key else "No key is needed."


def _price(facts: Facts) -> str:
    if not facts.is_hosted:
        return FREE
    return "Enter the key to see the price." if facts.has_key else ""


def _no_latest(facts: Facts) -> str:
    if facts.has_key:
        return "Enter the key in the form to see them; there may be none yet."
    return "There are none yet."


def _options(facts: Facts) -> Iterator[str]:
    """The models to choose from. The default one is chosen."""
    names = [model.id for model in facts.models]
    if facts.model not in names:
        names.insert(0, facts.model)
    for name in names:
        yield f"<option{' selected' if name == facts.model else ''}>{escape(name)}</option>"


def _snippet(snippet: Snippet) -> str:
    language = escape(snippet.language)
    is_open = "" if snippet.needs else " open"
    needs = f'<span class="quiet">{escape(snippet.needs)}</span>'
    return f"""<details{is_open}><summary><strong>{language}</strong> {needs}</summary>
<div class="snippet"><button type="button" class="copy needs-script" \
data-copy="{snippet.name}" aria-label="Copy the {language} code">Copy</button>
<pre tabindex="0" role="group" aria-label="{language} code">\
<code id="{snippet.name}">{escape(snippet.code)}</code></pre></div></details>"""


def _image(name: str) -> str:
    path = f"/images/{escape(name)}"
    return f'<li><a href="{path}"><img src="{path}" alt="Earlier image" loading="lazy"></a></li>'


def _model(model: Model) -> str:
    """A model, with its sizes, which the form reads from here, too."""
    about = ""
    if model.page.startswith("https://"):
        link = f'<a href="{escape(model.page)}" rel="noreferrer">Documentation of the model</a>'
        about = f'<p class="about">{link}</p>'
    name, count = escape(model.id), counted(len(model.sizes), "size")
    return f"""<details><summary><strong>{name}</strong> \
<span class="quiet">{escape(model.summary)} ({count})</span></summary>
{about}
<ol class="sizes" data-model="{name}">{"".join(_sizes(model))}</ol></details>"""


def _sizes(model: Model) -> Iterator[str]:
    for size in model.sizes:
        default = " data-default" if size.name == model.default_size else ""
        yield f"<li{default}>{size.name} {escape(size.aspect_ratio)}"
