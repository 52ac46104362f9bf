"""A sequence whose items are made when somebody asks for them: ten thousand calls take no more memory than one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    Item_co = TypeVar("Item_co", covariant=True)
else:
    from _collections_abc import Sequence  # the name under which Python has it when it starts


class Lazy(Sequence["Item_co"]):
    """So many items. `make` gets the place of one, from 0, and gives an equal item whenever it is asked."""

    def __init__(self, count: int, make: Callable[[int], Item_co]) -> None:
        self._count, self._make = count, make

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: int) -> Item_co:  # type: ignore[override] # nobody needs slices
        if not -self._count <= place < self._count:
            raise IndexError(place)
        return self._make(place % self._count)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment] # as a list has none
