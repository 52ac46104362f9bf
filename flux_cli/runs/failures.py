"""Classifies the failure of a request: whether it stops the run, and whether recovery can help."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from flux_cli.core.errors import (
    AuthError,
    DiskError,
    FluxError,
    ModerationError,
    NetworkError,
    NotFoundError,
    NotSentError,
    PaymentError,
    ProviderError,
    ValidationError,
    resource_error,
)
from flux_cli.core.outcome import Outcome
from flux_cli.http.replies import BILLED_HINT, SERVER_ERROR
from flux_cli.providers.missing import UnreadableError

STOPPING = (AuthError, DiskError, PaymentError)  # every further request would fail the same way
REFUSALS = (ModerationError, ProviderError, ValidationError)  # the provider made no image
FEWER_REQUESTS = "allow more {scarce}, or send fewer requests at once with --concurrency"
GONE = (403, 404, 410)  # HTTP statuses of an address that has expired


class ClaimedError(NotSentError):
    """Another run has requested an image, or is requesting it. The image may still come of that."""


class TakenError(DiskError):
    """A file of somebody else is in the way of one image. All others can be saved."""


def stops_run(error: FluxError) -> bool:
    """Whether no further request should be sent."""
    is_ban = isinstance(error, ModerationError) and error.status == 403  # of the account
    return is_ban or (isinstance(error, STOPPING) and not isinstance(error, TakenError))


def is_expired(error: FluxError) -> bool:
    """Whether an image that was made can no longer be fetched."""
    if isinstance(error, NetworkError):
        return error.status in GONE
    return isinstance(error, NotFoundError)


def is_final(error: FluxError, *, is_recovery: bool) -> bool:
    """Whether an answered request has nothing left to fetch, so that recovery cannot help.

    An incomplete image may be fetched once more, and its bytes are kept. An answer that is not
    understood is kept for a later version.
    """
    if isinstance(error, UnreadableError):
        return False
    if is_recovery and is_expired(error):
        return True
    return isinstance(error, REFUSALS) and (error.status or 0) < SERVER_ERROR


def decisive(errors: Sequence[FluxError], *, is_recovery: bool) -> FluxError:
    """The error that stands for all images of an answer: the first that leaves one to fetch.

    If there is none, the first error.
    """
    for error in errors:
        if not is_final(error, is_recovery=is_recovery):
            return error
    return errors[0]


def drop_recovery_hints(outcomes: Sequence[Outcome], hopeless: Collection[int]) -> None:
    """Replace the hint to recover images of requests of which nothing is left to fetch."""
    for outcome in outcomes:
        if outcome.error and outcome.call.number in hopeless:
            outcome.error.hint = BILLED_HINT


def error_of(fault: Exception, *, hosted: bool = True) -> FluxError:
    """What stopped a request, as a FluxError. One that nobody has foreseen may have been billed.

    Only a `hosted` request can have been billed: a sketch costs nothing.
    """
    error = fault if isinstance(fault, FluxError) else _unforeseen_error(fault)
    if not hosted:
        error.billed = False
        error.hint = "" if error.hint == BILLED_HINT else error.hint
    return error


def _unforeseen_error(fault: Exception) -> FluxError:
    if scarce := resource_error(fault, FEWER_REQUESTS):
        scarce.billed = True
        return scarce
    hint = "please report it, with --verbose"
    error = FluxError(f"internal error: {fault!r}", hint=hint, billed=True)
    error.__cause__ = fault
    return error
