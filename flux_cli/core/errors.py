"""All errors of flux. Each class has a stable code (for JSON) and an exit code (for shells).

FluxError                   1  error
├── UsageError              2  usage          the command line is wrong; nothing was sent
│   ├── ConfigError         2  config         a setting, its file or its permissions are wrong
│   ├── CatalogError        2  catalog        a model file is wrong
│   ├── ManifestError       2  manifest       a manifest or a lock of flux build is wrong
│   ├── OutputError         2  output         the images cannot be saved at the given path
│   └── BudgetError         2  budget         the run would cost more than allowed
├── AuthError               4  auth           key missing or refused
├── PaymentError            4  payment        no balance
├── ModerationError         5  moderation     the prompt or an image was refused
├── ValidationError         1  validation     the provider refused the request
├── NotFoundError           1  not_found      the provider does not know the model or address
├── RateError               1  rate           still too many requests after the last retry
├── ProviderError           1  provider       the provider failed, or its answer is invalid
├── NetworkError            1  network        the server could not be reached
├── DeadlineError           1  timeout        the deadline passed
├── ImageError              1  image          the data is not a complete image
├── DiskError               1  disk           an image could not be written
│   └── ResourceError       1  resources      there is not enough memory, or no more threads
├── NotSentError            1  not_sent       not sent: an earlier failure, the budget or Ctrl-C
├── UnclearError            3  unclear        it is not known yet whether requests were billed
└── Interrupted           130  interrupted    Ctrl-C
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class FluxError(Exception):
    """One failure: what happened (with the value), and what to type next.

    `billed`: the request may have been billed although there is no image.
    """

    code = "error"
    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        billed: bool = False,
        status: int | None = None,
        request_id: str = "",
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


class ManifestError(UsageError):
    code = "manifest"


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


class ResourceError(DiskError):
    code = "resources"


class NotSentError(FluxError):
    code = "not_sent"


class UnclearError(FluxError):
    code = "unclear"
    exit_code = 3


class Interrupted(FluxError):  # noqa: N818 - the user stopped the command, which is not an error
    code = "interrupted"
    exit_code = 130


NO_MEMORY = 12  # ENOMEM
# How the loaders of Linux, macOS and Windows say that they have no memory for a library.
NOT_LOADED = (
    "failed to map segment",
    "cannot map zero-fill pages",
    "cannot allocate",
    "cannot create shared object descriptor",
    "mmap",
    "not enough memory",
    "paging file is too small",
)
MORE_RESOURCES = "raise its memory or thread limit, or close other programs"


def scarce_resource(fault: BaseException) -> str:
    """What this machine has too little of: "memory", "threads", or "" for any other failure.

    Threads are limited by `ulimit -u`, and in a container. A library that is loaded late may find
    no memory, too.
    """
    if isinstance(fault, MemoryError) or (isinstance(fault, OSError) and fault.errno == NO_MEMORY):
        return "memory"
    words = str(fault).lower()
    if isinstance(fault, ImportError) and any(part in words for part in NOT_LOADED):
        return "memory"
    is_refused = isinstance(fault, RuntimeError) and "start new thread" in words
    return "threads" if is_refused else ""


def resource_error(fault: BaseException, hint: str = MORE_RESOURCES) -> ResourceError | None:
    """The error if this machine has not enough of something; None for any other failure.

    The hint may name what is scarce as `{scarce}`.
    """
    scarce = scarce_resource(fault)
    if not scarce:
        return None
    error = ResourceError(f"not enough {scarce}", hint=hint.format(scarce=scarce))
    error.__cause__ = fault
    return error


def common_exit_code(errors: Iterable[FluxError], *, some_succeeded: bool) -> int:
    """The exit code of a command with several parts, given the errors of those that failed.

    0 without errors; 130 after an interrupt; 3 if some parts succeeded; else the code that all
    failures share, or 1. NotSentError does not count, because another failure caused it.
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


def status_of(exit_code: int) -> str:
    """The word for an exit code in JSON."""
    return {0: "ok", 3: "partial", Interrupted.exit_code: "interrupted"}.get(exit_code, "failed")


MIN_SIMILARITY = 0.72  # of 1: allows one wrong letter in a word of four
MIN_PREFIX = 3  # characters; shorter words are not completed


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean X?` for the known word that is closest to a mistyped one, or ""."""
    names = tuple(known)
    folded = word.lower()
    if word.startswith("-"):
        folded = folded.replace("_", "-")
    found = _completed(folded, names) or _part_of(folded, names) or _similar(folded, names)
    return f"did you mean {found}?" if found else ""


def _completed(word: str, names: tuple[str, ...]) -> str:
    """The shortest name that begins with the word."""
    if len(_bare(word)) < MIN_PREFIX:
        return ""
    longer = [name for name in names if name.startswith(word)]
    return min(longer, key=len, default="")


def _part_of(word: str, names: tuple[str, ...]) -> str:
    """A name that contains the word between dashes: `--output-compression` for `compression`."""
    bare = _bare(word)
    if len(bare) <= MIN_PREFIX:
        return ""
    return next((name for name in names if bare in name.split("-")), "")


def _similar(word: str, names: tuple[str, ...]) -> str:
    """A name with the same letters in another order, else the most similar one."""
    bare = _bare(word)
    by_bare = {_bare(name): name for name in reversed(names)}
    for candidate, name in by_bare.items():
        if bare and sorted(candidate) == sorted(bare):
            return name
    alike = [candidate for candidate in by_bare if _may_be_similar(bare, candidate)]
    if not alike:
        return ""
    from difflib import get_close_matches  # slow to import; only failures need it

    matches = get_close_matches(bare, alike, n=1, cutoff=MIN_SIMILARITY)
    return by_bare[matches[0]] if matches else ""


def _may_be_similar(word: str, other: str) -> bool:
    """Whether two words have lengths at which they can be similar enough."""
    shorter, both = min(len(word), len(other)), len(word) + len(other)
    return 2 * shorter >= MIN_SIMILARITY * both


def _bare(word: str) -> str:
    """The word without the dashes of an option: they say nothing about similarity."""
    return word.lstrip("-")
