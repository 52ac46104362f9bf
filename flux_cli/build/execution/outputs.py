"""Makes files of an asset from its original, without a request."""

from __future__ import annotations

import os
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.build.disk import ORIGINALS
from flux_cli.build.execution.delivery import delivery_of, name_of, path_in
from flux_cli.build.execution.records import facts_of, record_of
from flux_cli.build.lock.rows import File
from flux_cli.core.errors import DiskError
from flux_cli.core.request import Call
from flux_cli.runs.saving.delivery import record_of_image
from flux_cli.runs.saving.finish import SavedFiles
from flux_cli.runs.saving.output_files import save_outputs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flux_cli.build.lock.rows import Original, Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Step
    from flux_cli.core.outcome import SavedImage
    from flux_cli.images.signing import Identity
    from flux_cli.runs.saving.finish import Sink


def read_original(root: str, original: Original) -> bytes:
    """The bytes of an original. Raises DiskError if they are not those of the lock."""
    place = os.path.join(root, ORIGINALS, original.name)
    try:
        data = Path(place).read_bytes()
    except OSError as fault:
        raise DiskError(f"cannot read {place}: {fault.strerror}") from fault
    if sha256(data).hexdigest() != original.sha256:
        hint = "delete it, and restore it from a backup or request the image again"
        raise DiskError(f"{place} is damaged: its bytes are not those of the lock", hint=hint)
    return data


def remake(
    step: Step,
    row: Row,
    original: Original,
    model: str,
    root: str,
    sink: Sink,
    signer: Identity | None,
) -> dict[str, File]:
    """Make the files of a step from the original of a row. Raises FluxError."""
    asset = step.wanted
    data = read_original(root, original)
    facts = facts_of(row.generated)
    requested = {**row.requested, "model": model}
    record = record_of(
        asset,
        requested,
        digest=str(row.generated.get("digest", "")),
        provider=str(row.generated.get("provider", "")),
        created=str(row.generated.get("time", "")),
        hosted="run" in row.generated,
    )
    delivery = delivery_of(asset, root, step.make, record)
    call = Call(1, row.generated.get("requested_seed", facts.seed), model, {})
    files = SavedFiles(sink, facts)
    image_record = record_of_image(delivery, call, facts)
    save_outputs(files, data, name_of(asset, root), delivery, image_record, signer=signer)
    return made_files(asset, step.make, files.images, root)


def made_files(
    asset: Asset, make: Iterable[str], saved: Iterable[SavedImage], root: str
) -> dict[str, File]:
    """The files of an asset that were just written, as the lock lists them. Raises DiskError."""
    digests = asset.files
    images = {path_in(one.path, root): one for one in saved}
    found = {}
    for path in make:
        image = images.get(path)
        place = os.path.join(root, path)
        if image is None and not path.endswith(".json"):
            continue
        try:
            with Path(place).open("rb") as file:
                digest = file_digest(file, "sha256").hexdigest()
            size = os.path.getsize(place)
        except OSError as fault:
            raise DiskError(f"cannot read {place}: {fault.strerror}") from fault
        width, height = (image.width, image.height) if image else (None, None)
        found[path] = File(digests[path], digest, size, width, height)
    return found
