"""XMP packets: writes a record as RDF, also into an existing packet, and reads properties.

Properties of other programs are never changed or removed. Those of flux are in a separate
rdf:Description, which the next record replaces. Sources: XMP specification (ISO 16684-1), IPTC
Photo Metadata Standard 2025.1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from flux_cli.core.lite import NamedTuple
from flux_cli.images.metadata.record import SOURCE_TYPES, Record, document

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
FLUX = "urn:flux-image-cli:metadata#"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
DC = "http://purl.org/dc/elements/1.1/"
PREFIXES = {
    FLUX: "flux",
    DC: "dc",
    IPTC: "Iptc4xmpExt",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://purl.org/dc/terms/": "dcterms",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "Iptc4xmpCore",
}
WRITTEN = ("flux", "dc", "Iptc4xmpExt", "xmp")  # the namespaces of the description that flux writes
RECORD = "flux:Record"
REMOTE = "dcterms:provenance"  # the address of signed credentials that are stored elsewhere
MAX_PACKET = 16 << 20  # bytes of XMP; even the longest prompt made only of ampersands fits
MAX_ELEMENTS = 50_000  # the edit history of an image has a few thousand
MAX_DEPTH = 100  # of nested elements; real packets stay below ten

_WRITTEN_PREFIXES = {uri: name for uri, name in PREFIXES.items() if name in WRITTEN}
_NAMESPACES = [f'xmlns:{name}="{uri}"' for uri, name in {RDF: "rdf", **_WRITTEN_PREFIXES}.items()]
_OPENING = f"<rdf:Description {' '.join(_NAMESPACES)}"
_EMPTY = f"""\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="{RDF}">
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>""".encode()
_NOT_XML = "[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"


class XmpError(ValueError):
    """A packet that cannot be read or added to; the message says why."""


class Scan(NamedTuple):
    """What was found in a packet. Positions are byte offsets."""

    properties: dict[str, str]  # "dc:description" -> the first text
    about: str
    end: int  # the end of the RDF, where another description can be added
    ours: tuple[tuple[int, int], ...]  # start and end of what flux wrote before


def packet(record: Record, existing: bytes | None = None) -> bytes:
    """A packet with the record. Properties of `existing` are kept and not written a second time.

    Raises XmpError for an existing packet that cannot be added to.
    """
    if existing is None:
        base, scan = _EMPTY, Scan({}, "", _EMPTY.index(b"</rdf:RDF>"), ())
    else:
        base = _trim(existing)
        scan = _scan(base)
    if b"\0" in base or not base.startswith(b"</", scan.end) or not _is_utf8(base):
        raise XmpError("the image has XMP to which nothing can be added")
    if scan.ours:
        base = _remove(base, scan.ours)
        scan = _scan(base)
    if RECORD in scan.properties:
        raise XmpError("the XMP of the image was rewritten by another tool")
    merged = b"".join((base[: scan.end], _description(record, scan).encode(), base[scan.end :]))
    if len(merged) > MAX_PACKET:
        raise XmpError(f"the details are longer than {MAX_PACKET >> 20} MiB")
    return merged


def properties(data: bytes) -> dict[str, str]:
    """The properties of a packet as text.

    Raises XmpError for anything but XMP, for packets that are too large or declare entities.
    """
    return _scan(_trim(data)).properties


def _trim(data: bytes) -> bytes:
    """The packet without NUL bytes around it. In UTF-16 they are part of characters and stay."""
    return data if data.startswith((b"\xff\xfe", b"\xfe\xff")) else data.strip(b"\0")


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


def _description(record: Record, scan: Scan) -> str:
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
        if value and name not in scan.properties:
            lines.append(_property(name, value))
    about = _escape(scan.about).replace('"', "&quot;")
    head = f'{_OPENING} rdf:about="{about}">'
    return "\n".join([head, *lines, "</rdf:Description>\n"])


def _property(name: str, value: str) -> str:
    """One property as an element. A description is a list of alternatives by language."""
    text = _escape(_without_invalid(value, "\ufffd"))
    if name == "dc:description":
        text = f'<rdf:Alt><rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt>'
    return f"<{name}>{text}</{name}>"


def _without_invalid(text: str, replacement: str | Callable[[re.Match[str]], str]) -> str:
    """The text with a replacement for the characters that XML cannot contain."""
    if text.isprintable():  # most are, and compiling the pattern takes a millisecond
        return text
    return re.sub(_NOT_XML, replacement, text)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _scan(data: bytes) -> Scan:
    """Read a packet in one pass of expat, without building a tree or expanding entities."""
    from xml.parsers import expat  # most images arrive without XMP

    if len(data) > MAX_PACKET:
        raise XmpError(f"its XMP is larger than {MAX_PACKET >> 20} MiB")
    scanner = _Scanner(data)
    try:
        scanner.parser.Parse(data, True)  # noqa: FBT003 - expat's own signature
    except expat.ExpatError as fault:
        raise XmpError(f"its XMP is not XML: {expat.errors.messages[fault.code]}") from fault
    except XmpError:
        raise
    except (ValueError, LookupError) as fault:  # unknown encodings
        raise XmpError("its XMP is not text") from fault
    if scanner.end < 0:
        raise XmpError("its XMP has no RDF")
    return Scan(scanner.properties, scanner.about, scanner.end, tuple(scanner.ours))


class _Scanner:
    """The state of one pass: the path to the current element, and what was found so far."""

    def __init__(self, data: bytes) -> None:
        from xml.parsers import expat

        self._data = data
        self._path: list[str] = []
        self._text: list[str] = []
        self._elements = 0
        self._started, self._ours = -1, ""  # where an element of flux starts, and its name
        self.properties: dict[str, str] = {}
        self.about, self.end = "", -1
        self.ours: list[tuple[int, int]] = []
        self.parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._stop
        parser.CharacterDataHandler = self._text.append

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._path) >= MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise XmpError("its XMP has too many elements, or they are nested too deeply")
        self._path.append(_short_name(name))
        if self._inside("rdf:Description", 1):
            self._describe(attributes)
        elif self._inside("", 2):
            # A record outside the description of flux: another tool has moved the properties.
            if self._path[-1] == RECORD and self._started < 0:
                self._begin(RECORD)
            self._text.clear()
            if resource := attributes.get(f"{RDF} resource"):
                self._text.append(resource)

    def _describe(self, attributes: dict[str, str]) -> None:
        """Read the properties that are attributes of a description."""
        self.about = self.about or attributes.get(f"{RDF} about", "")
        for name, value in attributes.items():
            if not name.startswith(f"{RDF} "):
                self.properties.setdefault(_short_name(name), value)
        if self._data.startswith(_OPENING.encode(), self.parser.CurrentByteIndex):
            self._begin("rdf:Description")

    def _begin(self, name: str) -> None:
        self._elements = 0
        self._started, self._ours = self.parser.CurrentByteIndex, name

    def _stop(self, _name: str) -> None:
        place = self.parser.CurrentByteIndex
        if self._inside("", 2):
            entries = (entry.strip() for entry in "".join(self._text).split("\0"))
            self.properties.setdefault(self._path[-1], ", ".join(filter(None, entries)))
        elif self._path[-1] == "rdf:li":
            self._text.append("\0")  # separates the entries of a list; XML cannot contain it
        if self._started >= 0 and self._path[-1] == self._ours:
            self.ours.append((self._started, self._behind(place)))
            self._started = -1
        elif self._path[-1] == "rdf:RDF" and "rdf:RDF" not in self._path[:-1]:
            self.end = place
        self._path.pop()

    def _inside(self, name: str, depth: int) -> bool:
        """Whether the current element has a name ("": any) and is `depth` levels below the RDF."""
        if len(self._path) <= depth or self._path[-1 - depth] != "rdf:RDF":
            return False
        return not name or self._path[-1] == name

    def _behind(self, place: int) -> int:
        end = self._data.index(b">", place) + 1
        return end + (self._data[end : end + 1] == b"\n")


def _refuse(*_: object) -> None:
    raise XmpError("its XMP declares a document type, which is not allowed")


def _short_name(name: str) -> str:
    """`http://purl.org/dc/elements/1.1/ title` -> `dc:title`. Unknown namespaces stay."""
    uri, _, local = name.rpartition(" ")
    return f"rdf:{local}" if uri == RDF else f"{PREFIXES.get(uri, uri)}:{local}"
