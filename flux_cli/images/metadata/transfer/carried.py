"""What files that flux makes of an image take over of its metadata: one table says what.

It is whose the image is, how it was made, and its density. All other metadata of cameras is left
out. `cargo` knows the formats.
"""

from __future__ import annotations

from contextlib import suppress

from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers import png
from flux_cli.images.containers.parts import read_text
from flux_cli.images.metadata import xmp
from flux_cli.images.metadata.parameters import is_ours
from flux_cli.images.metadata.read import may_tell
from flux_cli.images.metadata.tools import READERS
from flux_cli.images.metadata.transfer.density import Density, read_density
from flux_cli.images.metadata.xmp_scan import RECORD, XmpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from flux_cli.images.metadata.read import Reading
    from flux_cli.images.metadata.xmp_scan import Entry

    Values: TypeAlias = dict[str, tuple[Entry, ...]]


class Item(NamedTuple):
    """One fact that is taken over: its property in XMP, and its field in EXIF ("" for none).

    The first of `sources` that an image has counts; they are names of fields of a Reading.
    """

    property: str
    sources: tuple[str, ...]
    field: str = ""


ITEMS = (
    Item(
        "dc:creator",
        ("xmp:dc:creator", "xmp:tiff:Artist", "exif:Artist", "iptc:By-line", "Author"),
        "Artist",
    ),
    Item(
        "dc:rights",
        ("xmp:dc:rights", "xmp:tiff:Copyright", "exif:Copyright", "iptc:CopyrightNotice",
         "Copyright"),
        "Copyright",
    ),
    Item(
        "dc:description",
        ("xmp:dc:description", "xmp:tiff:ImageDescription", "exif:ImageDescription",
         "iptc:Caption", "Description"),
        "ImageDescription",
    ),
    Item("dc:title", ("xmp:dc:title", "iptc:ObjectName", "Title")),
    Item("xmp:CreatorTool", ("xmp:xmp:CreatorTool", "exif:Software", "Software"), "Software"),
    Item("photoshop:Credit", ("xmp:photoshop:Credit", "iptc:Credit")),
    Item("photoshop:Source", ("xmp:photoshop:Source", "iptc:Source", "Source")),
    *(
        Item(name, (f"xmp:{name}",))
        for name in (
            "xmpRights:Marked", "xmpRights:UsageTerms", "xmpRights:WebStatement",
            "Iptc4xmpExt:DigitalSourceType", "Iptc4xmpExt:AISystemUsed",
            "Iptc4xmpExt:AISystemVersionUsed", "Iptc4xmpExt:AIPromptInformation",
            "Iptc4xmpExt:AIPromptWriterName", "exif:UserComment",
        )
    ),
)  # fmt: skip
# Texts of programs: the keyword in a PNG, and the field of EXIF in which the same programs look for
# it, with what stands before it there.
PARAMETERS, COMMENT = "parameters", "Comment"
FOOOCUS, SCHEME = "Fooocus", "fooocus_scheme"  # the program, and its text that names its form
PROGRAM_TEXTS = {
    PARAMETERS: ("UserComment", ""),
    "prompt": ("Model", "prompt:"),
    "workflow": ("Make", "workflow:"),
}
GRAPHS = {prefix: key for key, (_, prefix) in PROGRAM_TEXTS.items() if prefix}
MAX_TEXT = png.MAX_UNPACKED  # bytes of all texts; more are not read
# Texts that are about another file, or that repeat metadata of a camera.
STALE = ("Raw profile type ", "date:")
# What describes an image: a prompt, if a program made it.
DESCRIBING = ("Comment", "Description", "Title", "comment")
PROMPTS = ("Iptc4xmpExt:AIPromptInformation", "exif:UserComment", RECORD)


class Carried(NamedTuple):
    """What is taken over.

    `values` are properties of XMP, and `fields` those of EXIF by name. `texts` are those of a PNG,
    by keyword, and of other formats under the keyword that they would have there. `user_comment` is
    that of EXIF, unless it is one of the texts. `cut` are keywords of texts that are too long to be
    read, and `program` is the one that made the image.
    """

    values: Values = {}  # noqa: RUF012 - never changed
    fields: dict[str, str] = {}  # noqa: RUF012 - never changed
    texts: tuple[tuple[str, str], ...] = ()
    user_comment: str = ""
    cut: tuple[str, ...] = ()
    density: Density | None = None
    program: str = ""


def read_carried(reading: Reading, *, is_turned: bool, has_prompt: bool = True) -> Carried:
    """What is taken over of an image.

    `is_turned`: by a quarter, to be upright. Without `has_prompt`, nothing that may be a prompt.
    """
    foreign = _foreign_values(reading)
    names = {f"xmp:{name}" for name in foreign}
    fields = {
        name: text
        for name, text in reading.fields.items()
        if name in names or not name.startswith("xmp:")
    }
    texts = _texts(reading, fields)
    has_parameters = PARAMETERS in dict(texts)
    found = Carried(
        values=_values(foreign, fields),
        fields=_fields(foreign, fields),
        texts=texts,
        user_comment="" if has_parameters else fields.get("exif:UserComment", ""),
        density=read_density(reading.blocks),
    )
    found = _without_cut(found)
    if reading.source not in ("", "XMP", "flux"):
        found = found._replace(program=reading.source)
    if found.density and is_turned:
        found = found._replace(density=found.density.turned)
    return found if has_prompt else _without_prompts(found, is_made=reading.is_made)


