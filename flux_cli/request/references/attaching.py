"""Attaches all images that a command line names to its request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.core.errors import UsageError
from flux_cli.core.request import ADDRESSES
from flux_cli.core.values import shorten
from flux_cli.request.files import inputs
from flux_cli.request.references.reading import attach

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flux_cli.config.load import Settings
    from flux_cli.core.model import Dialect, Model
    from flux_cli.core.options import Input
    from flux_cli.core.request import Request, Value

    Download = Callable[[str], bytes]


def attach_all(
    request: Request,
    names: Sequence[str],
    given: Input,
    settings: Settings,
    model: Model | None,
    dialect: Dialect | None,
    download: Download | None,
) -> Request:
    """The request with the content of the images in the parameters of these `names`, and of others.

    Those are `--image` and `--mask`. URLs are downloaded where the provider takes only the image
    itself. Raises UsageError for images that cannot be read, or that are not taken.
    """
    parameters = dict(request.parameters)
    if request.is_served:
        download = _refuse_download
    for name in names:
        if request.is_served:
            _refuse_file(name, parameters[name])
        takes_bytes = _takes_bytes(dialect, name)
        parameters[name] = inputs.attach(parameters[name], download if takes_bytes else None)
    request = request._replace(parameters=parameters)
    if not given.image and not given.mask:
        return request
    return attach(request, given, settings, model, dialect, download)


def _refuse_download(address: str) -> bytes:
    """Refuse to read a URL that a client names: it could be one that only this machine reaches."""
    hint = "send the image itself as a data URI"
    raise UsageError(f"this server does not download {shorten(address)!r}", hint=hint)


def _refuse_file(name: str, value: Value) -> None:
    """Raise UsageError for an image that would be read from a file of this machine."""
    if isinstance(value, str) and not value.startswith((*ADDRESSES, "data:")):
        hint = "send its URL, or the image itself as a data URI"
        raise UsageError(f"{name} is neither a URL nor a data URI", hint=hint)


def _takes_bytes(dialect: Dialect | None, name: str) -> bool:
    return bool(dialect and name in dialect.fields and dialect.fields[name].spelling == "base64")
