"""The parts of a card as HTML: images, differences, files and commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.review.markup import element, named, pairs, text, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flux_cli.build.review.content import (
        CandidateCard,
        CommandLine,
        Difference,
        FileLine,
        Picture,
    )


def figures(pictures: Sequence[Picture]) -> str:
    """Images side by side."""
    return wrapped("div", "".join(map(figure, pictures)), "pictures") if pictures else ""


def figure(picture: Picture) -> str:
    """One image with its caption."""
    path = element("span", picture.thumbnail.path, "path")
    caption = wrapped("figcaption", element("strong", picture.label) + path)
    return wrapped("figure", image(picture) + caption)


def image(picture: Picture) -> str:
    """One image, or a box with a sentence."""
    thumbnail = picture.thumbnail
    if not thumbnail.source:
        return element("p", thumbnail.fault or picture.about, "none")
    size = f'width="{thumbnail.width}" height="{thumbnail.height}"'
    return f'<img src="{thumbnail.source}" {size} alt="{text(picture.alt)}" decoding="async">'


def differences(rows: Sequence[Difference]) -> str:
    """Old and new values, in which the parts that differ are marked."""
    return "".join(map(_difference, rows))


def _difference(row: Difference) -> str:
    old = _marked(row.old, "del")
    new = _marked(row.new, "ins")
    cells = (
        f'<div class="old"><dt><span class="unseen">{text(row.key)}, </span>old</dt>'
        f"<dd>{old}</dd></div>"
        f'<div class="new"><dt><span class="unseen">{text(row.key)}, </span>new</dt>'
        f"<dd>{new}</dd></div>"
    )
    return f'<div class="difference"><h4>{text(row.key)}</h4><dl>{cells}</dl></div>'


def _marked(parts: Iterable[tuple[bool, str]], mark: str) -> str:
    def piece(part: tuple[bool, str]) -> str:
        return element(mark, part[1]) if part[0] else text(part[1])

    return "".join(map(piece, parts))


def files(lines: Sequence[FileLine]) -> str:
    """The files of an asset with their sizes."""
    if not lines:
        return ""
    return wrapped("ul", "".join(map(_file, lines)), "files")


def _file(line: FileLine) -> str:
    was = f"was {line.was}" if line.was else ""
    facts = ", ".join(filter(None, (line.pixels, line.size, was)))
    return f'<li><span class="path">{text(line.path)}</span> {element("span", facts, "quiet")}</li>'


def commands(lines: Iterable[CommandLine], about: str) -> str:
    """Commands to copy. `about` says what they are for, to people who do not see the card."""
    return "".join(command(line, about) for line in lines)


def command(line: CommandLine, about: str) -> str:
    """A command in a field that the Tab key selects."""
    label = f"{text(line.label)}{element('span', f': {about}', 'unseen')}"
    field = (
        f'<input type="text" name="command" readonly spellcheck="false"{named("value", line.text)}>'
    )
    return f'<label class="command"><span>{label}</span>{field}</label>'


def candidates(cards: Sequence[CandidateCard], name: str) -> str:
    """Candidates side by side, each with its command."""
    if not cards:
        return ""
    return wrapped("ol", "".join(_candidate(card, name) for card in cards), "candidates")


def _candidate(card: CandidateCard, name: str) -> str:
    mark = element("span", "✓ picked", "picked") if card.is_picked else ""
    title = f"<h4>{card.number}{element('span', f' of {name}', 'unseen')} {mark}</h4>"
    parts = [title, figure(card.picture), pairs(card.facts, "facts")]
    parts += [command(card.command, name)] if card.command else []
    return wrapped("li", "".join(parts), "chosen" if card.is_picked else "")
