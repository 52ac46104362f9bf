"""The files of a delivery, made from an image that is on a disk already: no run, no journal."""

import json
from pathlib import Path

import pytest
from fakes.images import look, noise, pixels_as
from PIL import Image
from sample_images import image_bytes

from flux_cli.core.errors import ImageError, UsageError
from flux_cli.core.outcome import Facts
from flux_cli.images.files import Folder
from flux_cli.images.finish import Finish
from flux_cli.images.metadata.read import read_metadata
from flux_cli.images.metadata.record import Record
from flux_cli.images.names import Name
from flux_cli.images.pixels.wholeness import examine
from flux_cli.runs.saving.delivery import Delivery
from flux_cli.runs.saving.finish import SavedFiles
from flux_cli.runs.saving.output_files import save_outputs

RECORD = Record(prompt="a fox", seed=7, created="2026-12-01T10:15:09Z")
WIDTHS = Finish(widths=(16, 32), formats=("webp", "jpeg"))
VARIANTS = Delivery(WIDTHS, RECORD, sidecar=True)
ORIGINAL = noise(64)
NAME = Name("img/hero.{ext}", {})


def make(delivery: Delivery = VARIANTS, data: bytes = ORIGINAL) -> SavedFiles:
    files = SavedFiles(Folder(overwrite=True), Facts(request_id="q"))
    save_outputs(files, data, NAME, delivery, RECORD)
    return files


def make_possible_ones(finish: Finish, data: bytes = ORIGINAL) -> SavedFiles:
    saved = SavedFiles(Folder(overwrite=True), is_whole=False)
    with pytest.raises(UsageError):
        save_outputs(saved, data, NAME, Delivery(finish, RECORD), RECORD)
    return saved


def files() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*.*")}


def test_every_file_of_a_delivery_is_made_from_the_original():
    saved = make().images
    assert [(one.path, one.format, one.width, one.label) for one in saved] == [
        ("img/hero.webp", "webp", 64, ""),
        ("img/hero.jpg", "jpeg", 64, ""),
        ("img/hero-16.webp", "webp", 16, "16"),
        ("img/hero-16.jpg", "jpeg", 16, "16"),
        ("img/hero-32.webp", "webp", 32, "32"),
        ("img/hero-32.jpg", "jpeg", 32, "32"),
    ]
    assert {one.facts.request_id for one in saved} == {"q"}
    assert look("img/hero-32.webp") == ("webp", (32, 32))
    embedded = read_metadata(examine(Path("img/hero-16.jpg").read_bytes()).sound).record
    assert (embedded.prompt, embedded.seed, embedded.created) == ("a fox", 7, RECORD.created)
    assert json.loads(Path("img/hero.json").read_text())["prompt"] == "a fox"


def test_files_that_are_made_again_are_the_same_bytes():
    make()
    before = files()
    for path in before:
        Path(path).unlink()
    make()
    assert files() == before


def test_only_missing_files_are_made():
    kept = frozenset({"img/hero.webp", "img/hero-16.webp", "img/hero.json"})
    saved = make(VARIANTS._replace(kept=kept)).images
    assert [one.path for one in saved] == [
        "img/hero.jpg", "img/hero-16.jpg", "img/hero-32.webp", "img/hero-32.jpg",
    ]  # fmt: skip
    assert "img/hero.json" not in files()


def test_a_build_makes_its_widths_alone():
    saved = make(VARIANTS._replace(finish=WIDTHS._replace(only_widths=True))).images
    assert [one.label for one in saved] == ["16", "16", "32", "32"]


@pytest.mark.parametrize(
    ("delivery", "data", "error"),
    [
        (VARIANTS._replace(finish=Finish(widths=(16, 640))), ORIGINAL, UsageError),
        (VARIANTS, ORIGINAL[:-200], ImageError),
        (VARIANTS, pixels_as("tiff", 8, 1), ImageError),
    ],
)
def test_none_is_saved_unless_all_can_be_made(delivery, data, error):
    with pytest.raises(error):
        make(delivery, data)
    assert files() == {}


def test_files_that_cannot_be_made_do_not_stop_the_others_where_not_all_are_needed():
    too_wide = Finish(widths=(640, 16), formats=("webp",))
    assert [one.path for one in make_possible_ones(too_wide).images] == [
        "img/hero.webp", "img/hero-16.webp",
    ]  # fmt: skip
    too_large = Finish(formats=("png", "jpeg"), max_bytes=3000)
    (saved,) = make_possible_ones(too_large).images
    assert saved.format == "jpeg"
    assert saved.size <= 3000


def test_a_paid_image_that_is_turned_by_its_metadata_has_the_size_that_people_see():
    turned = Image.Exif()
    turned[0x0112] = 6
    data = image_bytes(Image.new("RGB", (64, 48), "navy"), "jpeg", exif=turned)
    for finish in (Finish(), Finish(keep_original=True), Finish(formats=("jpeg", "webp"))):
        made = make(Delivery(finish, RECORD), data)
        assert made.received == (48, 64)
        assert {(one.width, one.height) for one in made.images} == {(48, 64)}
