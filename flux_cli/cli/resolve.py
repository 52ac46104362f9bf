"""`flux resolve`: what generate would send, and why. Offline, without a key, in an instant."""

import json
import shlex
from typing import Annotated

import typer

from flux_cli import console
from flux_cli.cli.options import Options, takes_options
from flux_cli.cli.settings import Prepared, prepare, provider_of, read_prompt
from flux_cli.core.errors import UsageError
from flux_cli.core.model import Json
from flux_cli.core.provider import Row
from flux_cli.core.report import SCHEMA, note_document, request_document, resolved_document
from flux_cli.core.request import Post
from flux_cli.core.values import shorten

LONGEST_ARGUMENT = 100_000  # characters; Linux refuses single arguments over 128 KiB


@takes_options
def resolve(
    options: Options,
    curl: Annotated[
        bool, typer.Option("--curl", rich_help_panel="Output", help="Print a curl command to paste into a shell")
    ] = False,
) -> None:
    """Show what would be sent, and why.

    Takes every option of generate, sends nothing and needs no key: parameter by parameter what was asked, what is
    sent, how it is handled and the reason.
    """
    word = options.one_prompt()
    prepared = prepare(options, None if word is None else read_prompt(word))
    provider = provider_of(prepared, None)
    posts = [provider.request(call) for call in prepared.plan.calls]
    if curl:
        row = prepared.settings.provider
        if not row.hosted:
            raise UsageError("an offline sketch has no address", hint="drop --offline")
        if "as base64>" in str([post.body.get("image_prompt") for post in posts]):
            raise UsageError(f"{row.name} takes the picture itself, not its address", hint="download it first")
        console.out("\n".join(_curl(post, row, keyed=not options.no_key) for post in posts))
    elif options.as_json:
        console.out_json(_document(prepared, posts))
    else:
        console.out(_text(prepared, posts))


def _document(prepared: Prepared, posts: list[Post]) -> dict[str, Json]:
    notes: list[Json] = [note_document(note) for note in (*prepared.resolved.notes, *prepared.plan.notes)]
    sent: list[Json] = [{"method": "POST", "url": post.url, "body": post.body} for post in posts]
    return {
        "schema": SCHEMA,
        "provider": prepared.settings.provider.name,
        "request": request_document(prepared.resolved),
        "resolved": resolved_document(prepared.resolved),
        "notes": notes,
        "sends": sent,
    }


def _text(prepared: Prepared, posts: list[Post]) -> str:
    resolved = prepared.resolved
    heading = ("parameter", "asked", "sent", "behaviour", "reason")
    rows = [
        (note.parameter, console.shown(note.asked), console.shown(note.used), note.behaviour, note.reason)
        for note in (*resolved.notes, *prepared.plan.notes)
    ]
    lines = [f"POST {posts[0].url}", json.dumps(_shown_body(posts[0]), ensure_ascii=False)]
    if len(posts) > 1:
        seeds = (
            "" if resolved.seed is None else f", seeds {prepared.plan.calls[0].seed} to {prepared.plan.calls[-1].seed}"
        )
        lines.append(f"and {len(posts) - 1} more like it{seeds}")
    if rows:
        lines += ["", console.table([heading, *rows])]
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


def _curl(post: Post, row: Row, *, keyed: bool) -> str:
    body = json.dumps(post.body, ensure_ascii=False)
    words = ["curl -sS", shlex.quote(post.url), "-H 'Content-Type: application/json'"]
    words += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in post.headers.items()]
    if keyed and row.key_variables:
        header = {"bfl": "x-key: ", "fal": "Authorization: Key "}.get(row.protocol, "Authorization: Bearer ")
        words.append(f'-H "{header}${row.key_variables[-1]}"')
    if len(body) > LONGEST_ARGUMENT:
        return " ".join([*words, f"-d @- <<'JSON'\n{body}\nJSON"])
    return " ".join([*words, "-d", shlex.quote(body)])
