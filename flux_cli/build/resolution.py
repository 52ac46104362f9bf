"""What an asset asks of its model, resolved against the model's entry in the catalog alone.

Two requests that differ in words and not in meaning have one digest. No provider takes part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.manifest import keys
from flux_cli.build.manifest.values import text_of
from flux_cli.core.errors import ManifestError, UsageError
from flux_cli.core.request import Attachment, Request
from flux_cli.core.values import QuotedText
from flux_cli.request.digest import digest_of_json
from flux_cli.request.resolve import resolve
from flux_cli.request.size import NAMES as SHAPE

if TYPE_CHECKING:
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.core.model import Json, Model
    from flux_cli.core.request import Resolved, Value


def resolve_asset(asset: Asset, model: Model | None, where: str) -> Resolved:
    """The request of an asset with every value checked; `model` is None if the catalog lacks it.

    Raises ManifestError, which names the asset, for what the model does not accept.
    """
    try:
        return resolve(request_of(asset), model)
    except UsageError as error:
        raise ManifestError(f"{where}: {error.message}", hint=error.hint) from error


def request_of(asset: Asset) -> Request:
    """The request of an asset. Local files are named by their digests."""
    parameters = _parameters(asset)
    named = tuple(name for name in parameters if name not in keys.OPTIONS)
    model = str(asset.settings.parameters["model"])
    return Request(model, parameters, asset.prompt, named=named)


def resolved_digest(asset: Asset, resolved: Resolved) -> str:
    """The digest of what a request means. Only what the manifest says counts, no default."""
    written = asset.settings.parameters
    is_shaped = any(name in written for name in SHAPE)
    references: dict[str, Json] = {name: written[name] for name in asset.settings.references}
    values = {
        name: value
        for name, value in resolved.parameters.items()
        if name not in references and (name != "size" or is_shaped)
    }
    return digest_of_json(
        {
            "model": resolved.model.id if resolved.model else resolved.sent_model,
            "parameters": values,
            "prompt": resolved.prompt,
            "references": references,
            "seed": resolved.seed,
        }
    )


def _parameters(asset: Asset) -> dict[str, Value]:
    """The parameters as the command line would give them; files by their digest."""
    found: dict[str, Value] = {}
    for name, value in asset.settings.parameters.items():
        path = asset.settings.references.get(name)
        if path:
            found[name] = Attachment(path, str(value))
        elif name != "model":
            found[name] = _typed(value) if name in keys.OPTIONS else _quoted(value)
    if asset.seed is not None:
        found["seed"] = _typed(asset.seed)
    return found


def _typed(value: Json) -> Value:
    return value if isinstance(value, bool) else text_of(value)


def _quoted(value: Json) -> Value:
    """A value of `param`. Its text stays text, even if it looks like a number."""
    if not isinstance(value, str):
        return value
    return QuotedText(value.removeprefix("@") if value.startswith("@@") else value)
