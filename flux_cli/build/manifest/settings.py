"""Merges the keys of an asset: defaults < styles < asset < row, and checks what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build import digests
from flux_cli.build.candidates.naming import MOST
from flux_cli.build.manifest.outputs import Variant, is_side, read_output
from flux_cli.core.errors import ManifestError, did_you_mean
from flux_cli.core.lite import NamedTuple
from flux_cli.core.options import Parameters
from flux_cli.request.styles import keys
from flux_cli.request.styles.values import text_of

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
    references: dict[str, str]  # parameter -> the path of a local file
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
    """The keys of one asset, with the lists `prompt_prefix` and `prompt_suffix` of its styles."""
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
    return merged


def settle(merged: Values, sources: Sources, where: str) -> Settings:
    """What merged keys mean. Raises ManifestError for what is missing or cannot be made."""
    for name in ("model", "output"):
        if not merged.get(name):
            example = {"model": '"flux1.1-pro-ultra"', "output": '"img/{name}.webp"'}[name]
            hint = f"write {name} = {example} there or under [defaults]"
            raise ManifestError(f"{where}: {name} is missing", hint=hint)
    parameters, references = _requested(merged, sources, where)
    digests_of_files = {name: str(parameters[name]) for name in references}
    others = {name: value for name, value in parameters.items() if name not in references}
    stem, variants = read_output(merged, where)
    longest = max((one.ending for one in variants), key=len)
    return Settings(
        values={name: value for name, value in merged.items() if name not in OWN},
        parameters=parameters,
        references=references,
        head=digests.head_of(others, digests_of_files),
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
            found[name] = f"sha256:{sources.digest(path, f'{where}: {name}')}"
    return found, references


def reference(name: str, value: Json) -> str:
    """The path of the local file that a parameter names; "" if it names none.

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
