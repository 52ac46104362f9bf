"""Keeps good answers that flux does not understand, byte for byte, in the folder of the run.

Only keys are taken out. `flux recover` reads the answer again: a later version may understand it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
from typing import TYPE_CHECKING, Protocol

from flux_cli.http.replies import BILLED_HINT, BLOB, MARK, parse_json
from flux_cli.providers.reading.bodies import whole_body
from flux_cli.runs.records.lines import answer_name
from flux_cli.runs.records.privacy import BEGINNING, bytes_without_keys, is_text

if TYPE_CHECKING:
    from flux_cli.core.request import Call
    from flux_cli.http.spool import Spool
    from flux_cli.providers.missing import UnreadableError

MAX_WHOLE = 32 << 20  # bytes of an answer with the images in it; a larger one has their names


class Folder(Protocol):
    """The folder of a run: its path, "" if nothing is written down, and whether prompts may be."""

    is_private: bool

    @property
    def state(self) -> str: ...


def keep_answer(error: UnreadableError, call: Call, folder: Folder, spool: Spool) -> None:
    """Keep the answer of an error in a file, which its hint then names.

    Takes up to a second for a large answer. If no disk takes it, the error stays as it is. A text
    is not kept in a private journal, because it may repeat the prompt.
    """
    error.hint = error.hint or BILLED_HINT
    if not folder.state:
        return
    with contextlib.suppress(OSError):
        mark = whole_body(parse_json(error.answer))
        if mark:
            path = _whole_file(mark, folder, spool)
        else:
            path = _text_file(error.answer, call, folder, spool)
        place = spool.secure(path) if path else ""
        if place:
            error.hint = f"the answer is kept in {place}; {error.hint}"


def _whole_file(mark: str, folder: Folder, spool: Spool) -> str:
    """The path of the file that has a whole body, without keys; "" if it is not kept."""
    path = spool.find(mark.removeprefix(MARK))
    if path is None:
        return ""
    data = spool.read(path)
    safe = bytes_without_keys(data)
    if safe is None or (folder.is_private and is_text(data)):
        spool.release(path)
        return ""
    if safe != data:
        _write(path, safe, spool)
    return path


def _text_file(answer: bytes, call: Call, folder: Folder, spool: Spool) -> str:
    """The path of a new file with a text body, without keys; "" if it is not kept."""
    safe = None if folder.is_private else bytes_without_keys(_with_blobs(answer, spool))
    if safe is None:
        return ""
    name = answer_name(call.number)
    path = os.path.join(folder.state, name)
    earlier = spool.find(name)
    is_there = earlier is not None and _text(spool.read(earlier)) == _text(safe)
    if not is_there:
        _write(path, safe, spool)
    return path


def _text(data: bytes) -> str:
    """The text as the journal has it, from which `flux recover` reads an answer again."""
    return data.decode(json.detect_encoding(data), "replace")


def _write(path: str, data: bytes, spool: Spool) -> None:
    file = spool.open(path)
    file.write(data)
    file.close()


def _with_blobs(answer: bytes, spool: Spool) -> bytes:
    """A text answer with the base64 that was moved into files while it arrived."""
    first, *parts = answer.split(BLOB.encode())
    whole = bytearray(first)
    for part in parts:
        name, quote, rest = part.partition(b'"')
        path = spool.find(name.decode("ascii", "replace"))
        if path is None or len(whole) + spool.size(path) > MAX_WHOLE:
            whole += BLOB.encode() + part
            continue
        data = spool.read(path)
        # Letters and digits alone are base64 that showed late not to be valid.
        is_invalid = data[:BEGINNING].translate(None, b"+/=-_").isalnum()
        whole += data if is_invalid else base64.b64encode(data)
        whole += quote + rest
    return bytes(whole)
