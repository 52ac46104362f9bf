"""`flux sizes`: the sizes of a model, or those closest to given sizes and ratios."""

from __future__ import annotations

from flux_cli.core.errors import FluxError, UsageError
from flux_cli.core.lite import SCHEMA, NamedTuple
from flux_cli.core.model import MEGAPIXEL
from flux_cli.core.ratio import read_word
from flux_cli.request.lookup import lookup, sizes_for
from flux_cli.request.size import choose
from flux_cli.terminal.streams import document_text, listing, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.core.model import AnySize, Json, Model, Size
    from flux_cli.core.request import Note, Value

HEADING = ("Output", "size", "or", "aspect_ratio + resolution", "megapixels", "native")


SEPARATORS = ("x", "×", "*", ":", "/")


class Match(NamedTuple):
    """The published size that is closest to one shape."""

    asked: str
    meant: str  # the size or ratio, in place of a word such as `1080p`
    size: Size
    note: Note

    @property
    def is_exact(self) -> bool:
        """Whether the model has the shape itself."""
        return not self.note.warning

    @property
    def reason(self) -> str:
        """Why this size was chosen."""
        word = f"{self.asked} is read as {self.meant}; " if self.asked != self.meant else ""
        return word + self.note.reason


def run(
    *,
    shape: list[str] | None,
    model: str | None,
    as_json: bool,
    plain: bool,
    native: bool,
    exact: bool,
) -> None:
    """Print the sizes as a table, as JSON, or one per line.

    A shape may be several words, as in the table: `1183 × 887`. Raises UsageError for an unknown
    model or an invalid shape, and FluxError for one that is not `exact`.
    """
    is_list = plain or native
    if is_list and as_json:
        option = "--plain" if plain else "--native"
        message = f"{option} and --json both write to standard output"
        raise UsageError(message, hint="use only one of them")
    shapes = _shapes(shape or ())
    if exact and not shapes:
        raise UsageError("--exact needs a size", hint="for example flux sizes 16:9 --exact")
    found = lookup(model)
    matches = [_match(text, found) for text in shapes]
    if exact:
        _check_exact(matches, found)
    sizes = found.sizes
    if matches:
        sizes = tuple(match.size for match in matches)
    if is_list:
        say("\n".join(map(_native_name if native else _name, sizes)))
        _print_substitutions(matches)
        return
    sizes = tuple(dict.fromkeys(sizes))
    if as_json:
        say(document_text(_document(found, sizes, matches)))
    else:
        say(_text(found, sizes, matches))


def _shapes(words: Sequence[str]) -> list[str]:
    """The shapes of a command line. Words are one shape if a separator is between them."""
    shapes: list[str] = []
    for word in words:
        is_rest = shapes and shapes[-1].lower().endswith(SEPARATORS)
        if shapes and (is_rest or word.lower().startswith(SEPARATORS)):
            shapes[-1] += f" {word}"
        else:
            shapes.append(word)
    return shapes


def _match(shape: str, model: Model) -> Match:
    meant = read_word(shape, is_free=True) or shape
    sizes, note = sizes_for(model, meant)
    assert note is not None  # noqa: S101 - there is one for every shape
    return Match(shape, meant, sizes[0], note)


def _check_exact(matches: Sequence[Match], model: Model) -> None:
    """Raise FluxError for the first shape that the model does not have."""
    for match in matches:
        if not match.is_exact:
            closest = f"{match.size.name} ({match.size.aspect_ratio})"
            message = f"{model.id} has no {match.meant}"
            raise FluxError(message, hint=f"the closest is {closest}; without --exact, it is used")


def _name(size: Size) -> str:
    return size.name


def _native_name(size: Size) -> str:
    """The pixels that arrive; the size itself where the upstreams' pixels are not published."""
    width, height = size.expected
    return f"{width}x{height}"


def _print_substitutions(matches: Sequence[Match]) -> None:
    """Say on stderr which sizes are not what was asked for: a script reads only the sizes."""
    for match in matches:
        if not match.is_exact or match.asked != match.meant:
            from flux_cli.terminal import messages  # most lookups print none

            messages.err(f"flux: note: {match.reason}")


