"""Resolves assets against the catalog and finds prices, each model once."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from flux_cli.build.references import sources
from flux_cli.build.references.reading import ReferenceImages
from flux_cli.build.resolution import image_digest, request_of, resolve_asset
from flux_cli.catalog.find import find_model
from flux_cli.config import folders
from flux_cli.core.errors import ManifestError, UsageError
from flux_cli.core.model import split_route
from flux_cli.providers.rows import dialect_of, unit_price
from flux_cli.request.resolve import resolve
from flux_cli.request.size import NAMES as SHAPE
from flux_cli.request.size import choose

if TYPE_CHECKING:
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.config.load import Settings
    from flux_cli.core.model import Json, Model
    from flux_cli.core.request import Note, Resolved


class Catalog:
    """What the catalog and the provider say about the models of a build."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._models: dict[str, Model | None] = {}
        self._prices: dict[tuple[Json, ...], float | None] = {}  # by model, route and shape
        self._digests: dict[str, str] = {}  # by the request
        self.images = ReferenceImages(settings)
        self.notes: dict[Note, None] = {}  # on what was resolved so far, each once

    def model(self, asset: Asset) -> Model | None:
        """The model of an asset; None if the catalog lacks it. Raises CatalogError."""
        name = str(asset.settings.parameters["model"])
        if name not in self._models:
            self._models[name] = find_model(name, folders.model_folders())
        return self._models[name]

    def resolve(self, asset: Asset) -> str:
        """The digest of what a request means. Raises ManifestError for what is not accepted."""
        if asset.request not in self._digests:
            resolved = resolve_asset(asset, self.model(asset), f"assets.{asset.group}")
            self.notes |= dict.fromkeys(self._notes(resolved))
            self._digests[asset.request] = image_digest(resolved)
        return self._digests[asset.request]

    def _notes(self, resolved: Resolved) -> tuple[Note, ...]:
        """The notes on a request, at a provider with free sizes those on what is sent there."""
        with contextlib.suppress(UsageError):  # reported with the name of the asset, before sending
            dialect = dialect_of(self._settings.provider, resolved.model)
            if dialect and dialect.any_size:
                return resolve(resolved.request, resolved.model, dialect).notes
        return resolved.notes

    def price(self, asset: Asset, root: str = ".") -> float | None:
        """The price of its image in USD; None if it is unknown. Raises UsageError.

        Its references count, and are in the folder `root`.
        """
        if sources.IMAGE in asset.settings.parameters:
            return self._price_with_images(asset, root)
        name = str(asset.settings.parameters["model"])
        _, prefix = split_route(name)
        route = str(asset.settings.values.get("route") or prefix or "")
        shape = {part: asset.settings.parameters.get(part) for part in SHAPE}
        key = (name, route, *shape.values())
        if key not in self._prices:
            row, model = self._settings.provider, self.model(asset)
            dialect = dialect_of(row, model)
            size = choose({**shape}, model, dialect)[0] if model else None
            self._prices[key] = unit_price(row, model, dialect, route or None, size)
        return self._prices[key]

    def _price_with_images(self, asset: Asset, root: str) -> float | None:
        row, model = self._settings.provider, self.model(asset)
        dialect = dialect_of(row, model)
        route = asset.settings.values.get("route")
        request = request_of(asset)._replace(route=None if route is None else str(route))
        try:
            request = self.images.attach(request, asset, root, model, dialect)
            resolved = resolve(request, model, dialect)
        except UsageError as error:
            where = f"assets.{asset.group}: {asset.name}"
            raise ManifestError(f"{where}: {error.message}", hint=error.hint) from error
        return unit_price(row, model, dialect, resolved.route, resolved.size, resolved.request)
