"""XMP packets: a record as RDF, merged into a packet that is there already, and the properties of any packet.

Foreign properties are never changed or removed; ours stand in one rdf:Description of their own, which a second writing
replaces. Sources: XMP specification (ISO 16684-1), IPTC Photo Metadata Standard 2025.1.
"""

from __future__ import annotations

import json
import re
from xml.parsers import expat

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
WRITTEN = ("flux", "dc", "Iptc4xmpExt", "xmp")  # the namespaces of our own description
RECORD = "flux:Record"
REMOTE = "dcterms:provenance"  # the address of signed credentials that lie elsewhere
MAX_PACKET = 16 << 20  # bytes of XMP; the longest prompt of nothing but ampersands fits
MAX_ELEMENTS = 50_000  # an editor's whole history has some thousands
MAX_DEPTH = 100  # of nested elements; real packets stay below ten

_OPENING = "<rdf:Description {}".format(
    " ".join(f'xmlns:{name}="{uri}"' for uri, name in [(RDF, "rdf"), *PREFIXES.items()] if name in ("rdf", *WRITTEN))
)
_EMPTY = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    f'<rdf:RDF xmlns:rdf="{RDF}">\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>'
).encode()
_NOT_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class XmpError(ValueError):
    """A packet that is not read, or that ours cannot be merged into; the message says why."""


class Scan(NamedTuple):
    """One reading of a packet. Places are byte offsets."""

    properties: dict[str, str]  # "dc:description" -> its text; of several, the first
    about: str
    end: int  # of the RDF: where another description can stand
    ours: tuple[tuple[int, int], ...]  # what an earlier writing of ours left


def packet(record: Record, existing: bytes | None = None) -> bytes:
    """The packet with the record in it. What `existing` says already is kept as it is, and not said twice.

    Raises XmpError where the existing packet cannot be added to.
    """
    base = _EMPTY if existing is None else _trimmed(existing)
    scan = _scan(base)
    if b"\0" in base or not base.startswith(b"</", scan.end) or not _is_utf8(base):
        raise XmpError("the image's own XMP is of a kind that cannot be added to")
    if scan.ours:
        base = _without(base, scan.ours)
        scan = _scan(base)
    if RECORD in scan.properties:
        raise XmpError("the image's own XMP was rewritten by another tool")
    merged = b"".join((base[: scan.end], _description(record, scan).encode(), base[scan.end :]))
    if len(merged) > MAX_PACKET:
        raise XmpError(f"the details are longer than {MAX_PACKET >> 20} MiB")
    return merged


def properties(data: bytes) -> dict[str, str]:
    """The properties of a packet as text. Raises XmpError for what is no XMP, too large, or declares entities."""
    return _scan(_trimmed(data)).properties


def _trimmed(data: bytes) -> bytes:
    """The packet without the NUL bytes some writers pad it with; in UTF-16 they belong to its characters."""
    return data if data.startswith((b"\xff\xfe", b"\xfe\xff")) else data.strip(b"\0")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _without(data: bytes, spans: tuple[tuple[int, int], ...]) -> bytes:
    for start, end in reversed(spans):
        data = data[:start] + data[end:]
    return data


