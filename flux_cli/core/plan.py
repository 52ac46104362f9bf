"""Resolved -> Calls: n pictures become n calls of one, and what the provider cannot do is left to flux."""

from flux_cli.core.formats import FORMATS
from flux_cli.core.model import Json
from flux_cli.core.request import Call, Note, Plan, Resolved


def plan(resolved: Resolved) -> Plan:
    """Split a resolved request into single-picture calls with seeds `seed + i`, in the order asked."""
    wire_format, notes = _wire_format(resolved)
    quality, quality_notes = _wire_quality(resolved, wire_format)
    body: dict[str, Json] = {"model": resolved.wire_model, "prompt": resolved.prompt, **resolved.parameters}
    if wire_format is not None:
        body["output_format"] = wire_format
    if quality is not None:
        body["output_compression"] = quality
    calls = tuple(_call(body, resolved.seed, index) for index in range(1, resolved.n + 1))
    return Plan(calls, (*_count_notes(resolved), *notes, *quality_notes))


def _call(body: dict[str, Json], seed: Json, index: int) -> Call:
    """Call number `index`. A seed that is no number (a model nobody can check) is the same for every call."""
    if seed is None:
        return Call(index, None, body)
    own = seed + index - 1 if isinstance(seed, int) and not isinstance(seed, bool) else seed
    return Call(index, own, {**body, "seed": own})


def _count_notes(resolved: Resolved) -> list[Note]:
    if resolved.n == 1:
        return []
    seeds = "" if resolved.seed is None else ", seeds counting up"
    return [Note("n", resolved.n, 1, "emulated", f"{resolved.n} parallel calls of one picture{seeds}")]


def _wire_format(resolved: Resolved) -> tuple[str | None, list[Note]]:
    """The format to ask of the provider: one it makes itself.

    The gateway's own conversions have limits (AVIF stops at 1,600 pixels, and this model's pictures are larger).
    """
    asked = resolved.format
    if asked is None:
        return None, []
    native = resolved.model.native_formats if resolved.model else tuple(FORMATS)
    if asked in native or not native:
        return asked, [Note("output_format", asked, asked, "passthrough", "the upstreams make it themselves")]
    best = "png" if "png" in native else native[0]
    return best, [Note("output_format", asked, best, "emulated", f"received as {best}, converted to {asked} here")]


def _wire_quality(resolved: Resolved, wire_format: str | None) -> tuple[int | None, list[Note]]:
    quality = resolved.quality
    if quality is None:
        return None, []
    asked = resolved.format
    if asked is not None and FORMATS[asked].quality is None:
        reason = f"{asked} is lossless: there is nothing to compress away"
        return None, [Note("output_compression", quality, None, "ignored", reason, warning=True)]
    if asked != wire_format:
        return None, [Note("output_compression", quality, quality, "emulated", f"applied here when {asked} is made")]
    return quality, [Note("output_compression", quality, quality, "passthrough", "quality of a lossy format")]
