"""What the review page says, as values. `page.py` makes HTML of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.core.lite import NamedTuple

if TYPE_CHECKING:
    from typing import TypeAlias

    Pair: TypeAlias = tuple[str, str]  # a word, and what it is


class Thumbnail(NamedTuple):
    """A small copy of the image in a file, or why there is none."""

    path: str  # of the file
    source: str = ""  # a data URI; "" for none
    width: int = 0  # of the small copy, in pixels
    height: int = 0
    fault: str = ""


class Picture(NamedTuple):
    """A thumbnail with its words, or a sentence in its place."""

    label: str  # what it is to its asset: Before, After
    alt: str = ""
    thumbnail: Thumbnail = Thumbnail("")
    about: str = ""  # why there is no thumbnail


class Difference(NamedTuple):
    """One key whose value differs. Both values are cut into parts: equal and different ones."""

    key: str
    old: tuple[tuple[bool, str], ...]  # whether it differs, and the text
    new: tuple[tuple[bool, str], ...]


class FileLine(NamedTuple):
    """One output file."""

    path: str
    pixels: str  # `480×268`
    size: str  # `14 kB`
    was: str = ""  # its size before, if it differs


class CommandLine(NamedTuple):
    """A command to copy, and what it does."""

    label: str
    text: str


class CandidateCard(NamedTuple):
    """One of several images of which a person picks one."""

    number: int
    is_picked: bool
    picture: Picture
    facts: tuple[Pair, ...]
    command: CommandLine | None


class AssetCard(NamedTuple):
    """One asset: what happens to it, what it looks like, and how it is made."""

    name: str
    sign: str
    state: str
    reason: str = ""
    failure: str = ""
    differences: tuple[Difference, ...] = ()
    pictures: tuple[Picture, ...] = ()
    prompt: str = ""
    facts: tuple[Pair, ...] = ()
    files: tuple[FileLine, ...] = ()
    commands: tuple[CommandLine, ...] = ()
    candidates: tuple[CandidateCard, ...] = ()


class Section(NamedTuple):
    """Assets of one kind. `is_quiet`: they are only listed, nothing happens to them."""

    identity: str
    title: str
    about: str
    cards: tuple[AssetCard, ...]
    is_quiet: bool = False


class Page(NamedTuple):
    """The whole page."""

    title: str
    lead: str  # a sentence
    totals: tuple[Pair, ...]
    notes: tuple[str, ...]
    sections: tuple[Section, ...]
