"""How every image of a run becomes files: outputs, names, and metadata.

The journal keeps it, too, so that `flux recover` saves what the run would have saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from flux_cli.core.errors import ImageError, UsageError
from flux_cli.core.image import Inspection
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.outcome import Facts
from flux_cli.core.ratio import Shape
from flux_cli.core.request import Call, seed_of
from flux_cli.core.values import read_amount, read_integer
from flux_cli.images.finish import FITS, Finish, parse_focus
from flux_cli.images.formats import EFFORTS, FOREIGN, FORMATS, join_or, split_suffix
from flux_cli.images.metadata.record import (
    Record,
    document,
    from_document,
    without_keys,
    without_prompt,
)
from flux_cli.images.names import Name, fixed, named
from flux_cli.images.outputs import MAX_PIXELS, MAX_SIDE, Output, outputs, possible_outputs


class Delivery(NamedTuple):
    """What the user requested for every image. `record` is what is known before the run."""

    finish: Finish
    record: Record
    suffixes: dict[str, str] = {}  # noqa: RUF012 - never written to; by format, as typed
    metadata: bool = True  # the record is written into the files
    sidecar: bool = False  # the record is written into a file beside them
    is_quality_sent: bool = True  # the provider was asked for the quality, if there is one
    kept: frozenset[str] = frozenset()  # paths of existing files, which stay as they are


def expected_foreign(delivery: Delivery) -> str | None:
    """The format of FOREIGN that the file name asks for, as in `-o logo.svg`; None for no such."""
    return next((name for name in delivery.suffixes if name in FOREIGN), None)


def check_format(delivery: Delivery, received: str) -> None:
    """Raise ImageError for an image in another format than requested that cannot be converted."""
    finish, expected = delivery.finish, expected_foreign(delivery)
    if expected and received != expected:
        raise ImageError(f"the image is {received}, not {expected}, which flux cannot make")
    if received in FOREIGN and not expected and (finish.formats or finish.remakes):
        asked = f"convert to {join_or(finish.formats)}" if finish.formats else "change"
        raise ImageError(f"the image is {received}, which flux cannot {asked}")


def name_as_received(delivery: Delivery, name: Name) -> Name:
    """The name of an image that is saved as received, with its suffix as it was typed."""
    expected = expected_foreign(delivery)
    return fixed(name.path(delivery.suffixes[expected])) if expected else name


def plan_outputs(
    delivery: Delivery, image: Inspection
) -> tuple[tuple[Output, ...], tuple[UsageError, ...]]:
    """The files to make of an image, and why others cannot be made; see `possible_outputs`.

    If the provider was asked for a quality, the bytes already have it: they are not encoded again.
    """
    finish = delivery.finish
    is_plain = delivery.is_quality_sent and not finish.remakes
    if is_plain and finish.formats == (image.format,):
        finish = finish._replace(quality=None)
    return possible_outputs(finish, image)


def file_name(delivery: Delivery, name: Name, output: Output) -> Name:
    """The name of one file. It includes the exact size only if exact pixels were requested."""
    suffix = delivery.suffixes.get(output.format)
    if not output.frame.label and not delivery.finish.resizes:
        return fixed(name.path(suffix)) if suffix else name
    full = named(name, output)
    return fixed(full.path(suffix)) if suffix and output.frame.label != "original" else full


class ExpectedFile(NamedTuple):
    """A file that a request is expected to make. No `output`: it is a sidecar, or as received."""

    name: Name
    output: Output | None = None


def expected_files(
    delivery: Delivery, name: Name, size: tuple[int, int]
) -> tuple[ExpectedFile, ...]:
    """All files of one call, before anything is made, for an image of `size` pixels.

    The suffix of a file that is kept as received is still open.
    """
    sidecars = (ExpectedFile(sidecar_name(name)),) if delivery.sidecar else ()
    if expected_foreign(delivery):
        return (ExpectedFile(name_as_received(delivery, name)), *sidecars)
    # Enlarging without --upscale is refused elsewhere, with a hint.
    finish = delivery.finish._replace(upscale=True)
    found = []
    for output in outputs(finish, Inspection("png", *size, 0)):
        one = file_name(delivery, name, output)
        is_open = not finish.formats or output.frame.label == "original"
        path = one if is_open else fixed(one.path(FORMATS[output.format].suffix))
        found.append(ExpectedFile(path, output))
    return (*found, *sidecars)


def sidecar_name(name: Name) -> Name:
    """The name of the file with the record of one image, such as `fox-7.json`."""
    return fixed(f"{split_suffix(name.path('png'))[0]}.json")


def record_of_image(delivery: Delivery, call: Call, facts: Facts) -> Record:
    """How one image was made: what was known before, and what its call and its reply add.

    Every document and file says it with this record, which holds no key.
    """
    seed, requested = read_integer(seed_of(call, facts)), read_integer(call.seed)
    record = delivery.record._replace(
        seed=seed,
        requested_seed=None if requested == seed else requested,
        request_id=facts.request_id,
    )
    if facts.provider != record.provider:
        record = record._replace(upstream=facts.provider)
    if record.prompt:
        record = record._replace(revised_prompt=facts.revised_prompt)
    return without_keys(record)


def delivery_document(delivery: Delivery, *, private: bool) -> dict[str, Json]:
    """The delivery as the journal keeps it; `private` leaves the prompt out."""
    finish = delivery.finish
    record = without_prompt(delivery.record) if private else delivery.record
    target = finish.target
    sides: Json = [*target.sides, target.is_pixels] if target else None
    return {
        "finish": {
            **finish._asdict(),
            "target": sides,
            "widths": list(finish.widths),
            "formats": list(finish.formats),
        },
        "record": document(record),
        "suffixes": dict(delivery.suffixes),
        "metadata": delivery.metadata,
        "sidecar": delivery.sidecar,
        "is_quality_sent": delivery.is_quality_sent,
    }


def read_delivery(value: Json) -> Delivery:
    """Read what `delivery_document` wrote. Invalid parts are left out, to save images anyway."""
    table = _read_object(value)
    suffixes = _read_object(table.get("suffixes"))
    return Delivery(
        finish=_read_finish(table.get("finish")),
        record=from_document(table.get("record")) or Record(),
        suffixes={name: str(suffix) for name, suffix in suffixes.items()},
        metadata=table.get("metadata") is True,
        sidecar=table.get("sidecar") is True,
        is_quality_sent=table.get("is_quality_sent") is not False,
    )


def _read_finish(value: Json) -> Finish:
    table = _read_object(value)
    effort = table.get("effort")
    known_effort = None if effort is None else _read_choice(effort, EFFORTS, "balanced")
    widths = [_read_number(width, 1, MAX_SIDE) for width in _read_list(table.get("widths"))]
    names = [name for name in _read_list(table.get("formats")) if isinstance(name, str)]
    formats = tuple(name for name in names if name in FORMATS)
    return Finish(
        target=_read_target(table.get("target")),
        fit=_read_choice(table.get("fit"), FITS, "none"),
        focus=_read_focus(table.get("focus")),
        pad_color=_read_color(table.get("pad_color")),
        upscale=table.get("upscale") is True,
        widths=tuple(width for width in widths if width),
        formats=formats,
        quality=_read_number(table.get("quality"), 1, 100),
        lossless=table.get("lossless") is True,
        max_bytes=_read_number(table.get("max_bytes"), 1),
        effort=known_effort,
        keep_original=table.get("keep_original") is True,
        only_widths=table.get("only_widths") is True,
    )


def _read_target(value: Json) -> Shape | None:
    width, height, is_pixels, *_ = (*_read_list(value), None, None, None)
    sides = [read_amount(side, MAX_PIXELS) for side in (width, height)]
    if is_pixels is True and any(sides):  # one side may be open
        sides = [side or inf for side in sides]
    if not sides[0] or not sides[1]:
        return None
    return Shape(sides[0], sides[1], is_pixels is True)


def _read_focus(value: Json) -> str:
    try:
        return parse_focus(str(value))
    except UsageError:
        return "center"


def _read_color(value: Json) -> str | None:
    from flux_cli.images.pixels.border_color import parse_color  # few runs have one

    try:
        return None if value is None else parse_color(str(value))
    except UsageError:
        return None


def _read_choice(value: Json, choices: Sequence[str], default: str) -> str:
    return value if isinstance(value, str) and value in choices else default


def _read_number(value: Json, low: int, high: float = inf) -> int | None:
    number = read_integer(value)
    return number if number is not None and low <= number <= high else None


def _read_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _read_object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
