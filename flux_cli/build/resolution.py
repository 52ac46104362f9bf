"""What an asset asks of its model, resolved against the model's entry in the catalog alone.

Two requests that differ in words and not in meaning have one digest. No provider takes part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.references import sources
from flux_cli.core.errors import ManifestError, UsageError
from flux_cli.core.request import Attachment, Reference, Request
from flux_cli.core.values import QuotedText
from flux_cli.request.digest import digest_of_json, resolved_facts
from flux_cli.request.resolve import resolve
from flux_cli.request.styles import keys
from flux_cli.request.styles.values import as_option

if TYPE_CHECKING:
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.core.model import Json, Model
    from flux_cli.core.request import Resolved, Value


def resolve_asset(asset: Asset, model: Model | None, where: str) -> Resolved:
    """The request of an asset with every value checked; `model` is None if the catalog lacks it.

    Raises ManifestError, which names the asset, for what the model does not accept.
    """
    try:
        resolved = resolve(request_of(asset), model)
    except UsageError as error:
        raise ManifestError(f"{where}: {error.message}", hint=error.hint) from error
    if resolved.n > 1 or (asset.seed is not None and resolved.seed is None):
        hint = "leave it out for a random one; with n, seeds count up"
        raise ManifestError(f"{where}: seed must be one number, not {asset.seed!r}", hint=hint)
    return resolved


def request_of(asset: Asset) -> Request:
    """The request of an asset. Local files and originals are named by their digests."""
    parameters = _parameters(asset)
    given = asset.settings.parameters
    images = given.get(sources.IMAGE)
    references = tuple(map(stand_in, images)) if isinstance(images, list) else ()
    mask = given.get(sources.MASK)
    named = tuple(name for name in parameters if name not in keys.OPTIONS)
    model = str(asset.settings.parameters["model"])
    return Request(
        model,
        parameters,
        asset.prompt,
        named=named,
        references=references,
        mask=stand_in(mask) if mask else None,
    )


def stand_in(text: Json) -> Reference:
    """A reference that was not read yet, or is not there yet."""
    source = sources.source_in(str(text))
    return Reference(source, sources.name_of(source), sources.digest_in(str(text)))


def image_digest(resolved: Resolved) -> str:
    """The digest of what a request means: that of the image, with the seed."""
    return digest_of_json({**resolved_facts(resolved), "seed": resolved.seed})


def _parameters(asset: Asset) -> dict[str, Value]:
    """The parameters as the command line would give them; files by their digest."""
    found: dict[str, Value] = {}
    for name, value in asset.settings.parameters.items():
        path = asset.settings.references.get(name)
        if path:
            found[name] = Attachment(path, sources.digest_in(str(value)))
        elif name not in ("model", *sources.SENT):
            found[name] = as_option(value) if name in keys.OPTIONS else _quoted(value)
    if asset.seed is not None:
        found["seed"] = as_option(asset.seed)
    return found


def _quoted(value: Json) -> Value:
    """A value of `param`. Its text stays text, even if it looks like a number."""
    if not isinstance(value, str):
        return value
    return QuotedText(value.removeprefix("@") if value.startswith("@@") else value)
