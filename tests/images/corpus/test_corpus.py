"""Every kind of image through every output format, seen by decoders of other people.

The short form has each value of each axis with each output once; `pytest -m corpus` runs the whole.
"""

import shutil
import subprocess

import pytest
from images.corpus.cases import AXES, CLEAR, PATCH, Case, all_cases, data_of, seen
from PIL import Image
from sample_images import opened

from flux_cli.images.finish import Finish
from flux_cli.images.formats import FORMATS
from flux_cli.images.outputs import outputs
from flux_cli.images.pixels.render import measure, render

# How far a level may be from the drawn one: by rounding, and by what the encoder loses.
LEVELS = {"png": 3, "gif": 3, "jpeg": 7, "webp": 8, "avif": 7}
PROFILES = (b"iCCP", b"ICC_PROFILE", b"ICCP")  # of PNG, JPEG and WebP
TOOLS = ("vipsthumbnail", "avifenc", "avifdec")


@pytest.fixture(autouse=True)
def _tools():
    for name in TOOLS:
        if not shutil.which(name):
            pytest.skip(f"{name} is not installed: nobody else can say what these images show")


def run(*words):
    texts = [str(word) for word in words]
    done = subprocess.run(texts, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"


def decode(files, folder):
    """The upright images in sRGB, as RGBA, by libvips; those of libavif become PNG before.

    None for one that cannot be read. All are read by one process, as starting it takes longest.
    """
    tagged, plain = [], []
    for path in files:
        readable = path
        if path.suffix == ".avif":
            readable = path.with_suffix(".png")
            run("avifdec", "-d", "8", path, readable)
        has_profile = any(name in readable.read_bytes() for name in PROFILES)
        (tagged if has_profile else plain).append(readable)
    for paths, words in ((tagged, ("-e", "srgb")), (plain, ())):
        if paths:
            run("vipsthumbnail", *paths, "-s", "1000x1000>", "-o", folder / "%s-seen.png", *words)
    for path in files:
        shown = folder / f"{path.stem}-seen.png"
        yield opened(shown.read_bytes()).convert("RGBA") if shown.exists() else None


def make(case, target, path, *, half):
    """One file of a case, perhaps at half its size."""
    data = data_of(case)
    image = measure(data)
    widths = (image.width // 2,) if half else ()
    finish = Finish(formats=(target,), quality=95, widths=widths, only_widths=True)
    (made,) = render(data, outputs(finish, image))
    path.write_bytes(made.image.data)


def compare(shown, case, target):
    assert shown is not None, "nobody can read it"
    wanted = seen(case)
    scale = shown.width / wanted.width
    assert shown.size == (wanted.width * scale, wanted.height * scale)
    for at in range(6):
        side, edge = PATCH * scale, 6 * scale
        left, top = at % 3 * side, at // 3 * side
        box = tuple(
            round(x) for x in (left + edge, top + edge, left + side - edge, top + side - edge)
        )
        color = wanted.getpixel((at % 3 * PATCH + 8, at // 3 * PATCH + 8))
        patch = shown.crop(box).resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
        if case.alpha and at == CLEAR:
            if target != "jpeg":
                assert patch[3] <= 3, (at, patch)
                continue
            color = (255, 255, 255, 255)
        worst = max(abs(one - other) for one, other in zip(patch, color, strict=True))
        assert worst <= LEVELS[target], (at, patch, color)


def short(file_format):
    """Cases with outputs, such that each value has met each output, or for turns any of them."""
    met = set()
    for number, case in enumerate(all_cases(file_format)):
        for shift in range(len(FORMATS)):
            target = tuple(FORMATS)[(number + shift) % len(FORMATS)]
            values = set()
            for axis, value in case._asdict().items():
                values.add((axis, value, "" if axis in ("orientation", "metadata") else target))
            if not values <= met:
                met |= values
                yield case, target


def failures(pairs, folder):
    """What is wrong with the files that these cases become; every second one is scaled."""
    made, found = {}, []
    for number, (case, target) in enumerate(pairs):
        path = folder / f"{number}.{FORMATS[target].suffix}"
        name = f"{case} to {target}, {'half' if number % 2 else 'whole'}"
        try:
            make(case, target, path, half=number % 2 == 1)
            made[path] = name, case, target
        except Exception as fault:  # noqa: BLE001 - all of them are wanted, not the first
            found.append(f"{name}: {fault}")
    for shown, (name, case, target) in zip(decode(made, folder), made.values(), strict=True):
        try:
            compare(shown, case, target)
        except AssertionError as fault:
            found.append(f"{name}: {fault}")
    return found


@pytest.mark.parametrize("file_format", AXES)
def test_each_value_of_each_axis(file_format, tmp_path):
    found = failures(short(file_format), tmp_path)
    assert found == []


def test_the_metadata_of_a_track_does_not_stop_its_pixels(tmp_path):
    """An animation names its EXIF twice, at the same place of the file."""
    assert failures([(Case("avif", 1, "srgb", 8, False, 3, "exif"), "png")], tmp_path) == []


@pytest.mark.corpus
@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize(
    ("file_format", "turn"), [(name, turn) for name in AXES for turn in AXES[name]["orientation"]]
)
def test_the_whole_corpus(file_format, turn, target, tmp_path):
    cases = [case for case in all_cases(file_format) if case.orientation == turn]
    found = failures([(case, target) for case in cases], tmp_path)
    assert found == []


@pytest.mark.parametrize("file_format", ["jpeg", "webp"])
def test_the_corpus_is_what_it_says(file_format, tmp_path):
    """The decoders see the cases themselves as people should."""
    cases = [Case(file_format, turn, "p3 icc", 8, False, 1, "exif") for turn in range(1, 9)]
    paths = [tmp_path / f"{case.orientation}.{FORMATS[file_format].suffix}" for case in cases]
    for case, path in zip(cases, paths, strict=True):
        path.write_bytes(data_of(case))
    for case, shown in zip(cases, decode(paths, tmp_path), strict=True):
        compare(shown, case, "png")
