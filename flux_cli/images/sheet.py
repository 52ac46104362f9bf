"""The layout of a contact sheet: cells, captions and file name. `pixels/thumbnails` draws it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.images.formats import split_suffix
from flux_cli.images.names import Name

PAGE = 1.6  # width to height of a sheet, like most screens
CELL = (180, 640)  # pixels: the side of a square with the area of the smallest and the largest cell
BUDGET = 8_000_000  # pixels of all cells together, unless that makes them too small
MAX_PIXELS = 40_000_000  # of a sheet, which takes 120 MB while it is drawn
WIDEST = 4.0  # width to height; a more extreme image does not change the shape of the cells
GAP, CAPTION = 12, 22  # pixels between cells, and the height of a line of text


class Grid(NamedTuple):
    """Equal cells, row by row, in pixels. `cell` is the box of an image, with the caption below."""

    columns: int
    rows: int
    cell: tuple[int, int]
    gap: int
    caption: int

    @property
    def size(self) -> tuple[int, int]:
        """Pixels of the whole sheet, with a gap all around."""
        width, height = self.cell
        across = self.columns * (width + self.gap) + self.gap
        return across, self.rows * (height + self.caption + self.gap) + self.gap

    def place(self, number: int) -> tuple[int, int]:
        """The upper left corner of a cell; cells count from 0."""
        row, column = divmod(number, self.columns)
        width, height = self.cell
        left = self.gap + column * (width + self.gap)
        top = self.gap + row * (height + self.caption + self.gap)
        return left, top


def page(count: int) -> tuple[int, int]:
    """Width and height of a sheet in pixels. Few images get large cells; many stay recognizable."""
    smallest, largest = CELL
    area = min(MAX_PIXELS, count * min(largest**2, max(smallest**2, BUDGET / count)))
    return round(math.sqrt(area * PAGE)), round(math.sqrt(area / PAGE))


def grid(
    sizes: Sequence[tuple[int, int]], box: tuple[int, int], gap: int = GAP, caption: int = CAPTION
) -> Grid:
    """The grid with the largest equal cells that fits into a box. All sizes are in pixels."""
    logs = [math.log(width / height) for width, height in sizes]
    widest = math.log(WIDEST)
    shape = math.exp(sum(max(-widest, min(widest, log)) for log in logs) / len(logs))
    count = len(sizes)
    grids = []
    for columns in range(1, count + 1):
        rows = math.ceil(count / columns)
        grids.append(_fitted(columns, rows, shape, box, gap, caption))
    return max(grids, key=lambda one: one.cell[0] * one.cell[1])


def _fitted(
    columns: int, rows: int, shape: float, box: tuple[int, int], gap: int, caption: int
) -> Grid:
    """The grid with the largest cells of this shape that fit into a box."""
    width = (box[0] - gap) / columns - gap
    height = (box[1] - gap) / rows - gap - caption
    width = min(width, height * shape)
    return Grid(columns, rows, (max(1, int(width)), max(1, int(width / shape))), gap, caption)


def caption(number: int, seed: Json, label: str = "") -> tuple[str, ...]:
    """Captions of an image, the longest first; small cells use a shorter one.

    The `label` tells what the image shows or who made it, and is more important than the seed.
    """
    labeled = (f"{number}  {label}", label) if label else (str(number),)
    if seed is None:
        return labeled
    first = labeled[0]
    return f"{first}  seed {seed}", f"{first}  {seed}", *labeled


def sheet_name(paths: Sequence[str]) -> Name:
    """The name of the sheet of some images: `fox-7.png`, `fox-8.png` -> `fox-sheet`.

    It is in the folder of the first image.
    """
    folder, slash, _ = paths[0].rpartition("/")
    stems = [split_suffix(path)[0].rpartition("/")[2] for path in paths]
    common = _common_prefix(stems)
    if len(set(stems)) > 1:
        common = re.sub(r"[\W\d_]+$", "", common)  # names often differ only in a number
    stem = f"{folder}{slash}{common}-sheet" if common else f"{folder}{slash}sheet"
    return Name(f"{stem.replace('{', '{{').replace('}', '}}')}.{{ext}}", {})


def _common_prefix(words: Sequence[str]) -> str:
    prefix = min(words, key=len)
    while not all(word.startswith(prefix) for word in words):
        prefix = prefix[:-1]
    return prefix
