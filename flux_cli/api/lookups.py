"""The lookups of the Python interface, which need no network."""

from __future__ import annotations

from contextvars import copy_context
from typing import TYPE_CHECKING

from flux_cli.api.failures import presentable
from flux_cli.api.results import Note, Resolution, Size
from flux_cli.core.errors import FluxError, UsageError
from flux_cli.core.text import redact
from flux_cli.request.command_line import is_combined, prompt_of, with_preset
from flux_cli.request.lookup import lookup, sizes_for
from flux_cli.request.posts import posts
from flux_cli.request.prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flux_cli.core import model, request
    from flux_cli.core.options import GenerateOptions


def resolve(options: GenerateOptions) -> Resolution:
    """What these options would send. Raises FluxError."""
    try:
        return copy_context().run(_resolve, options)  # keys stay out of the context of the caller
    except FluxError as error:
        raise presentable(error) from None


def _resolve(options: GenerateOptions) -> Resolution:
    options = with_preset(options)
    if is_combined(options):
        raise UsageError("several models", hint="resolve one model at a time")
    prepared = prepare(options, prompt_of(options))
    resolved, row = prepared.resolved, prepared.settings.provider
    if prepared.settings.max_cost is not None:
        from flux_cli.runs.spending.approval import check_limit_of  # few lookups have a limit

        check_limit_of([prepared], accepts_unknown=options.run.yes)
    post = next(posts(prepared))
    url = redact(post.url) if row.hosted else None
    return Resolution(
        provider=row.name,
        model=resolved.model_id,
        route=resolved.route,
        size=size_of(resolved.size) if resolved.size else None,
        n=resolved.n,
        seeds=resolved.seeds,
        price_usd=resolved.price_usd,
        notes=notes_of((*resolved.notes, *prepared.plan.notes)),
        url=url,
        body=post.shown,
    )


def sizes(query: str | None, name: str | None) -> tuple[Size, ...]:
    """The sizes of a model, or the one that is closest to a size or ratio. Raises UsageError."""
    try:
        found, _ = sizes_for(lookup(name), query)
    except FluxError as error:
        raise presentable(error) from None
    return tuple(map(size_of, found))


def size_of(size: model.Size) -> Size:
    """A size as the interface returns it."""
    return Size(
        name=size.name,
        width=size.width,
        height=size.height,
        aspect_ratio=size.aspect_ratio,
        resolution=size.resolution,
        megapixels=round(size.megapixels, 2),
        native_size=size.native_name,
    )


def notes_of(notes: Iterable[request.Note]) -> tuple[Note, ...]:
    """Notes as the interface returns them."""
    return tuple(Note(**note._asdict()) for note in notes)
