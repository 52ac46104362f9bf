"""Plans the requests for n images: n calls for one image each, in the provider's field names."""

from __future__ import annotations

from flux_cli.core.errors import UsageError
from flux_cli.core.lite import LazySequence, json_text
from flux_cli.core.model import UNKNOWN_PRICE, Dialect, Field
from flux_cli.core.request import DERIVED, DRAWN, TYPED, Call, Note, Plan
from flux_cli.core.values import INT64
from flux_cli.images.formats import FORMATS
from flux_cli.request import unknown_model
from flux_cli.request.dialect import translate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from flux_cli.core.model import Json, ProviderRow
    from flux_cli.core.options import Input
    from flux_cli.core.request import Resolved
    from flux_cli.core.uploads import Body

    # A value to send (None: nothing is sent), and notes on it.
    Choice: TypeAlias = tuple[Json, tuple[Note, ...]]

PASSED_THROUGH = Field("passthrough")
# The gateway takes every parameter under its own name. This dialect is also used for models that
# are not in the catalog. The formats are those that the gateway documents, not those of flux.
GATEWAY = Dialect(
    "lumenfall", "", UNKNOWN_PRICE, ("png", "jpeg", "gif", "webp", "avif"), (), None, {}
)
UNKNOWN_MODEL = GATEWAY._replace(fields=unknown_model.FIELDS)


def plan(resolved: Resolved, origin: str = "", seed: int | None = None) -> Plan:
    """Split a resolved request into calls for one image each, with `seed`, `seed + 1`, and so on.

    `origin` and `seed` are those of `choose_seed` if the user named none. Raises UsageError for
    seeds beyond 64 bits.
    """
    dialect = _dialect_of(resolved)
    file_format, format_notes = _choose_format(resolved, dialect)
    quality, quality_notes = _choose_quality(resolved, dialect, file_format)
    if resolved.seed is not None:
        origin, seed = TYPED, resolved.seed
    seed_notes = () if origin in ("", TYPED) else (_seed_note(dialect, origin, seed),)
    given = _parameters_to_send(resolved, dialect, file_format, quality)
    ratio_notes = _drop_ratio_beside_size(given, dialect)
    body: dict[str, Json] = {}
    for name, value in given.items():
        body |= translate(field_of(dialect, name), value)
    images, place = _references(resolved)

    def make_call(index: int) -> Call:
        call = _call(resolved, dialect, body, seed, index + 1)
        return call._replace(body={**call.body, **images}, uploads=place) if images else call

    calls = LazySequence(resolved.n, make_call)
    if calls:
        _ = calls[-1]  # raises UsageError if the largest seed is too large
    count_notes = _count_notes(resolved, origin)
    notes = (*count_notes, *seed_notes, *format_notes, *ratio_notes, *quality_notes)
    return Plan(calls, notes, origin)


def _references(resolved: Resolved) -> tuple[Body, str]:
    """The fields with the references, and where they are sent; nothing without references."""
    request = resolved.request
    if request.taken is None:
        return {}, ""
    from flux_cli.request.references import sending  # most requests have none

    body = sending.write(request, request.taken, follows=resolved.follows)
    return body, sending.place(request.taken)


def _dialect_of(resolved: Resolved) -> Dialect:
    """How the parameters are sent. What flux can do itself is sent if the user names it with -p."""
    dialect = resolved.dialect or (GATEWAY if resolved.model else UNKNOWN_MODEL)
    named = {
        name: PASSED_THROUGH._replace(name=name)
        for name in resolved.request.named
        if name in dialect.fields and dialect.fields[name].by_name
    }
    return dialect._replace(fields=dialect.fields | named) if named else dialect


