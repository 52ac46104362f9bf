"""What the failure of one call means: for the calls not sent yet, and for `flux recover`."""

from __future__ import annotations

from flux_cli.core.errors import (
    AuthError,
    DiskError,
    FluxError,
    ImageError,
    ModerationError,
    NetworkError,
    NotFoundError,
    PaymentError,
    ProviderError,
    ValidationError,
)

STOPPING = (AuthError, DiskError, PaymentError)  # every further call would fail the same way
REFUSALS = (ModerationError, ProviderError, ValidationError)  # the provider made no image
GONE = (403, 404, 410)  # HTTP statuses of an address that has expired
SERVER_ERROR = 500  # HTTP statuses from here on: the job behind the server may be well


def stops_run(error: FluxError) -> bool:
    """Whether no further call should be sent."""
    is_ban = isinstance(error, ModerationError) and error.status == 403  # of the account
    return is_ban or isinstance(error, STOPPING)


def is_expired(error: FluxError) -> bool:
    """Whether an image that was made can no longer be fetched."""
    if isinstance(error, NetworkError):
        return error.status in GONE
    return isinstance(error, NotFoundError)


def is_final(error: FluxError, *, is_recovery: bool, has_saved: bool) -> bool:
    """Whether nothing of an answered call is left to fetch, so that recovering it makes no sense.

    An image that is not whole gets a second chance, unless this is it or other images are saved.
    """
    if is_recovery and is_expired(error):
        return True
    if isinstance(error, REFUSALS):
        return (error.status or 0) < SERVER_ERROR
    return isinstance(error, ImageError) and (is_recovery or has_saved)
