"""Images that flux cannot make, or that are not sound: saved as received, and never lost."""

import json
from pathlib import Path

import pytest
from fakes.gateway import image
from fakes.images import look, pixels_as

pytestmark = pytest.mark.slow

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="16" height="9"><rect/></svg>\n'
JXL = b"\xff\x0a" + bytes(40)
UNHEARD = ("-m", "vector-model")
PNG = pixels_as("png", 60, 40)
# A wrong checksum in a text, which every viewer ignores.
ODD = PNG[:33] + b"\0\0\0\x05tEXta\0bcd!!!!" + PNG[33:]
FULL = {"FLUX_METADATA": "full"}


@pytest.fixture(params=["url", "b64_json"])
def way(request):
    return ("--response-format", request.param)


@pytest.mark.parametrize("name", ["logo.svg", "logo.SVG", "out/logo.svg"])
def test_a_suffix_that_flux_cannot_make_means_as_received(generate, gateway, way, name):
    gateway.answers(image(SVG))
    result = generate("a logo", "-o", name, *UNHEARD, *way, env=FULL)
    assert (result.code, result.lines) == (0, [name])
    assert Path(name).read_bytes() == SVG
    assert "saved as received" in result.err
    assert "output_format" not in gateway.posts[0]


@pytest.mark.parametrize(
    ("data", "suffix", "size"),
    [
        (SVG, "svg", (16, 9)),
        (JXL, "jxl", (None, None)),
        (pixels_as("bmp", 60, 40), "bmp", (60, 40)),
        (pixels_as("tiff", 60, 40), "tiff", (60, 40)),
    ],
)
def test_json_and_sidecar_say_what_came(generate, gateway, data, suffix, size):
    gateway.answers(image(data))
    result = generate("a logo", "--seed", "7", "--sidecar", "--json", env=FULL)
    (file,) = result.json["files"]
    assert (result.code, file["path"], file["format"]) == (0, f"a-logo-7.{suffix}", suffix)
    assert (file["width"], file["height"], file["as_received"]) == (*size, True)
    assert file["received_size"] == (f"{size[0]}x{size[1]}" if size[0] else None)
    assert Path(file["path"]).read_bytes() == data
    assert json.loads(Path("a-logo-7.json").read_text())["prompt"] == "a logo"
    warning = f"flux does not make {suffix} files: saved as received, without a record"
    assert warning in result.json["warnings"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("-o", "logo.webp"), "cannot convert to webp"),
        (("-o", "logo", "-f", "png,avif"), "cannot convert to png or avif"),
        (("-o", "logo", "--width", "8"), "cannot change"),
    ],
)
def test_another_format_than_requested_is_saved_as_received(generate, gateway, line, said):
    gateway.answers(image(SVG))
    result = generate("a logo", *line, *UNHEARD)
    assert (result.code, result.lines) == (3, ["logo.svg"])
    assert Path("logo.svg").read_bytes() == SVG
    assert f"flux: error: the image is svg, which flux {said}" in result.err
    assert "hint: saved as received: logo.svg" in result.err


def test_a_png_in_place_of_an_svg_gets_its_own_suffix(generate, gateway):
    Path("logo.png").write_bytes(b"mine")
    gateway.answers(image(PNG))
    result = generate("a logo", "-o", "logo.svg", *UNHEARD, "--overwrite")
    assert (result.code, result.lines) == (3, ["logo-2.png"])
    assert "the image is png, not svg, which flux cannot make" in result.err
    assert Path("logo.png").read_bytes() == b"mine"
    assert Path("logo-2.png").read_bytes() == PNG


def test_nothing_is_sent_for_what_cannot_be(generate, gateway):
    Path("there.svg").write_bytes(SVG)
    lines = {
        ("-f", "svg"): "'svg' is not one of",
        ("-o", "fox.svg"): "cannot write .svg files",  # the formats of this model are known
        ("-o", "fox.pdf", *UNHEARD): "cannot write .pdf files",
        ("-o", "fox.svg", "-f", "png", *UNHEARD): "contradicts the file name",
        ("-o", "fox.svg", "--width", "640", *UNHEARD): "they are saved as received",
        ("-o", "there.svg", *UNHEARD): "there.svg",
    }
    for line, said in lines.items():
        result = generate("a fox", *line)
        assert (line, result.code) == (line, 2)
        assert said in result.err
    assert gateway.posts == []


