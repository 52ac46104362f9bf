"""Decoders and validators of other people agree on every file the finishing step makes."""

import io
import re
import shutil
import subprocess

import pytest
from images.pixels.test_palette import colored, shapes
from images.pixels.test_render import P3, rendered, scene
from PIL import Image
from sample_images import opened

from flux_cli.images.formats import EFFORTS
from flux_cli.images.pixels.encoding.encode import encode

SIZE = (123, 77)


def tool(name):
    """The path of a program; without it the test says loudly that it did not run."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed: nobody else has looked at these files")
    return path


def run(name, *words):
    done = subprocess.run(
        [tool(name), *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def source(kind):
    image = scene(300, 200)
    if kind == "alpha":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    stream = io.BytesIO()
    image.save(stream, "png", **({"icc_profile": P3} if kind == "profile" else {}))
    return stream.getvalue()


def made(folder, target, kind, effort="balanced", **more):
    suffix = {"jpeg": "jpg"}.get(target, target)
    path = folder / f"made.{suffix}"
    (one,) = rendered(
        source(kind), size="123x77", fit="cover", formats=(target,), effort=effort, **more
    )
    path.write_bytes(one.image.data)
    return path


each = pytest.mark.parametrize(
    ("kind", "effort"), [(kind, e) for kind in ("plain", "alpha", "profile") for e in EFFORTS]
)


@each
def test_pngcheck_finds_nothing(tmp_path, kind, effort):
    said = run("pngcheck", "-v", made(tmp_path, "png", kind, effort))
    assert "123 x 77" in said
    assert "No errors detected" in said


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("count", [2, 16, 17, 256])
def test_pngcheck_finds_nothing_in_palettes(tmp_path, mode, count):
    (tmp_path / "made.png").write_bytes(encode(colored(count, mode), "png", 0, "small"))
    said = run("pngcheck", "-v", tmp_path / "made.png")
    assert f"{count} palette entries" in said
    assert "No errors detected" in said


def test_pngcheck_finds_nothing_where_rows_of_a_palette_are_filtered(tmp_path):
    drawing = shapes()
    drawing.info["icc_profile"] = P3
    (tmp_path / "made.png").write_bytes(encode(drawing, "png", 0, "small"))
    assert "No errors detected" in run("pngcheck", "-v", tmp_path / "made.png")


@each
def test_jpeginfo_finds_nothing(tmp_path, kind, effort):
    said = run("jpeginfo", "-c", made(tmp_path, "jpeg", kind, effort))
    assert re.search(r"123 x +77", said)
    assert "OK" in said


@each
def test_webpinfo_and_dwebp_agree(tmp_path, kind, effort):
    path = made(tmp_path, "webp", kind, effort)
    assert "No error detected" in run("webpinfo", path)
    run("dwebp", path, "-o", tmp_path / "again.png")
    assert opened((tmp_path / "again.png").read_bytes()).size == SIZE


@pytest.mark.parametrize("kind", ["plain", "alpha"])
def test_lossless_webp_is_the_same_for_dwebp(tmp_path, kind):
    path = made(tmp_path, "webp", kind, lossless=True)
    run("dwebp", path, "-o", tmp_path / "again.png")
    again, ours = (
        opened(file.read_bytes()).convert("RGBA") for file in (tmp_path / "again.png", path)
    )
    assert again.tobytes() == ours.tobytes()


@each
def test_avifdec_agrees(tmp_path, kind, effort):
    run("avifdec", made(tmp_path, "avif", kind, effort), tmp_path / "again.png")
    assert opened((tmp_path / "again.png").read_bytes()).size == SIZE


@pytest.mark.parametrize("kind", ["plain", "alpha", "profile"])
def test_gifsicle_finds_one_whole_image(tmp_path, kind):
    said = run("gifsicle", "--info", made(tmp_path, "gif", kind))
    assert "1 image" in said
    assert "123x77" in said
    assert "warning" not in said


@pytest.mark.parametrize("target", ["png", "jpeg", "webp", "avif", "gif"])
def test_exiftool_reads_the_size_and_warns_of_nothing(tmp_path, target):
    said = run("exiftool", "-ImageSize", "-Warning", "-Error", made(tmp_path, target, "profile"))
    assert "123x77" in said
    assert "Warning" not in said
    assert "Error" not in said
