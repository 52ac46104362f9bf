"""From a run to a record, and from a record to the next run: `--like` asks again for what was asked before."""

from collections.abc import Mapping
from typing import NamedTuple

from flux_cli.core.metadata.reading import Reading
from flux_cli.core.metadata.record import BY_ALGORITHM, BY_MODEL, Record
from flux_cli.core.model import Json
from flux_cli.core.request import Attachment, Call, Facts, Note, Resolved
from flux_cli.core.values import shorten

# What has a field of its own, and how a picture is handed over and stored, which says nothing of how it was made.
APART = ("size", "seed", "n", "output_format", "output_compression", "response_format", "sync_mode")
SHAPE = ("size", "aspect_ratio", "resolution")


class Reuse(NamedTuple):
    """What a picture gives to the next run, and what there is to say about it. None: the picture does not say."""

    prompt: str | None
    model: str | None
    parameters: dict[str, Json]
    notes: tuple[Note, ...]


def recorded(resolved: Resolved, call: Call, facts: Facts, provider: str, *, hosted: bool) -> Record:
    """How one picture of a run was made, without the time and the tool, which only the caller knows.

    A sketch names no model: the one that was asked has not drawn it.
    """
    said = resolved.request.parameters
    model = resolved.model.id if resolved.model else resolved.wire_model
    seed = call.seed if facts.seed is None else facts.seed
    size = said.get("size")
    return Record(
        model=model if hosted else "",
        provider=provider,
        upstream="" if facts.provider == provider else facts.provider,
        prompt=resolved.prompt,
        revised_prompt=facts.revised_prompt,
        seed=seed if isinstance(seed, int) else None,
        size=size if isinstance(size, str) else "",
        parameters={
            name: shorten(value.asked if isinstance(value, Attachment) else value)
            for name, value in said.items()
            if name not in APART
        },
        request_id=facts.request_id,
        source_type=BY_MODEL if hosted else BY_ALGORITHM,
    )


def reused(reading: Reading, source: str, said: Mapping[str, object]) -> Reuse:
    """What a picture's record adds to what the command line said; `source` names the picture in the notes.

    Of other programs' records only prompt, seed and size mean the same here.
    """
    record, ours = reading.record, reading.source == "flux"
    covered = {*said, *(SHAPE if "size" in said else ("size",) if said.keys() & set(SHAPE) else ())}
    asked: dict[str, Json] = {"size": record.size or None, "seed": record.seed, **(record.parameters if ours else {})}
    kept = {name: value for name, value in asked.items() if value is not None and name not in covered}
    notes: tuple[Note, ...] = ()
    guide = kept.get("image_prompt")
    if guide is not None and not str(guide).startswith(("http://", "https://")):
        del kept["image_prompt"]
        reason = f"{source} names it, but does not hold it: give it again"
        notes = (Note("image_prompt", guide, None, "ignored", reason, warning=True),)
    return Reuse(record.prompt or None, (record.model or None) if ours else None, {**kept}, notes)


def noted(notes: tuple[Note, ...], reuse: Reuse, source: str, prompt: str | None) -> tuple[Note, ...]:
    """The notes of a resolved request, saying of each value that came from the picture where it came from."""
    origin = f"as in {source}"
    taken = reuse.parameters
    marked = [note._replace(reason=f"{note.reason}; {origin}") if note.parameter in taken else note for note in notes]
    spoken = {note.parameter for note in notes}
    silent = {name: value for name, value in taken.items() if name not in spoken}
    if prompt is not None:
        silent = {"prompt": prompt, **silent}
    new = [Note(name, None, shorten(value), "default", origin) for name, value in silent.items()]
    return (*reuse.notes, *new, *marked)