def _parameters_to_send(
    resolved: Resolved, dialect: Dialect, file_format: Json, quality: Json
) -> dict[str, Json]:
    """Every parameter but the seed, under the gateway's names."""
    given: dict[str, Json] = {"prompt": resolved.prompt, **resolved.parameters}
    if resolved.aspect_ratio and field_of(dialect, "size").spelling == "aspect_ratio":
        given["size"] = resolved.aspect_ratio
        has_tiers = bool(dialect.fields.get("resolution", PASSED_THROUGH).name)
        if resolved.size and has_tiers:
            given["resolution"] = resolved.size.resolution
    if file_format is not None:
        given["output_format"] = file_format
    if quality is not None:
        given["output_compression"] = quality
    return given


def field_of(dialect: Dialect, name: str) -> Field:
    """The field of a parameter. One that the dialect does not list is sent under its own name."""
    field = dialect.fields.get(name, PASSED_THROUGH)
    if field.name or field.behavior in ("emulated", "unsupported"):
        return field
    return field._replace(name=name)


def _drop_ratio_beside_size(given: dict[str, Json], dialect: Dialect) -> tuple[Note, ...]:
    """Remove the ratio if the provider has one field for both and a size was given, too."""
    shares_field = field_of(dialect, "aspect_ratio").spelling in ("size", "sides")
    if not shares_field or "size" not in given or "aspect_ratio" not in given:
        return ()
    ratio = given.pop("aspect_ratio")
    return (Note("aspect_ratio", ratio, None, "ignored", "size overrides it", warning=True),)


def _call(
    resolved: Resolved, dialect: Dialect, body: dict[str, Json], seed: int | None, number: int
) -> Call:
    """Call `number`, counted from 1, with a seed of its own: counted up from `seed`, or listed."""
    if seed is None:
        return Call(number, None, resolved.sent_model, body)
    is_listed = len(resolved.seeds) > 1
    own = resolved.seeds[number - 1] if is_listed else seed + number - 1
    if own >= INT64:
        message = f"seed {seed} is too large for {resolved.n} images"
        raise UsageError(message, hint="choose a smaller seed")
    field = field_of(dialect, "seed")
    if field.spelling == "prompt_tag":
        tag = json_text({"seed": own})
        prompt = f"{body['prompt']} <sd_cpp_extra_args>{tag}</sd_cpp_extra_args>"
        return Call(number, own, resolved.sent_model, {**body, "prompt": prompt})
    return Call(number, own, resolved.sent_model, {**body, **translate(field, own)})


def choose_seed(
    resolved: Resolved, row: ProviderRow, given: Input, draw: Callable[[], int] | None
) -> tuple[str, int | None]:
    """Where the seeds of a request come from, see Plan, and the first one.

    Without `draw`, none is drawn yet. Offline, `draw` or not, it belongs to the request.
    """
    if resolved.seed is not None:
        return TYPED, resolved.seed
    is_requested = "seed" in resolved.request.parameters  # as -1
    if not row.hosted and not is_requested:
        from flux_cli.request.sketch import derive_seed

        return DERIVED, derive_seed(resolved)
    is_required = field_of(_dialect_of(resolved), "seed").required
    if not is_requested and not is_required and (given.no_seed or not _takes_seed(resolved)):
        return "", None
    return DRAWN, draw() if draw else None


def _takes_seed(resolved: Resolved) -> bool:
    """Whether it is known that the provider takes a seed for this model."""
    if resolved.dialect:
        field = resolved.dialect.fields.get("seed")
        return field is not None and field.behavior not in ("emulated", "unsupported")
    param = resolved.model.parameters.get("seed") if resolved.model else None
    if param is None or param.behavior == "unsupported":
        return False
    return not param.upstreams or resolved.route in param.upstreams


def _seed_note(dialect: Dialect, origin: str, seed: int | None) -> Note:
    """Why a seed is sent that the user did not name."""
    if origin == DERIVED:
        reason = "derived from the request: the same command draws the same sketch"
    elif seed is None:
        reason = "a random seed is drawn for each run; --no-seed sends none"
    else:
        reason = "drawn at random; --no-seed sends none"
    field = field_of(dialect, "seed")
    if field.required:
        reason = f"drawn at random: {field.reason}"
    return Note("seed", None, seed, "default", reason)


