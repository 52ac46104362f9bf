"""Resolved -> Calls: n images become n calls of one, spelled for the provider; what it cannot do is left to flux."""

from __future__ import annotations

from flux_cli.core.errors import UsageError
from flux_cli.core.lite import Lazy, json_text
from flux_cli.core.model import Dialect, Field
from flux_cli.core.request import Call, Note, Plan
from flux_cli.core.values import INT64
from flux_cli.images.formats import FORMATS
from flux_cli.request.dialect import spell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Json
    from flux_cli.core.request import Resolved

# The gateway takes every parameter under its own name, and a model no catalog knows is given all as typed.
AS_IT_IS = Field("passthrough")
# The formats are those that its page names, whichever others flux itself can write.
GATEWAY_FORMATS = ("png", "jpeg", "gif", "webp", "avif")
GATEWAY = Dialect("lumenfall", "", None, GATEWAY_FORMATS, (), None, {})


def plan(resolved: Resolved, fresh_seed: int | None = None) -> Plan:
    """Split a resolved request into single-image calls with seeds `seed + i`, in the order asked.

    `fresh_seed` is used where nobody said a seed and the server's own default would repeat one image.
    """
    dialect = resolved.dialect or GATEWAY
    sent_format, notes = _sent_format(resolved, dialect)
    quality, quality_notes = _sent_quality(resolved, dialect, sent_format)
    said: dict[str, Json] = {"prompt": resolved.prompt, **resolved.parameters}
    if resolved.size and _field(dialect, "size").spelling == "aspect_ratio":
        said["size"] = resolved.aspect_ratio
    said |= {} if sent_format is None else {"output_format": sent_format}
    said |= {} if quality is None else {"output_compression": quality}
    if "size" in said and _field(dialect, "aspect_ratio").spelling in ("size", "sides") and "aspect_ratio" in said:
        notes.append(Note("aspect_ratio", said.pop("aspect_ratio"), None, "ignored", "size wins", warning=True))
    body: dict[str, Json] = {}
    for name, value in said.items():
        body |= spell(_field(dialect, name), value)
    seed, seed_notes = _seed(resolved, dialect, fresh_seed)
    calls = Lazy(resolved.n, lambda place: _call(resolved, dialect, body, seed, place + 1))
    if calls:
        _ = calls[-1]  # the last one has the largest seed
    return Plan(calls, (*_count_notes(resolved, seed), *seed_notes, *notes, *quality_notes))


def _field(dialect: Dialect, name: str) -> Field:
    field = dialect.fields.get(name, AS_IT_IS)
    return field if field.name or field.behavior in ("emulated", "unsupported") else field._replace(name=name)


def _call(resolved: Resolved, dialect: Dialect, body: dict[str, Json], seed: Json, number: int) -> Call:
    """Call `number`. A seed that is no number (a model nobody can check) is the same for every call."""
    if seed is None:
        return Call(number, None, resolved.sent_model, body)
    own = seed + number - 1 if isinstance(seed, int) and not isinstance(seed, bool) else seed
    if isinstance(own, int) and own >= INT64:
        raise UsageError(f"seed {seed} leaves no room for {resolved.n} images", hint="choose a smaller seed")
    field = _field(dialect, "seed")
    if field.spelling == "prompt_tag":
        tag = json_text({"seed": own})
        prompt = f"{body['prompt']} <sd_cpp_extra_args>{tag}</sd_cpp_extra_args>"
        return Call(number, own, resolved.sent_model, {**body, "prompt": prompt})
    return Call(number, own, resolved.sent_model, {**body, **spell(field, own)})


def _seed(resolved: Resolved, dialect: Dialect, fresh_seed: int | None) -> tuple[Json, list[Note]]:
    field = _field(dialect, "seed")
    if resolved.seed is not None or not field.required or fresh_seed is None:
        return resolved.seed, []
    return fresh_seed, [Note("seed", None, fresh_seed, "default", field.reason)]


def _count_notes(resolved: Resolved, seed: Json) -> list[Note]:
    if resolved.n == 1:
        return []
    seeds = "" if seed is None else ", seeds counting up"
    return [Note("n", resolved.n, 1, "emulated", f"{resolved.n} parallel calls of one image{seeds}")]


def _sent_format(resolved: Resolved, dialect: Dialect) -> tuple[str | None, list[Note]]:
    """The format to ask of the provider: one it makes itself.

    The gateway's own conversions have limits (AVIF stops at 1,600 pixels, and this model's images are larger).
    """
    asked = ", ".join(resolved.made or ()) or resolved.format
    if asked is None:
        return None, []
    field = _field(dialect, "output_format")
    if not field.name:
        return None, [Note("output_format", asked, None, "emulated", f"{field.reason}: converted to {asked} here")]
    native = resolved.model.native_formats if resolved.model and dialect is GATEWAY else dialect.formats
    if resolved.made:
        best = "png" if "png" in native or not native else native[0]
        return best, [Note("output_format", asked, best, "emulated", f"received as {best}, made into {asked} here")]
    lossy = FORMATS[asked].quality is not None and resolved.quality is not None
    if lossy and _field(dialect, "output_compression").behavior == "emulated" and "png" in dialect.formats:
        reason = f"received as png, so that flux can encode {asked} at the quality asked"
        return "png", [Note("output_format", asked, "png", "emulated", reason)]
    if asked in native or not native:
        used = spell(field, asked)[field.name]
        reason = "the upstreams make it themselves" if used == asked else f"{dialect.provider} calls it {used}"
        return asked, [Note("output_format", asked, used, field.behavior if used != asked else "passthrough", reason)]
    best = "png" if "png" in native else native[0]
    return best, [Note("output_format", asked, best, "emulated", f"received as {best}, converted to {asked} here")]


def _sent_quality(resolved: Resolved, dialect: Dialect, sent_format: str | None) -> tuple[int | None, list[Note]]:
    quality = resolved.quality
    if quality is None:
        return None, []
    if resolved.made is not None:
        return None, [Note("output_compression", quality, quality, "emulated", "applied here, where files are made")]
    asked = resolved.format
    if asked is not None and FORMATS[asked].quality is None:
        reason = f"{asked} is lossless: there is nothing to compress away"
        return None, [Note("output_compression", quality, None, "ignored", reason, warning=True)]
    if asked != sent_format:
        return None, [Note("output_compression", quality, quality, "emulated", f"applied here when {asked} is made")]
    if not _field(dialect, "output_compression").name:
        reason = f"{dialect.provider} has no such setting, and flux encodes only the output_format asked for"
        return None, [Note("output_compression", quality, None, "ignored", reason, warning=True)]
    return quality, [Note("output_compression", quality, quality, "passthrough", "quality of a lossy format")]
