"""The files of an asset: their paths, and the digest of how each is made from the original."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.digests import output_digest
from flux_cli.build.manifest.paths import inside
from flux_cli.build.manifest.templates import Template
from flux_cli.core import options
from flux_cli.core.errors import ManifestError, UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.options import fill
from flux_cli.core.ratio import parse_side
from flux_cli.images.destination import read_destination
from flux_cli.images.finish import parse_quality, read_finish
from flux_cli.images.formats import FORMATS
from flux_cli.request.styles.values import as_option, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flux_cli.build.manifest.reading import Values
    from flux_cli.core.model import Json
    from flux_cli.images.destination import Destination
    from flux_cli.images.finish import Finish

SIDECAR = "json"  # the format of a file with the record
# Fields of `Finish` in the digest, by the key that sets each. `size` counts only if files are
# resized to it.
FINISHING = {
    "fit": "fit",
    "focus": "focus",
    "pad_color": "pad_color",
    "upscale": "upscale",
    "output_compression": "quality",
    "lossless": "lossless",
    "max_bytes": "max_bytes",
    "effort": "effort",
}


class Variant(NamedTuple):
    """One file of every asset that shares these settings."""

    ending: str  # of the path, after the stem: "-480.webp"
    format: str
    width: int | None  # None: the full width
    digest: str


def read_output(merged: Values, where: str) -> tuple[Template, tuple[Variant, ...]]:
    """The template of the paths without their endings, and all files. Raises ManifestError."""
    try:
        destination = _destination(merged, where)
        finish = finish_of(merged, destination.formats)
    except ManifestError:  # it names the place
        raise
    except UsageError as error:
        raise ManifestError(f"{where}: {error.message}", hint=error.hint) from error
    template = (destination.template or "").removesuffix(".{ext}")
    stem = Template(template, f"{where}: output")
    return stem, tuple(_variants(merged, destination, finish))


def finish_of(merged: Values, formats: tuple[str, ...]) -> Finish:
    """The finishing that the keys ask for: with widths, no full size. Raises UsageError."""
    texts = {name: as_option(value) for name, value in merged.items()}
    given = fill(options.Finish, texts)
    quality = merged.get("output_compression")
    target = texts.get("size")
    size = str(target) if target is not None and (given.fit or is_side(target)) else None
    read = read_finish(
        given, size, formats, None if quality is None else parse_quality(text_of(quality))
    )
    return read._replace(only_widths=True)


def is_side(size: Json) -> bool:
    """Whether a size is one side, such as `320x`: it is about the files, not about the request."""
    return isinstance(size, str) and parse_side(size) is not None


def _destination(merged: Values, where: str) -> Destination:
    output = inside(merged["output"], f"{where}: output")
    if merged["output"].endswith("/"):
        hint = f"name the files: {merged['output']}{{name}}.webp"
        raise ManifestError(f"{where}: output {output!r} is a folder", hint=hint)
    listed = merged.get("output_format", [])
    destination = read_destination(output, list(map(text_of, listed)))
    if not destination.formats:
        hint = f"give a suffix, such as {output}.webp, or {output}.{{avif,webp,jpg}}"
        raise ManifestError(f"{where}: output {output!r} names no format to make", hint=hint)
    return destination


def _variants(merged: Values, destination: Destination, finish: Finish) -> Iterator[Variant]:
    shared = _facts(merged, finish)
    widths: tuple[int | None, ...] = tuple(dict.fromkeys(finish.widths)) or (None,)
    for width in widths:
        tail = "" if width is None else f"-{width}"
        for name in destination.formats:
            suffix = destination.suffixes.get(name, FORMATS[name].suffix)
            facts: dict[str, Json] = {**shared, "format": name}
            if width is not None:
                facts["width"] = width
            yield Variant(f"{tail}.{suffix}", name, width, output_digest(facts))
    if merged.get("sidecar"):
        metadata = {"format": SIDECAR, **_metadata(merged)}
        yield Variant(f".{SIDECAR}", SIDECAR, None, output_digest(metadata))


def _facts(merged: Values, finish: Finish) -> dict[str, Json]:
    """What the keys that are written say about every file, each in its one form."""
    read = finish._asdict()
    facts = {field: read[field] for key, field in FINISHING.items() if key in merged}
    if finish.resizes and finish.target:
        facts["size"] = [*finish.target.sides, finish.target.is_pixels]
    return {**facts, **_metadata(merged)}


def _metadata(merged: Values) -> dict[str, Json]:
    """What is not written into the files."""
    if merged.get("no_metadata"):
        return {"metadata": "none"}
    return {"metadata": "no-prompt"} if merged.get("no_prompt_metadata") else {}
