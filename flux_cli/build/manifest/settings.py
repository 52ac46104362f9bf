"""Merges the keys of an asset: defaults < styles < asset < row, and checks what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.candidates.naming import MOST
from flux_cli.build.manifest.outputs import Variant, is_side, read_output
from flux_cli.build.manifest.paths import inside
from flux_cli.build.references import sources as kinds
from flux_cli.build.references.binding import head
from flux_cli.core.errors import ManifestError, did_you_mean
from flux_cli.core.lite import NamedTuple
from flux_cli.core.options import Parameters
from flux_cli.request.styles import keys
from flux_cli.request.styles.values import shown, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    from flux_cli.build.digests import Head
    from flux_cli.build.manifest.reading import Manifest, Values
    from flux_cli.build.manifest.templates import Template
    from flux_cli.core.model import Json

    class Sources(Protocol):
        """The files that a manifest names, within its folder."""

        def text(self, path: str, where: str) -> str:
            """The text of a file. Raises ManifestError."""

        def digest(self, path: str, where: str) -> str:
            """The SHA-256 of a file. Raises ManifestError."""


# What each asset has for itself; everything else is shared by assets that say the same.
OWN = ("prompt", "seed", "alt")
# Parameters that are about the files, or about how many assets there are.
NOT_REQUESTED = ("n", "seed", "output_compression", "param")
REQUESTED = tuple(
    name for name in Parameters._fields if name in keys.OPTIONS and name not in NOT_REQUESTED
)
MAX_N = 10_000  # assets of one table, as of one run


class Settings(NamedTuple):
    """The merged keys that many assets share."""

    values: Values
    parameters: dict[str, Json]  # of the request, with the model; references by their digest
    references: dict[str, str]  # parameter -> the path of a local file, or asset:NAME
    needs: tuple[str, ...]  # the assets whose originals are references
    head: Head
    stem: Template  # of the paths, without what differs from variant to variant
    variants: tuple[Variant, ...]
    longest: str  # of the endings of the variants
    prefix: tuple[str, ...]  # texts before the prompt
    suffix: tuple[str, ...]  # and after it
    n: int | None = None  # None: one asset, without a number in its name
    is_frozen: bool = False
    candidates: int = 0  # images of which a person picks one; 0: there is nothing to pick


def merge(manifest: Manifest, values: Values, row: Values, where: str) -> Values:
    """The keys of one asset, with the lists `prompt_prefix` and `prompt_suffix` of its styles.

    The images of its styles come before its own.
    """
    layered = {**manifest.defaults, **values, **row}
    style: list[Json] = layered.get("style", [])
    layers = [manifest.defaults]
    for name in map(text_of, style):
        if name not in manifest.styles:
            hint = did_you_mean(name, manifest.styles) or f"add a table [styles.{name}]"
            raise ManifestError(f"{where}: there is no style {name!r}", hint=hint)
        layers.append(manifest.styles[name])
    merged: Values = {"prompt_prefix": [], "prompt_suffix": []}
    for layer in (*layers, values, row):
        param = {**merged.get("param", {}), **layer.get("param", {})}
        affixes = {name: [*merged[name], layer[name]] for name in keys.STYLE if name in layer}
        merged = {**merged, **layer, **affixes}
        if param:
            merged["param"] = param
    images = [image for layer in layers[1:] for image in layer.get(kinds.IMAGE, [])]
    images += layered.get(kinds.IMAGE, [])
    return merged | ({kinds.IMAGE: images} if images else {})


def settle(merged: Values, sources: Sources, where: str) -> Settings:
    """What merged keys mean. Raises ManifestError for what is missing or cannot be made."""
    for name in ("model", "output"):
        if not merged.get(name):
            example = {"model": '"flux1.1-pro-ultra"', "output": '"img/{name}.webp"'}[name]
            hint = f"write {name} = {example} there or under [defaults]"
            raise ManifestError(f"{where}: {name} is missing", hint=hint)
    parameters, references = _requested(merged, sources, where)
    stem, variants = read_output(merged, where)
    longest = max((one.ending for one in variants), key=len)
    return Settings(
        values={name: value for name, value in merged.items() if name not in OWN},
        parameters=parameters,
        references=references,
        needs=_needs(parameters, references),
        head=head(parameters, references.keys()),
        stem=stem,
        variants=variants,
        longest=longest,
        prefix=tuple(merged["prompt_prefix"]),
        suffix=tuple(merged["prompt_suffix"]),
        n=_count(merged, where),
        is_frozen=merged.get("frozen", False),
        candidates=_candidates(merged, where),
    )


def _requested(
    merged: Values, sources: Sources, where: str
) -> tuple[dict[str, Json], dict[str, str]]:
    """The parameters of the request, and the local files among them by their digest."""
    found: dict[str, Json] = {"model": text_of(merged["model"])}
    found |= {name: merged[name] for name in REQUESTED if name in merged}
    if is_side(found.get("size")):
        del found["size"]
    found |= merged.get("param", {})
    references = {}
    for name, value in found.items():
        path = reference(name, value)
        if path:
            references[name] = path
        if path and not (name == kinds.PROMPT and kinds.asset_of(path)):
            found[name] = kinds.DIGEST + sources.digest(path, f"{where}: {name}")
    return found | _sent_images(merged, sources, where), references


def _sent_images(merged: Values, sources: Sources, where: str) -> dict[str, Json]:
    """The images that are sent as `--image` and `--mask` are, local files with their digests."""
    if merged.get(kinds.MASK) and not merged.get(kinds.IMAGE):
        hint = 'add image = "photo.png"'
        raise ManifestError(f"{where}: mask is the mask of an image", hint=hint)
    found: dict[str, Json] = {}
    for name in kinds.SENT:
        value = merged.get(name)
        place = f"{where}: {name}"
        if isinstance(value, list):
            found[name] = [_described(one, sources, place) for one in value]
        elif value:
            found[name] = _described(value, sources, place)
    return found


def _described(source: str, sources: Sources, where: str) -> str:
    """A reference as the lock names it. Raises ManifestError for what is not one."""
    if kinds.asset_of(source) or (kinds.is_address(source) and not where.endswith(kinds.MASK)):
        return source
    if kinds.is_address(source) or source.startswith(("data:", kinds.ASSET)):
        hint = "save it as a file in the folder of the manifest, and name that"
        raise ManifestError(f"{where}: {shown(source)} is not a reference image", hint=hint)
    path = inside(source, where)
    return kinds.described(path, sources.digest(path, where))


def _needs(parameters: dict[str, Json], references: dict[str, str]) -> tuple[str, ...]:
    """The assets whose originals are references: of the images, the mask, and the image prompt."""
    images = parameters.get(kinds.IMAGE, [])
    listed = images if isinstance(images, list) else []
    others = parameters.get(kinds.MASK, ""), references.get(kinds.PROMPT, "")
    return kinds.needed(map(str, (*listed, *others)))


def reference(name: str, value: Json) -> str:
    """The path of the local file that a parameter names, or asset:NAME; "" if it names none.

    `image_prompt` is a path or an address, and `param` names files as `@FILE`, as `-p` does.
    """
    if not isinstance(value, str):
        return ""
    if name == "image_prompt":
        is_elsewhere = value.startswith(("http://", "https://", "data:"))
        return "" if is_elsewhere else value
    is_file = value.startswith("@") and not value.startswith("@@") and len(value) > 1
    return value[1:] if is_file else ""


def _count(merged: Mapping[str, Any], where: str) -> int | None:
    """How many assets there are; None if the manifest does not say."""
    n = merged.get("n")
    if n is None:
        return None
    if not isinstance(n, int) or not 1 <= n <= MAX_N:
        raise ManifestError(f"{where}: n must be from 1 to {MAX_N:,}, not {n!r}")
    return n


def _candidates(merged: Mapping[str, Any], where: str) -> int:
    """How many images there are to pick from; 0 if the manifest does not say."""
    count = merged.get("candidates")
    if count is None:
        return 0
    if type(count) is not int or not 2 <= count <= MOST:
        raise ManifestError(f"{where}: candidates must be from 2 to {MOST}, not {count!r}")
    if merged.get("n") is not None:
        message = f"{where}: n and candidates contradict each other"
        raise ManifestError(message, hint="n makes several assets, candidates one to pick")
    return count
