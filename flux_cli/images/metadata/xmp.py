"""XMP packets: writes a record as RDF, also into an existing packet, and reads properties.

Properties of other programs are never changed or removed. Those of flux are in a separate
rdf:Description, which the next record replaces. Sources: XMP specification (ISO 16684-1), IPTC
Photo Metadata Standard 2025.1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence

from flux_cli.images.metadata.record import SOURCE_TYPES, Record, document
from flux_cli.images.metadata.xmp_scan import (
    MAX_PACKET,
    OPENING,
    PREFIXES,
    RDF,
    RECORD,
    Entry,
    Scan,
    XmpError,
    scan,
    trim,
)

# Properties that are lists: in order, or one text in several languages. All others are plain.
ORDERED = ("dc:creator",)
BY_LANGUAGE = ("dc:description", "dc:rights", "dc:title", "xmpRights:UsageTerms")
_EMPTY = f"""\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="{RDF}">
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>""".encode()
_NOT_XML = "[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"


def packet(record: Record, existing: bytes | None = None) -> bytes:
    """A packet with the record. Properties of `existing` are kept and not written a second time.

    Raises XmpError for an existing packet that cannot be added to.
    """
    if existing is None:
        base, found = _EMPTY, Scan({}, "", _EMPTY.index(b"</rdf:RDF>"), ())
    else:
        base = trim(existing)
        found = scan(base)
    if b"\0" in base or not base.startswith(b"</", found.end) or not _is_utf8(base):
        raise XmpError("the image has XMP to which nothing can be added")
    if found.ours:
        base = _remove(base, found.ours)
        found = scan(base)
    if RECORD in found.values:
        raise XmpError("the XMP of the image was rewritten by another tool")
    description = _description(record, found).encode()
    merged = b"".join((base[: found.end], description, base[found.end :]))
    if len(merged) > MAX_PACKET:
        raise XmpError(f"the details are longer than {MAX_PACKET >> 20} MiB")
    return merged


def new_packet(values: Mapping[str, Sequence[Entry]]) -> bytes:
    """A packet with these properties, under the prefixes of PREFIXES."""
    used = {name.partition(":")[0] for name in values}
    namespaces = [f'xmlns:{name}="{uri}"' for uri, name in PREFIXES.items() if name in used]
    lines = [_listed(name, entries) for name, entries in values.items()]
    head = f'<rdf:Description rdf:about="" {" ".join(namespaces)}>'
    description = "\n".join([head, *lines, "</rdf:Description>\n"]).encode()
    return _EMPTY.replace(b"</rdf:RDF>", description + b"</rdf:RDF>")


def properties(data: bytes) -> dict[str, str]:
    """The properties of a packet as text.

    Raises XmpError for anything but XMP, for packets that are too large or declare entities.
    """
    return scan(trim(data)).properties


def foreign_values(data: bytes) -> dict[str, tuple[Entry, ...]]:
    """The properties that flux has not written, with their entries. Raises XmpError."""
    base = trim(data)
    found = scan(base)
    return scan(_remove(base, found.ours)).values if found.ours else found.values


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _remove(data: bytes, spans: tuple[tuple[int, int], ...]) -> bytes:
    for start, end in reversed(spans):
        data = data[:start] + data[end:]
    return data


def _description(record: Record, found: Scan) -> str:
    """The rdf:Description of flux: the record, and its fields under names that others know."""
    body = json.dumps(document(record), ensure_ascii=False, separators=(",", ":"))
    exact = _without_invalid(body, lambda found: f"\\u{ord(found[0]):04x}")
    fields = {
        "Iptc4xmpExt:DigitalSourceType": record.source_type and SOURCE_TYPES + record.source_type,
        "Iptc4xmpExt:AISystemUsed": record.model,
        "Iptc4xmpExt:AIPromptInformation": record.prompt,
        "xmp:CreatorTool": record.tool,
        "xmp:CreateDate": record.created,
        "dc:description": record.prompt,
    }
    lines = [f"<{RECORD}>{_escape(exact)}</{RECORD}>"]
    for name, value in fields.items():
        if value and name not in found.values:
            lines.append(_property(name, value))
    about = _escape(found.about).replace('"', "&quot;")
    head = f'{OPENING} rdf:about="{about}">'
    return "\n".join([head, *lines, "</rdf:Description>\n"])


def _property(name: str, value: str) -> str:
    """One property as an element. A description is a list of alternatives by language."""
    return _listed(name, [("", value)])


def _listed(name: str, entries: Sequence[Entry]) -> str:
    """One property as an element, as the list that the standard wants."""
    texts = [_escape(_without_invalid(text, "\ufffd")) for _, text in entries]
    if name in ORDERED:
        listed = "".join(f"<rdf:li>{text}</rdf:li>" for text in texts)
        return f"<{name}><rdf:Seq>{listed}</rdf:Seq></{name}>"
    if name not in BY_LANGUAGE:
        return f"<{name}>{', '.join(texts)}</{name}>"
    languages = [_escape(language).replace('"', "&quot;") for language, _ in entries]
    pairs = zip(languages, texts, strict=True)
    listed = "".join(
        f'<rdf:li xml:lang="{language or "x-default"}">{text}</rdf:li>' for language, text in pairs
    )
    return f"<{name}><rdf:Alt>{listed}</rdf:Alt></{name}>"


def _without_invalid(text: str, replacement: str | Callable[[re.Match[str]], str]) -> str:
    """The text with a replacement for the characters that XML cannot contain."""
    if text.isprintable():  # most are, and compiling the pattern takes a millisecond
        return text
    return re.sub(_NOT_XML, replacement, text)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
