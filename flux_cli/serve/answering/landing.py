"""The landing page: what the server is, how to use it, a form, and the last images."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.core.model import Model

TEMPLATE = Path(__file__).parents[1] / "page" / "page.html"


class Facts(NamedTuple):
    """What the page says. `latest` are names of images, the newest first."""

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
    options = "".join(f"<option>{escape(model.id)}</option>" for model in facts.models)
    latest = "".join(
        f'<a href="/images/{escape(name)}"><img src="/images/{escape(name)}" alt=""></a>'
        for name in facts.latest
    )
    return Template(TEMPLATE.read_text("utf-8")).substitute(
        origin=escape(facts.origin),
        provider=escape(facts.provider),
        model=escape(facts.model),
        models=options,
        latest=latest,
    )
