"""What the files of an image say about its origin: its record, its signature, its own metadata."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from flux_cli.core.errors import ImageError
from flux_cli.core.image import ImageFile
from flux_cli.core.lite import NamedTuple
from flux_cli.images.details import describe
from flux_cli.images.formats import FORMATS
from flux_cli.images.metadata.credentials import has_credentials
from flux_cli.images.metadata.record import Record, without_prompt
from flux_cli.images.metadata.write import write_record

if TYPE_CHECKING:
    from typing import Literal

    from flux_cli.images.containers.registry import Look
    from flux_cli.images.metadata.read import Reading
    from flux_cli.images.outputs import Output
    from flux_cli.images.signing import Identity
    from flux_cli.runs.saving.losses import Transfer

    Kept = Literal["full", "no-prompt", "none"]

SIGNATURE = "its signed content credentials (C2PA)"
LARGEST_SHARE = 4  # of a size limit: a quarter of it may be metadata
MARGIN = 1024  # bytes by which the same record and signature may be longer in another container


class Provenance(NamedTuple):
    """What the files of an image say about its origin.

    The record is written into the files if it `is_embedded`; a signature states it in any case.
    A record that `is_carried` along was found in the image itself. It is not written into a copy of
    the same bytes, which holds it already, nor into a file that would then exceed its size limit.
    `kept` says what files that are made anew take over of the metadata of the image, and, if it
    `is_stripped`, what is left in copies of its bytes. `reading` is that metadata, if it is known.
    """

    record: Record = Record()
    is_embedded: bool = False
    is_carried: bool = False
    signer: Identity | None = None
    kept: Kept = "full"
    is_stripped: bool = False
    reading: Reading | None = None

    @property
    def of_copy(self) -> Provenance:
        """The same for a copy of the image: its record still says how the image itself was made."""
        if not self.is_carried or self.reading is None:
            return self
        return self._replace(record=self.record._replace(finish=self.reading.record.finish))


def find_provenance(seen: Look, kept: Kept = "full") -> Provenance:
    """What files of an image that exists already say: the same as the image, as far as it is kept.

    The record of flux no longer says how the image itself was made from what the provider sent.
    """
    reading = read_of(seen)
    found = Provenance(kept=kept, is_stripped=kept != "full", reading=reading)
    if reading is None or reading.source != "flux" or kept == "none":
        return found
    record = reading.record._replace(finish={})
    record = without_prompt(record) if kept == "no-prompt" else record
    return found._replace(record=record, is_embedded=True, is_carried=True)


def read_of(seen: Look) -> Reading | None:
    """The metadata of an image; None if it does not add up."""
    from flux_cli.images.metadata.read import read_known  # most images of a run are not made anew

    try:
        return read_known(seen.image.format, seen.sound)
    except ImageError:
        return None


def take_over(image: ImageFile, output: Output, transfer: Transfer) -> tuple[ImageFile, list[str]]:
    """A file that was made anew with the metadata that it takes over; a remark if it has no room.

    Copies of the received bytes have theirs already.
    """
    cargo = transfer.cargo.get(image.format)
    if output.untouched or cargo is None or not cargo.blocks:
        return image, []
    from flux_cli.images.metadata.transfer.cargo import write_cargo  # few images are made anew

    marked = image._replace(data=write_cargo(image.data, image.format, cargo))
    if output.max_bytes is not None and marked.size + output.added > output.max_bytes:
        return image, [_no_room(image, output.max_bytes)]
    return marked, []


def budget(output: Output, transfer: Transfer, provenance: Provenance) -> Output:
    """The output with room for what it takes over within its size limit, if quality makes room.

    Metadata that would take a large share of the limit gets none, and gives way to the pixels.
    """
    if output.untouched or output.max_bytes is None or output.lossless:
        return output
    cargo = transfer.cargo.get(output.format)
    more = measure_provenance(provenance) if provenance.is_carried else 0
    if cargo and cargo.blocks:
        more += cargo.size + MARGIN
    if not FORMATS[output.format].quality or more > output.max_bytes // LARGEST_SHARE:
        return output
    return output._replace(added=output.added + more)


def leave_out(image: ImageFile, seen: Look, provenance: Provenance) -> tuple[ImageFile, list[str]]:
    """A copy of the received bytes without metadata, or without prompts; remarks on what is lost.

    Raises ImageError for an image that must be made anew for that.
    """
    from flux_cli.images.metadata.strip import without_metadata  # if it is asked
    from flux_cli.images.metadata.transfer.prompts import without_prompts

    sound, reading = seen.sound, provenance.reading
    try:
        if provenance.kept == "none":
            data = without_metadata(sound, image.format)
        else:
            is_made = reading is None or reading.is_made
            data = without_prompts(sound, image.format, is_made=is_made)
    except (ValueError, IndexError, struct.error) as fault:
        message = f"the metadata of the {image.format} image cannot be removed: {fault}"
        raise ImageError(message, hint="convert it to another format with -f") from fault
    remarks = []
    if has_credentials(sound) and not has_credentials(data) and provenance.kept != "none":
        remarks.append(f"without the prompt, the image loses {SIGNATURE}")
    if _has_gain_map(seen, sound) and not _has_gain_map(seen, data):
        remarks.append("without its metadata, the image loses its HDR gain map")
    is_same = data == image.data
    return image._replace(data=data, as_received=is_same), remarks


def keeps_more(data: bytes, seen: Look, provenance: Provenance) -> bool:
    """Whether an image that stays as it is has metadata that its other files do not keep."""
    if not provenance.is_stripped:
        return False
    image = ImageFile(data, seen.image.format, 0, 0, as_received=True)
    try:
        return not leave_out(image, seen, provenance)[0].as_received
    except ImageError:
        return True  # it cannot be removed


def _has_gain_map(seen: Look, data: bytes) -> bool:
    return describe(seen.image, data).colors.gain_map


def _no_room(image: ImageFile, max_bytes: int) -> str:
    return f"the {image.format} has no room for the metadata of the image in {max_bytes:,} bytes"


def add_provenance(
    image: ImageFile, provenance: Provenance, max_bytes: int | None = None
) -> tuple[ImageFile, list[str]]:
    """The image with its record and signature, and remarks on what was not possible."""
    remarks: list[str] = []
    if provenance.is_embedded and not (provenance.is_carried and image.as_received):
        written = write_record(image.data, provenance.record)
        marked = image._replace(pieces=written.pieces)
        is_too_large = max_bytes is not None and marked.size > max_bytes
        if provenance.is_carried and max_bytes is not None and is_too_large:
            remarks.append(_no_room(image, max_bytes))
        else:
            image = marked
            remarks += [written.reason] if written.reason else []
    if provenance.signer:
        try:
            image = _sign(image, provenance.record, provenance.signer)
        except ImageError as error:
            remarks.append(error.message)
    return image, remarks


def measure_provenance(provenance: Provenance) -> int:
    """How many bytes the record and the signature add to a file, at most."""
    if not provenance.is_embedded and not provenance.signer:
        return 0
    from flux_cli.images.signing import ONE_PIXEL  # few runs have a size limit

    pixel = ImageFile(ONE_PIXEL, "png", 1, 1, as_received=False)
    marked, _ = add_provenance(pixel, provenance)
    return marked.size - pixel.size + MARGIN


def _sign(image: ImageFile, record: Record, signer: Identity) -> ImageFile:
    from flux_cli.images.signing import sign

    signed = sign(b"".join(image.parts), image.format, record, signer)
    return image._replace(data=signed, pieces=())
