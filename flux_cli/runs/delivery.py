"""How every image of a run becomes files: what is made of it, what they are called, what is written into them."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from flux_cli.core.image import Inspection
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.ratio import Shape
from flux_cli.core.request import Call, Facts
from flux_cli.core.values import amount, whole
from flux_cli.images.formats import EFFORTS, FORMATS, split_suffix
from flux_cli.images.metadata.record import Record, document, from_document, without_prompt
from flux_cli.images.names import Name, fixed, named
from flux_cli.images.outputs import FITS, FOCUSES, MAX_PIXELS, MAX_SIDE, Finish, Output, outputs


class Delivery(NamedTuple):
    """What a person wants of every image. `record` is what is known of all of them before they are made."""

    finish: Finish
    record: Record
    suffixes: dict[str, str] = {}  # noqa: RUF012 - never written to; by format, as typed
    metadata: bool = True  # written into the files
    sidecar: bool = False  # written beside them
    kept: frozenset[str] = frozenset()  # files that are there already, and are left alone


def planned(delivery: Delivery, received: Inspection) -> tuple[Output, ...]:
    """The files to make of an image. Raises UsageError where one would enlarge it unasked.

    A quality that the provider was asked for is in the bytes that came, and is not lost a second time.
    """
    finish = delivery.finish
    if not finish.remakes and finish.formats == (received.format,):
        finish = finish._replace(quality=None)
    return outputs(finish, received)


def name_of(delivery: Delivery, name: Name, output: Output) -> Name:
    """The name of one file of an image. Its size is told exactly only where somebody asked for exact pixels."""
    suffix = delivery.suffixes.get(output.format)
    if not output.frame.label and delivery.finish.fit == "none":
        return fixed(name.path(suffix)) if suffix else name
    full = named(name, output)
    return fixed(full.path(suffix)) if suffix and output.frame.label != "original" else full


def expected(delivery: Delivery, name: Name, size: tuple[int, int]) -> tuple[Name, ...]:
    """The names of all files of one call before anything is made, if an image comes in `size` (pixels).

    The suffix of what is kept as it comes is still open.
    """
    finish = delivery.finish._replace(upscale=True)  # what must not be enlarged is refused with a hint, elsewhere
    found = []
    for output in outputs(finish, Inspection("png", *size, 0)):
        one = name_of(delivery, name, output)
        is_open = not finish.formats or output.frame.label == "original"
        found.append(one if is_open else fixed(one.path(FORMATS[output.format].suffix)))
    if delivery.sidecar:
        found.append(sidecar_name(name))
    return tuple(found)


def sidecar_name(name: Name) -> Name:
    """`fox-7.json`, for all files of one image."""
    return fixed(f"{split_suffix(name.path('png'))[0]}.json")


def recorded(delivery: Delivery, call: Call, facts: Facts) -> Record:
    """How one image was made: what was known before, and what its call and its answer add."""
    base = delivery.record
    seed = call.seed if facts.seed is None else facts.seed
    return base._replace(
        upstream="" if facts.provider == base.provider else facts.provider,
        revised_prompt=facts.revised_prompt if base.prompt else "",
        seed=whole(seed),
        request_id=facts.request_id,
    )


def delivery_document(delivery: Delivery, *, private: bool) -> dict[str, Json]:
    """How images become files, as the journal keeps it; `private`: without the prompt."""
    finish = delivery.finish
    record = without_prompt(delivery.record) if private else delivery.record
    target: Json = (
        None if finish.target is None else [finish.target.width, finish.target.height, finish.target.is_pixels]
    )
    return {
        "finish": {
            **finish._asdict(),
            "target": target,
            "widths": list(finish.widths),
            "formats": list(finish.formats),
        },
        "record": document(record),
        "suffixes": dict(delivery.suffixes),
        "metadata": delivery.metadata,
        "sidecar": delivery.sidecar,
    }


def delivery_of(said: Json) -> Delivery:
    """What the journal keeps, read again. What makes no sense is left out: images are saved all the same."""
    kept = said if isinstance(said, dict) else {}
    suffixes = kept.get("suffixes")
    return Delivery(
        finish=_finish(kept.get("finish")),
        record=from_document(kept.get("record")) or Record(),
        suffixes={name: str(value) for name, value in suffixes.items()} if isinstance(suffixes, dict) else {},
        metadata=kept.get("metadata") is True,
        sidecar=kept.get("sidecar") is True,
    )


def _finish(said: Json) -> Finish:
    kept = said if isinstance(said, dict) else {}
    effort = kept.get("effort")
    return Finish(
        target=_target(kept.get("target")),
        fit=_member(FITS, kept.get("fit"), "none"),
        focus=_member(FOCUSES, kept.get("focus"), "center"),
        upscale=kept.get("upscale") is True,
        widths=tuple(wide for one in _items(kept.get("widths")) if (wide := _between(one, 1, MAX_SIDE)) is not None),
        formats=tuple(one for one in _items(kept.get("formats")) if isinstance(one, str) and one in FORMATS),
        quality=_between(kept.get("quality"), 1, 100),
        lossless=kept.get("lossless") is True,
        max_bytes=_between(kept.get("max_bytes"), 1),
        effort=None if effort is None else _member(EFFORTS, effort, "balanced"),
        keep_original=kept.get("keep_original") is True,
    )


def _target(said: Json) -> Shape | None:
    width, height, is_pixels, *_ = (*_items(said), None, None, None)
    sides = amount(width, MAX_PIXELS), amount(height, MAX_PIXELS)
    return Shape(sides[0], sides[1], is_pixels is True) if sides[0] and sides[1] else None


def _member(known: Sequence[str], said: Json, default: str) -> str:
    return next((one for one in known if one == said), default)


def _between(said: Json, low: int, high: float = inf) -> int | None:
    number = whole(said)
    return number if number is not None and low <= number <= high else None


def _items(said: Json) -> list[Json]:
    return said if isinstance(said, list) else []
