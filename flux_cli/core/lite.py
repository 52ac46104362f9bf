"""Light stand-ins for parts of the standard library that would double the start-up time of lookups.

`NamedTuple` does not import `typing`, `json_text` does not import `json`, and `LazySequence` computes
its items on demand. Modules that use `NamedTuple` need `from __future__ import annotations`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NamedTuple as NamedTuple
    from typing import TypeVar

    Item_co = TypeVar("Item_co", covariant=True)
else:
    from _collections import _tuplegetter
    from _collections_abc import Sequence  # already imported when Python starts

    class _Kind(type):
        """Turns a class that lists fields into a named tuple."""

        def __new__(cls, name, bases, space):
            if not bases:
                return type.__new__(cls, name, (tuple,), space)
            fields = tuple(space["__annotations__"])
            space["_field_defaults"] = {field: space[field] for field in fields if field in space}
            for place, field in enumerate(fields):
                space[field] = _tuplegetter(place, None)
            space["__slots__"] = ()
            space["__match_args__"] = space["_fields"] = fields
            return type.__new__(cls, name, bases, space)

    class NamedTuple(metaclass=_Kind):
        """A tuple with named fields."""

        __slots__ = ()

        def __new__(cls, *values, **named):
            fields = cls._fields
            if len(values) < len(fields):
                defaults = cls._field_defaults
                for field in fields[len(values) :]:
                    if field in named:
                        values += (named.pop(field),)
                    elif field in defaults:
                        values += (defaults[field],)
                    else:
                        raise TypeError(f"{cls.__name__}() is missing {field!r}")
            if named or len(values) > len(fields):
                raise TypeError(f"{cls.__name__}() takes {', '.join(fields)}, each once")
            return tuple.__new__(cls, values)

        def _replace(self, /, **named):
            return type(self)(**{**dict(zip(self._fields, self, strict=True)), **named})

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self._asdict().items())})"

        def __getnewargs__(self):
            return tuple(self)


SCHEMA = 1  # version of all JSON documents; increased when a key is removed or changes its meaning
ESCAPES = {code: f"\\u{code:04x}" for code in range(32)} | {
    ord(char): f"\\{letter}" for char, letter in zip('"\\\b\f\n\r\t', '"\\bfnrt', strict=True)
}


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
    """The same text as `json.dumps(value, indent=indent, ensure_ascii=False)`, and the same TypeError."""
    return _json(value, "" if indent is None else "\n", " " * (indent or 0))


def _json(value: object, line: str, step: str) -> str:
    """`line` is a line break and the indent of this value, or "" to write everything on one line."""
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
