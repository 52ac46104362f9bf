"""Finds the images of an answer, wherever it has them and however it names them.

Known names are tried first. If they lead to no image, everything else is searched for texts that
can only be images.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.http.replies import MARK, parse_json
from flux_cli.images.containers.registry import sniff
from flux_cli.images.digests import digest_of
from flux_cli.providers.reading.tasks import state_of
from flux_cli.providers.reading.walk import fold, folded

# Names without `_` and `-`, in lower case.
INLINE = (  # the text is base64, with or without a prefix
    "b64json", "b64", "base64", "b64image", "base64image", "imageb64", "imagebase64", "imagebytes",
    "bytesbase64encoded", "b64data", "base64data", "binarydatabase64", "imagedata",
)  # fmt: skip
ADDRESS = (  # the text is a URL, which may be relative
    "url", "uri", "imageurl", "imageurls", "imageuri", "sample", "resulturls", "resultimageurl",
    "outputurl", "downloadurl", "signedurl", "fileurl", "fileuri", "primaryurl", "publicurl",
)  # fmt: skip
# Objects, lists and texts under these names are looked at in this order, and the first that has an
# image wins.
PLACES = (
    "data", "images", "output", "outputs", "result", "results", "artifacts",
    "predictions", "generations", "generatedimages", "candidates", "choices", "message", "content",
    "parts", "inlinedata", "response", "taskresult", "samples", "items", "files", "file", "media",
    "picture", "pictures", "urls", "resultjson", *INLINE, *ADDRESS,
    "image",  # the last one: beside a result, it may repeat the request
)  # fmt: skip
NAMES = frozenset(("image", *INLINE, *ADDRESS))  # an object with one of them is one image
# Texts under these of them are for people, unless they can only be images.
TALK = frozenset(("message", "content", "response", "choices", "candidates", "parts", "taskresult"))
# What servers repeat of the request, or say about it: never searched for images.
ASIDES = frozenset((
    "input", "inputs", "request", "parameters", "params", "init", "initimage", "mask", "error",
    "errors", "usage", "logs", "links", "user", "icon", "iconurl", "webhook",
    "payload", "config", "meta", "metadata", "args", "arguments", "kwargs", "options", "settings",
))  # fmt: skip
REQUESTED = ("input", "source", "init", "control", "reference", "mask")  # names that begin so, too
ORNAMENTS = ("prompt", "thumb", "avatar", "logo", "watermark")  # names with one, too
LESSER = ("preview", "small", "tiny", "lowres", "blur", "placeholder")  # only if there is no other
MARKDOWN = r"!\[[^\]\n]{0,1000}\]\(\s*([^\s)]+)"  # an image in a text
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif")
MAX_DEPTH = 12  # levels of an answer that are searched
MAX_PARTS = 500_000  # values of an answer that are looked at
HEAD = 64  # characters of base64 that show the format of an image
SMALLEST = 40  # characters of base64 of the smallest image
SHORTEST = 100  # characters of base64 that is taken for an image of an unknown format


class Found(NamedTuple):
    """One image of an answer.

    `sources` are the places where it is, best first: marks of files, data URIs, URLs. `fields`
    are the values beside it, such as its seed.
    """

    sources: tuple[str, ...]
    fields: dict[str, Json]


def find_images(body: Json, left_out: frozenset[str] = frozenset()) -> list[Found]:
    """The images of an answer, in its order.

    `left_out` are digests of images that are not meant, such as those of the request.
    """
    found = _Search(left_out, knows_name=True).look("", body, {}, MAX_DEPTH)
    if found:
        return found
    for ignored in (LESSER, ()):
        found = _Search(left_out, knows_name=False, ignored=ignored).look("", body, {}, MAX_DEPTH)
        if found:  # one image may be in two places
            return list({image.sources: image for image in found}.values())
    return []


def source_of(name: str, text: str) -> str:
    """The mark, data URI or URL of the image that a text under this name is; "" if it is none."""
    if text.startswith(MARK) or text[:5].lower() == "data:":
        return text
    name = fold(name)
    if name in TALK:
        return _certain_source(text)
    is_address = "://" in text[:16]
    if name in INLINE and text and not is_address:
        return f"data:;base64,{text}"
    if not is_address and _is_base64(text):
        return f"data:;base64,{text}"
    is_path = text.startswith("/") or _is_named_as_image(text)
    is_path = is_path and text.isprintable() and " " not in text
    if name in ADDRESS or is_address or is_path:
        return text
    return ""


class _Search:
    """One search of an answer: by known names, or for all that can only be an image."""

    def __init__(
        self, left_out: frozenset[str], *, knows_name: bool, ignored: tuple[str, ...] = ()
    ) -> None:
        self._knows_name, self._left = knows_name, MAX_PARTS
        self._left_out, self._ignored = left_out, ignored

    def look(self, name: str, value: Json, beside: dict[str, Json], depth: int) -> list[Found]:
        """The images in a value under `name`. `beside` are the fields of the object around it."""
        self._left -= 1
        if depth < 0 or self._left < 0:
            return []
        if isinstance(value, str):
            inner = parse_json(value.encode()) if value[:1] in ("{", "[") else None
            if inner:
                return self.look(name, inner, beside, depth - 1)
            source = self._source(name, value)
            return [Found((source,), beside)] if source else []
        if isinstance(value, dict):
            return self._look_in_object(value, depth)
        found: list[Found] = []
        for part in value if isinstance(value, list) else ():
            found += self.look(name, part, beside, depth - 1)
        return found

    def _look_in_object(self, fields: dict[str, Json], depth: int) -> list[Found]:
        """The images inside an object, or else the one that the object itself is."""
        if state_of(folded(fields)) in ("failed", "running"):
            return []  # images of the request, or previews
        texts: list[tuple[str, str]] = []
        inner: list[Found] = []
        for name, value in self._parts(fields):
            if isinstance(value, str) and value[:1] not in ("{", "["):
                texts.append((name, value))
            elif not inner or not self._knows_name:
                inner += self.look(name, value, fields, depth - 1)
        own = self._own_sources(texts)
        if not inner:
            return self._images_of(own, fields)
        is_same_image = len(inner) == 1 and self._knows_name
        inline = tuple(source for source in own if source.startswith((MARK, "data:")))
        if is_same_image and inline:
            return [Found((*inline, *inner[0].sources), {**fields, **inner[0].fields})]
        return inner

    def _images_of(self, sources: list[str], fields: dict[str, Json]) -> list[Found]:
        """The image of an object that names it several times, or several of unknown names."""
        if not sources:
            return []
        if self._knows_name or not folded(fields).keys().isdisjoint(NAMES):
            return [Found(tuple(sources), fields)]
        return [Found((source,), fields) for source in sources]

    def _own_sources(self, texts: list[tuple[str, str]]) -> list[str]:
        """The sources among the texts of an object: what is in the answer before addresses."""
        found = []
        for name, text in texts:
            source = self._source(name, text)
            if source and source not in found:
                found.append(source)
        return sorted(found, key=lambda source: not source.startswith((MARK, "data:")))

    def _source(self, name: str, text: str) -> str:
        """The source that a text is; "" if it is none, or one that is not meant."""
        source = source_of(name, text) if self._knows_name else _certain_source(text)
        is_left_out = self._left_out and source and digest_of(source) in self._left_out
        return "" if is_left_out else source

    def _parts(self, fields: dict[str, Json]) -> Iterator[tuple[str, Json]]:
        """The parts of an object that may lead to images, in the order in which they count."""
        named = folded(fields)
        if self._knows_name:
            yield from ((name, named[name]) for name in PLACES if name in named)
            return
        for name, value in named.items():
            if not _is_aside(name) and not any(word in name for word in self._ignored):
                yield name, value


def _is_aside(name: str) -> bool:
    """Whether what has this folded name is about the request, or beside the image."""
    if name in ASIDES or name.startswith(REQUESTED):
        return True
    return any(word in name for word in ORNAMENTS)


def _certain_source(text: str) -> str:
    """A text under an unknown name if it can only be an image; else ""."""
    if text.startswith((MARK, "data:image/")):
        return text
    if "://" in text[:16]:
        return text if _is_named_as_image(text) else ""
    if shown := re.search(MARKDOWN, text):
        address = shown[1]
        is_image = "://" in address[:16] or address.startswith((MARK, "data:image/"))
        return address if is_image else ""
    return f"data:;base64,{text}" if _begins_as_image(text) else ""


def _is_named_as_image(address: str) -> bool:
    return address.partition("?")[0].lower().endswith(SUFFIXES)


def _is_base64(text: str) -> bool:
    """Whether a text is base64 of an image, also if it looks like a path as JPEGs do."""
    if _begins_as_image(text):
        return True
    return len(text) >= SHORTEST and len(text) % 4 == 0 and bool(_decoded(text))


def _begins_as_image(text: str) -> bool:
    return len(text) >= SMALLEST and sniff(_decoded(text[:HEAD])) is not None


def _decoded(text: str) -> bytes:
    """The bytes of base64 text, without a last group that is not complete; b"" for other text."""
    packed = "".join(text.split())
    try:
        return base64.b64decode(packed[: len(packed) // 4 * 4], validate=True)
    except (binascii.Error, ValueError):
        return b""
