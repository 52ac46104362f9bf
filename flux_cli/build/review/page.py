"""The review page as HTML: the same values always make the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.review.elements import (
    candidates,
    commands,
    differences,
    figures,
    files,
    image,
)
from flux_cli.build.review.markup import element, named, pairs, text, wrapped
from flux_cli.build.review.style import STYLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flux_cli.build.review.content import AssetCard, Page, Section

# What every report begins with, and no other file.
START = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="flux build --report">
"""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
HEAD = f"""<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<style>
{STYLE}</style>
"""
OPEN_DETAILS = 4  # files that are listed without a click


def page_html(page: Page) -> str:
    """The whole page."""
    return "\n".join([START + HEAD + element("title", page.title), *_body(page), "</html>", ""])


def _body(page: Page) -> Iterator[str]:
    yield "</head>\n<body>\n<header>"
    yield element("h1", page.title)
    yield element("p", page.lead, "lead")
    yield pairs(page.totals, "totals")
    yield _notes(page.notes)
    yield _contents(page.sections)
    yield "</header>\n<main>"
    yield from map(_section, page.sections)
    yield "</main>\n</body>"


def _notes(notes: Iterable[str]) -> str:
    lines = "".join(element("li", note) for note in notes)
    return f'<ul class="notes" aria-label="Notes">{lines}</ul>' if lines else ""


def _contents(sections: Iterable[Section]) -> str:
    """Links to the sections, with the number of their assets."""
    links = [
        f'<li><a href="#{one.identity}">{text(one.title)} <b>{len(one.cards):,}</b></a></li>'
        for one in sections
    ]
    return f'<nav aria-label="Sections"><ul>{"".join(links)}</ul></nav>' if links else ""


def _section(section: Section) -> str:
    title = f'<h2 id="{section.identity}">{text(section.title)}</h2>'
    about = element("p", section.about, "about")
    kind = "grid" if section.is_quiet else "list"
    cards = "\n".join(map(_small if section.is_quiet else _large, section.cards))
    body = f"{title}{about}\n<div{named('class', kind)}>\n{cards}\n</div>"
    return f'<section aria-labelledby="{section.identity}">\n{body}\n</section>'


def _large(card: AssetCard) -> str:
    """A card with everything in view."""
    is_shown = any(one.key == "prompt" for one in card.differences)
    parts = [
        element("p", card.reason, "reason"),
        element("p", card.failure, "failure"),
        differences(card.differences),
        "" if is_shown else element("p", card.prompt, "prompt"),
        pairs(card.facts, "facts"),
        _files(card),
        commands(card.commands, card.name),
    ]
    words = wrapped("div", "".join(parts), "words")
    choice = candidates(card.candidates, card.name)
    return wrapped("article", _title(card) + figures(card.pictures) + words + choice, "card")


def _small(card: AssetCard) -> str:
    """A card whose facts open with a click."""
    facts = pairs(card.facts, "facts") + files(card.files)
    prompt = element("p", card.prompt, "prompt")
    more = f"<details><summary>Details{element('span', f' of {card.name}', 'unseen')}</summary>"
    images = "".join(map(image, card.pictures))
    parts = [images, element("h3", card.name), f"{more}{prompt}{facts}</details>"]
    return wrapped("article", "".join(parts), "card small")


def _title(card: AssetCard) -> str:
    badge = f'<span class="sign" aria-hidden="true">{text(card.sign)}</span>{text(card.state)}'
    state = f'<span class="state {card.state}">{badge}</span>'
    return f'<h3><span class="name">{text(card.name)}</span> {state}</h3>'


def _files(card: AssetCard) -> str:
    """The files in view, or their number and a click away if there are many."""
    if len(card.files) <= OPEN_DETAILS:
        return files(card.files)
    summary = f"<summary>{len(card.files):,} files</summary>"
    return f"<details>{summary}{files(card.files)}</details>"
