"""Every failure a person can meet. Each class owns a stable code (JSON) and an exit code (shell).

FluxError                   1  error
├── UsageError              2  usage          a word on the command line is wrong; nothing was sent
│   ├── ConfigError         2  config         a setting, its file or its permissions are wrong
│   ├── CatalogError      2  catalog      a model file is wrong
│   ├── OutputError         2  output         the images could not be saved where they should go
│   └── BudgetError         2  budget         the run would cost more than allowed
├── AuthError               4  auth           key missing or refused
├── PaymentError            4  payment        no balance
├── ModerationError         5  moderation     prompt or image refused
├── ValidationError         1  validation     the provider refused the request
├── NotFoundError           1  not_found      the provider knows no such model or address
├── RateError               1  rate           still too many requests after the last retry
├── ProviderError           1  provider       the provider failed, or its answer makes no sense
├── NetworkError            1  network        nobody could be reached
├── DeadlineError           1  timeout        the deadline passed
├── ImageError            1  image        what came is no whole image
├── DiskError               1  disk           an image could not be written
├── NotSentError            1  not_sent       held back by an earlier failure or the budget, or interrupted before
├── UnclearError            3  unclear        whether calls were paid for is not known yet
└── Interrupted           130  interrupted    Ctrl-C
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class FluxError(Exception):
    """One failure: what happened (with the value), and what to type next.

    `billed` is True when the call may have been paid for although no image came.
    """

    code = "error"
    exit_code = 1

    def __init__(
        self, message: str, *, hint: str = "", billed: bool = False, status: int | None = None, request_id: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.billed = billed
        self.status = status
        self.request_id = request_id


class UsageError(FluxError):
    code = "usage"
    exit_code = 2


class ConfigError(UsageError):
    code = "config"


class CatalogError(UsageError):
    code = "catalog"


class OutputError(UsageError):
    code = "output"


class BudgetError(UsageError):
    code = "budget"


class AuthError(FluxError):
    code = "auth"
    exit_code = 4


class PaymentError(FluxError):
    code = "payment"
    exit_code = 4


class ModerationError(FluxError):
    code = "moderation"
    exit_code = 5


class ValidationError(FluxError):
    code = "validation"


class NotFoundError(FluxError):
    code = "not_found"


class RateError(FluxError):
    code = "rate"


class ProviderError(FluxError):
    code = "provider"


class NetworkError(FluxError):
    code = "network"


class DeadlineError(FluxError):
    code = "timeout"


class ImageError(FluxError):
    code = "image"


class DiskError(FluxError):
    code = "disk"


class NotSentError(FluxError):
    code = "not_sent"


class UnclearError(FluxError):
    code = "unclear"
    exit_code = 3


class Interrupted(FluxError):  # noqa: N818 - the field's word, and no fault
    code = "interrupted"
    exit_code = 130


def common_exit_code(errors: Iterable[FluxError], *, some_succeeded: bool) -> int:
    """The exit code of a command that did several things, of which these failed.

    0 without errors; 130 after an interrupt; 3 if some things succeeded; else the code that all failures share, or 1.
    What was not sent because of another failure has no code of its own.
    """
    failures = list(errors)
    if any(isinstance(error, Interrupted) for error in failures):
        return Interrupted.exit_code
    if not failures:
        return 0
    if some_succeeded:
        return 3
    codes = {error.exit_code for error in failures if not isinstance(error, NotSentError)}
    return codes.pop() if len(codes) == 1 else 1


NEAR = 0.72  # of 1: a letter missing, doubled or swapped in a word of four is above, another word of its length below
MIN_BEGUN = 3  # so many characters tell which word was begun


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean X?` for the known word nearest to a mistyped one, else nothing."""
    from difflib import get_close_matches  # only failures pay for it

    words = tuple(known)
    folded = word.lower().replace("_", "-") if word.startswith("-") else word.lower()
    core = folded.lstrip("-")
    cores = {name.lstrip("-"): name for name in reversed(words)}  # dashes are alike in all: they bring nothing nearer
    begun = sorted((name for name in words if len(core) >= MIN_BEGUN and name.startswith(folded)), key=len)
    part = [name for name in words if len(core) > MIN_BEGUN and core in name.split("-")]
    swapped = [name for bare, name in cores.items() if core and sorted(bare) == sorted(core)]
    near = begun or part or swapped or [cores[bare] for bare in get_close_matches(core, cores, n=1, cutoff=NEAR)]
    return f"did you mean {near[0]}?" if near else ""
