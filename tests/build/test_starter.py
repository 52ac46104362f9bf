"""Manifests that are written from images mean what was recorded in these images."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifests import assets_of

from flux_cli.build.starter import Found, Recorded, prompts, starter


def found(path, prompt="a fox", pixels=(64, 64), *, run="", model="m", **parameters):
    """An image with a record, in the format of its suffix."""
    made = Recorded(prompt, model, parameters, run=run)
    suffix = path.rpartition(".")[2]
    return Found(path, *pixels, {"jpg": "jpeg"}.get(suffix, suffix), made)


TEXTS = st.text(st.characters(exclude_categories=()), max_size=40)


@given(prompt=TEXTS)
def test_any_prompt_is_written_so_that_it_is_read_again(prompt):
    text = starter([found("a.png", prompt)])
    whole = prompt.replace("\0", "").encode("utf-8", "replace").decode().strip()
    if not whole:
        assert tomllib.loads(text).get("assets") is None
        return
    (asset,) = assets_of(text).values()
    assert asset.prompt == whole


@given(prompts=st.lists(TEXTS, max_size=4), name=TEXTS, value=TEXTS, key=TEXTS)
def test_any_record_gives_a_manifest(prompts, name, value, key):
    stem = "".join(char for char in name if char not in "/\0") or "x"
    images = [
        found(f"{stem}/{stem}-{place}.png", prompt, seed=place, **{key: value, "style": value})
        for place, prompt in enumerate(prompts)
    ]
    tomllib.loads(starter(images))


def test_images_of_a_run_in_several_formats_and_widths_are_one_asset():
    images = [
        found(f"img/hero-{width}.{suffix}", pixels=(width, 9), run="1")
        for width in (480, 960)
        for suffix in ("webp", "jpg", "avif")
    ]
    (asset,) = assets_of(starter(images)).values()
    assert (asset.name, set(asset.files)) == ("hero", {image.path for image in images})


def test_a_missing_variant_leaves_single_assets():
    images = [
        found("hero-480.webp", pixels=(480, 9), run="1"),
        found("hero-960.webp", pixels=(960, 9), run="1"),
        found("hero-960.jpg", pixels=(960, 9), run="1"),
    ]
    assets = assets_of(starter(images))
    assert {path for asset in assets.values() for path in asset.files} == {
        image.path for image in images
    }
    assert len(assets) == 3


def test_names_and_seeds_that_count_up_are_one_table():
    images = [found(f"icons/cup-{n}.webp", seed=n + 6) for n in (10, *range(1, 10))]
    text = starter(images)
    assert tomllib.loads(text)["assets"]["cup"]["n"] == 10
    assets = assets_of(text)
    assert {path: asset.seed for asset in assets.values() for path in asset.files} == {
        image.path: image.made.parameters["seed"] for image in images
    }


SERIES = {
    "a gap in the names": [("a-1", 1), ("a-3", 2)],
    "a gap in the seeds": [("a-1", 1), ("a-2", 3)],
    "names from another number": [("a-2", 2), ("a-3", 3)],
    "no seeds": [("a-1", None), ("a-2", None)],
    "the name is taken": [("a", 9), ("a-1", 1), ("a-2", 2)],
    "no name": [("-1", 1), ("-2", 2)],
}


@pytest.mark.parametrize("rows", SERIES.values(), ids=SERIES)
def test_other_names_and_seeds_stay_single(rows):
    images = [found(f"{name}.png", seed=seed) for name, seed in rows]
    text = starter(images)
    assert "\nn = " not in text
    assets = assets_of(text)
    assert {path: asset.seed for asset in assets.values() for path in asset.files} == {
        f"{name}.png": seed for name, seed in rows
    }


def test_what_decides_the_image_is_kept_and_files_are_not_followed():
    image = found(
        "a.png", model="other", size="16:9", seed=3, raw=True, steps=30, key="secret",
        output="b.png", note="@x",
    )  # fmt: skip
    text = starter([image, found("b.png"), found("c.png")])
    table = tomllib.loads(text)["assets"]["a"]
    assert table == {
        "prompt": "a fox", "model": "other", "size": "16:9", "seed": 3, "raw": True,
        "param": {"steps": 30}, "output": "{name}.png",
    }  # fmt: skip
    assert "model" not in tomllib.loads(text)["assets"]["b"]


def test_exact_pixels_stay_exact():
    text = starter(
        [found("og.jpg", pixels=(1200, 630), size="1200x630"), found("b.png", size="2x2")]
    )
    tables = tomllib.loads(text)["assets"]
    assert (tables["og"]["fit"], "fit" in tables["b"]) == ("cover", False)


def test_widths_with_the_exact_shape_of_a_size_were_cut():
    def tables(*pixels):
        images = [found(f"og-{one[0]}.jpg", pixels=one, size="1200x630") for one in pixels]
        return tomllib.loads(starter(images))["assets"]

    assert tables((600, 315), (300, 158))["og"]["fit"] == "cover"
    assert "fit" not in tables((600, 338), (300, 169))["og"]


def test_images_without_a_prompt_are_comments_that_can_be_filled_in():
    images = [Found("photos/team 1.jpg", 8, 8, "jpeg"), found("b.png", "", seed=4)]
    assert prompts(images) == 0
    text = starter(images)
    assert "assets" not in tomllib.loads(text)
    head, _, comments = text.partition("# The prompts of these images are not recorded.")
    lines = [line.removeprefix("# ").rstrip("#") for line in comments.splitlines()[1:]]
    filled = "\n".join([head, *lines]).replace('prompt = ""', 'prompt = "a team"')
    assets = assets_of(filled)
    assert {path for asset in assets.values() for path in asset.files} == {
        "photos/team 1.jpg", "b.png",
    }  # fmt: skip


def test_without_images_there_is_an_example():
    (asset,) = assets_of(starter([])).values()
    assert (asset.name, len(asset.files)) == ("hero", 3)
