"""Says in notes where values come from that nobody typed: an image, or a preset. Pure."""

from __future__ import annotations

from flux_cli.core.request import Note
from flux_cli.core.values import shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.core.model import Json
    from flux_cli.core.options import Preset


def mark_origin(
    notes: tuple[Note, ...], taken: Mapping[str, Json], origin: str
) -> tuple[Note, ...]:
    """Add the origin to the notes on values that were taken. Values without a note get one."""
    noted = {note.parameter for note in notes}
    added = [
        Note(name, None, shorten(value), "default", origin)
        for name, value in taken.items()
        if name not in noted
    ]
    marked = []
    for note in notes:
        is_taken = note.parameter in taken
        marked.append(note._replace(reason=f"{note.reason}; {origin}") if is_taken else note)
    return (*added, *marked)


def explain_preset(preset: Preset, notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """The notes of a request with a preset, marking each value that came from it."""
    origin = f"from preset {preset.name}"
    unused = [
        Note(name, shorten(value), None, "ignored", f"{origin}; only flux build uses it")
        for name, value in preset.ignored.items()
    ]
    return (*unused, *mark_origin(notes, preset.taken, origin))