def _description(record: Record, scan: Scan) -> str:
    """Our rdf:Description: the record whole, and its fields under the names that other tools know."""
    body = json.dumps(document(record), ensure_ascii=False, separators=(",", ":"))
    exact = _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", body)
    alternatives = '<rdf:Alt><rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt>'
    fields = {
        "Iptc4xmpExt:DigitalSourceType": record.source_type and SOURCE_TYPES + record.source_type,
        "Iptc4xmpExt:AISystemUsed": record.model,
        "Iptc4xmpExt:AIPromptInformation": record.prompt,
        "xmp:CreatorTool": record.tool,
        "xmp:CreateDate": record.created,
        "dc:description": record.prompt,
    }
    lines = [f"<{RECORD}>{_escaped(exact)}</{RECORD}>"]
    for name, value in fields.items():
        if value and name not in scan.properties:
            text = _escaped(_NOT_XML.sub("\ufffd", value))
            lines.append(f"<{name}>{alternatives.format(text) if name == 'dc:description' else text}</{name}>")
    about = _escaped(scan.about).replace('"', "&quot;")
    head = f'{_OPENING} rdf:about="{about}">'
    return "\n".join([head, *lines, "</rdf:Description>\n"])


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _scan(data: bytes) -> Scan:
    """Read a packet in one pass of expat, which keeps no tree and expands nothing that is not declared."""
    if len(data) > MAX_PACKET:
        raise XmpError(f"its XMP is larger than {MAX_PACKET >> 20} MiB")
    scanner = _Scanner(data)
    try:
        scanner.parser.Parse(data, True)  # noqa: FBT003 - expat's own signature
    except expat.ExpatError as fault:
        raise XmpError(f"its XMP is no XML: {expat.errors.messages[fault.code]}") from fault
    except XmpError:
        raise
    except (ValueError, LookupError) as fault:  # encodings that Python does not know, or that are none
        raise XmpError("its XMP is no text") from fault
    if scanner.end < 0:
        raise XmpError("its XMP holds no RDF")
    return Scan(scanner.properties, scanner.about, scanner.end, tuple(scanner.ours))


class _Scanner:
    """The state of one pass: the path to the element at hand, and what was found so far."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._path: list[str] = []
        self._text: list[str] = []
        self._elements = 0
        self._begun, self._ours = -1, ""  # where an element of ours began, and its name
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
            raise XmpError("its XMP has more or deeper elements than any image needs")
        self._path.append(_named(name))
        if self._inside("rdf:Description", 1):
            self._describe(attributes)
        elif self._inside("", 2):
            if self._path[-1] == RECORD and self._begun < 0:  # another tool has sorted the properties anew
                self._begin(RECORD)
            self._text.clear()
            if resource := attributes.get(f"{RDF} resource"):
                self._text.append(resource)

    def _describe(self, attributes: dict[str, str]) -> None:
        """Properties may be attributes of their description."""
        self.about = self.about or attributes.get(f"{RDF} about", "")
        for name, value in attributes.items():
            if not name.startswith(f"{RDF} "):
                self.properties.setdefault(_named(name), value)
        if self._data.startswith(_OPENING.encode(), self.parser.CurrentByteIndex):
            self._begin("rdf:Description")

    def _begin(self, name: str) -> None:
        self._elements = 0
        self._begun, self._ours = self.parser.CurrentByteIndex, name

    def _stop(self, _name: str) -> None:
        place = self.parser.CurrentByteIndex
        if self._inside("", 2):
            entries = (entry.strip() for entry in "".join(self._text).split("\0"))
            self.properties.setdefault(self._path[-1], ", ".join(filter(None, entries)))
        elif self._path[-1] == "rdf:li":
            self._text.append("\0")  # between the entries of a list; no XML holds it
        if self._begun >= 0 and self._path[-1] == self._ours:
            self.ours.append((self._begun, self._behind(place)))
            self._begun = -1
        elif self._path[-1] == "rdf:RDF" and "rdf:RDF" not in self._path[:-1]:
            self.end = place
        self._path.pop()

    def _inside(self, name: str, depth: int) -> bool:
        """Whether the element at hand stands `depth` levels below the RDF, and has that name ("": any)."""
        path = self._path
        return len(path) > depth and path[-1 - depth] == "rdf:RDF" and (not name or path[-1] == name)

    def _behind(self, place: int) -> int:
        end = self._data.index(b">", place) + 1
        return end + (self._data[end : end + 1] == b"\n")


def _refuse(*_: object) -> None:
    raise XmpError("its XMP declares a document type, which no image needs")


def _named(name: str) -> str:
    """`http://purl.org/dc/elements/1.1/ title` -> `dc:title`; an unknown namespace stays as it is."""
    uri, _, local = name.rpartition(" ")
    return f"rdf:{local}" if uri == RDF else f"{PREFIXES.get(uri, uri)}:{local}"
