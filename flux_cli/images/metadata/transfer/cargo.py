"""Packs what is taken over of an image for a format, and writes it into a file of that format.

Where a format has no room, what is left out is named.
"""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers.container import Block
from flux_cli.images.containers.parts import splice
from flux_cli.images.containers.registry import CONTAINERS
from flux_cli.images.metadata import exif, xmp
from flux_cli.images.metadata.transfer.carried import (
    COMMENT,
    FOOOCUS,
    ITEMS,
    PARAMETERS,
    PROGRAM_TEXTS,
    SCHEME,
)
from flux_cli.images.metadata.transfer.density import exif_density, jfif_density, png_density

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from flux_cli.images.containers.container import BlockKind
    from flux_cli.images.metadata.transfer.carried import Carried

    Part = TypeVar("Part")

USER_COMMENT = "UserComment"
# Fooocus looks for its texts in the first table of EXIF, and there for the name of their form.
MAKER_NOTE = 0x927C
MAX_NAMED = 5  # texts that a note names
# Keywords of texts that are taken over under other names.
ELSEWHERE = {SCHEME, *(source for item in ITEMS for source in item.sources)}
LABELS = {field: f"text {key!r}" for key, (field, _) in PROGRAM_TEXTS.items()}


class Cargo(NamedTuple):
    """The blocks to write into a file, and names of what it has no room for."""

    blocks: tuple[Block, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all blocks, without the heads around them."""
        return sum(len(block.data) for block in self.blocks)


class _Places(NamedTuple):
    """What goes where: a comment, the fields of EXIF by name, and what has no place."""

    comment: str
    fields: dict[str, str]
    lost: tuple[str, ...]


def pack(carried: Carried, file_format: str) -> Cargo:
    """What a file in this format takes over, and what it loses."""
    holds = CONTAINERS[file_format].holds
    places = _places(carried, holds)
    blocks: list[Block] = []
    lost = list(places.lost)

    def add(kind: BlockKind, parts: dict[str, Part], make: Callable[..., bytes]) -> None:
        """Add a block that is made of parts, without the longest ones if they do not fit."""
        left = dict(parts)
        data = make(left)
        while left and len(data) > holds[kind]:
            longest = max(left, key=lambda name: len(str(left[name])))
            del left[longest]
            lost.append(f"its {LABELS.get(longest, longest)}, too long for a {file_format}")
            data = make(left)
        if data:
            blocks.append(Block(kind, data))

    if "text" in holds:
        blocks += [Block("text", _utf8(text), key) for key, text in carried.texts]
    if "comment" in holds:
        add("comment", {"comment": places.comment}, lambda left: _utf8(left.get("comment", "")))
    add("xmp", carried.values, lambda left: xmp.new_packet(left) if left else b"")
    if "exif" in holds:
        add("exif", places.fields, lambda left: _exif(left, carried, holds))
    if carried.density and "density" in holds:
        packed = (png_density if file_format == "png" else jfif_density)(carried.density)
        blocks.append(Block("density", packed))
    return Cargo(tuple(blocks), tuple(lost))


def write_cargo(data: bytes, file_format: str, cargo: Cargo) -> bytes:
    """A file that flux has just made, with the blocks written into it."""
    add = CONTAINERS[file_format].add
    for block in reversed(cargo.blocks):  # each comes before those that are there
        assert add is not None  # noqa: S101 - `pack` asks what the format holds
        data = b"".join(splice(data, add(data, block)))
    return data


def _places(carried: Carried, holds: Mapping[str, int]) -> _Places:
    """Where the texts go that have no keyword in this format."""
    comment, fields, lost = "", dict(carried.fields), []
    if carried.user_comment:
        fields[USER_COMMENT] = carried.user_comment
    texts, again = ({}, []) if "text" in holds else _first_texts(carried)
    for key in sorted(texts, key=lambda key: key != PARAMETERS):  # they come first
        field, prefix = PROGRAM_TEXTS.get(key, ("", ""))
        if field and "exif" in holds:
            fields[field] = prefix + texts[key]
        elif key in (PARAMETERS, COMMENT) and "comment" in holds and not comment:
            comment = texts[key]
        elif key == COMMENT and "exif" in holds and USER_COMMENT not in fields:
            fields[USER_COMMENT] = texts[key]
        elif key not in ELSEWHERE:
            lost.append(key)
    own = PROGRAM_TEXTS.keys() & dict(carried.texts)  # of the program
    is_by_program = not own or own & set(lost)
    named = _name_texts(lost, carried.program if is_by_program else "")
    named += [f"its further text {key!r}" for key in again]
    named += [f"its text {key!r}, which is too long" for key in dict.fromkeys(carried.cut)]
    if carried.user_comment and "exif" not in holds:
        named.append("its user comment")
    if carried.density and not {"density", "exif"} & holds.keys():
        named.append(f"its density ({carried.density})")
    return _Places(comment, fields, tuple(named))


def _first_texts(carried: Carried) -> tuple[dict[str, str], list[str]]:
    """The first text of each keyword, which is the one that counts, and keywords of others."""
    texts: dict[str, str] = {}
    again: dict[str, None] = {}
    for key, text in carried.texts:
        if texts.setdefault(key, text) != text:
            again[key] = None
    return texts, list(again)


def _name_texts(keys: list[str], program: str) -> list[str]:
    """Texts that are lost, by their keywords, as one part of a note."""
    if not keys:
        return []
    names = ", ".join(map(repr, keys[:MAX_NAMED]))
    more = f" and {len(keys) - MAX_NAMED} more" if len(keys) > MAX_NAMED else ""
    by = f" ({program})" if program else ""
    return [f"its {'texts' if len(keys) > 1 else 'text'} {names}{more}{by}"]


def _exif(texts: Mapping[str, str], carried: Carried, holds: Mapping[str, int]) -> bytes:
    """The block of EXIF with these fields; empty if there is nothing to say."""
    main: dict[int, exif.Value] = {}
    extra: dict[int, exif.Value] = {}
    for name, text in texts.items():
        tag = exif.NUMBERS[name]
        if name != USER_COMMENT:
            main[tag] = text
        elif carried.program == FOOOCUS:
            main[tag] = text
            main[MAKER_NOTE] = dict(carried.texts).get(SCHEME, "fooocus")
        else:
            extra[tag] = exif.user_comment(text)
    if carried.density and (main or extra or "density" not in holds):
        main |= exif_density(carried.density)
    return exif.build(main, extra) if main or extra else b""


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")
