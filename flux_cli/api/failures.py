"""Makes an error fit to be shown by any program: without keys and control characters."""

from __future__ import annotations

from flux_cli.core.errors import FluxError
from flux_cli.core.text import LONG, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def presentable(error: FluxError) -> FluxError:
    """The same error, to be raised to the caller. Its hint and its causes become notes.

    Tracebacks show notes. The causes themselves and their frames may hold keys, so they go.
    """
    notes = list(_notes(error))
    error.message = plain(error.message, LONG)
    error.hint = plain(error.hint, LONG)
    error.request_id = plain(error.request_id)
    error.args = (error.message,)
    for note in notes:
        error.add_note(plain(note, LONG))
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _notes(error: FluxError) -> Iterator[str]:
    if error.billed:
        yield "it may have been billed"
    if error.hint:
        yield f"hint: {error.hint}"
    cause = error.__cause__
    while cause is not None:
        yield f"cause: {type(cause).__name__}: {cause}"
        cause = cause.__cause__
