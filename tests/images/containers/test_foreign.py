"""Formats that flux neither makes nor decodes: recognized by their bytes, never mistaken."""

import io
import struct

import pytest
from PIL import Image
from sample_images import drawn

from flux_cli.core.errors import ImageError
from flux_cli.images.containers.registry import inspect, look, sniff
from flux_cli.images.formats import FOREIGN, FORMATS
from flux_cli.images.metadata.record import Record
from flux_cli.images.metadata.write import write_record

SIZE = (67, 43)


def by_pillow(name, mode="RGB", **settings):
    stream = io.BytesIO()
    drawn(mode, SIZE).save(stream, name, **settings)
    return stream.getvalue()


def box(kind, body=b""):
    return struct.pack(">I4s", 8 + len(body), kind) + body


def heic(length=4):
    """An item of four bytes behind the meta box, as in files of cameras."""
    head = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    size = box(b"iprp", box(b"ipco", box(b"ispe", struct.pack(">III", 0, 40, 30))))
    meta = b""
    for _ in range(2):  # the offset depends on the length of the box
        offset = len(head) + 8 + len(meta) + 8
        place = struct.pack(">HHHHII", 1, 1, 0, 1, offset, length)
        meta = b"\0\0\0\0" + size + box(b"iloc", b"\0\0\0\0\x44\0" + place)
    return head + box(b"meta", meta) + box(b"mdat", b"1234")


SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30px"><g/></svg>'
JXL = b"\0\0\0\x0cJXL \r\n\x87\n" + box(b"ftyp", b"jxl ") + box(b"jxlc", b"\xff\x0a1234")
QOI = b"qoif" + struct.pack(">IIBB", 40, 30, 3, 0) + b"1234" + bytes(7) + b"\1"
PSD = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 30, 40, 8, 3) + bytes(12)
SMALL = struct.pack("<iiii", 0, 0, 39, 29)
EXR = b"\x76\x2f\x31\x01\2\0\0\0dataWindow\0box2i\0\x10\0\0\0" + SMALL + b"\0" + b"pixels"
HDR = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 30 +X 40\n" + bytes(4 * 40 * 30)
PAGES = {"save_all": True, "append_images": [drawn("RGB", SIZE)] * 2}
WHOLE = {
    "svg": (SVG.encode(), (40, 30)),
    "tiff": (by_pillow("tiff"), SIZE),
    "tiff packed": (by_pillow("tiff", compression="tiff_lzw"), SIZE),
    "tiff of many strips": (by_pillow("tiff", tiffinfo={278: 4}), SIZE),
    "tiff of three pages": (by_pillow("tiff", **PAGES), SIZE),
    "tiff of a JPEG": (by_pillow("tiff", compression="jpeg"), SIZE),
    "bmp": (by_pillow("bmp"), SIZE),
    "bmp palette": (by_pillow("bmp", "P"), SIZE),
    "bmp one bit": (by_pillow("bmp", "1"), SIZE),
    "heic": (heic(), (40, 30)),
    "jxl": (JXL, (0, 0)),
    "jxl bare": (b"\xff\x0a\x7f\x03\0\1234", (0, 0)),
    "jxl bare with a letter": (b"\xff\x0a\x7f\x03ABCD1234", (0, 0)),
    "jp2": (by_pillow("jpeg2000"), (0, 0)),
    "j2k": (by_pillow("jpeg2000", no_jp2=True), SIZE),
    "ico": (by_pillow("ico", "RGBA", sizes=[(32, 32)]), (32, 21)),
    "psd": (PSD + b"\0\0" + bytes(3 * 30 * 40), (40, 30)),
    "psd packed": (PSD + b"\0\1" + b"\0\1" * 90 + bytes(90), (40, 30)),
    "qoi": (QOI, (40, 30)),
    "exr": (EXR, (40, 30)),
    "hdr": (HDR, (40, 30)),
    "ppm": (by_pillow("ppm"), SIZE),
    "ppm of two bytes": (b"P6 2 1 65535\n" + bytes(12), (2, 1)),
    "ppm of text": (b"P3\n# a fox\n2 1 255\n1 2 3 # red\n4 5 6\n", (2, 1)),
}
each = pytest.mark.parametrize("name", WHOLE)


