"""Combines rows with axes."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any


def combine_rows(
    rows: Iterable[Mapping[str, Any]], axes: Mapping[str, Sequence[Any]]
) -> Iterator[dict[str, Any]]:
    """Every row with every combination of the values of the axes, the last axis fastest."""
    products = itertools.product(*axes.values())
    combined = [dict(zip(axes, values, strict=True)) for values in products]
    for row in rows:
        for values in combined:
            yield {**row, **values}
