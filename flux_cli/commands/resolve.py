"""`flux resolve`: what generate would send, and why."""

from __future__ import annotations

import os

from flux_cli.core.errors import UsageError
from flux_cli.core.lite import json_text
from flux_cli.core.request import FORM, seed_ranges
from flux_cli.core.text import disarm_json
from flux_cli.core.values import show_amount
from flux_cli.request.command_line import is_combined, prompt_of, with_preset
from flux_cli.request.posts import posts, provider_of, request_line, short_body
from flux_cli.request.prepare import draw_seed, prepare
from flux_cli.terminal.streams import document_text, listing, say
from flux_cli.terminal.table import cell_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.core.model import ProviderRow
    from flux_cli.core.options import GenerateOptions
    from flux_cli.core.request import Note, Post, Resolved
    from flux_cli.request.prepare import Prepared

HEADING = ("parameter", "asked", "sent", "behavior", "reason")
LONGEST_ARGUMENT = 100_000  # characters; Linux refuses single arguments over 128 KiB


def run(options: GenerateOptions, *, curl: bool) -> None:
    """Print what would be sent, as text, JSON or curl commands.

    Needs no prompt and no key, and opens no connection without --estimate. Raises the errors that
    `flux generate` would.
    """
    say(_answer(options, curl=curl))


def _answer(options: GenerateOptions, *, curl: bool) -> str:
    if curl and options.reporting.as_json:
        message = "--curl and --json both write to standard output"
        raise UsageError(message, hint="use only one of them")
    options = with_preset(options)
    requests = _prepare(options, curl=curl)
    if options.run.estimate:
        from flux_cli.runs.spending.estimate import estimate_prices

        prepared = [one for one, _ in requests]
        priced = estimate_prices(prepared, no_key=options.access.no_key)
        requests = [(one, values) for one, (_, values) in zip(priced, requests, strict=True)]
    settings = requests[0][0].settings
    if settings.max_cost is not None:
        from flux_cli.runs.spending.approval import check_limit_of

        check_limit_of([one for one, _ in requests], accepts_unknown=options.run.yes)
    if curl:
        return _curl_commands([one for one, _ in requests], keyed=not options.access.no_key)
    if options.reporting.as_json:
        return _document(requests)
    texts = (_text(one, is_estimate=options.run.estimate) for one, _ in requests)
    return "\n\n".join(texts)


def _prepare(options: GenerateOptions, *, curl: bool) -> Sequence[tuple[Prepared, dict[str, str]]]:
    """What is requested, with the values of each request."""
    # The printed commands are run as they are. A run of flux draws a seed of its own.
    draw = draw_seed if curl else None
    if is_combined(options):
        from flux_cli.request.expansion.combine import combine

        return combine(options, draw=draw)
    return [(prepare(options, prompt_of(options), draw=draw), {})]


def _document(requests: Sequence[tuple[Prepared, dict[str, str]]]) -> str:
    from flux_cli.runs.documents import resolution_document

    first, parts = requests[0][0], []
    notes: Sequence[Note] = _notes(first)
    if len(requests) > 1:
        from flux_cli.runs.combined.documents import part_documents
        from flux_cli.runs.combined.notes import notes_of_requests

        parts = part_documents((one.resolved, one.plan, values) for one, values in requests)
        notes = notes_of_requests([one for one, _ in requests])
    sends = [(next(posts(one)), one.plan.calls) for one, _ in requests]
    row = first.settings.provider
    return document_text(resolution_document(row, first.resolved, notes, sends, parts))


def _notes(prepared: Prepared) -> tuple[Note, ...]:
    return (*prepared.resolved.notes, *prepared.plan.notes)


