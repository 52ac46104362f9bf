"""Single parameter values: typed as JSON where they parse, checked against a catalog row, shortened for display."""

from __future__ import annotations

import math

from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.request import Attachment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Json, Param
    from flux_cli.core.request import Value

SHOWN = 60  # characters of a long value that are shown
LARGEST = 1e300  # whole numbers above are no floats
TRUTHS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
INT64 = 2**63  # larger whole numbers do not survive other people's JSON readers


class Quoted(str):
    """Text that was written as a JSON string: it stays text, even if it looks like a number."""

    __slots__ = ()


def typed(text: str) -> Json:
    """A value of `-p key=value`: JSON where it parses to something JSON can say again, else the text itself."""
    import json  # dearer than a lookup: only where something unknown is read

    try:
        value: Json = json.loads(text)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # also integers of thousands of digits, NaN, infinities, half characters
        return text
    return Quoted(value) if isinstance(value, str) else value


def well_formed(name: str, text: str) -> str:
    """The text itself. Raises UsageError for bytes of the command line that are no UTF-8: no server could read them."""
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        message = f"{name} holds bytes that are no UTF-8 text"
        raise UsageError(message, hint="check the encoding of the terminal or file it comes from") from fault
    return text


def loose(value: Value) -> Json:
    """A value nobody can check, on its way to a model or parameter no catalog knows."""
    if isinstance(value, Attachment):
        return value.uri
    return typed(value) if isinstance(value, str) and not isinstance(value, Quoted) else value


def check(param: Param, value: Value) -> Json:
    """The value a known parameter accepts, in its declared type. Raises UsageError naming both."""
    if isinstance(value, Attachment):
        return value.uri
    return {"integer": _integer, "number": _number, "boolean": _boolean, "image": _image, "string": _string}[
        param.kind
    ](param, value)


def shorten(value: Json) -> Json:
    """The value as shown in notes: long text (data URIs, prompts) is cut, with its length said."""
    if isinstance(value, str) and len(value) > SHOWN:
        return f"{value[: SHOWN - 25]}… ({len(value):,} characters)"
    return value


def _integer(param: Param, value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _refused(param, value, "a whole number")
    text = str(value) if isinstance(value, int) and abs(value) < INT64 else value
    digits = (text[1:] if text[:1] in ("+", "-") else text) if isinstance(text, str) else ""
    if not digits.isascii() or not digits.isdigit():
        raise _refused(param, value, "a whole number")
    if len(digits) > len(str(INT64)) or abs(int(text)) >= INT64:
        largest = INT64 - 1 if param.maximum is None else int(param.maximum)
        raise _refused(param, value, "a whole number of 64 bits", f"the largest is {largest}")
    return int(_in_range(param, int(text)))


def _number(param: Param, value: Json) -> int | float:
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or (isinstance(value, str) and (not value.isascii() or "_" in value)):
        raise _refused(param, value, "a number")
    return _in_range(param, int(number) if number.is_integer() else number)


def _in_range(param: Param, number: float) -> int | float:
    low, high = param.minimum, param.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        span = f"{low:g} to {high:g}" if low is not None and high is not None else ""
        raise _refused(param, number, span or (f"at least {low:g}" if high is None else f"at most {high:g}"))
    return number


def _boolean(param: Param, value: Json) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise _refused(param, value, "true or false")


def _string(param: Param, value: Json) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _refused(param, value, "text")
    text = _said(value)
    if isinstance(value, int) and abs(value) >= INT64:
        raise _refused(param, value, "text")
    if param.choices and text not in param.choices:
        hint = did_you_mean(text, param.choices)
        raise _refused(param, value, f"one of {', '.join(param.choices)}", hint)
    return text


def _image(param: Param, value: Json) -> str:
    text = value if isinstance(value, str) else ""
    if not text.startswith(("http://", "https://", "data:image/")):
        raise _refused(param, value, "a URL, a data URI or a local image")
    return text


def _refused(param: Param, value: Json, wanted: str, hint: str = "") -> UsageError:
    said = _said(value)
    return UsageError(f"{param.name} must be {wanted}, not {str(shorten(said))!r}", hint=hint or _right(param, said))


def _right(param: Param, said: str) -> str:
    """What is accepted instead: the nearest to a number, else something of the kind."""
    if param.kind in ("boolean", "image"):
        return f"write -p {param.name}=true" if param.kind == "boolean" else "give a file or a URL"
    sides = [float(choice) for choice in param.choices if choice.isdigit()]
    if param.kind == "string" and not sides:
        return f"for example {param.choices[0]}" if param.choices else f"write -p '{param.name}=\"…\"'"
    low, high = (min(sides), max(sides)) if sides else (param.minimum, param.maximum)
    try:
        number = float(said.strip().removesuffix("%"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        span = "".join(f" {word} {side:g}" for word, side in (("from", low), ("to", high)) if side is not None)
        return f"give a {'' if param.kind == 'number' else 'whole '}number{span or ' such as 7'}"
    if low is not None and number < low:
        return f"the smallest is {low:g}"
    if high is not None and number > high:
        return f"the largest is {high:g}"
    return f"did you mean {f'{number:g}' if param.kind == 'number' else round(number)}?"


def _said(value: Json) -> str:
    """The value as a person would have written it."""
    import json

    try:
        return value if isinstance(value, str) else json.dumps(value)
    except ValueError:  # thousands of digits
        return "a number of thousands of digits"


def whole(value: Json) -> int | None:
    """A whole number that somebody else names, such as a seed; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def amount(value: Json, below: float = float("inf")) -> float | None:
    """Money that somebody else names: a number that is not negative; None for anything else."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < min(below, LARGEST):
        return None
    return float(value)
