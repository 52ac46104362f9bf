"""Keys that cannot be printed by accident: whatever shows text asks `redact` first."""

from contextvars import ContextVar

SHORTEST = 8  # characters; anything shorter is no key, and redacting it would tear words apart

# Every key made in this run. A context variable, so that it belongs to the run and not to the module.
_IN_USE: ContextVar[tuple[str, ...]] = ContextVar("keys in use", default=())


class Secret:
    """A key. `str` and `repr` show that there is one, never what it is; `reveal` is for the one header it goes into."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        if len(value) >= SHORTEST and value not in _IN_USE.get():
            _IN_USE.set((*_IN_USE.get(), value))

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"


def redact(text: str) -> str:
    """The text without any key made in this run, nor the beginning of one: servers quote keys, messages get cut."""
    for value in _IN_USE.get():
        if value[:SHORTEST] in text:
            for length in range(len(value), SHORTEST - 1, -1):
                text = text.replace(value[:length], "***")
    return text
