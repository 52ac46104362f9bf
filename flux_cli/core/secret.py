"""Keys that cannot be printed by accident."""


class Secret:
    """A key. `str` and `repr` show that there is one, never what it is; `reveal` is for the one header it goes into."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def redact(self, text: str) -> str:
        """The text with every occurrence of the key replaced: servers quote keys in their errors."""
        return text.replace(self._value, "***")

    def __repr__(self) -> str:
        return "***"
