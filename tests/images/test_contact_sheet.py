"""The contact sheet as a file."""

import pytest
from PIL import Image

from flux_cli.images.contact_sheet import SheetImage, make_sheet
from flux_cli.images.containers.registry import inspect
from flux_cli.images.formats import FORMATS


@pytest.fixture
def fox(work):
    Image.new("RGB", (320, 180), (220, 30, 30)).save(work / "fox.png")
    return "fox.png"


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_sheet_is_a_file_of_the_format_asked(fox, file_format):
    image, faults = make_sheet(
        [SheetImage(fox, number, 40 + number) for number in (1, 2, 3)], file_format, None
    )
    look = inspect(image.data)
    assert faults == ()
    assert (look.format, look.width, look.height) == (file_format, image.width, image.height)
    assert image.format == file_format
    assert image.width > image.height


def test_an_image_missing_on_a_sheet_is_an_error_beside_it(fox):
    image, (fault,) = make_sheet([SheetImage(fox, 1), SheetImage("gone.png", 2)], "png", None)
    assert fault.message.startswith("gone.png ")
    assert inspect(image.data).format == "png"
