"""Reads XMP packets: the properties, and where in the packet they are. Nothing is expanded.

Source: XMP specification (ISO 16684-1). `xmp` writes.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TypeAlias

from flux_cli.core.lite import NamedTuple

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
FLUX = "urn:flux-image-cli:metadata#"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
DC = "http://purl.org/dc/elements/1.1/"
LANGUAGE = "http://www.w3.org/XML/1998/namespace lang"
PREFIXES = {
    FLUX: "flux",
    DC: "dc",
    IPTC: "Iptc4xmpExt",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/rights/": "xmpRights",
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
OPENING = f"<rdf:Description {' '.join(_NAMESPACES)}"  # how the description of flux begins
_TAG = re.compile(rb"""<(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
_ATTRIBUTE = re.compile(rb"""\s[\w.-]+:([\w.-]+)\s*=\s*(?:"[^"]*"|'[^']*')""")

Entry: TypeAlias = tuple[str, str]  # a language ("" for none) and a text


class XmpError(ValueError):
    """A packet that cannot be read or added to; the message says why."""


class Span(NamedTuple):
    """Where a property stands in a packet, as byte offsets."""

    name: str
    start: int
    end: int


class Scan(NamedTuple):
    """What was found in a packet. Positions are byte offsets."""

    values: dict[str, tuple[Entry, ...]]  # by name, such as "dc:description"
    about: str
    end: int  # the end of the RDF, where another description can be added
    ours: tuple[tuple[int, int], ...]  # start and end of what flux wrote before
    spans: tuple[Span, ...] = ()

    @property
    def properties(self) -> dict[str, str]:
        """The properties as texts: the entries of a list one after the other."""
        found = {}
        for name, entries in self.values.items():
            found[name] = ", ".join(text for _, text in entries)
        return found


def trim(data: bytes) -> bytes:
    """The packet without NUL bytes around it. In UTF-16 they are part of characters and stay."""
    return data if data.startswith((b"\xff\xfe", b"\xfe\xff")) else data.strip(b"\0")


def scan(data: bytes) -> Scan:
    """Read a trimmed packet in one pass of expat, without building a tree or expanding entities.

    Raises XmpError for anything but XMP, for packets that are too large or declare entities.
    """
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
    ours, spans = tuple(scanner.ours), tuple(scanner.spans)
    return Scan(scanner.values, scanner.about, scanner.end, ours, spans)


class _Scanner:
    """The state of one pass: the path to the current element, and what was found so far."""

    def __init__(self, data: bytes) -> None:
        from xml.parsers import expat

        self._data = data
        self._path: list[str] = []
        self._text: list[str] = []
        self._language = ""
        self._languages: list[str] = []  # of the entries of the current property
        self._property = 0  # where the current one starts
        self._elements = 0
        self._started, self._ours = -1, ""  # where an element of flux starts, and its name
        self.values: dict[str, tuple[Entry, ...]] = {}
        self.spans: list[Span] = []
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
            self._languages.clear()
            self._property = self.parser.CurrentByteIndex
            if resource := attributes.get(f"{RDF} resource"):
                self._text.append(resource)
        elif self._path[-1] == "rdf:li":
            self._language = attributes.get(LANGUAGE, "")

    def _describe(self, attributes: dict[str, str]) -> None:
        """Read the properties that are attributes of a description."""
        self.about = self.about or attributes.get(f"{RDF} about", "")
        for name, value in attributes.items():
            if not name.startswith(f"{RDF} "):
                self.values.setdefault(_short_name(name), (("", value),))
        place = self.parser.CurrentByteIndex
        self._locate(place, {name.rpartition(" ")[2]: _short_name(name) for name in attributes})
        if self._data.startswith(OPENING.encode(), place):
            self._begin("rdf:Description")

    def _locate(self, place: int, names: dict[str, str]) -> None:
        """Note where the attributes of a description are; `names` are theirs by local name."""
        if not names or not (tag := _TAG.match(self._data, place)):
            return
        for found in _ATTRIBUTE.finditer(tag[0]):
            if name := names.get(found[1].decode("latin-1")):
                self.spans.append(Span(name, place + found.start(), place + found.end()))

    def _begin(self, name: str) -> None:
        self._elements = 0
        self._started, self._ours = self.parser.CurrentByteIndex, name

    def _stop(self, _name: str) -> None:
        place = self.parser.CurrentByteIndex
        if self._inside("", 2):
            self._end_property(place)
        elif self._path[-1] == "rdf:li":
            self._text.append("\0")  # separates the entries of a list; XML cannot contain it
            self._languages.append(self._language)
        if self._started >= 0 and self._path[-1] == self._ours:
            self.ours.append((self._started, self._behind(place)))
            self._started = -1
        elif self._path[-1] == "rdf:RDF" and "rdf:RDF" not in self._path[:-1]:
            self.end = place
        self._path.pop()

    def _end_property(self, place: int) -> None:
        texts = (text.strip() for text in "".join(self._text).split("\0"))
        pairs = zip_longest(self._languages, texts, fillvalue="")
        entries = tuple((language, text) for language, text in pairs if text)
        self.values.setdefault(self._path[-1], entries)
        is_empty = not self._data.startswith(b"</", place)  # an element without an end tag
        end = place if is_empty else self._data.index(b">", place) + 1
        self.spans.append(Span(self._path[-1], self._property, end))

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
