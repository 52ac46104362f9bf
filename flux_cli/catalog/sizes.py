"""Reads the published sizes of a model: one by one, or as ratios and resolutions."""

from collections.abc import Iterator

from flux_cli.catalog.toml_table import Table
from flux_cli.core.errors import UsageError
from flux_cli.core.model import Size
from flux_cli.core.ratio import (
    floor_side,
    nominal,
    parse_ratio,
    parse_shape,
    parse_tier,
    sides_of,
)


def read_sizes(table: Table) -> tuple[Size, ...]:
    """All sizes, in the order of the file. Raises CatalogError for `sizes` beside `shapes`."""
    shapes = table.table("shapes")
    if shapes is None:
        return tuple(_size(row) for row in table.rows("sizes"))
    if "sizes" in table.names():
        raise table.wrong("shapes", "is given beside sizes; use only one of them")
    return tuple(_computed(shapes))


def _computed(shapes: Table) -> Iterator[Size]:
    """Each ratio at each resolution. Without a step, the pixels are nominal."""
    ratios, tiers = shapes.take_texts("aspect_ratios"), shapes.take_texts("resolutions")
    step = shapes.take_or("step", int, None)
    shapes.end()
    if step is not None and step < 1:
        raise shapes.wrong("step", "must be at least 1")
    for tier in tiers:
        area = _parsed(shapes, "resolutions", tier)
        for ratio in ratios:
            value = _parsed(shapes, "aspect_ratios", ratio)
            width, height = nominal(ratio, area)
            if step is not None:
                width, height = (floor_side(side, step) for side in sides_of(value, area))
            yield Size(width, height, ratio, tier, None)


def _parsed(row: Table, key: str, text: str) -> float:
    """A ratio, or a resolution as its area."""
    try:
        return parse_tier(text) if key.startswith("resolution") else parse_ratio(text)
    except UsageError as fault:
        raise row.wrong(key, fault.message) from fault


def _size(row: Table) -> Size:
    native = row.take_or("native", str, None)
    width, height = _pixels(row, "size", row.take("size", str))
    size = Size(
        width,
        height,
        aspect_ratio=row.take("aspect_ratio", str),
        resolution=row.take("resolution", str),
        native=_pixels(row, "native", native) if native is not None else None,
    )
    _parsed(row, "aspect_ratio", size.aspect_ratio)
    _parsed(row, "resolution", size.resolution)
    row.end()
    return size


def _pixels(row: Table, key: str, text: str) -> tuple[int, int]:
    try:
        shape = parse_shape(text)
    except UsageError as fault:
        raise row.wrong(key, fault.message) from fault
    if not shape.is_pixels:
        raise row.wrong(key, f"must be pixels such as 1024x1024, not {text!r}")
    return int(shape.width), int(shape.height)
