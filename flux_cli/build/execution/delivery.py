"""How the image of an asset becomes its files: as for `generate`, under the paths of the asset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.disk import place
from flux_cli.build.manifest.outputs import SIDECAR, finish_of
from flux_cli.images.finish import Finish
from flux_cli.images.formats import FORMATS
from flux_cli.images.names import Name
from flux_cli.runs.saving.delivery import Delivery

if TYPE_CHECKING:
    from collections.abc import Collection

    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.images.metadata.record import Record


def name_of(asset: Asset, root: str) -> Name:
    """The name of the files of an asset, as seen from the working folder."""
    return Name("{stem}.{ext}", {"stem": place(asset.stem, root)})


def delivery_of(asset: Asset, root: str, make: Collection[str], record: Record) -> Delivery:
    """The delivery that writes the paths in `make`, and leaves all others as they are."""
    if asset.of:
        bare = Delivery(finish=Finish(), record=record, is_quality_sent=False)
        return without_files(bare, name_of(asset, root))
    variants = asset.settings.variants
    formats = tuple(dict.fromkeys(one.format for one in variants if one.format != SIDECAR))
    endings = {one.format: one.ending.rpartition(".")[2] for one in variants}
    values = asset.settings.values
    kept = frozenset(place(path, root) for path in asset.files.keys() - set(make))
    return Delivery(
        finish=finish_of(values, formats),
        record=record,
        suffixes={name: endings[name] for name in formats},
        metadata=not values.get("no_metadata", False),
        sidecar=bool(values.get("sidecar", False)),
        is_quality_sent=False,
        kept=kept,
    )


def without_files(delivery: Delivery, name: Name) -> Delivery:
    """The delivery that makes no file: every one counts as made, and the original is kept."""
    kept = frozenset(name.path(row.suffix) for row in FORMATS.values())
    return delivery._replace(finish=Finish(), sidecar=False, kept=kept)
