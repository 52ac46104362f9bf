"""Light stand-ins for parts of the standard library that would double the time of lookups.

`NamedTuple` does not import `typing`, `json_text` does not import `json`, and `LazySequence`
computes its items on demand. Modules that use `NamedTuple` need `from __future__ import
annotations`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NamedTuple as NamedTuple
    from typing import TypeVar

    Item_co = TypeVar("Item_co", covariant=True)
else:
    from collections import namedtuple
    from collections.abc import Sequence

    class _NamedTupleMeta(type):
        """Turns a class that lists fields into a named tuple, as `typing.NamedTuple` does."""

        def __new__(cls, name, bases, namespace):
            if not bases:
                return super().__new__(cls, name, bases, namespace)
            fields = namespace["__annotations__"]
            defaults = [namespace.pop(field) for field in fields if field in namespace]
            module = namespace["__module__"]
            kind = namedtuple(name, fields, defaults=defaults, module=module)  # noqa: PYI024
            for attribute, value in namespace.items():
                setattr(kind, attribute, value)
            return kind

    class NamedTuple(metaclass=_NamedTupleMeta):
        """A tuple with named fields."""


SCHEMA = 1  # version of all JSON documents; increased when a key is removed or changes its meaning
ESCAPES = {code: f"\\u{code:04x}" for code in range(32)}  # by code point
ESCAPES |= str.maketrans(
    {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
)


class LazySequence(Sequence["Item_co"]):
    """A sequence of `count` items, computed on demand.

    `make(i)` must return equal items for equal `i`, which counts from 0.
    """

    def __init__(self, count: int, make: Callable[[int], Item_co]) -> None:
        self._count, self._make = count, make

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: int) -> Item_co:  # type: ignore[override] # no slices
        if not -self._count <= place < self._count:
            raise IndexError(place)
        return self._make(place % self._count)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment] # like lists, which are not hashable


def json_text(value: object, indent: int | None = None) -> str:
    """What `json.dumps(value, indent=indent, ensure_ascii=False)` returns, or its TypeError."""
    return _json(value, "" if indent is None else "\n", " " * (indent or 0))


def _json(value: object, line: str, step: str) -> str:
    """`line` is a line break and the indent of this value, or "" to write all on one line."""
    if isinstance(value, str):
        return f'"{value.translate(ESCAPES)}"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return (int if isinstance(value, int) else float).__repr__(value)
    inner = line and line + step
    if isinstance(value, dict):
        items = [
            f"{_json(name, '', '')}: {_json(item, inner, step)}" for name, item in value.items()
        ]
        return _enclosed("{", items, "}", line, inner)
    if isinstance(value, list | tuple):
        return _enclosed("[", [_json(item, inner, step) for item in value], "]", line, inner)
    raise TypeError(f"{type(value).__name__} is not a JSON type")


def _enclosed(left: str, items: list[str], right: str, line: str, inner: str) -> str:
    if not items:
        return left + right
    return left + inner + ("," + (inner or " ")).join(items) + line + right