def _count_notes(resolved: Resolved, origin: str) -> tuple[Note, ...]:
    if resolved.n == 1:
        return ()
    seeds = ", each with the next seed" if origin else ""
    if len(resolved.seeds) > 1:
        seeds = ", each with its own seed"
    reason = f"{resolved.n} parallel requests for one image{seeds}"
    return (Note("n", resolved.n, 1, "emulated", reason),)


def _choose_format(resolved: Resolved, dialect: Dialect) -> Choice:
    """The format to request: one that the provider makes itself.

    Conversions by the gateway are limited: its AVIF has at most 1,600 pixels, and most images are
    larger.
    """
    asked = ", ".join(resolved.made or ()) or resolved.format
    field = field_of(dialect, "output_format")
    if asked is None:
        return _default_format(dialect, field)
    if not field.name:
        reason = f"{field.reason}; converted to {asked} by flux"
        return None, (Note("output_format", asked, None, "emulated", reason),)
    if not resolved.made and _flux_sets_quality(resolved, dialect):
        reason = f"received as png, so that flux can encode {asked} at the requested quality"
        return _convert(asked, "png", reason)
    native = _native_formats(resolved, dialect)
    if resolved.made or (native and asked not in native):
        best = "png" if "png" in native or not native else native[0]
        return _convert(asked, best, f"received as {best}, converted to {asked} by flux")
    used = translate(field, asked)[field.name]
    behavior, reason = "passthrough", "the provider makes it itself"
    if used != asked:
        behavior, reason = field.behavior, f"{dialect.provider} calls it {used}"
    return asked, (Note("output_format", asked, used, behavior, reason),)


def _default_format(dialect: Dialect, field: Field) -> Choice:
    """The format to request if none was asked for: none, unless the server's own would be wrong."""
    if not field.required:
        return None, ()
    best = dialect.formats[0]
    used = translate(field, best)[field.name]
    return best, (Note("output_format", None, used, "default", field.reason),)


def _convert(asked: str, received: str, reason: str) -> Choice:
    return received, (Note("output_format", asked, received, "emulated", reason),)


def _native_formats(resolved: Resolved, dialect: Dialect) -> tuple[str, ...]:
    """The formats that the provider makes itself. The gateway's depend on the model."""
    if resolved.model and dialect is GATEWAY:
        return resolved.model.native_formats
    return dialect.formats


def _flux_sets_quality(resolved: Resolved, dialect: Dialect) -> bool:
    """Whether a lossy file is encoded here, because the provider has no setting for its quality."""
    if resolved.format is None or resolved.quality is None:
        return False
    is_lossless = FORMATS[resolved.format].quality is None
    is_emulated = field_of(dialect, "output_compression").behavior == "emulated"
    return is_emulated and not is_lossless and "png" in dialect.formats


def _choose_quality(resolved: Resolved, dialect: Dialect, sent_format: Json) -> Choice:
    quality, asked = resolved.quality, resolved.format
    if quality is None:
        return None, ()
    if asked is None and isinstance(sent_format, str):
        asked = sent_format  # which nobody asked for, see `_default_format`
    if resolved.made is not None:
        return _quality_note(quality, quality, "emulated", "applied by flux to the files it makes")
    if asked is not None and FORMATS[asked].quality is None:
        reason = f"{asked} is lossless: there is nothing to compress"
        return _quality_note(quality, None, "ignored", reason)
    if asked != sent_format:
        reason = f"applied by flux when it converts to {asked}"
        return _quality_note(quality, quality, "emulated", reason)
    if not field_of(dialect, "output_compression").name:
        return _quality_note(quality, quality, "emulated", "applied by flux to lossy formats")
    note = Note("output_compression", quality, quality, "passthrough", "quality of a lossy format")
    return quality, (note,)


def _quality_note(asked: int, used: int | None, behavior: str, reason: str) -> Choice:
    """A quality that is not sent, and why."""
    note = Note("output_compression", asked, used, behavior, reason, warning=behavior == "ignored")
    return None, (note,)
