"""The public functions. What they do is loaded when they are called."""

from __future__ import annotations

from typing import Unpack

from flux_cli.api.keywords import Options, read_options
from flux_cli.api.results import Resolution, Result, Size


def generate(prompt: str | None = None, **options: Unpack[Options]) -> Result:
    """Generate images, save them, and wait until that is done.

    The prompt is sent as it is; only with `like` it may be left out. If some of several requests
    fail, their errors are in the result. Raises FluxError if nothing was made, and before anything
    is sent for invalid arguments. In a running event loop, use `generate_async`.
    """
    from flux_cli.api import execution

    return execution.generate(read_options("generate", prompt, options))


async def generate_async(prompt: str | None = None, **options: Unpack[Options]) -> Result:
    """Generate images in the running event loop, as `generate` does.

    When it is canceled, requests are canceled and images that have arrived are saved.
    """
    from flux_cli.api import execution

    return await execution.generate_async(read_options("generate_async", prompt, options))


def resolve(prompt: str | None = None, **options: Unpack[Options]) -> Resolution:
    """What `generate` would send with the same arguments, and why.

    Needs no prompt and no key, and opens no connection. Raises FluxError for invalid arguments.
    """
    from flux_cli.api import lookups

    return lookups.resolve(read_options("resolve", prompt, options))


def sizes(query: str | None = None, *, model: str | None = None) -> tuple[Size, ...]:
    """The sizes of a model, or the one that is closest to a size or ratio such as "16:9".

    Raises UsageError for an unknown model or an invalid size.
    """
    from flux_cli.api import lookups

    return lookups.sizes(query, model)
