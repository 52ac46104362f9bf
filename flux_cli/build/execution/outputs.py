"""Makes files of an asset from its original, without a request."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.build.disk import ORIGINALS, place
from flux_cli.build.execution.delivery import delivery_of, name_of
from flux_cli.build.execution.records import facts_of, record_of
from flux_cli.build.lock.rows import STALE
from flux_cli.core.errors import DiskError
from flux_cli.core.request import Call
from flux_cli.runs.saving.delivery import record_of_image
from flux_cli.runs.saving.finish import SavedFiles
from flux_cli.runs.saving.output_files import save_outputs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flux_cli.build.disk import Files
    from flux_cli.build.execution.guard import Guard
    from flux_cli.build.lock.rows import File, Original, Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Step
    from flux_cli.images.signing import Identity


def read_original(root: str, original: Original) -> bytes:
    """The bytes of an original. Raises DiskError if they are not those of the lock."""
    path = place(f"{ORIGINALS}/{original.name}", root)
    try:
        data = Path(path).read_bytes()
    except OSError as fault:
        raise DiskError(f"cannot read {path}: {fault.strerror}") from fault
    if sha256(data).hexdigest() != original.sha256:
        hint = "delete it, and restore it from a backup or request the image again"
        raise DiskError(f"{path} is damaged: its bytes are not those of the lock", hint=hint)
    return data


def remake(
    step: Step,
    row: Row,
    original: Original,
    model: str,
    root: str,
    sink: Guard,
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
    return made_files(asset, step.make, sink.written, root)


def made_files(
    asset: Asset, make: Iterable[str], written: Mapping[str, File], root: str
) -> dict[str, File]:
    """The files of an asset that were just `written`, as the lock lists them."""
    found = {path: written.get(place(path, root)) for path in make}
    return {path: file._replace(output=asset.files[path]) for path, file in found.items() if file}


def left_files(step: Step, made: dict[str, File], files: Files) -> dict[str, File]:
    """The files of the old image that are still there: they are ours, and to be made again."""
    known = step.row.files if step.row else {}
    left = {path: file for path, file in known.items() if path not in made and files.exists(path)}
    stale = {path: file._replace(output=STALE) for path, file in left.items() if path in step.make}
    return left | stale
