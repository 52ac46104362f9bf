"""`NamedTuple` at a third of its price: `typing` alone costs as much as a whole lookup, and each class a little more.

To the type checker this is `typing.NamedTuple`, and tests hold it to the same behavior. Annotations must be text
(`from __future__ import annotations`), so that defining a noun evaluates nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    from _collections import _tuplegetter

    class _Kind(type):
        """Makes a tuple with names of a class that lists its fields."""

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
        """A tuple whose places have names."""

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