def test_files_that_are_there_stay(generate, gateway):
    gateway.answers(image(SVG))
    mine = SVG.replace(b"rect", b"path")
    Path("logo.svg").write_bytes(mine)
    kept = generate("a logo", "-o", "logo.svg", *UNHEARD, "--skip-existing")
    assert (kept.code, kept.lines, gateway.posts) == (0, ["logo.svg"], [])
    result = generate("a logo", "-o", "logo", *UNHEARD, "--overwrite")
    assert (result.code, result.lines) == (0, ["logo-2.svg"])  # nobody knew that name before
    assert Path("logo.svg").read_bytes() == mine
    again = generate("a logo", "-o", "logo.svg", *UNHEARD, "--overwrite")
    assert (again.code, again.lines) == (0, ["logo.svg"])
    assert Path("logo.svg").read_bytes() == SVG


def test_a_dry_run_names_the_file(generate):
    result = generate("a logo", "-o", "logo.svg", *UNHEARD, "--dry-run", "--json")
    (file,) = result.json["files"]
    assert (result.code, file["path"], file["format"]) == (0, "logo.svg", "svg")


def test_html_and_contact_sheet_leave_out_what_nobody_shows(generate, gateway):
    gateway.answers(image(JXL))
    result = generate("a logo", "--seed", "1", *UNHEARD, "--html", "--sheet")
    assert (result.code, result.out.strip()) == (0, "")
    assert "an empty cell on the sheet" in result.err


def test_an_image_that_is_not_sound_is_saved_as_received(generate, gateway, way):
    gateway.answers(image(ODD))
    result = generate("a fox", "-o", "fox", *way, env=FULL)
    assert (result.code, result.lines) == (0, ["fox.png"])
    assert Path("fox.png").read_bytes() == ODD
    said = "the png image is damaged beside its pixels (wrong checksum in b'tEXt')"
    assert f"flux: note: {said}: saved as received, without a record" in result.err


def test_an_image_that_is_not_sound_is_converted(generate, gateway, flux):
    gateway.answers(image(ODD))
    result = generate("a fox", "-o", "fox.webp", env=FULL)
    assert (result.code, result.lines) == (0, ["fox.webp"])
    assert look("fox.webp") == ("webp", (60, 40))
    assert "damaged beside its pixels" in result.err
    assert flux("show", "fox.webp", "--json").json["files"][0]["made"]["prompt"] == "a fox"
    Path("odd.png").write_bytes(ODD)
    assert flux("convert", "odd.png", "-f", "avif").code == 0
    assert look("odd.avif") == ("avif", (60, 40))
    shown = flux("show", "odd.png", "--json").json["files"][0]
    assert (shown["width"], shown["bytes"]) == (60, len(ODD))
    assert shown["problems"] == ["damaged beside the pixels: wrong checksum in b'tEXt'"]


def test_an_image_that_could_not_be_saved_is_recovered_as_received(
    generate, gateway, recover, work
):
    """A folder takes the place of the file, and is gone when the image is recovered."""

    def answer(request):
        (work / "out").rename(work / "elsewhere")
        (work / "out").write_bytes(b"")
        return image(SVG)(request)

    gateway.answers(answer)
    (work / "out").mkdir()
    inline = ("--response-format", "b64_json")
    result = generate("a logo", "-o", "out/logo.svg", *UNHEARD, *inline)
    assert result.code == 1
    (work / "out").unlink()
    (work / "out").mkdir()
    assert recover().code == 0
    assert (work / "out/logo.svg").read_bytes() == SVG


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (SVG, "a logo.svg", "rsvg-convert 'a logo.svg' -o 'a logo.png'"),
        (JXL, "fox.jxl", "djxl fox.jxl fox.png"),
        (pixels_as("tiff", 6, 4), "fox.png", "magick fox.png fox-2.png"),
        (pixels_as("bmp", 6, 4), "fox.bmp", "magick fox.bmp fox.png"),
    ],
)
def test_convert_and_show_name_what_they_cannot_read(flux, work, data, name, said):
    (work / name).write_bytes(data)
    for line in (("convert", name, "-f", "webp"), ("show", name)):
        result = flux(*line)
        assert result.code in (1, 2)
        assert "which flux cannot read" in result.err
        assert f"hint: make a PNG of it: {said}" in result.err


def test_convert_writes_no_foreign_format(flux, work):
    (work / "fox.png").write_bytes(PNG)
    for output in ("fox.svg", "fox.{svg,webp}"):
        assert flux("convert", "fox.png", "-o", output).code == 2
