"""Writes a record into an image without touching its pixels, as edits between slices of its bytes.

Images with signed credentials, or with a structure that flux does not understand, stay as they are,
and the result says why.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers.container import Container, Payload, PayloadTooLongError
from flux_cli.images.containers.parts import Edit, splice
from flux_cli.images.containers.registry import CONTAINERS, sniff
from flux_cli.images.metadata import xmp
from flux_cli.images.metadata.credentials import has_credentials
from flux_cli.images.metadata.parameters import is_ours, parameters_text
from flux_cli.images.metadata.record import SIGNED, Record
from flux_cli.images.metadata.xmp_scan import XmpError

# Lengths of the prompt to try, in characters, if a format has no room for all of it.
SHORTER = (8000, 4000, 2000, 1000, 250, 0)


class Written(NamedTuple):
    """The image as pieces, to be written one after the other.

    `reason` says why the record was not written or what was cut; "" if it is complete.
    """

    pieces: tuple[memoryview | bytes, ...]
    is_written: bool
    reason: str = ""


def write_record(data: bytes, record: Record) -> Written:
    """Write a record into an image. It replaces a record that flux wrote before.

    Pixels and all other metadata stay as they are. Never raises, because images cost money: an
    image that cannot be edited is returned unchanged.
    """
    name = sniff(data)
    if name is None:
        return Written((data,), is_written=False, reason="it is not an image")
    container = CONTAINERS[name]
    if container.edits is None:
        return Written((data,), is_written=False, reason=f"flux cannot write metadata into {name}")
    if has_credentials(data):
        return Written((data,), is_written=False, reason=SIGNED)
    try:
        edits, note = _edits_that_fit(data, container, record, name.upper())
        return Written(splice(data, edits), is_written=True, reason=note)
    except XmpError as fault:
        return Written((data,), is_written=False, reason=str(fault))
    except (ValueError, IndexError, OverflowError, struct.error) as fault:
        reason = f"flux does not understand its structure: {fault}"
        return Written((data,), is_written=False, reason=reason)


def _edits_that_fit(
    data: bytes, container: Container, record: Record, name: str
) -> tuple[Sequence[Edit], str]:
    """The edits with the longest prompt that fits, and a note if it was shortened.

    Raises XmpError if not even an empty prompt fits.
    """
    assert container.edits is not None  # noqa: S101 - the caller has checked
    try:
        return container.edits(data, _payload(record)), ""
    except PayloadTooLongError:
        pass
    for length in SHORTER:
        try:
            edits = container.edits(data, _payload(_shorten(record, length)))
        except PayloadTooLongError:
            continue
        return edits, f"a {name} has room for the first {length:,} characters of the prompt"
    raise XmpError(f"a {name} has no room for the details")


def _payload(record: Record) -> Payload:
    """The record in the forms that containers hold."""
    return Payload(
        packet=lambda existing: xmp.packet(record, existing),
        parameters=lambda size: _utf8(parameters_text(record, size)),
        is_ours=lambda text: is_ours(text.decode("utf-8", "replace")),
    )


def _shorten(record: Record, length: int) -> Record:
    def shorter(text: str) -> str:
        return text if len(text) <= length else f"{text[:length]}…"

    return record._replace(
        prompt=shorter(record.prompt),
        revised_prompt=shorter(record.revised_prompt),
        negative_prompt=shorter(record.negative_prompt),
    )


def _utf8(text: str) -> bytes:
    """UTF-8 without the characters that texts in files cannot hold: NUL and lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace")
