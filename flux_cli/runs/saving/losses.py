"""What files that are made anew take over of the image they are made from, and what they lose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.core.errors import UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.images.details import SIDEWAYS, describe
from flux_cli.images.formats import FOREIGN
from flux_cli.images.metadata.credentials import has_credentials
from flux_cli.runs.saving.provenance import SIGNATURE, read_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.images.containers.registry import Look
    from flux_cli.images.details import ImageDetails
    from flux_cli.images.metadata.read import Reading
    from flux_cli.images.metadata.transfer.cargo import Cargo
    from flux_cli.images.outputs import Output
    from flux_cli.runs.saving.provenance import Provenance


class Transfer(NamedTuple):
    """The metadata to write into files that are made anew, by format, and notes on the rest."""

    cargo: dict[str, Cargo] = {}  # noqa: RUF012 - never changed
    notes: tuple[str, ...] = ()


def plan_transfer(seen: Look, outputs: Sequence[Output], provenance: Provenance) -> Transfer:
    """What files that flux makes anew take over, and a note on what they do not hold.

    Raises UsageError if one of them should be lossless, and its pixels cannot be.
    """
    made = [output for output in outputs if not output.untouched]
    if not made or seen.image.format in FOREIGN:
        return Transfer()
    details = describe(seen.image, seen.sound)
    if details.inexact and any(output.lossless for output in made):
        message = f"--lossless: flux cannot keep all of the image: {'; '.join(details.inexact)}"
        raise UsageError(message, hint="drop --lossless")
    formats = tuple(dict.fromkeys(output.format for output in made))
    cargo: dict[str, Cargo] = {}
    lost = list(details.lost)
    if provenance.kept != "none":
        reading = provenance.reading or read_of(seen)
        is_signed = reading.c2pa if reading else False
        cargo, left = _pack(reading, details, formats, has_prompt=provenance.kept == "full")
        lost += left
    else:
        is_signed = has_credentials(seen.sound) and not provenance.is_stripped
    if is_signed:
        lost.append(SIGNATURE)
    notes = [f"the conversion does not keep all of the image: {'; '.join(lost)}"] if lost else []
    return Transfer(cargo, tuple(notes))


def _pack(
    reading: Reading | None, details: ImageDetails, formats: Sequence[str], *, has_prompt: bool
) -> tuple[dict[str, Cargo], list[str]]:
    """The metadata for each format, and what is lost, with the formats that lose it."""
    if reading is None:
        return {}, ["its metadata, which is damaged"]
    if not reading.blocks:
        return {}, []
    from flux_cli.images.metadata.transfer.cargo import pack  # many images have no metadata
    from flux_cli.images.metadata.transfer.carried import read_carried

    is_turned = details.orientation in SIDEWAYS
    carried = read_carried(reading, is_turned=is_turned, has_prompt=has_prompt)
    cargo = {name: pack(carried, name) for name in formats}
    losers: dict[str, list[str]] = {}
    for name in formats:
        for lost in cargo[name].lost:
            losers.setdefault(lost, []).append(name)
    lost_by_all = ["its XMP, which cannot be read"] if reading.is_xmp_lost else []
    for lost, names in losers.items():
        where = "" if len(names) == len(formats) else f" in {', '.join(names)}"
        lost_by_all.append(f"{lost}{where}")
    return cargo, lost_by_all