def _text(model: Model, sizes: tuple[Size, ...], matches: Sequence[Match]) -> str:
    parts = [_table(model, sizes)]
    reasons = [_reason_line(match) for match in matches if not _is_shown(match)]
    if reasons:
        parts.append("\n".join(reasons))
    free = _free_sizes(model)
    if free:
        parts.append("\n".join(_free_line(model, name, matches) for name in free))
    return "\n\n".join(parts)


def _is_shown(match: Match) -> bool:
    """Whether its row of the table already shows what was asked for."""
    return match.asked in (match.size.name, match.size.aspect_ratio)


def _reason_line(match: Match) -> str:
    reason = match.reason
    return reason if match.asked in reason else f"{match.asked}: {reason}"


def _free_sizes(model: Model) -> dict[str, AnySize]:
    """The limits of providers that take any size, by their names."""
    rows = model.dialects.values()
    return {row.provider: row.any_size for row in rows if row.any_size is not None}


def _free_line(model: Model, provider: str, matches: Sequence[Match]) -> str:
    """What a provider takes, or what it makes of each shape."""
    names = []
    for match in matches:
        given: dict[str, Value] = {"size": match.meant, "aspect_ratio": None, "resolution": None}
        size, *_ = choose(given, model, model.dialects[provider])
        names.append(size.name)
    if names:
        return f"{provider}: {', '.join(names)}"
    free = _free_sizes(model)[provider]
    sides = f"at least {free.min_side}"
    if free.max_side is not None:
        sides = f"{free.min_side} to {free.max_side}"
    most = f"{free.max_pixels / MEGAPIXEL:.3g} megapixels"
    return (
        f"{provider}: any size in steps of {free.step}, with sides of {sides} pixels, up to {most}"
    )


SIZE: dict[str, object] = {
    "size": "text",
    "width": "integer",
    "height": "integer",
    "aspect_ratio": "text",
    "resolution": "text",
    "megapixels": "number",
    "native_size": "text?",
}
MATCH: dict[str, object] = {"asked": "text", "size": "text", "exact": "boolean", "reason": "text"}
SIZE_TABLE: dict[str, object] = {
    "schema": (SCHEMA,),
    "model": "text",
    "asked": "text?",  # null if there is no shape, or several
    "reason": "text?",
    "sizes": ["#size"],
    "matches": ["#size_match"],
    "free_sizes": {
        "...": {
            "step": "integer",
            "min_side": "integer",
            "max_side": "integer?",
            "max_pixels": "integer",
        }
    },
}


def _document(model: Model, sizes: tuple[Size, ...], matches: Sequence[Match]) -> dict[str, Json]:
    listed: list[Json] = [_size_document(size) for size in sizes]
    free: dict[str, Json] = {name: limits._asdict() for name, limits in _free_sizes(model).items()}
    asked, reason = None, None
    if len(matches) == 1:
        asked, reason = matches[0].asked, matches[0].reason
    return {
        "schema": SCHEMA,
        "model": model.id,
        "asked": asked,
        "reason": reason,
        "sizes": listed,
        "matches": [_match_document(match) for match in matches],
        "free_sizes": free,
    }


def _match_document(match: Match) -> dict[str, Json]:
    return {
        "asked": match.asked,
        "size": match.size.name,
        "exact": match.is_exact,
        "reason": match.reason,
    }


def _size_document(size: Size) -> dict[str, Json]:
    return {
        "size": size.name,
        "width": size.width,
        "height": size.height,
        "aspect_ratio": size.aspect_ratio,
        "resolution": size.resolution,
        "megapixels": round(size.megapixels, 2),
        "native_size": size.native_name,
    }


def _table(model: Model, sizes: tuple[Size, ...]) -> str:
    tiers = ", ".join(dict.fromkeys(size.resolution for size in model.sizes))
    count = f"{len(sizes)} of " if len(sizes) < len(model.sizes) else ""
    title = f"{model.id}  {tiers}  {count}{len(model.sizes)} sizes"
    return f"{title}\n\n{listing([HEADING, *map(_row, sizes)], right=(4, 5))}"


def _row(size: Size) -> tuple[str, ...]:
    return (
        f"{size.width} × {size.height}",
        f'"{size.name}"',
        "or",
        f'"{size.aspect_ratio}" + "{size.resolution}"',
        f"{size.megapixels:.2f}",
        f"{size.native[0]} × {size.native[1]}" if size.native else "-",
    )
