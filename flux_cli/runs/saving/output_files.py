"""Makes and saves the files of a delivery from the bytes of one image.

It needs neither a run nor a journal: the image has just arrived, or is on a disk since an earlier
run. Takes seconds if something is encoded, so it runs in threads. The caller decides what happens
to images that cannot be finished.
"""

from __future__ import annotations

import json
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from flux_cli.core.errors import FluxError, ImageError, UsageError
from flux_cli.core.image import ImageFile
from flux_cli.images.details import upright
from flux_cli.images.formats import FOREIGN, suffix_of
from flux_cli.images.metadata.record import sidecar_document
from flux_cli.images.pixels.wholeness import examine
from flux_cli.runs.saving.delivery import (
    check_format,
    expected_foreign,
    file_name,
    name_as_received,
    plan_outputs,
    sidecar_name,
)
from flux_cli.runs.saving.finish import (
    FinishedFile,
    PlannedFile,
    SavedFiles,
    copy_foreign,
    make_files,
)
from flux_cli.runs.saving.losses import plan_transfer
from flux_cli.runs.saving.provenance import Provenance, measure_provenance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flux_cli.core.image import Inspection
    from flux_cli.images.containers.registry import Look
    from flux_cli.images.metadata.record import Record
    from flux_cli.images.names import Name
    from flux_cli.images.signing import Identity
    from flux_cli.runs.saving.delivery import Delivery
    from flux_cli.runs.saving.provenance import Kept


def save_outputs(
    files: SavedFiles,
    data: bytes,
    name: Name,
    delivery: Delivery,
    record: Record,
    *,
    signer: Identity | None = None,
    seen: Look | None = None,
    extra: int = 0,
) -> None:
    """Make every file of an image that is not there already, then save them into `files`.

    None is saved before all are made. `record` says how the image was made, `seen` is what
    `examine` says of `data` if the caller has it already, and `extra` counts further images of one
    request. Raises ImageError and UsageError for an image of which a file cannot be made, with
    nothing saved if the `files` are to be whole, else with all others saved; and DiskError.
    """
    seen = seen or examine(data)
    shown = upright(seen.image, seen.sound)
    files.received = (shown.width, shown.height)
    kept = _kept(delivery, record)
    provenance = Provenance(record, is_embedded=delivery.metadata, signer=signer, kept=kept)
    finished, errors = _make(data, seen, shown, name, delivery, provenance)
    if errors and (files.is_whole or not finished):
        raise errors[0]
    sidecar = _make_sidecar(name, delivery, record)
    for file in finished:
        if not files.save(file, extra):
            return
    if sidecar:
        files.save_sidecar(sidecar, extra)
    if errors:
        raise errors[0]


def make_possible(
    data: bytes,
    files: Sequence[PlannedFile],
    provenance: Provenance,
    *,
    seen: Look | None = None,
    workers: int = 1,
) -> Iterator[FinishedFile | ImageError | UsageError]:
    """Like `make_files`, with an error in the place of each file that cannot be made.

    Bytes and metadata are read only once, and the same is said about all files.
    """
    seen, transfer = seen or examine(data), None
    with suppress(UsageError):  # some files cannot be made: `make_files` says so
        transfer = plan_transfer(seen, [file.output for file in files], provenance)
    make = partial(make_files, data, seen=seen, transfer=transfer, workers=workers)
    left = list(files)
    while left:
        made = 0
        try:
            for file in make(left, provenance):
                yield file
                made += 1
        except (ImageError, UsageError) as error:
            yield error
        left = left[made + 1 :]


def _kept(delivery: Delivery, record: Record) -> Kept:
    """What files that are made anew take over of the metadata of the image that arrived."""
    if not delivery.metadata:
        return "none"
    return "full" if record.prompt else "no-prompt"


def _make(
    data: bytes,
    seen: Look,
    inspection: Inspection,
    name: Name,
    delivery: Delivery,
    provenance: Provenance,
) -> tuple[list[FinishedFile], list[FluxError]]:
    """Every file of one image that is not there already, and why others cannot be made.

    `inspection` is the image as people see it.
    """
    check_format(delivery, inspection.format)
    if inspection.format in FOREIGN:
        return _copy_foreign(data, inspection, name, delivery), []
    if delivery.finish.remakes:
        # Pillow costs more than everything before it, and most images need none of it.
        from flux_cli.images.pixels.render import measure

        inspection = measure(data, seen)
    added = 0 if delivery.finish.max_bytes is None else measure_provenance(provenance)
    enlarged = inspection._replace(size=inspection.size + added)
    possible, impossible = plan_outputs(delivery, enlarged)
    planned = [
        PlannedFile(file_name(delivery, name, output), output._replace(added=added))
        for output in possible
    ]
    missing = [file for file in planned if not _is_there(delivery, file.name, file.output.format)]
    made: list[FinishedFile] = []
    errors: list[FluxError] = [*impossible]
    for file in make_possible(data, missing, provenance, seen=seen):
        if isinstance(file, FluxError):
            errors.append(file)
        else:
            made.append(file)
    return made, errors


def _copy_foreign(
    data: bytes, image: Inspection, name: Name, delivery: Delivery
) -> list[FinishedFile]:
    """The file of an image in a format that flux does not make, unless it is there already."""
    is_planned = image.format == expected_foreign(delivery)
    named = name_as_received(delivery, name) if is_planned else name
    if _is_there(delivery, named, image.format):
        return []
    return [copy_foreign(data, image, named, is_planned=is_planned)]


def _make_sidecar(name: Name, delivery: Delivery, record: Record) -> FinishedFile | None:
    """The file that holds the record beside the image, if one is wanted and missing."""
    sidecar = sidecar_name(name)
    if not delivery.sidecar or _is_there(delivery, sidecar, "json"):
        return None
    text = json.dumps(sidecar_document(record), indent=2, ensure_ascii=False) + "\n"
    data = text.encode("utf-8", "replace")
    return FinishedFile(sidecar, ImageFile(data, "json", 0, 0, as_received=False))


def _is_there(delivery: Delivery, name: Name, file_format: str) -> bool:
    return name.path(suffix_of(file_format)) in delivery.kept
