"""From a run to a record, and from a record to the next run: `--like` asks again for what was asked before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.request import Attachment, Note, Resolved, Value
from flux_cli.core.values import QuotedText, shorten
from flux_cli.images.metadata.record import BY_ALGORITHM, BY_MODEL, Record

if TYPE_CHECKING:
    from flux_cli.images.metadata.read import Reading

# What has a field of its own, and how an image is handed over and stored, which says nothing of how it was made.
APART = ("size", "seed", "n", "output_format", "output_compression", "response_format", "sync_mode")
SHAPE = ("size", "aspect_ratio", "resolution")


class Reuse(NamedTuple):
    """What an image gives to the next run, and what there is to say about it. None: the image does not say."""

    prompt: str | None
    model: str | None
    parameters: dict[str, Json]
    notes: tuple[Note, ...]


def record_of_run(resolved: Resolved, provider: str, *, hosted: bool, created: str, tool: str) -> Record:
    """What is known of every image of a run before it is made; `core.delivery.recorded` adds the rest.

    A sketch names no model: the one that was asked has not drawn it.
    """
    said = resolved.request.parameters
    model = resolved.model.id if resolved.model else resolved.sent_model
    size = said.get("size")
    return Record(
        model=model if hosted else "",
        provider=provider,
        prompt=resolved.prompt,
        size=size if isinstance(size, str) else "",
        parameters={name: _kept(value) for name, value in said.items() if name not in APART},
        created=created,
        tool=tool,
        source_type=BY_MODEL if hosted else BY_ALGORITHM,
    )


def _kept(value: Value) -> Json:
    """A parameter as it is recorded: images by the name of their file, and data URIs by their beginning."""
    if isinstance(value, Attachment):
        return value.asked
    return shorten(value) if isinstance(value, str) and value.startswith("data:") else value


def reused(reading: Reading, source: str, said: Mapping[str, object]) -> Reuse:
    """What an image's record adds to what the command line said; `source` names the image in the notes.

    Of other programs' records only prompt, seed and size mean the same here. Files and addresses are never followed:
    an image somebody sent must not choose what is read, fetched or called.
    """
    record, ours = reading.record, reading.source == "flux"
    covered = {*said, *(SHAPE if "size" in said else ("size",) if said.keys() & set(SHAPE) else ())}
    asked: dict[str, Json] = {"size": record.size or None, "seed": record.seed, **(record.parameters if ours else {})}
    kept: dict[str, Json] = {}
    notes = []
    for name, value in asked.items():
        if value is None or name in covered:
            continue
        if name == "image_prompt" or "://" in json.dumps(value):
            reason = f"a file or an address named in {source} is not followed: give it again"
            notes.append(Note(name, shorten(value), None, "ignored", reason, warning=True))
        else:
            kept[name] = QuotedText(value) if isinstance(value, str) else value  # text stays text: "5" is no number
    return Reuse(record.prompt or None, (record.model or None) if ours else None, kept, tuple(notes))


def noted(notes: tuple[Note, ...], taken: Mapping[str, Json], source: str) -> tuple[Note, ...]:
    """The notes of a resolved request, saying of each value taken from the image where it came from."""
    origin = f"as in {source}"
    marked = [note._replace(reason=f"{note.reason}; {origin}") if note.parameter in taken else note for note in notes]
    spoken = {note.parameter for note in notes}
    silent = {name: value for name, value in taken.items() if name not in spoken}
    return (*(Note(name, None, shorten(value), "default", origin) for name, value in silent.items()), *marked)