@each
def test_an_image_is_recognized_by_its_bytes(name):
    data, size = WHOLE[name]
    assert sniff(data) == name.split()[0]
    assert inspect(data) == (name.split()[0], *size, len(data), True, "")
    assert look(data) == (inspect(data), data, (), ())


def test_every_format_is_recognized():
    assert {name.split()[0] for name in WHOLE} == set(FOREIGN)
    assert not set(FOREIGN) & set(FORMATS)


@each
def test_nothing_is_written_into_it(name):
    data, _ = WHOLE[name]
    written = write_record(data, Record(prompt="a fox"))
    assert (written.is_written, written.pieces) == (False, (data,))


SHOWS_CUTS = ("svg", "tiff", "bmp", "heic", "qoi", "j2k", "psd", "ppm", "jp2")
SHORT = ("ppm of two bytes", "ppm of text", "psd packed")
CUT = [name for name in WHOLE if name.split()[0] in SHOWS_CUTS and name not in SHORT]


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("missing", [20, 40])
def test_a_cut_image_is_no_image(name, missing):
    data, _ = WHOLE[name]
    with pytest.raises(ImageError, match=r"is not whole|not an image"):
        inspect(data[:-missing])


@each
def test_any_beginning_is_an_image_or_an_image_error(name):
    data, _ = WHOLE[name]
    for length in range(min(len(data), 120)):
        try:
            assert inspect(data[:length]).size == length
        except ImageError:
            continue


@pytest.mark.parametrize("name", SHORT)
def test_one_missing_byte_is_noticed(name):
    data = WHOLE[name][0].rstrip()
    with pytest.raises(ImageError, match="not whole"):
        inspect(data[:-1].rstrip(b"0123456789"))


def test_every_page_of_a_tiff_must_be_there():
    data = WHOLE["tiff of three pages"][0]
    for length in range(8, len(data) - 8, 400):
        with pytest.raises(ImageError, match="not whole"):
            inspect(data[:length])


def test_a_tiff_whose_pages_go_round_is_no_image():
    data = by_pillow("tiff")
    table = int.from_bytes(data[4:8], "little")
    end = table + 2 + 12 * int.from_bytes(data[table : table + 2], "little")
    with pytest.raises(ImageError, match="cannot be used"):
        inspect(data[:end] + data[4:8] + data[end + 4 :])


NO_IMAGES = {
    "ppm": b"P6 100 100 255 hello",
    "ppm of words": b"P3 1 1 1 <html><body>sorry</body></html>",
    "psd": b"8BPS\0\1hello",
    "hdr": b"#?RADIANCE\nsorry",
    "hdr without pixels": HDR[:60],
    "exr": b"\x76\x2f\x31\x01hello",
    "exr without a size": EXR[:8] + bytes(20),
    "tiff without a tag": b"II*\0\x08\0\0\0" + bytes(6),
    "tiff of text": b"II*\0\x08\0\0\0\0\0<html>sorry",
    "jxl of text": b"\xff\x0a<html>",
    "jxl without pixels": JXL[:-14],
    "jp2 without pixels": b"\0\0\0\x0cjP  \r\n\x87\n",
}


@pytest.mark.parametrize("data", NO_IMAGES.values(), ids=NO_IMAGES)
def test_a_beginning_with_something_else_behind_it_is_no_image(data):
    with pytest.raises(ImageError, match="not whole"):
        inspect(data)


# --- SVG

