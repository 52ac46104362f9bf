"""Finds what a server says about an answer without an image, wherever it says it."""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.text import plain
from flux_cli.providers.reading.walk import Fields, objects, text_of

REASONS = (  # folded names, the most telling first
    "error", "errormessage", "errormsg", "failurereason", "failreason", "failcause", "refusal",
    "blockreason", "blockreasonmessage", "taskstatusmsg", "statusmsg", "detail", "details",
    "raifilteredreason", "message", "msg", "reason", "text", "content", "warning", "finishreason",
)  # fmt: skip
CODES = ("code", "errorcode", "statuscode", "errortype")
# Fields of an image that is not delivered, and their values: of Ideogram, of xAI
WITHHELD = {"isimagesafe": False, "respectmoderation": False}
SAYS_NOTHING = frozenset((
    "", "ok", "success", "succeeded", "successful", "completed", "done", "none", "null", "stop",
    "end", "request successful", "0", "200",
))  # fmt: skip


class Reason(NamedTuple):
    """Why there is no image, in the server's words. `code` is "" if it gave none."""

    code: str
    message: str


def find_reason(body: Json) -> Reason | None:
    """What a server says, from the outermost place and under the most telling name."""
    for fields in objects(body):
        if any(fields.get(name) is value for name, value in WITHHELD.items()):
            return Reason("content_filter", "the provider withheld an image as unsafe")
        for name in REASONS:
            value = fields.get(name)
            if isinstance(value, str) and not _says_nothing(value):
                return Reason(_code(fields), plain(value))
    return None


def _code(fields: Fields) -> str:
    code = text_of(fields, CODES)
    return "" if _says_nothing(code) else plain(code, 60)


def _says_nothing(text: str) -> bool:
    return text.strip().lower().rstrip(".!") in SAYS_NOTHING
