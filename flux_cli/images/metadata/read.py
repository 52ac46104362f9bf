"""How an image was made, read from what the program that made it wrote: one record, and the fields as they stand."""

from __future__ import annotations

from collections.abc import Mapping

from flux_cli.core.errors import ImageError
from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers.whole import inspect
from flux_cli.images.metadata import exif, xmp
from flux_cli.images.metadata.blocks import Block, blocks
from flux_cli.images.metadata.record import BY_ALGORITHM, BY_MODEL, Record, from_document, parsed
from flux_cli.images.metadata.tools import READERS, is_ours

MAX_FIELDS = 1000
IPTC = {5: "ObjectName", 65: "OriginatingProgram", 80: "By-line", 110: "Credit", 115: "Source", 120: "Caption"}
MADE = (BY_MODEL, BY_ALGORITHM, "compositeWithTrainedAlgorithmicMedia")  # sources whose description is a prompt


class Reading(NamedTuple):
    """`source` names whose spelling the record was read from ("": nobody's); `fields` are all texts by their names."""

    record: Record
    source: str
    fields: dict[str, str]
    c2pa: bool
    problems: tuple[str, ...]


def read(data: bytes) -> Reading:
    """Everything an image says of how it was made. Raises ImageError for what is no whole image."""
    look = inspect(data)
    fields: dict[str, str] = {}
    problems: list[str] = []
    c2pa = False
    try:
        for block in blocks(data):
            c2pa = c2pa or block.kind == "c2pa"
            for name, text in _texts(block, problems).items():
                if len(fields) < MAX_FIELDS:
                    fields.setdefault(name, text)
    except (ValueError, IndexError) as fault:
        raise ImageError(f"the metadata of the {look.format} image do not add up: {fault}") from fault
    record, source = _record(fields)
    return Reading(record, source, fields, c2pa or f"xmp:{xmp.REMOTE}" in fields, tuple(dict.fromkeys(problems)))


def _texts(block: Block, problems: list[str]) -> dict[str, str]:
    """The texts of one block, by names that no two kinds share."""
    if block.kind == "xmp":
        try:
            return {f"xmp:{name}": text for name, text in xmp.properties(block.data).items()}
        except xmp.XmpError as fault:
            problems.append(str(fault))
    elif block.kind == "exif":
        return {f"exif:{name}": text for name, text in exif.texts(block.data).items()}
    elif block.kind == "iptc":
        return _iptc(block.data)
    elif block.kind == "comment":
        return {"comment": block.data.decode("utf-8", "replace")}
    elif block.kind == "text":
        return {block.key: block.data.decode("utf-8", "replace")}
    return {}


def _iptc(data: bytes) -> dict[str, str]:
    """Datasets of record 2: a mark, two numbers, a length, the text."""
    found, at = {}, 0
    while data[at : at + 1] == b"\x1c" and at + 5 <= len(data):
        length = int.from_bytes(data[at + 3 : at + 5], "big")
        if data[at + 1] == 2 and (name := IPTC.get(data[at + 2])):
            found[f"iptc:{name}"] = data[at + 5 : at + 5 + length].decode("utf-8", "replace")
        at += 5 + length
    return found


def _record(fields: Mapping[str, str]) -> tuple[Record, str]:
    """The record of the first spelling that is there: our own, a program's, then the standard's."""
    if ours := from_document(parsed(fields.get(f"xmp:{xmp.RECORD}", ""))):
        return ours, "flux"
    standard = _standard(fields)
    for source, reader in READERS.items():
        if record := reader(fields):
            said = {name: value for name, value in record._asdict().items() if value not in ("", None, {})}
            mine = "flux" if is_ours(fields.get("parameters") or fields.get("comment") or "") else source
            return standard._replace(**said), mine
    return standard, "XMP" if standard != Record() else ""


def _standard(fields: Mapping[str, str]) -> Record:
    """What the IPTC's fields say; a description is a prompt where a machine made the image, and only there."""
    kind = fields.get("xmp:Iptc4xmpExt:DigitalSourceType", "").rpartition("/")[2]
    model = fields.get("xmp:Iptc4xmpExt:AISystemUsed", "")
    prompt = fields.get("xmp:Iptc4xmpExt:AIPromptInformation", "")
    described = ("xmp:dc:description", "iptc:Caption", "exif:ImageDescription", "Description")
    if kind in MADE and not prompt:
        prompt = next((fields[name] for name in described if name in fields), "")
    tools = ("xmp:xmp:CreatorTool", "exif:Software", "Software")
    return Record(
        model=model,
        prompt=prompt,
        created=fields.get("xmp:xmp:CreateDate", ""),
        tool=next((fields[name] for name in tools if name in fields), ""),
        source_type=kind,
    )
