"""Takes prompts out of the journals of runs that are older than the setting `keep_prompts` allows.

Costs, seeds, and states stay. A run with something that is not saved or not clear keeps its prompt,
because saving its images needs it.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.config.ages import seconds_to_keep
from flux_cli.core.model import Json
from flux_cli.runs.records import store
from flux_cli.runs.records.described import hidden_fields
from flux_cli.runs.records.lines import encode, seal, unseal
from flux_cli.runs.records.privacy import headers_without_prompts

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "project-rules"  # beside the journals: some run has a rule of its project
IS_PRIVATE = b'"private": true'  # within JSON text, quotes are escaped
SETTLED = ("complete", "partial", "failed", "expired", "interrupted")  # states of runs


def expire_prompts(root: Path, facts: Mapping[str, Json]) -> None:
    """Take out the prompts that are too old, as a run with these `facts` begins.

    The rule of the user holds for all runs, and that of a project for the runs in it. Nothing that
    fails here stops the new run: the next one tries again.
    """
    rule = facts.get("keep_prompts")
    of_project = facts.get("keep_prompts_of") == "run"
    mark = root.with_name(MARK)
    with contextlib.suppress(OSError):
        if rule and of_project:
            mark.touch(mode=0o600)
        elif not rule and not mark.exists():
            return
        kept = seconds_to_keep(str(rule)) if rule and not of_project else seconds_to_keep("forever")
        for name in os.listdir(root):
            is_settled = not os.path.lexists(root / name.removesuffix(store.SUFFIX))
            if name.endswith(store.SUFFIX) and is_settled:
                _expire(root / name, kept)


def _expire(path: Path, kept: float) -> None:
    """Take out the prompts of a run that is older than `kept` seconds, or than its own rule."""
    with contextlib.suppress(OSError):
        with os.fdopen(store.open_own(path), "rb") as file:
            first = next((line for line in file if line.strip()), b"").strip()
        facts = {} if IS_PRIVATE in first else _event(first)
        began = facts.get("time")
        if facts.get("keep_prompts_of") == "run":
            kept = min(kept, seconds_to_keep(str(facts.get("keep_prompts"))))
        if isinstance(began, int | float) and time.time() - began >= kept:
            _rewrite(path)


def _rewrite(path: Path) -> None:
    """Replace a journal by one without prompts, unless its run is not settled. Raises OSError."""
    from flux_cli.runs.records.listing import RecordedRun, read_run  # most runs rewrite none

    run = read_run(path)
    if not isinstance(run, RecordedRun) or run.state not in SETTLED:
        return
    file = store.open_own(path, os.O_RDWR)
    try:
        held = store.hold(file)
        if held is False:
            return
        new = _write_new(path, os.fstat(file))
        if held:
            os.replace(new, path)
    finally:
        os.close(file)
    if held is None:  # Windows, where an open file cannot be replaced
        os.replace(new, path)


def _write_new(path: Path, status: os.stat_result) -> Path:
    """Write a journal without prompts beside the old one, with its times. Raises OSError."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)  # of a process that was killed
    with os.fdopen(
        os.open(new, store.BINARY | os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
    ) as target:
        target.writelines(_lines(path))
        target.flush()
        os.fsync(target.fileno())
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
    return new


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a journal without prompts. Damaged ones, which may have any, are left out."""
    for line in path.read_bytes().split(b"\n"):
        event = _event(line)
        if event:
            text = encode(json.dumps(_without_prompt(event), ensure_ascii=False)[:-1])
            yield b"%b%b\n" % (text, seal(text))


def _event(line: bytes) -> dict[str, Json]:
    """The event of a line; empty if it is damaged."""
    try:
        event = json.loads(unseal(line.strip()) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _without_prompt(event: dict[str, Json]) -> dict[str, Json]:
    """An event as a private journal has it, see `journal` and `described`."""
    kind, hidden = event.get("event"), dict(event)
    if kind in ("run", "sent"):
        hidden |= _described(event)
    if kind == "run":
        hidden |= {"prompt": None, "private": True}
        listed = event.get("calls")  # of older journals
        if isinstance(listed, list):
            hidden["calls"] = [one | _described(one) for one in listed if isinstance(one, dict)]
    elif kind == "answered":
        headers = event.get("headers")
        kept = headers_without_prompts(headers) if isinstance(headers, dict) else {}
        hidden |= {"headers": kept, "body": ""}
    elif kind == "fetched":
        media = event.get("media")
        rows = media if isinstance(media, list) else []
        hidden["media"] = [_without(row, "revised_prompt") for row in rows]
    elif kind == "saved":
        hidden["path"] = ""
    elif kind == "failed":
        hidden["message"] = ""
    return hidden


def _described(event: dict[str, Json]) -> dict[str, Json]:
    """What an event says of names and files, without prompts."""
    found: dict[str, Json] = {}
    fields, delivery = event.get("fields"), event.get("delivery")
    if isinstance(fields, dict):
        found["fields"] = hidden_fields(fields)
    if isinstance(delivery, dict):  # nothing is left to save, so nothing needs its record
        found["delivery"] = _without(delivery, "record")
    return found


def _without(value: Json, key: str) -> Json:
    if not isinstance(value, dict):
        return value
    return {name: part for name, part in value.items() if name != key}
