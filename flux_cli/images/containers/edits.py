"""Edits of bytes: what is cut out, what is put in; the result is slices of the original, not a copy."""

from __future__ import annotations

from collections.abc import Sequence

from flux_cli.core.lite import NamedTuple


class Edit(NamedTuple):
    """Put `new` in place of the bytes from `start` to `end`."""

    start: int
    end: int
    new: bytes = b""


def spliced(data: bytes, edits: Sequence[Edit]) -> tuple[memoryview | bytes, ...]:
    """The edited bytes, as pieces. Edits at one place stay in their order; edits that overlap raise ValueError."""
    view, at = memoryview(data), 0
    pieces: list[memoryview | bytes] = []
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if not at <= edit.start <= edit.end <= len(data):
            raise ValueError("edits overlap")
        pieces += [view[at : edit.start], edit.new]
        at = edit.end
    pieces.append(view[at:])
    return tuple(piece for piece in pieces if len(piece))
