"""The plan of finishing: exact pixels, crops, refusals, and which bytes stay as they came."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.errors import UsageError
from flux_cli.core.image import Inspection
from flux_cli.core.ratio import parse_shape, parse_side
from flux_cli.images.finish import Finish, check
from flux_cli.images.outputs import find_place, frames, outputs, place, possible_outputs
from flux_cli.request.files.finishing import explain, explain_side

JPEG = Inspection("jpeg", 2752, 1536, 700_000)
sides = st.integers(1, 5000)


def wanted(size, fit, **more):
    return Finish(target=parse_shape(size), fit=fit, **more)


@given(sides, sides, sides, sides)
def test_cover_is_exactly_the_size_and_shows_as_much_as_it_can(width, height, wide, high):
    frame = frames(wanted(f"{wide}x{high}", "cover", upscale=True), width, height)[0]
    assert (frame.width, frame.height) == (wide, high)
    across, down = frame.window
    assert across <= width
    assert down <= height
    assert across == pytest.approx(width) or down == pytest.approx(height)
    assert wide / across == pytest.approx(high / down)  # nothing is distorted


@given(sides, sides, sides, sides, st.booleans())
def test_contain_shows_all_and_stays_inside(width, height, wide, high, upscale):
    frame = frames(wanted(f"{wide}x{high}", "contain", upscale=upscale), width, height)[0]
    assert frame.window == (width, height)
    assert 1 <= frame.width <= wide
    assert 1 <= frame.height <= high
    assert upscale or (frame.width <= width and frame.height <= height)


@given(sides, sides)
def test_exact_is_exact_at_any_cost_of_shape(wide, high):
    frame = frames(wanted(f"{wide}x{high}", "exact", upscale=True), 1000, 700)[0]
    assert (frame.width, frame.height, frame.window) == (wide, high, (1000, 700))


@given(sides, sides, sides, sides, st.sampled_from(["cover", "exact"]))
def test_nothing_is_enlarged_unasked(width, height, wide, high, fit):
    finish = wanted(f"{wide}x{high}", fit)
    if wide > width or high > height:
        with pytest.raises(UsageError) as caught:
            frames(finish, width, height)
        assert "--upscale" in caught.value.hint
    else:
        assert frames(finish, width, height)


def test_the_hint_of_a_refused_enlargement_is_itself_possible():
    with pytest.raises(UsageError) as caught:
        frames(wanted("3000x3000", "cover"), 1000, 700)
    assert "700x700" in caught.value.hint
    assert frames(wanted("700x700", "cover"), 1000, 700)


@given(sides, sides, st.sampled_from(["16:9", "1:1", "9:21", "1.91:1"]))
def test_a_shape_alone_is_cropped_and_not_scaled(width, height, shape):
    frame = frames(wanted(shape, "cover"), width, height)[0]
    assert frame.window == (frame.width, frame.height)
    assert frame.width == width or frame.height == height


def test_widths_derive_from_the_crop_and_keep_its_shape():
    frames_ = frames(wanted("1200x630", "cover", widths=(600, 300)), 2752, 1536)
    assert [(frame.width, frame.height, frame.label) for frame in frames_] == [
        (1200, 630, ""), (600, 315, "600"), (300, 158, "300"),
    ]  # fmt: skip
    assert len({frame.window for frame in frames_}) == 1


@pytest.mark.parametrize("fit", ["none", "cover"])
def test_widths_stand_beside_the_full_image_or_alone_if_a_build_keeps_it(fit):
    finish = wanted("1200x630", fit, widths=(640, 320, 640))
    assert [frame.label for frame in frames(finish, 2752, 1536)] == ["", "640", "320"]
    alone = finish._replace(only_widths=True)
    assert [frame.label for frame in frames(alone, 2752, 1536)] == ["640", "320"]
    assert [frame.label for frame in frames(alone._replace(widths=()), 2752, 1536)] == [""]


def test_a_width_beyond_the_image_is_refused():
    with pytest.raises(UsageError, match="enlarge"):
        frames(Finish(widths=(3000,)), 2752, 1536)


@pytest.mark.parametrize("size", ["70000x1", "20000x20000"])
def test_absurd_sizes_are_refused_even_with_upscale(size):
    with pytest.raises(UsageError, match="larger than any image"):
        frames(wanted(size, "exact", upscale=True), 100, 100)


@given(sides, sides, st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_window_lies_inside_its_image(width, height, across, down, share_x, share_y):
    left, top, right, bottom = place(
        (width * share_x, height * share_y), (width, height), (across, down)
    )
    assert -1e-6 <= left < right <= width + 1e-6
    assert -1e-6 <= top < bottom <= height + 1e-6


# --- one side, borders, points


def sided(size, **more):
    return Finish(target=parse_side(size), **more)


few = st.integers(1, 60)  # times 900, no side is larger than any image should be


@given(few, few, st.integers(1, 900))
def test_one_side_is_exact_and_the_other_keeps_the_shape(width, height, side):
    sizes = f"{side}x", f"x{side}"
    wide, high = (frames(sided(size, upscale=True), width, height)[0] for size in sizes)
    assert (wide.width, high.height) == (side, side)
    assert wide.height == max(1, round(side * height / width))
    assert high.width == max(1, round(side * width / height))
    assert wide.window == high.window == (width, height)


def test_one_side_enlarges_only_if_it_may_and_contain_makes_it_a_limit():
    with pytest.raises(UsageError, match="1200x840 would enlarge an image of 1000x700") as caught:
        frames(sided("1200x"), 1000, 700)
    assert "--upscale" in caught.value.hint
    assert frames(sided("1200x", upscale=True), 1000, 700)[0][:2] == (1200, 840)
    assert frames(sided("1200x", fit="contain"), 1000, 700)[0][:2] == (1000, 700)
    assert frames(sided("x350", fit="contain"), 1000, 700)[0][:2] == (500, 350)


def test_widths_stand_beside_the_image_that_one_side_decides():
    made = frames(sided("1000x", widths=(500,)), 2000, 1000)
    assert [(frame.width, frame.height, frame.label) for frame in made] == [
        (1000, 500, ""), (500, 250, "500"),
    ]  # fmt: skip


@given(sides, sides, sides, sides, st.booleans())
def test_pad_is_exactly_the_size_with_all_of_the_image_inside(width, height, wide, high, upscale):
    (frame,) = frames(wanted(f"{wide}x{high}", "pad", upscale=upscale), width, height)
    assert (frame.width, frame.height, frame.window) == (wide, high, (width, height))
    across, down = frame.inner
    assert 1 <= across <= wide
    assert 1 <= down <= high
    assert upscale or (across <= width and down <= height)
    assert (across, down) == (width, height) or across == wide or down == high


@given(sides, sides, st.sampled_from(["16:9", "1:1", "9:21", "1.91:1"]))
def test_pad_to_a_shape_only_adds_borders(width, height, shape):
    (frame,) = frames(wanted(shape, "pad"), width, height)
    assert frame.inner == frame.window == (width, height)
    assert frame.width == width or frame.height == height
    ratio = parse_shape(shape).ratio
    assert abs(frame.width - frame.height * ratio) < max(1, ratio) + 1e-6


def test_widths_of_a_padded_image_have_its_borders():
    frames_ = frames(wanted("400x400", "pad", widths=(100,)), 800, 400)
    assert [(frame[:2], frame.inner) for frame in frames_] == [
        ((400, 400), (400, 200)), ((100, 100), (100, 50)),
    ]  # fmt: skip


@given(sides, sides, st.floats(0.01, 1), st.floats(0, 1))
def test_a_point_is_in_the_middle_as_far_as_the_edges_allow(width, height, part, share):
    window, focus = (width * part, float(height)), f"{share:.4f},0.5"
    left, _, right, _ = place(window, (width, height), find_place(focus, window, (width, height)))
    point, middle = round(share, 4) * width, (left + right) / 2
    is_at_edge = left < 1 or right > width - 1  # a window of whole pixels is moved by up to one
    assert -1e-6 <= left <= right <= width + 1e-6
    assert abs(point - middle) <= 1 or is_at_edge
    assert left - 1 <= point <= right + 1


def test_one_output_that_fails_does_not_stop_the_others():
    made, errors = possible_outputs(Finish(widths=(320, 9999), formats=("webp", "png")), JPEG)
    assert [(one.frame.label, one.format) for one in made] == [
        ("", "webp"), ("", "png"), ("320", "webp"), ("320", "png"),
    ]  # fmt: skip
    assert ["9999x5581 would enlarge" in error.message for error in errors] == [True]


def test_one_side_is_explained_also_where_nobody_knows_the_image():
    (note,) = explain(sided("1376x"), 2752, 1536)
    assert (note.parameter, note.asked, note.used) == ("size", "1376x", "1376x768")
    assert note.reason == "from 2752x1536: scaled by 0.500"
    (note,) = explain_side(sided("x300"))
    assert (note.parameter, note.asked, note.used) == ("size", "x300", "x300")
    assert explain_side(wanted("16:9", "cover")) == ()


# --- which bytes stay


@pytest.mark.parametrize(
    ("finish", "untouched"),
    [
        (Finish(), True),
        (Finish(formats=("jpeg",)), True),
        (Finish(formats=("webp",)), False),
        (Finish(quality=80), False),
        (Finish(effort="small"), False),
        (Finish(max_bytes=700_000), True),
        (Finish(max_bytes=699_999), False),
        (wanted("2752x1536", "cover"), True),
        (wanted("2752x1536", "exact"), True),
        (wanted("3000x3000", "contain"), True),
        (wanted("1200x630", "cover"), False),
        (wanted("1200x630", "none"), True),
        (Finish(target=parse_side("2752x")), True),
        (Finish(target=parse_side("x768")), False),
        (wanted("2752x1536", "pad"), True),
        (wanted("2752x2752", "pad"), False),
    ],
)
def test_bytes_stay_as_they_came_where_nothing_else_is_asked(finish, untouched):
    assert [output.untouched for output in outputs(finish, JPEG)] == [untouched]


def test_an_image_that_exif_turns_is_made_anew_only_where_its_pixels_matter():
    turned = JPEG._replace(upright=False)
    assert outputs(Finish(), turned)[0].untouched
    assert not outputs(wanted("2752x1536", "cover"), turned)[0].untouched


def test_several_formats_are_several_outputs_and_the_original_comes_first():
    planned = outputs(Finish(formats=("avif", "webp"), widths=(640,), keep_original=True), JPEG)
    assert [(one.format, one.frame.label, one.untouched) for one in planned] == [
        ("jpeg", "original", True), ("avif", "", False), ("webp", "", False),
        ("avif", "640", False), ("webp", "640", False),
    ]  # fmt: skip


# --- what is refused whatever comes


@pytest.mark.parametrize(
    ("finish", "words"),
    [
        (Finish(fit="cover"), "needs a size"),
        (wanted("16:9", "contain"), "needs pixels"),
        (wanted("16:9", "exact"), "needs pixels"),
        (wanted("100x100", "contain", focus="top"), "nothing to crop"),
        (Finish(lossless=True, quality=80), "contradict"),
        (Finish(lossless=True, formats=("jpeg",)), "jpeg cannot be lossless"),
        (Finish(lossless=True, formats=("gif",)), "gif cannot be lossless"),
        (Finish(lossless=True, formats=("avif",)), "avif cannot be lossless"),
    ],
)
def test_contradictions_are_refused_before_anything_is_done(finish, words):
    with pytest.raises(UsageError, match=words) as caught:
        check(finish)
    assert caught.value.hint


def test_lossless_as_received_is_refused_for_a_jpeg():
    with pytest.raises(UsageError, match="jpeg cannot be lossless"):
        outputs(Finish(lossless=True), JPEG)


# --- words for `flux resolve`


def test_a_crop_says_what_is_cut_and_how_it_is_scaled():
    (note,) = explain(wanted("1200x630", "cover"), 2752, 1536)
    assert (note.parameter, note.asked, note.used) == ("fit", "cover", "1200x630")
    assert note.reason == "from 2752x1536: 5.9 % of the height cropped (center), scaled by 0.436"


def test_a_distortion_is_called_one():
    (note,) = explain(wanted("500x500", "exact"), 2752, 1536)
    assert "changes its shape" in note.reason


def test_a_size_that_does_not_come_gets_a_warning_and_the_way_to_it():
    (note,) = explain(wanted("1200x630", "none"), 2752, 1536)
    assert note.warning
    assert "--fit cover" in note.reason


def test_a_size_that_comes_needs_no_words():
    assert explain(wanted("2752x1536", "none"), 2752, 1536) == ()