DOCTYPE = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/svg11.dtd">'
ENTITIES = '<!DOCTYPE svg [\n<!ENTITY ns "http://www.w3.org/2000/svg">\n]>'
SVGS = {
    "declared": f'<?xml version="1.0" encoding="UTF-8"?>\n{SVG}',
    "with a byte order mark": f"\ufeff{SVG}",
    "behind blanks": f"\n\t {SVG}\n",
    "behind comments": f"<!-- made by <svg> -- tools --><!----> {SVG}<!-- end -->\n",
    "with a type": f'<?xml version="1.0"?>{DOCTYPE}{SVG}',
    "with entities": f"{ENTITIES}{SVG}",
    "with a style sheet": f'<?xml version="1.0"?><?xml-stylesheet href="a>b"?>{SVG}',
    "with a prefix": '<s:svg xmlns:s="http://www.w3.org/2000/svg" width="40" height="30"></s:svg >',
    "of one tag": '<svg width="40" height="30"/>',
    "with odd attributes": SVG.replace("<svg", '<svg aria-label="a > b" data-x=\'"\''),
    "with a box": '<svg viewBox="0 0 40.2 29.9"></svg>',
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", SVGS)
def test_an_svg_is_recognized_in_any_spelling(name, encoding):
    text = SVGS[name].removeprefix("\ufeff" if encoding == "utf-16" else "")
    data = text.encode(encoding)
    assert inspect(data)[:3] == ("svg", 40, 30)


@pytest.mark.parametrize("text", [SVG, SVGS["behind blanks"], SVGS["with a prefix"]])
def test_the_first_bytes_are_enough_to_recognize_an_svg(text):
    assert sniff(text.encode()[:32]) == "svg"


@pytest.mark.parametrize("attributes", ["", 'width="100%" height="10cm"', 'viewBox="0 0 x 5"'])
def test_an_svg_without_pixels_has_no_size(attributes):
    assert inspect(f"<svg {attributes}></svg>".encode())[:3] == ("svg", 0, 0)


NO_SVGS = {
    "a page with an SVG": f"<!DOCTYPE html><html><body>{SVG}</body></html>",
    "a page without a type": f"<html>{SVG}</html>",
    "a page of a script": f"<script>'{SVG}'</script>",
    "a page that begins like a comment": f"<!-- {SVG}",
    "text before": f"see {SVG}",
    "another element": "<svgx></svgx>",
    "other XML": '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    "an HTML type": f"<!DOCTYPE html>{SVG}",
}


@pytest.mark.parametrize("text", NO_SVGS.values(), ids=NO_SVGS)
def test_what_only_contains_an_svg_is_none(text):
    assert sniff(text.encode()) is None


@pytest.mark.parametrize(
    "text", [SVG[:-1], SVG[:-6], f"{SVG}<div>", "<svg>", f"{SVG}</html>", "<svg><svg></svg><p>"]
)
def test_an_svg_ends_with_its_root(text):
    with pytest.raises(ImageError, match="the svg image is not whole"):
        inspect(text.encode())


SLOW = [" " * (1 << 20), "<!--" * 99_999, "<?" * 99_999, "<svg " + 'a="' * 99_999, "<!---" * 50_000]


@pytest.mark.parametrize("text", SLOW, ids=lambda text: text[:5])
def test_no_text_takes_long(text):
    """Every pattern passes each character once; else this would take years."""
    with pytest.raises(ImageError):
        inspect(text.encode())


TEXTS = [b"BMW is a company", b"II* begins", b"P3 is a format", b"qoi", b"8BPS", b"\0\0\1\0" * 9]


@pytest.mark.parametrize("text", TEXTS)
def test_a_few_letters_are_no_image(text):
    assert sniff(text) is None


def test_tags_are_read_once():
    """Each of 65,535 tags names the same 100,000 places."""
    row = struct.pack("<HHII", 273, 4, 100_000, 8)
    data = b"II*\0\x08\0\0\0\xff\xff" + row * 65_535 + bytes(4)
    with pytest.raises(ImageError, match="no image data"):
        inspect(data)


def test_pillow_agrees_on_what_is_whole():
    for name in ("bmp", "tiff"):
        data, size = WHOLE[name]
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            assert image.size == size
