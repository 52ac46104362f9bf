"""Reads how an image was made, from the metadata of the program that made it.

The result is one record, and all text fields as they are in the file.
"""

from __future__ import annotations

from collections.abc import Mapping

from flux_cli.core.errors import ImageError
from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers.container import Block
from flux_cli.images.containers.parts import iptc_fields, read_text
from flux_cli.images.containers.registry import inspect, read_blocks
from flux_cli.images.metadata import exif, xmp
from flux_cli.images.metadata.parameters import is_ours
from flux_cli.images.metadata.record import (
    BY_ALGORITHM,
    BY_MODEL,
    Record,
    from_document,
    known_fields,
    parse_json,
)
from flux_cli.images.metadata.xmp_scan import RECORD, REMOTE, XmpError

MAX_FIELDS = 1000
IPTC = {
    5: "ObjectName",
    65: "OriginatingProgram",
    80: "By-line",
    110: "Credit",
    115: "Source",
    116: "CopyrightNotice",
    120: "Caption",
}
# Texts that may say how an image was made, and keywords of a PNG that do not.
TELLING = (
    "exif:UserComment", "exif:ImageDescription", "xmp:exif:UserComment", "xmp:dc:description",
    "iptc:Caption",
)  # fmt: skip
SILENT = (
    "Author", "Copyright", "Creation Time", "Disclaimer", "Raw profile", "Software", "Source",
    "Title", "Warning", "date:",
)  # fmt: skip
# Source types of images that a machine made, where the description is the prompt.
MADE = (BY_MODEL, BY_ALGORITHM, "compositeWithTrainedAlgorithmicMedia")


class Reading(NamedTuple):
    """What the metadata of an image says about how it was made.

    `source` names the program or standard in whose form the record was found ("" if there is none).
    `fields` are all texts by name, and `unread` are the names of those that may say how the image
    was made, but not in a form that is known. `c2pa` says whether the image has signed content
    credentials. `problems` are sentences about metadata that could not be read.
    """

    record: Record
    source: str
    fields: dict[str, str]
    c2pa: bool
    problems: tuple[str, ...]
    unread: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    is_xmp_lost: bool = False  # some of it cannot be read

    @property
    def is_made(self) -> bool:
        """Whether a program made the image, so that what describes it may be its prompt."""
        kind = _source_type(self.fields)
        if self.source not in ("", "XMP") or kind in MADE or self.record.prompt:
            return True
        return any(self.fields[name].lstrip().startswith(("{", "[")) for name in self.unread)


def read_metadata(data: bytes) -> Reading:
    """Read how an image was made. Raises ImageError for bytes that are not a complete image."""
    return read_known(inspect(data).format, data)


def read_known(name: str, data: bytes) -> Reading:
    """Read how a complete image of a known format was made.

    Raises ImageError if its metadata does not add up.
    """
    fields: dict[str, str] = {}
    problems: list[str] = []
    c2pa = False
    blocks: list[Block] = []
    try:
        for block in read_blocks(name, data):
            blocks.append(block)
            c2pa = c2pa or block.kind == "c2pa"
            for field, text in _texts(block, problems).items():
                if len(fields) < MAX_FIELDS:
                    fields.setdefault(field, text)
    except (ValueError, IndexError) as fault:
        raise ImageError(f"the metadata of the {name} image does not add up: {fault}") from fault
    is_xmp_lost = bool(problems)
    record, source = _record(fields)
    c2pa = c2pa or f"xmp:{REMOTE}" in fields
    if source == "ComfyUI" and not record.prompt:
        problems.append("the graph of ComfyUI does not say which prompt made the image")
    is_told = record.prompt or source not in ("", "XMP")
    unread = () if is_told else tuple(filter(may_tell, fields))
    told = tuple(dict.fromkeys(problems))
    return Reading(record, source, fields, c2pa, told, unread, tuple(blocks), is_xmp_lost)


def may_tell(name: str) -> bool:
    """Whether a text of this name may say how an image was made."""
    standard, colon, _ = name.partition(":")
    if colon and standard in ("xmp", "exif", "iptc"):
        return name in TELLING
    return not name.startswith(SILENT)


def _texts(block: Block, problems: list[str]) -> dict[str, str]:
    """The texts of one block, under names that are unique among all kinds of blocks."""
    if block.kind == "xmp":
        try:
            return {f"xmp:{name}": text for name, text in xmp.properties(block.data).items()}
        except XmpError as fault:
            problems.append(str(fault))
    elif block.kind == "exif":
        return {f"exif:{name}": text for name, text in exif.texts(block.data).items()}
    elif block.kind == "iptc":
        return _iptc(block.data)
    elif block.kind == "comment":
        return {"comment": read_text(block.data)}
    elif block.kind == "text":
        return {block.key: read_text(block.data)}
    return {}


def _iptc(data: bytes) -> dict[str, str]:
    """The texts of IPTC record 2."""
    fields: dict[str, str] = {}
    for field in iptc_fields(data):
        name = IPTC.get(field.number)
        if field.record == 2 and name:
            text = read_text(data[field.start : field.end])
            before = fields.get(f"iptc:{name}")  # there may be several creators
            fields[f"iptc:{name}"] = f"{before}; {text}" if before else text
    return fields


def _record(fields: Mapping[str, str]) -> tuple[Record, str]:
    """The record of the first source that wrote one: flux, other programs, IPTC fields."""
    if not fields:
        return Record(), ""
    if ours := from_document(parse_json(fields.get(f"xmp:{RECORD}", ""))):
        return ours, "flux"
    from flux_cli.images.metadata.tools import READERS  # most new images have no metadata

    standard = _standard(fields)
    for source, reader in READERS:
        if record := reader(fields):
            text = fields.get("parameters") or fields.get("comment") or ""
            merged = standard._replace(**known_fields(record))
            return merged, "flux" if is_ours(text) else source
    return standard, "XMP" if standard != Record() else ""


def _standard(fields: Mapping[str, str]) -> Record:
    """What the IPTC fields say. Where a machine made the image, its description is the prompt."""
    kind = _source_type(fields)
    prompt = fields.get("xmp:Iptc4xmpExt:AIPromptInformation", "")
    descriptions = (
        "xmp:dc:description",
        "iptc:Caption",
        "exif:ImageDescription",
        "Description",
    )
    if kind in MADE and not prompt:
        prompt = _first(fields, descriptions)
    return Record(
        model=fields.get("xmp:Iptc4xmpExt:AISystemUsed", ""),
        prompt=prompt,
        created=fields.get("xmp:xmp:CreateDate", ""),
        tool=_first(fields, ("xmp:xmp:CreatorTool", "exif:Software", "Software")),
        source_type=kind,
    )


def _source_type(fields: Mapping[str, str]) -> str:
    return fields.get("xmp:Iptc4xmpExt:DigitalSourceType", "").rpartition("/")[2]


def _first(fields: Mapping[str, str], names: tuple[str, ...]) -> str:
    """The first of several fields that exists; "" for none."""
    return next((fields[name] for name in names if name in fields), "")
