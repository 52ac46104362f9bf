"""Journals as tests change them: every line gets a new checksum."""

import json
import time
from pathlib import Path
from typing import Any

from flux_cli.core.request import Call
from flux_cli.images.finish import Finish
from flux_cli.images.metadata.record import Record
from flux_cli.images.names import Name
from flux_cli.runs.job import Task
from flux_cli.runs.records.lines import LINE_SCHEMA, seal
from flux_cli.runs.saving.delivery import Delivery

DELIVERY = Delivery(Finish(), Record())


def task(call: Call, template: str = "{seed}.{ext}", **more: Any) -> Task:
    """A task for a call, whose image is named after its seed."""
    return Task(call, Name(template, {"seed": call.number + 6}), DELIVERY)._replace(**more)


def line(event: dict[str, Any]) -> bytes:
    """An event as a line of a journal, without line breaks."""
    text = json.dumps(event)[:-1].encode()
    return text + seal(text)


def lines_of(path: Path) -> list[bytes]:
    return [line for line in path.read_bytes().split(b"\n") if line]


def change_first_line(path: Path, **changes: Any) -> None:
    first, *rest = lines_of(path)
    facts = {name: value for name, value in json.loads(first).items() if name != "crc"}
    path.write_bytes(b"\n".join([line(facts | changes), *rest, b""]))


def write_run(root: Path, name: str, *events: dict[str, Any], **facts: Any) -> Path:
    """Write the journal of a run that is over. It has one request, unless `facts` say more."""
    root.mkdir(parents=True, exist_ok=True)
    began = time.mktime(time.strptime(name[:15], "%Y%m%d-%H%M%S"))
    first = {"event": "run", "schema": LINE_SCHEMA, "id": name, "time": began, "n": 1, **facts}
    path = root / f"{name}.jsonl"
    path.write_bytes(b"\n".join(map(line, (first, *events, {"event": "end"}))) + b"\n")
    return path


def saved_steps(path: str, cost_usd: float | None = 0.06) -> tuple[dict[str, Any], ...]:
    """The steps of a first request whose image is saved."""
    return (
        {"event": "sent", "call": 1},
        {"event": "saved", "call": 1, "path": path, "cost_usd": cost_usd},
        {"event": "whole", "call": 1},
    )
