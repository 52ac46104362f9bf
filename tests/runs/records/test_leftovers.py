"""What stays in the state folder and is not a whole image has no keys, and maybe no prompt."""

import pytest
from fakes.images import pixels_as

from flux_cli.core.text import Secret
from flux_cli.runs.records.leftovers import hide_secrets
from flux_cli.runs.records.privacy import SEARCHED, image_without_keys
from flux_cli.runs.records.rescue import move_aside

KEY = "sk-leftover-0123456789abcdef"
IMAGE = pixels_as("png", 8, 8)
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><!--{KEY}--></svg>'.encode()


@pytest.fixture(autouse=True)
def _known_key():
    Secret(KEY)


TEXTS = {
    "text": f"not an image {KEY}".encode(),
    "UTF-16": f"not an image {KEY}".encode("utf-16"),
    "a cut SVG": SVG[:-6],
    "a cut image": IMAGE[:60] + KEY.encode(),
}


@pytest.mark.parametrize("data", TEXTS.values(), ids=TEXTS)
def test_keys_are_taken_out_of_what_is_kept(tmp_path, data):
    path = tmp_path / "ab"
    path.write_bytes(data)
    assert hide_secrets(str(path), private=False)
    left = path.read_bytes()
    assert KEY.encode() not in left.replace(b"\0", b"")
    assert left.startswith(data[:10])
    assert [*tmp_path.iterdir()] == [path]


def test_a_large_file_that_may_show_a_key_is_deleted(tmp_path):
    (tmp_path / "ab").write_bytes(b"x " * SEARCHED + KEY.encode())
    assert not hide_secrets(str(tmp_path / "ab"), private=False)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("data", [b"a red fox", "a red fox".encode("utf-16"), SVG[:-6]])
def test_text_does_not_stay_in_a_private_run(tmp_path, data):
    (tmp_path / "ab").write_bytes(data)
    assert not hide_secrets(str(tmp_path / "ab"), private=True)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("data", [IMAGE, IMAGE[:-9], SVG.replace(KEY.encode(), b"")])
def test_images_stay_as_they_came(tmp_path, data):
    (tmp_path / "ab").write_bytes(data)
    assert hide_secrets(str(tmp_path / "ab"), private=True)
    assert (tmp_path / "ab").read_bytes() == data


def test_what_is_moved_aside_has_no_key_and_the_suffix_of_a_damaged_image(tmp_path):
    (tmp_path / "ab").write_bytes(IMAGE[:-9])
    (tmp_path / "cd").write_bytes(TEXTS["text"])
    moved = move_aside([str(tmp_path / "ab"), str(tmp_path / "cd")], tmp_path)
    assert [path.rpartition("/")[2] for path in moved] == ["ab.png", "cd"]
    with open(moved[1], encoding="utf-8") as file:
        assert file.read() == "not an image ***"


def test_an_svg_is_saved_without_a_key():
    assert image_without_keys(SVG) == SVG.replace(KEY.encode(), b"***")
    assert image_without_keys(IMAGE + KEY.encode()) == IMAGE + KEY.encode()
