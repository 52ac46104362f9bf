"""Parses parameter values, checks them against the catalog, and shortens them for display."""

from __future__ import annotations

import math

from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.request import Attachment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Json, Param
    from flux_cli.core.request import Value

SHOWN = 60  # characters shown of a long value
MAX_USD = 1e9  # larger numbers are not prices
MAX_AMOUNT = 1e300  # larger integers do not fit into a float
TRUTHS = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}
INT64 = 2**63  # many JSON readers cannot read larger integers


class QuotedText(str):
    """Text that was typed as a JSON string. It stays text even if it looks like a number."""

    __slots__ = ()


def parse_value(text: str) -> Json:
    """The value of `-p KEY=VALUE`: JSON if it is valid JSON, else the text itself."""
    import json  # slow to import; only unknown parameters need it

    try:
        value: Json = json.loads(text)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # also huge integers, NaN, infinities, lone surrogates
        return text
    return QuotedText(value) if isinstance(value, str) else value


def check_text(name: str, text: str) -> str:
    """Return the text. Raises UsageError if it has bytes that are not UTF-8, or NUL characters.

    Text in UTF-16 without a byte order mark has NUL characters, and would be billed as garbage.
    """
    if "\0" in text:
        message = f"{name} has NUL characters, as text in UTF-16 has"
        raise UsageError(message, hint="convert it: iconv -f UTF-16LE -t UTF-8 FILE")
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        message = f"{name} has bytes that are not UTF-8"
        raise UsageError(message, hint="check the encoding of the terminal or the file") from fault
    return text


def unchecked_value(value: Value) -> Json:
    """The value of a parameter that is not in the catalog, so that it cannot be checked."""
    if isinstance(value, Attachment):
        return value.uri
    if isinstance(value, str) and not isinstance(value, QuotedText):
        return parse_value(value)
    return value


def check_value(param: Param, value: Value) -> Json:
    """The value in the type of its parameter. Raises UsageError if it is not accepted."""
    if isinstance(value, Attachment):
        if param.kind not in ("image", "string"):
            raise _invalid(param, value.asked, f"of the type {param.kind}")
        return value.uri
    readers = {
        "integer": _read_integer,
        "number": _read_number,
        "boolean": _read_boolean,
        "image": _read_image,
        "string": _read_string,
    }
    return readers[param.kind](param, value)


def shorten(value: Json) -> Json:
    """The value for display: long text (data URIs, prompts) is cut, followed by its length."""
    if isinstance(value, str) and len(value) > SHOWN:
        return f"{value[: SHOWN - 25]}… ({len(value):,} characters)"
    return value


def _read_integer(param: Param, value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _invalid(param, value, "a whole number")
    # Larger integers are refused before `str`, which fails for thousands of digits.
    if isinstance(value, int) and abs(value) >= INT64:
        raise _invalid(param, value, "a whole number")
    text = str(value)
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not digits.isascii() or not digits.isdigit():
        raise _invalid(param, value, "a whole number")
    if len(digits) > len(str(INT64)) or abs(int(text)) >= INT64:
        largest = INT64 - 1 if param.maximum is None else int(param.maximum)
        raise _invalid(param, value, "a whole number of 64 bits", f"the largest is {largest}")
    return int(_in_range(param, int(text)))


def _read_number(param: Param, value: Json) -> int | float:
    number = math.nan
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        number = _parse_float(value)
    is_odd_text = isinstance(value, str) and (not value.isascii() or "_" in value)
    if is_odd_text or not math.isfinite(number):
        raise _invalid(param, value, "a number")
    return _in_range(param, int(number) if number.is_integer() else number)


def _in_range(param: Param, number: float) -> int | float:
    low, high = param.minimum, param.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise _invalid(param, number, _range(low, high))
    return number


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"


def _parse_float(value: str | float) -> float:
    """The number, or NaN if there is none."""
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def _read_boolean(param: Param, value: Json) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise _invalid(param, value, "true or false")


def _read_string(param: Param, value: Json) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _invalid(param, value, "text")
    text = as_typed(value)
    if isinstance(value, int) and abs(value) >= INT64:
        raise _invalid(param, value, "text")
    if param.choices and text not in param.choices:
        hint = did_you_mean(text, param.choices)
        raise _invalid(param, value, f"one of {', '.join(param.choices)}", hint)
    return text


def _read_image(param: Param, value: Json) -> str:
    text = value if isinstance(value, str) else ""
    if not text.startswith(("http://", "https://", "data:image/")):
        raise _invalid(param, value, "a URL, a data URI or a local image")
    return text


def _invalid(param: Param, value: Json, expected: str, hint: str = "") -> UsageError:
    text = as_typed(value)
    message = f"{param.name} must be {expected}, not {str(shorten(text))!r}"
    return UsageError(message, hint=hint or _suggestion(param, text))


def _suggestion(param: Param, text: str) -> str:
    """A hint with a value that the parameter accepts, close to the one typed."""
    if param.kind == "boolean":
        return f"write -p {param.name}=true"
    if param.kind == "image":
        return "give a file or a URL"
    low, high = param.minimum, param.maximum
    steps = [float(choice) for choice in param.choices if choice.isdigit()]
    if steps:
        low, high = min(steps), max(steps)
    elif param.kind == "string":
        example = f"write -p '{param.name}=\"…\"'"
        return f"leave {param.name} out for the default" if param.choices else example
    number = _parse_float(text.strip().removesuffix("%"))
    if not math.isfinite(number):
        return _suggest_number(param, low, high)
    if low is not None and number < low:
        return f"the smallest is {low:g}"
    if high is not None and number > high:
        return f"the largest is {high:g}"
    nearest = f"{number:g}" if param.kind == "number" else str(round(number))
    return f"did you mean {nearest}?"


def _suggest_number(param: Param, low: float | None, high: float | None) -> str:
    kind = "number" if param.kind == "number" else "whole number"
    start = "" if low is None else f" from {low:g}"
    end = "" if high is None else f" to {high:g}"
    limits = start + end or " such as 7"
    return f"give a {kind}{limits}"


def as_typed(value: Json) -> str:
    """The value as a user would type it."""
    import json

    try:
        return value if isinstance(value, str) else json.dumps(value)
    except ValueError:  # Python refuses to write so many digits
        return "a number with thousands of digits"


def read_integer(value: Json) -> int | None:
    """An integer from a response, such as a seed; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_amount(value: Json, below: float = float("inf")) -> float | None:
    """A price from a response: a number from 0 to less than `below`; None for anything else.

    The number may be in a string, as some servers write money.
    """
    if isinstance(value, str) and value.isascii() and value.replace(".", "", 1).isdigit():
        value = float(value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value < min(below, MAX_AMOUNT) else None


def show_amount(usd: float) -> str:
    """`0.06`: an amount with at least two decimals, and up to six if they are not zero.

    No price must look as if an image were free.
    """
    whole, _, decimals = f"{usd:.6f}".rstrip("0").partition(".")
    return f"{whole}.{decimals:0<2}"


def counted(count: int, word: str) -> str:
    """`1 file`, `2 files`, `1,000 files`."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
