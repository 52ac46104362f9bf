"""Reads the seeds of a command line: `7`, a list such as `1,5,9`, a range such as `1..4`, or `-1`.

`prepare` decides about requests without a seed. `plan` counts up from a single one.
"""

from __future__ import annotations

from flux_cli.core.errors import UsageError
from flux_cli.core.request import MAX_IMAGES, Attachment
from flux_cli.core.values import INT64, as_typed, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.core.model import Json
    from flux_cli.core.request import Note, Value

RANDOM = "-1"  # as in other tools, the seed that stands for a random one
LARGEST = INT64 - 1
MOST_RANGES = 5  # of seeds that are listed
EXAMPLES = "give a whole number such as 7, a list such as 1,5,9, or a range such as 1..4"


def read_seeds(value: Value) -> tuple[int, ...]:
    """The seeds that a value lists; () for `-1`, which stands for a random one.

    Ranges include both ends. Raises UsageError for anything else: a negative seed, one that is
    listed twice, a range that goes backward, or more seeds than a run can have images.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _invalid(value)
    if isinstance(value, int) and abs(value) >= INT64:  # `str` may refuse so many digits
        raise _too_large(as_typed(value))
    text = str(value)
    if text.strip() == RANDOM:
        return ()
    seeds: list[int] = []
    for item in text.split(","):
        seeds += _read_item(item.strip(), text)
        if len(seeds) > MAX_IMAGES:
            raise _too_many()
    seen: set[int] = set()
    for seed in seeds:
        if seed in seen:
            hint = "the same seed gives the same image: list each seed once"
            raise UsageError(f"seed {seed} is listed twice", hint=hint)
        seen.add(seed)
    return tuple(seeds)


def count_images(n: int | None, seeds: Sequence[int]) -> int:
    """The number of images: one per seed if several are listed. Raises UsageError if n differs."""
    if len(seeds) < 2:
        return n or 1
    if n not in (None, len(seeds)):
        message = f"{len(seeds)} seeds are listed, but n is {n}"
        raise UsageError(message, hint="drop -n: there is one image per seed")
    return len(seeds)


def name_in_notes(notes: Sequence[Note], asked: Json, seeds: Sequence[int]) -> list[Note]:
    """The notes; the one on the first seed says what was typed, and which seeds that names."""
    listed = ", ".join(str(seed) for seed in seeds)
    used = seeds[0] if len(seeds) == 1 else shorten(listed)
    named = []
    for note in notes:
        is_seed = note.parameter == "seed"
        named.append(note._replace(asked=asked, used=used) if is_seed else note)
    return named


def as_first_seed(number: int) -> int:
    """A number as the first seed of a run, so that each of its images has one of 31 bits.

    All upstreams take these. Some read 0 as no seed.
    """
    return 1 + number % (2**31 - 1 - MAX_IMAGES)


def describe_ranges(ranges: Sequence[Sequence[int]]) -> str:
    """First and last seeds, to follow what is said of their requests: `, seeds 7 to 26, 30`.

    "" if there are none.
    """
    if not ranges:
        return ""
    shown = [f"{first}" + f" to {last}" * (first < last) for first, last in ranges]
    rest = len(shown) - MOST_RANGES
    more = f" and {rest} more ranges" if rest > 0 else ""
    return f", seeds {', '.join(shown[:MOST_RANGES])}{more}"


def _read_item(item: str, text: str) -> range:
    """The seeds of one number or one range."""
    low, dots, high = item.partition("..")
    first = _read_number(low.strip(), text)
    last = _read_number(high.strip(), text) if dots else first
    if last < first:
        hint = f"write --seed {last}..{first}"
        raise UsageError(f"the range of seeds {item!r} goes backward", hint=hint)
    if last - first >= MAX_IMAGES:
        raise _too_many()
    return range(first, last + 1)


def _read_number(digits: str, text: str) -> int:
    unsigned = digits.removeprefix("+")
    is_negative = digits.startswith("-")
    number = digits.removeprefix("-") if is_negative else unsigned
    if not number.isascii() or not number.isdigit():
        raise _invalid(text)
    if is_negative:
        hint = f"--seed {RANDOM} draws a random seed, and cannot be part of a list"
        raise UsageError(f"seed must be at least 0, not {shorten(digits)!r}", hint=hint)
    # Long texts are refused before `int`, which fails for thousands of digits.
    if len(number.lstrip("0")) > len(str(LARGEST)) or int(number) > LARGEST:
        raise _too_large(digits)
    return int(number)


def _too_large(digits: str) -> UsageError:
    message = f"seed must be a whole number of 64 bits, not {str(shorten(digits))!r}"
    return UsageError(message, hint=f"the largest is {LARGEST}")


def _invalid(value: Value) -> UsageError:
    shown = shorten(value.asked if isinstance(value, Attachment) else str(value))
    return UsageError(f"seed must be a whole number, not {shown!r}", hint=EXAMPLES)


def _too_many() -> UsageError:
    hint = "split them into several runs"
    return UsageError(f"more than {MAX_IMAGES:,} seeds", hint=hint)
