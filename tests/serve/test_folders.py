"""The folders of a server: images it made, files that were uploaded."""

import io
import os
import time

import pytest

from flux_cli.serve import pictures as module
from flux_cli.serve.answering.refusals import Refusal
from flux_cli.serve.asking import uploads
from flux_cli.serve.pictures import KEPT_SECONDS, Pictures, StoredImage, mime_of


@pytest.fixture
def sketches():
    pictures = Pictures(is_paid=False)
    yield pictures
    pictures.close()


def made(pictures, suffix="png"):
    name = pictures.new_name().format(index=1, ext=suffix)
    with open(name, "wb") as file:
        file.write(b"image")
    return os.path.basename(name)


def test_a_name_cannot_be_guessed_and_is_found(sketches):
    names = {made(sketches) for _ in range(50)}
    assert len(names) == 50
    for name in names:
        assert sketches.find(name).read_bytes() == b"image"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a.png", "%2e%2e", "\0", "x" * 300, "A" * 22 + "-1.png"]
)
def test_nothing_else_is_found(sketches, name):
    (sketches.folder / "a.png").write_bytes(b"not an image of the server")
    assert sketches.find(name) is None


def test_sketches_end_with_the_server_and_paid_images_stay(sketches):
    made(sketches)
    sketches.close()
    assert not sketches.folder.exists()
    paid = Pictures(is_paid=True)
    name = made(paid)
    paid.close()
    assert Pictures(is_paid=True).find(name)
    assert paid.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("is_paid", [True, False])
def test_only_old_sketches_are_swept(is_paid, monkeypatch):
    pictures = Pictures(is_paid=is_paid)
    old, new = made(pictures), made(pictures)
    long_ago = time.time() - KEPT_SECONDS - 5
    os.utime(pictures.folder / old, (long_ago, long_ago))
    monkeypatch.setattr(module, "SWEPT_SECONDS", 0.0)
    pictures.sweep()
    assert bool(pictures.find(old)) is is_paid
    assert pictures.find(new)
    pictures.close()


def test_the_latest_images_are_first(sketches):
    for age in range(20):
        name = made(sketches)
        os.utime(sketches.folder / name, (1000 + age, 1000 + age))
    latest = sketches.latest()
    assert len(latest) == module.LATEST
    assert latest[0] == name


def test_the_media_type_follows_the_suffix():
    kinds = {"png": "image/png", "jpg": "image/jpeg", "avif": "image/avif", "svg": "image/svg+xml"}
    assert {suffix: mime_of(f"x.{suffix}") for suffix in kinds} == kinds
    assert mime_of("x.what") == "application/octet-stream"


def test_a_stored_image_is_read_in_parts(tmp_path):
    (tmp_path / "x").write_bytes(b"0123456789")
    assert StoredImage(str(tmp_path / "x"), 10).read(3, 4) == b"3456"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("fox.png", "fox.png"),
        ("../../etc/passwd", "passwd"),
        ("a b;c.png", "a-b-c.png"),
        (".hidden", "hidden"),
        ("", "image"),
        ("..", "image"),
        ("\0\0", "image"),
        ("x" * 200 + ".png", "x" * 76 + ".png"),
    ],
)
def test_an_upload_keeps_what_is_safe_of_its_name(name, kept):
    folder = uploads.new_folder()
    stored = uploads.store(folder, 0, name, io.BytesIO(b"bytes"))
    assert stored.path == f"{folder}/0/{kept}"
    assert uploads.check_place(stored.path, folder) == stored.path
    uploads.remove(folder)
    assert not folder.exists()


@pytest.mark.parametrize("place", ["/etc/passwd", "a.png", "file:///etc/passwd", "", "-"])
def test_a_client_names_no_file_of_this_machine(place, tmp_path):
    with pytest.raises(Refusal):
        uploads.check_place(place, tmp_path)