def _text(prepared: Prepared, *, is_estimate: bool) -> str:
    post = next(posts(prepared))
    lines = [request_line(prepared, post), json_text(short_body(post))]
    calls = prepared.plan.calls
    if len(calls) > 1:
        lines.append(f"and {len(calls) - 1} more like it{_seeds(prepared)}")
    rows = [
        (note.parameter, cell_text(note.asked), cell_text(note.used), note.behavior, note.reason)
        for note in _notes(prepared)
    ]
    if rows:
        lines += ["", listing([HEADING, *rows])]
    day = prepared.resolved.price_day
    source = f" (the gateway's schema of {day})" if day else ""
    if is_estimate:
        source = " (estimate of the gateway)"
    return "\n".join([*lines, "", f"{_outlook(prepared.resolved)}{source}"])


def _seeds(prepared: Prepared) -> str:
    """The seeds of several requests, to follow what is said of them; "" if there are none yet."""
    if prepared.plan.calls[0].seed is None:
        return ""
    from flux_cli.request.seeds import describe_ranges

    return describe_ranges(seed_ranges(prepared.plan.calls))


def _outlook(resolved: Resolved) -> str:
    """The expected result: nominal and native pixels, and price in USD."""
    price = "price unknown"
    if resolved.price_usd is not None:
        price = f"{show_amount(resolved.price_usd)} USD"
    if resolved.size is None:
        return price
    name, native = resolved.size.name, resolved.size.native_name
    if native == name:
        return f"{name}; {price}"
    delivered = f", about {native} delivered" if native else ""
    return f"{name} nominal{delivered}; {price}"


def _curl_commands(prepared: Sequence[Prepared], *, keyed: bool) -> str:
    row = prepared[0].settings.provider
    if not row.hosted:
        raise UsageError("an offline sketch has no address", hint="drop --offline")
    sent = [post for one in prepared for post in posts(one)]
    if "as base64>" in str([post.body.get("image_prompt") for post in sent]):
        message = f"{row.name} takes the image itself, not its address"
        raise UsageError(message, hint="download it first")
    commands = [curl_command(post, row, keyed=keyed) for post in sent]
    if any(post.uploads for post in sent):
        from flux_cli.commands.curl_images import note_changes, upload_line, uploads_of

        uploads = uploads_of(sent, provider_of(prepared[0], None))
        lines = [
            upload_line(name, curl_command(post, row, keyed=keyed))
            for name, post in uploads.items()
        ]
        commands = lines + commands
        note_changes(prepared, [*uploads.values(), *sent])
    return "\n".join(commands)


def curl_command(post: Post, row: ProviderRow, *, keyed: bool) -> str:
    """One request as a shell command. If `keyed`, it reads the key from the environment."""
    import shlex

    words = ["curl -sS", shlex.quote(post.url)]
    if post.uploads != FORM:
        words.append("-H 'Content-Type: application/json'")
    for name, value in post.headers.items():
        words.append(f"-H {shlex.quote(f'{name}: {value}')}")
    words += _curl_credentials(row, keyed=keyed)
    if post.uploads:
        from flux_cli.commands.curl_images import form_words, json_words

        if post.uploads == FORM:
            return " ".join([*words, *form_words(post)])
        return " ".join([*words, *json_words(post)])
    body = disarm_json(json_text(post.body))
    if len(body) > LONGEST_ARGUMENT:
        return " ".join([*words, f"-d @- <<'JSON'\n{body}\nJSON"])
    return " ".join([*words, "-d", shlex.quote(body)])


def _curl_credentials(row: ProviderRow, *, keyed: bool) -> list[str]:
    """The words for the key and the provider's own headers, with variables that the shell reads."""
    from flux_cli.config.credentials import is_secret

    words = []
    if keyed and row.key_variables:
        set_ = (name for name in row.key_variables if os.environ.get(name))
        key = f"${next(set_, row.key_variables[0])}"
        is_basic = row.key_scheme == "basic"
        words.append(f'-u "{key}"' if is_basic else f'-H "{row.key_header}: {row.key_prefix}{key}"')
    for name, written in row.headers:
        text = written
        if is_secret(name, written):
            text = f"${name.upper().replace('-', '_')}"  # keys are not shown: one to be set
        quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("`", "\\`")
        words.append(f'-H "{name}: {quoted.replace("$$", chr(92) + "$")}"')
    return words
