"""Turns assets into the tasks of a run: what is sent to the provider, in its own words."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flux_cli.build.disk import digest_of_file, place
from flux_cli.build.execution.delivery import delivery_of, name_of
from flux_cli.build.execution.records import record_of
from flux_cli.build.lock.file import root_of
from flux_cli.build.manifest.outputs import SIDECAR, finish_of
from flux_cli.build.planning.outcome import recorded
from flux_cli.build.references.reading import path_of
from flux_cli.build.references.sources import PROMPT, asset_of, digest_in
from flux_cli.build.resolution import request_of
from flux_cli.core.errors import ManifestError, UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.options import Input
from flux_cli.images.outputs import frames
from flux_cli.providers.rows import check_model, dialect_of, unit_price
from flux_cli.request.digest import resolved_digest
from flux_cli.request.files import inputs
from flux_cli.request.plan import choose_seed, plan
from flux_cli.request.prepare import draw_seed
from flux_cli.request.resolve import resolve
from flux_cli.runs.job import Task

if TYPE_CHECKING:
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Step
    from flux_cli.build.pricing import Catalog
    from flux_cli.config.load import Settings
    from flux_cli.core.request import Resolved, Value
    from flux_cli.images.metadata.record import Record
    from flux_cli.runs.saving.delivery import Delivery


def _check_size(asset: Asset, resolved: Resolved, *, hosted: bool) -> None:
    """Raise UsageError if a file would be larger than the image that is expected."""
    if resolved.size and hosted:
        finish = finish_of(asset.settings.values, ())
        frames(finish, *resolved.size.expected)


class Tasks(NamedTuple):
    """Makes the tasks of one build. `created` is the time that their files record.

    `attached` holds what was read from local files, by the name of the parameter and the path.
    """

    settings: Settings
    catalog: Catalog
    created: str
    attached: dict[tuple[str, str], Value]

    def task(self, number: int, step: Step, lock: str) -> Task:
        """The task of a step of a lock. Raises ManifestError if the provider does not accept it."""
        asset, row, root = step.wanted, self.settings.provider, root_of(lock)
        try:
            resolved = self._resolve(asset, root)
            check_model(row, resolved.sent_model)
            seed = choose_seed(resolved, row, Input(), draw_seed)
            call = plan(resolved, *seed).calls[0]._replace(number=number)
            _check_size(asset, resolved, hosted=row.hosted)
        except UsageError as error:
            where = f"assets.{asset.group}: {asset.name}"
            raise ManifestError(f"{where}: {error.message}", hint=error.hint) from error
        facts = recorded(asset, shows_prompts=True)
        facts["model"] = resolved.model_id
        record = record_of(
            asset,
            facts,
            digest=resolved_digest(resolved),
            provider=row.name,
            created=self.created,
            hosted=row.hosted,
        )
        return Task(
            call=call,
            name=name_of(asset, root),
            delivery=self._delivery(asset, root, step, record),
            price_usd=self._price(resolved),
            resolved=resolved,
            key=asset.name,
            about={
                "request": asset.request,
                "resolved": step.resolved,
                "lock": os.path.realpath(lock),
            },
        )

    def _price(self, resolved: Resolved) -> float | None:
        """USD per image at the provider, with its references; None if it is unknown."""
        return unit_price(
            self.settings.provider,
            resolved.model,
            resolved.dialect,
            resolved.route,
            resolved.size,
            resolved.request,
        )

    def _delivery(self, asset: Asset, root: str, step: Step, record: Record) -> Delivery:
        """How the image becomes files. A placeholder may be too small for them."""
        delivery = delivery_of(asset, root, step.make, record)
        if self.settings.provider.hosted or asset.of:
            return delivery
        return delivery._replace(finish=delivery.finish._replace(upscale=True))

    def _attach(self, name: str, path: str) -> Value:
        """The value of a parameter from a file, which many assets may share."""
        if (name, path) not in self.attached:
            is_image = name == "image_prompt"
            value = inputs.attach(path) if is_image else inputs.read_value(name, path, None)
            self.attached[name, path] = value
        return self.attached[name, path]

    def _attached(self, asset: Asset, root: str) -> dict[str, Value]:
        """The parameters that are files; not the original of an asset that has none yet."""
        found: dict[str, Value] = {}
        for name, source in asset.settings.references.items():
            text = str(asset.settings.parameters[name])
            if not (name == PROMPT and asset_of(source)):
                found[name] = self._attach(name, place(source, root))
            elif digest_in(text):
                path = path_of(text, root)
                if digest_of_file(path) != digest_in(text):
                    message = f"the original of {asset_of(source)} is damaged: {path}"
                    raise UsageError(message, hint="delete it, and restore it from a backup")
                found[name] = self._attach(name, path)
        return found

    def _resolve(self, asset: Asset, root: str) -> Resolved:
        """The request in the words of the provider, with the bytes of local images."""
        model = self.catalog.model(asset)
        dialect = dialect_of(self.settings.provider, model)
        request = request_of(asset)
        parameters = {**request.parameters, **self._attached(asset, root)}
        route = asset.settings.values.get("route")
        request = request._replace(
            parameters=parameters, route=None if route is None else str(route)
        )
        request = self.catalog.images.attach(request, asset, root, model, dialect)
        resolved = resolve(request, model, dialect)
        listed = (one.format for one in asset.settings.variants)
        formats = tuple(name for name in listed if name != SIDECAR)
        return resolved._replace(made=formats, format=None, quality=None)
