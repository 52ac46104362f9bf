"""The layout of contact sheets: all cells equal, none overlaps, and the page stays in bounds."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.images.sheet import MAX_PIXELS, Grid, caption, grid, page, sheet_name

sizes = st.lists(
    st.tuples(st.integers(1, 20_000), st.integers(1, 20_000)), min_size=1, max_size=200
)
boxes = st.tuples(st.integers(200, 8000), st.integers(200, 8000))


@given(sizes, boxes, st.integers(0, 12), st.integers(0, 22))
def test_every_image_has_a_cell_of_its_own_on_the_page(images, box, gap, text):
    one = grid(images, box, gap, text)
    places = [one.place(number) for number in range(len(images))]
    assert len(set(places)) == len(places)
    assert one.columns * one.rows >= len(images) > one.columns * (one.rows - 1)
    width, height = one.cell
    lefts, tops = (sorted(set(positions)) for positions in zip(*places, strict=True))
    assert all(b - a >= width + gap for a, b in pairwise(lefts))
    assert all(b - a >= height + text + gap for a, b in pairwise(tops))
    assert lefts[0] == tops[0] == gap
    assert one.size == (lefts[-1] + width + gap, tops[-1] + height + text + gap)


@given(st.integers(1, 1000), st.sampled_from([(1, 4), (9, 16), (1, 1), (4, 3), (16, 9), (4, 1)]))
def test_a_sheet_of_equal_images_fits_the_page_made_for_it(count, shape):
    one = grid([shape] * count, page(count))
    width, height = page(count)
    assert one.size[0] <= width
    assert one.size[1] <= height
    assert min(one.cell) > 40


@pytest.mark.parametrize(
    ("count", "shape", "columns", "rows"),
    [
        (1, (16, 9), 1, 1),
        (2, (1, 1), 2, 1),
        (2, (16, 9), 1, 2),
        (4, (16, 9), 2, 2),
        (6, (1, 1), 3, 2),
        (12, (4, 3), 4, 3),
    ],
)
def test_the_grid_comes_near_the_shape_of_a_screen(count, shape, columns, rows):
    assert grid([shape] * count, page(count))[:2] == (columns, rows)


def test_cells_of_mixed_shapes_lie_between_them():
    width, height = grid([(1600, 900), (900, 1600)], (1600, 1000)).cell
    assert width == height


def test_one_odd_strip_does_not_make_strips_of_all_cells():
    width, height = grid([(20_000, 1), (1, 1)], (1600, 1000)).cell
    assert width / height == pytest.approx(
        2, rel=0.02
    )  # the mean of 4:1, which the strip counts as, and 1:1


@pytest.mark.parametrize("count", [1, 10, 1000, 100_000])
def test_a_sheet_never_grows_beyond_what_memory_holds(count):
    width, height = page(count)
    assert width * height <= MAX_PIXELS * 1.001
    assert width / height == pytest.approx(1.6, rel=0.01)


def test_places_run_along_rows():
    one = Grid(3, 2, (100, 50), 10, 20)
    assert [one.place(number) for number in range(4)] == [(10, 10), (120, 10), (230, 10), (10, 90)]
    assert one.size == (340, 170)


def test_captions_give_way_where_cells_are_narrow():
    assert caption(3, 44) == ("3  seed 44", "3  44", "3")
    assert caption(3, None) == ("3",)
    assert caption(3, 0)[0] == "3  seed 0"


def test_a_label_stays_longer_than_the_seed():
    full = ("3  flux.2-max  seed 44", "3  flux.2-max  44", "3  flux.2-max", "flux.2-max")
    assert caption(3, 44, "flux.2-max") == full
    assert caption(3, None, "flux.2-max") == full[2:]


@pytest.mark.parametrize(
    ("paths", "name"),
    [
        (["fox-7.png", "fox-8.png"], "fox-sheet.webp"),
        (["out/fox-41.jpg", "out/fox-42.jpg"], "out/fox-sheet.webp"),
        (["out/1.jpg", "out/2.jpg"], "out/sheet.webp"),
        (["/tmp/7/a.png", "/tmp/8/a.png"], "/tmp/7/a-sheet.webp"),
        (["fox-7.png"], "fox-7-sheet.webp"),
        (["a{b}.png"], "a{b}-sheet.webp"),
        (["fuchs-7.png", "fuchsbau-8.png"], "fuchs-sheet.webp"),
        ([".hidden"], ".hidden-sheet.webp"),
    ],
)
def test_a_sheet_is_named_after_what_its_images_names_share(paths, name):
    assert sheet_name(paths).path("webp") == name
