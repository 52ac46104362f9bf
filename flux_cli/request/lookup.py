"""Finds the model that a lookup is about, by its name or the settings, and its sizes."""

from __future__ import annotations

from flux_cli.catalog.find import find_model, similar_model
from flux_cli.config.folders import model_folders
from flux_cli.config.load import load_settings
from flux_cli.core.errors import UsageError
from flux_cli.providers.rows import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Model, Size
    from flux_cli.core.request import Note


def lookup(name: str | None) -> Model:
    """The model of that name in the catalog; None stands for the default model.

    Raises UsageError if there is none.
    """
    model_name = load_settings({"model": name}, ROWS).model
    found = find_model(model_name, model_folders())
    if found is None:
        raise unknown_model(model_name, "see: flux models")
    return found


def sizes_for(model: Model, shape: str | None) -> tuple[tuple[Size, ...], Note | None]:
    """All sizes of a model, or the one closest to a size or ratio, with the note that says why.

    Raises UsageError for an invalid shape.
    """
    if shape is None:
        return model.sizes, None
    from flux_cli.core.request import Request
    from flux_cli.request.resolve import resolve  # `flux models` needs neither

    resolved = resolve(Request(model.id, {"size": shape}), model)
    sizes = tuple(size for size in model.sizes if size == resolved.size)
    return sizes, next(note for note in resolved.notes if note.parameter == "size")


def unknown_model(name: str, advice: str) -> UsageError:
    """The error for a model that the catalog lacks; the hint is `advice` if no name is similar."""
    hint = similar_model(name, model_folders()) or advice
    return UsageError(f"model {name!r} is not in the catalog", hint=hint)
