"""What an offline sketch makes of a request: a seed that belongs to it, and notes on the rest."""

from __future__ import annotations

from flux_cli.request.digest import digest_of_json, references_of
from flux_cli.request.seeds import as_first_seed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Json
    from flux_cli.core.request import Note, Resolved

NOT_SHOWN = ("response_format", "sync_mode", "badge")  # parameters that change no image
IGNORED = ("image_prompt", "image", "mask")


def derive_seed(resolved: Resolved) -> int:
    """The seed that belongs to a request: to its model, prompt and parameters.

    It does not depend on what changes only how images are transferred, marked, stored and counted.
    """
    parameters = resolved.parameters.items()
    facts: dict[str, Json] = {
        "model": resolved.model_id,
        "prompt": resolved.prompt,
        "parameters": {name: value for name, value in parameters if name not in NOT_SHOWN},
    }
    facts |= references_of(resolved.request)
    return as_first_seed(int(digest_of_json(facts), 16))


def explain_ignored(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """The notes of a request, with a warning where an image is given."""
    reason = "an offline sketch uses only the prompt"
    explained = []
    for note in notes:
        is_ignored = note.parameter in IGNORED and note.asked is not None
        changed = note._replace(used=None, behavior="ignored", reason=reason, warning=True)
        explained.append(changed if is_ignored else note)
    return tuple(explained)
