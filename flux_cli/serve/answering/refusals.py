"""What an answer says about a failure: status, type, code, and whether to repeat the request. Pure.

Clients repeat a POST three times on 408, 409, 429, 500 and above. So only what certainly cost
nothing is answered with such a status.
"""

from __future__ import annotations

from flux_cli.core.errors import (
    AuthError,
    BudgetError,
    DiskError,
    FluxError,
    ModerationError,
    NetworkError,
    NotFoundError,
    NotSentError,
    PaymentError,
    RateError,
    UsageError,
    ValidationError,
)
from flux_cli.core.lite import NamedTuple
from flux_cli.core.text import plain, redact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Json

INVALID = "invalid_request_error"
RETRY_SECONDS = 5
LONGEST = 2000  # characters of a message


class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault of the program
    """An answer without an image. `seconds` after which the request may be repeated; 0: never."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str,
        kind: str = INVALID,
        param: str | None = None,
        seconds: int = 0,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.kind = status, message, code, kind
        self.param, self.seconds = param, seconds

    @property
    def headers(self) -> dict[str, str]:
        """What tells clients whether to repeat the request."""
        if self.seconds:
            return {"retry-after": str(self.seconds)}
        return {"x-should-retry": "false"}

    def document(self) -> dict[str, Json]:
        """The body of the answer, as OpenAI's clients read it."""
        message = plain(redact(self.message), LONGEST)
        error: dict[str, Json] = {"message": message, "type": self.kind}
        return {"error": error | {"param": self.param, "code": self.code}}


class _Row(NamedTuple):
    """How a class of errors is answered. `kind` is the type in the answer."""

    error: type[FluxError]
    status: int
    kind: str
    code: str
    seconds: int = 0


# The first row that fits is used, if the request cannot have been billed. NetworkError without a
# bill means that nothing was sent.
ROWS = (
    _Row(BudgetError, 402, "insufficient_quota", "budget_exceeded"),
    _Row(UsageError, 400, INVALID, "invalid_value"),
    _Row(AuthError, 401, "authentication_error", "provider_key_refused"),
    _Row(PaymentError, 402, "insufficient_quota", "insufficient_quota"),
    _Row(ModerationError, 422, INVALID, "content_policy_violation"),
    _Row(NotFoundError, 404, INVALID, "model_not_found"),
    _Row(ValidationError, 400, INVALID, "invalid_value"),
    _Row(RateError, 429, "rate_limit_error", "rate_limit_exceeded", RETRY_SECONDS),
    _Row(NetworkError, 503, "server_error", "provider_unreachable", RETRY_SECONDS),
    _Row(DiskError, 503, "server_error", "no_room", RETRY_SECONDS),
    _Row(NotSentError, 503, "server_error", "not_sent", RETRY_SECONDS),
)
FAILED_DEPENDENCY = 424  # nobody repeats it
UNAVAILABLE = 503  # of a provider that was busy, and did nothing


def refusal_of(error: FluxError) -> Refusal:
    """The answer for an error of the pipeline."""
    message = f"{error.message} ({error.hint})" if error.hint else error.message
    if error.billed:
        message = f"{message}; it may have been billed, so do not repeat it blindly"
        code = "maybe_billed"
        if isinstance(error, ModerationError):
            return Refusal(422, message, code="content_policy_violation")
        return Refusal(FAILED_DEPENDENCY, message, kind="upstream_error", code=code)
    for row in ROWS:
        if isinstance(error, row.error):
            status, seconds = row.status, row.seconds
            return Refusal(status, message, kind=row.kind, code=row.code, seconds=seconds)
    if error.status == UNAVAILABLE:
        code, seconds = "provider_unavailable", RETRY_SECONDS
        return Refusal(UNAVAILABLE, message, kind="server_error", code=code, seconds=seconds)
    return Refusal(FAILED_DEPENDENCY, message, kind="upstream_error", code=error.code)


def unknown_url(method: str, path: str) -> Refusal:
    """The answer for a path that the server does not have."""
    message = f"there is no {method} {plain(path, 200)} here; GET / lists what there is"
    return Refusal(404, message, code="unknown_url")
