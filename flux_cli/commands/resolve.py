"""What `flux resolve` answers: what generate would send, and why."""

from __future__ import annotations

from flux_cli.core.errors import UsageError
from flux_cli.core.lite import SCHEMA, json_text
from flux_cli.core.table import cell_text
from flux_cli.core.text import disarm_json
from flux_cli.core.values import shorten
from flux_cli.request.prepare import goes_to, posts, prepare
from flux_cli.request.prompt import one_prompt, read_prompt
from flux_cli.runs.report import note_document, request_document, resolved_document
from flux_cli.terminal.streams import document_text, listing, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Json
    from flux_cli.core.options import GenerateOptions
    from flux_cli.core.provider import ProviderRow
    from flux_cli.core.request import Post
    from flux_cli.request.prepare import Prepared

LONGEST_ARGUMENT = 100_000  # characters; Linux refuses single arguments over 128 KiB


def run(options: GenerateOptions, *, curl: bool) -> None:
    """Print what would be sent as text, as JSON or as a line for a shell. Raises UsageError as generate would."""
    say(_answer(options, curl=curl))


def _answer(options: GenerateOptions, *, curl: bool) -> str:
    if curl and options.reporting.as_json:
        raise UsageError("--curl and --json both want standard output", hint="give one of the two")
    word = one_prompt(options.input)
    prepared = prepare(options, None if word is None else read_prompt(word))
    sent = posts(prepared)
    if curl:
        row = prepared.settings.provider
        if not row.hosted:
            raise UsageError("an offline sketch has no address", hint="drop --offline")
        if "as base64>" in str([post.body.get("image_prompt") for post in sent]):
            raise UsageError(f"{row.name} takes the image itself, not its address", hint="download it first")
        return "\n".join(curl_command(post, row, keyed=not options.access.no_key) for post in sent)
    return document_text(_document(prepared, sent)) if options.reporting.as_json else _text(prepared, sent)


def _document(prepared: Prepared, sent: list[Post]) -> dict[str, Json]:
    notes: list[Json] = [note_document(note) for note in (*prepared.resolved.notes, *prepared.plan.notes)]
    row = prepared.settings.provider
    sends: list[Json] = [
        {"method": "POST", "url": post.url if row.hosted else None, "body": post.body} for post in sent
    ]
    return {
        "schema": SCHEMA,
        "provider": row.name,
        "hosted": row.hosted,
        "request": request_document(prepared.resolved),
        "resolved": resolved_document(prepared.resolved),
        "notes": notes,
        "sends": sends,
    }


def _text(prepared: Prepared, sent: list[Post]) -> str:
    resolved = prepared.resolved
    heading = ("parameter", "asked", "sent", "behavior", "reason")
    rows = [
        (note.parameter, cell_text(note.asked), cell_text(note.used), note.behavior, note.reason)
        for note in (*resolved.notes, *prepared.plan.notes)
    ]
    lines = [goes_to(prepared, sent[0]), json_text(_shown_body(sent[0]))]
    if len(sent) > 1:
        seeds = (
            "" if resolved.seed is None else f", seeds {prepared.plan.calls[0].seed} to {prepared.plan.calls[-1].seed}"
        )
        lines.append(f"and {len(sent) - 1} more like it{seeds}")
    if rows:
        lines += ["", listing([heading, *rows])]
    return "\n".join([*lines, "", _outlook(prepared)])


def _outlook(prepared: Prepared) -> str:
    """What to expect: nominal and native pixels, price."""
    resolved, parts = prepared.resolved, []
    if size := resolved.size:
        native = f", about {size.native[0]}x{size.native[1]} delivered" if size.native else ""
        parts.append(f"{size.name} nominal{native}")
    price = resolved.price_usd
    parts.append("price unknown" if price is None else f"{price:.2f} USD")
    return "; ".join(parts)


def _shown_body(post: Post) -> dict[str, Json]:
    return {name: value if name == "prompt" else shorten(value) for name, value in post.body.items()}


def curl_command(post: Post, row: ProviderRow, *, keyed: bool) -> str:
    """One request as a shell command. The key stays in its variable. `keyed`: send the key."""
    import shlex

    body = disarm_json(json_text(post.body))
    words = ["curl -sS", shlex.quote(post.url), "-H 'Content-Type: application/json'"]
    words += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in post.headers.items()]
    if keyed and row.key_variables:
        words.append(f'-H "{row.key_header}: {row.key_prefix}${row.key_variables[-1]}"')
    if len(body) > LONGEST_ARGUMENT:
        return " ".join([*words, f"-d @- <<'JSON'\n{body}\nJSON"])
    return " ".join([*words, "-d", shlex.quote(body)])