def is_prompt_property(name: str, *, is_made: bool) -> bool:
    """Whether a property of XMP may hold a prompt."""
    return name in PROMPTS or (is_made and name in ("dc:description", "dc:title"))


def is_prompt_field(name: str, text: str, *, is_made: bool) -> bool:
    """Whether a field of EXIF may hold a prompt."""
    is_graph = text.lower().startswith(tuple(GRAPHS))
    return is_graph or (is_made and name in ("ImageDescription", "UserComment"))


def is_prompt_text(key: str, *, is_made: bool) -> bool:
    """Whether a text of a PNG, or a comment, may hold a prompt or parameters."""
    return may_tell(key) and (is_made or key not in DESCRIBING)


def _without_cut(found: Carried) -> Carried:
    """Without texts that may have lost their end, because an image has too much text."""
    whole, cut, left = [], [], MAX_TEXT
    for key, text in found.texts:
        left -= len(text.encode("utf-8", "replace"))
        if left > 0:
            whole.append((key, text))
        else:
            cut.append(key)
    return found._replace(texts=tuple(whole), cut=tuple(cut)) if cut else found


def _without_prompts(found: Carried, *, is_made: bool) -> Carried:
    values = {
        name: entries
        for name, entries in found.values.items()
        if not is_prompt_property(name, is_made=is_made)
    }
    fields = {
        name: text
        for name, text in found.fields.items()
        if not is_prompt_field(name, text, is_made=is_made)
    }
    texts = tuple(one for one in found.texts if not is_prompt_text(one[0], is_made=is_made))
    comment = "" if is_made else found.user_comment
    return found._replace(values=values, fields=fields, texts=texts, user_comment=comment)


def _foreign_values(reading: Reading) -> Values:
    """What the first packets of XMP say that flux has not written."""
    values: Values = {}
    for block in reading.blocks:
        with suppress(XmpError):
            if block.kind == "xmp":
                values = {**xmp.foreign_values(block.data), **values}
    return values


def _values(foreign: Values, fields: Mapping[str, str]) -> Values:
    """The properties of the items, each from the first of its sources."""
    values: Values = {}
    for item in ITEMS:
        for source in item.sources:
            text = _cleaned(fields.get(source, ""))
            if text and not text.lower().startswith(tuple(GRAPHS)):
                entries = foreign.get(source.removeprefix("xmp:"), ())
                values[item.property] = entries or (("", text),)
                break
    return values


def _fields(foreign: Values, fields: Mapping[str, str]) -> dict[str, str]:
    """The same for EXIF, which has one text for each."""
    found: dict[str, str] = {}
    values = _values(foreign, fields)
    for item in ITEMS:
        own = _cleaned(fields.get(f"exif:{item.field}", ""))
        entries = values.get(item.property, ())
        if not item.field or not entries:
            continue
        texts = [text for _, text in entries]
        joined = "; ".join(texts) if item.property in xmp.ORDERED else texts[0]
        found[item.field] = joined if own.lower().startswith(tuple(GRAPHS)) else own or joined
    return found


def _texts(reading: Reading, fields: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The texts of a PNG, then those of other places that have a keyword in a PNG."""
    texts = [
        (block.key, read_text(block.data))
        for block in reading.blocks
        if block.kind == "text" and block.key and not block.key.startswith(STALE)
    ]
    texts = [one for one in texts if one[0] != PARAMETERS or not is_ours(one[1])]
    found: dict[str, str] = {}
    for name, text in fields.items():
        key = next((GRAPHS[head] for head in GRAPHS if text.lower().startswith(head)), "")
        if name.startswith("exif:") and key:
            found[key] = text.partition(":")[2]
    comment = fields.get("comment", "")
    for text in (fields.get("exif:UserComment", ""), comment):
        if text and not is_ours(text) and _are_parameters(text):
            found.setdefault(PARAMETERS, text)
    if reading.source == FOOOCUS and PARAMETERS in found:
        is_own = found[PARAMETERS].lstrip().startswith("{")
        found[SCHEME] = "fooocus" if is_own else "a1111"
    if comment and comment != found.get(PARAMETERS) and not is_ours(comment):
        found[COMMENT] = comment
    present = dict(texts)
    return (*texts, *(one for one in found.items() if one[0] not in present))


def _are_parameters(text: str) -> bool:
    """Whether a program reads this text as the `parameters` of a PNG."""
    readers: tuple[Callable[[Mapping[str, str]], object], ...] = tuple(one for _, one in READERS)
    return any(reader({PARAMETERS: text}) is not None for reader in readers)


def _cleaned(text: str) -> str:
    """A text without NUL, which separates photographer and editor in EXIF."""
    return "; ".join(part.strip() for part in text.split("\0") if part.strip())
