"""Records written into images: pixels stay, other tools read them, a second one replaces all."""

import contextlib
import io
import json
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from sample_images import IMAGES, damaged_copies, encoded, signed

from flux_cli.core.errors import ImageError
from flux_cli.images.containers import avif, boxes
from flux_cli.images.containers.registry import CONTAINERS, inspect, sniff
from flux_cli.images.metadata.credentials import has_credentials
from flux_cli.images.metadata.read import read_metadata
from flux_cli.images.metadata.record import BY_MODEL, SIGNED, SOURCE_TYPES, Record
from flux_cli.images.metadata.write import write_record

SIMPLE = ("png", "jpeg", "gif", "webp lossy", "avif")
EDITABLE = [name for name in IMAGES if name != "avif animated"]
each_image = pytest.mark.parametrize("name", EDITABLE)
each_format = pytest.mark.parametrize("name", SIMPLE)

FOX = Record(
    model="flux1.1-pro-ultra",
    provider="lumenfall",
    upstream="fal",
    prompt='ein Füchslein 🦊 im <Schnee> & "mehr"\nzweite Zeile: 雪, a \\ b',
    revised_prompt="a fox, enriched",
    seed=1234567,
    size="16:9",
    parameters={"raw": True, "safety_tolerance": "2", "image_prompt_strength": 0.5},
    request_id="img_01",
    created="2026-01-02T03:04:05Z",
    tool="flux 0.1.0",
    source_type=BY_MODEL,
)


def embedded(data, record=FOX):
    result = write_record(data, record)
    assert result.is_written, result.reason
    return b"".join(result.pieces)


def frames(data):
    """The pixels of every frame, and what tells how to show them."""
    with Image.open(io.BytesIO(data)) as image:
        keys = ("icc_profile", "duration", "loop", "transparency", "exif")
        shown = [image.info.get(name) for name in keys]
        pixels = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            pixels.append((image.mode, image.size, image.convert("RGBA").tobytes()))
        return shown, pixels


def tool(name, *words, data=None):
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    return subprocess.run([name, *map(str, words)], input=data, capture_output=True, check=False)


def saved(tmp_path, name, data):
    path = tmp_path / f"image.{name.split()[0]}"
    path.write_bytes(data)
    return path


# --- what is written, and what stays


@each_image
def test_the_record_comes_back_and_every_pixel_of_every_frame_stays(name):
    data = IMAGES[name]
    result = embedded(data)
    assert inspect(result)[:3] == inspect(data)[:3]
    assert frames(result) == frames(data)
    assert read_metadata(result).record == FOX
    assert read_metadata(result).source == "flux"
    assert read_metadata(result).problems == ()


@each_image
def test_a_second_writing_replaces_the_first_and_leaves_nothing_of_it(name):
    data = IMAGES[name]
    secret = FOX._replace(prompt="Geheimnis", model="secret-model", request_id="secret-id")
    once = embedded(data, secret)
    assert embedded(once, secret) == once
    again = embedded(once, FOX)
    assert again == embedded(data, FOX)
    assert b"Geheimnis" not in again
    assert b"secret" not in again


@each_image
def test_an_image_with_a_record_that_is_cut_anywhere_is_never_taken_for_a_whole_one(name):
    data = embedded(IMAGES[name])
    for length in sorted({*range(0, len(data), 97), *range(len(data) - 9, len(data))}):
        with pytest.raises(ImageError):
            inspect(data[:length])


@each_format
def test_the_pieces_are_the_original_s_own_memory_and_a_few_new_bytes(name):
    data = encoded(name.split()[0], size=(700, 500))
    pieces = write_record(data, FOX).pieces
    old = [piece for piece in pieces if isinstance(piece, memoryview)]
    assert all(piece.obj is data for piece in old)
    assert sum(map(len, old)) > len(data) - 700  # an AVIF's head is written anew
    assert sum(map(len, pieces)) - len(data) < 6000


half_characters = st.text(st.characters(codec=None), max_size=20)
texts = st.text(max_size=60) | half_characters
finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
records = st.builds(
    Record,
    **{name: texts for name, kind in Record.__annotations__.items() if kind is str},
    seed=st.none() | st.integers(-(2**63), 2**63),
    parameters=st.dictionaries(texts, values, max_size=3),
    finish=st.dictionaries(texts, values, max_size=3),
)


@each_format
@settings(max_examples=20)  # of each format
@given(record=records, other=records)
def test_any_record_in_any_script_comes_back_as_it_was_and_may_replace_any_other(
    name, record, other
):
    once = embedded(IMAGES[name], record)
    assert read_metadata(once).record == record
    assert embedded(embedded(IMAGES[name], other), record) == once


@each_format
def test_color_profiles_and_exif_stay_where_readers_find_them(name):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0131] = "Some Camera"
    options = {} if name == "gif" else {"icc_profile": profile, "exif": exif.tobytes()}
    data = encoded(name.split()[0], **options)
    result = embedded(data)
    assert frames(result) == frames(data)
    if options:
        assert Image.open(io.BytesIO(result)).getexif()[0x0131] == "Some Camera"


# --- what other tools make of it


@each_format
def test_exiftool_reads_every_field_we_write(name, tmp_path):
    path = saved(tmp_path, name, embedded(IMAGES[name]))
    [found] = json.loads(tool("exiftool", "-j", "-G1", "-struct", path).stdout)
    assert found["XMP-iptcExt:DigitalSourceType"] == SOURCE_TYPES + "trainedAlgorithmicMedia"
    assert found["XMP-iptcExt:AISystemUsed"] == "flux1.1-pro-ultra"
    assert found["XMP-iptcExt:AIPromptInformation"] == FOX.prompt
    assert found["XMP-dc:Description"] == FOX.prompt
    assert found["XMP-xmp:CreatorTool"] == "flux 0.1.0"
    assert found["XMP-xmp:CreateDate"] == "2026:01:02 03:04:05Z"
    raw = found["XMP-flux:Record"]
    raw = json.loads(raw) if isinstance(raw, str) else raw
    assert raw["seed"] == 1234567
    assert raw["parameters"] == FOX.parameters
    assert "ExifTool:Warning" not in found
    if name in ("png", "gif"):
        text = found["PNG:Parameters" if name == "png" else "File:Comment"]
        assert text.startswith(FOX.prompt)
        assert "Seed: 1234567, Size: 67x43, Model: flux1.1-pro-ultra, Version: flux 0.1.0" in text


@each_format
def test_exiftool_can_edit_what_we_wrote_and_we_can_replace_it_then(name, tmp_path):
    path = saved(tmp_path, name, embedded(IMAGES[name]))
    done = tool("exiftool", "-overwrite_original", "-XMP-dc:Title=mine", path)
    if b"not yet supported" in done.stderr:
        pytest.skip(done.stderr.decode())
    assert (done.returncode, done.stderr) == (0, b"")
    edited = path.read_bytes()
    assert read_metadata(edited).record == FOX
    again = embedded(edited, FOX._replace(seed=5))
    assert read_metadata(again).record.seed == 5
    assert read_metadata(again).fields["xmp:dc:title"] == "mine"
    assert again.count(b"<flux:Record>") == 1


CHECKS = {
    "png": ("pngcheck", "-q", "{}"),
    "jpeg": ("jpeginfo", "-c", "{}"),
    "gif": ("gifsicle", "--info", "{}"),
    "webp": ("webpinfo", "{}"),
    "avif": ("avifdec", "--info", "{}"),
}


@each_image
def test_the_checker_of_each_format_accepts_every_image_it_accepted_before(name, tmp_path):
    words = CHECKS[name.split()[0]]

    def check(data):
        path = saved(tmp_path, name, data)
        return tool(*(word.format(path) for word in words))

    before = check(IMAGES[name])
    after = check(embedded(IMAGES[name]))
    said = after.stdout + after.stderr
    assert after.returncode == before.returncode
    if name != "jpeg cmyk":  # jpeginfo cannot decode it, with or without a record
        assert after.returncode == 0
        assert b"ERROR" not in said.upper().replace(b"NO ERROR", b"")
        assert b"WARNING" not in said.upper().replace(b"WARNINGS", b"")


@pytest.mark.parametrize("lossless", [True, False])
def test_a_simple_webp_keeps_its_transparency_and_webpinfo_knows_of_it(lossless, tmp_path):
    image = Image.radial_gradient("L").resize((40, 30))
    stream = io.BytesIO()
    Image.merge("RGBA", (image, image, image, image)).save(stream, "webp", lossless=lossless)
    data = stream.getvalue()
    result = embedded(data)
    assert frames(result) == frames(data)
    assert b"Alpha: 1" in tool("webpinfo", saved(tmp_path, "webp", result)).stdout
    assert b"No error detected." in tool("webpinfo", saved(tmp_path, "webp", result)).stdout


# --- what was there before

FOREIGN = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<r:Description r:about="uuid:7" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:my="http://example.org/my#" my:mark="attribute">'
    '<dc:description><r:Alt><r:li xml:lang="x-default">theirs</r:li></r:Alt></dc:description>'
    "<my:deep><r:Bag><r:li>one</r:li><r:li>two</r:li></r:Bag></my:deep>"
    "</r:Description></r:RDF></x:xmpmeta>"
    f'{" " * 200}<?xpacket end="w"?>'
).encode()


def with_chunk(kind, body):
    """The PNG with one more chunk after its header."""
    data = IMAGES["png"]
    length = struct.pack(">I", len(body))
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return data[:33] + length + kind + body + checksum + data[33:]


def with_xmp(name, packet):
    """An image that carries that packet, written by other code than ours where Pillow can."""
    if name == "gif":
        data = IMAGES["gif"]
        ramp = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
        return data[:-1] + b"!\xff\x0bXMP DataXMP" + packet + ramp + data[-1:]
    if name == "png":
        return with_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)
    return encoded(name.split()[0], xmp=packet)


@each_format
def test_another_tool_s_xmp_stays_byte_for_byte_and_its_properties_are_not_said_twice(name):
    data = with_xmp(name, FOREIGN)
    result = embedded(data)
    reading = read_metadata(result)
    assert reading.record == FOX
    assert reading.fields["xmp:dc:description"] == "theirs"
    assert reading.fields["xmp:http://example.org/my#:mark"] == "attribute"
    assert reading.fields["xmp:http://example.org/my#:deep"] == "one, two"
    blocks = CONTAINERS[sniff(result)].blocks(result)
    [packet] = [block.data for block in blocks if block.kind == "xmp"]
    head, tail = FOREIGN.split(b"</r:RDF>")
    assert packet.startswith(head)
    assert packet.endswith(b"</r:RDF>" + tail)
    assert packet.count(b"dc:description>") == 2  # one element
    assert b'rdf:about="uuid:7"' in packet
    assert frames(result) == frames(data)


@each_format
@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (FOREIGN.replace(b"</r:RDF>", b""), "not XML"),
        (FOREIGN.decode().encode("utf-16"), "nothing can be added"),
        (b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "document type"),
        (b"<a/>", "no RDF"),
    ],
    ids=["broken", "utf-16", "entities", "other"],
)
def test_xmp_that_cannot_be_added_to_is_left_alone_and_the_reason_said(name, packet, reason):
    data = with_xmp(name, packet)
    result = write_record(data, FOX)
    assert not result.is_written
    assert result.pieces == (data,)
    if name == "gif" and b"\0" in packet:  # it ends the packet, and lengths no longer add up
        reason = "does not understand"
    assert reason in result.reason


def test_another_tool_s_parameters_in_a_png_stay_the_only_ones():
    theirs = "a cat\nSteps: 20, Sampler: Euler, Seed: 5, Size: 512x512, Model: sd15, Version: v1.10"
    result = embedded(with_chunk(b"tEXt", b"parameters\0" + theirs.encode()))
    assert Image.open(io.BytesIO(result)).info["parameters"] == theirs
    assert read_metadata(result).record == FOX


def test_pillow_reads_our_parameters_as_it_reads_automatic1111_s():
    text = Image.open(io.BytesIO(embedded(IMAGES["png"]))).info["parameters"]
    last = "Seed: 1234567, Size: 67x43, Model: flux1.1-pro-ultra, Version: flux 0.1.0"
    assert text.splitlines()[-1] == last
    assert text.startswith(FOX.prompt)


# --- limits and refusals


@pytest.mark.parametrize("letter", ["x", "é", "雪", "🦊", "\x01", "&"])
def test_a_prompt_too_long_for_a_jpeg_is_cut_and_said_and_elsewhere_kept_whole(letter):
    record = FOX._replace(prompt=letter * 100_000)
    result = write_record(IMAGES["jpeg"], record)
    kept = read_metadata(b"".join(result.pieces)).record
    assert result.is_written
    assert kept.prompt[:-1] == letter * (len(kept.prompt) - 1)
    assert kept.prompt.endswith("…")
    assert f"the first {len(kept.prompt) - 1:,} characters" in result.reason
    assert kept._replace(prompt="") == FOX._replace(prompt="")
    for name in SIMPLE:
        if name != "jpeg":
            assert read_metadata(embedded(IMAGES[name], record)).record == record


@pytest.mark.parametrize("letter", ["&", "<", '"', "\x01", "🦊", "\ud800"])
def test_the_longest_prompt_the_command_line_takes_can_be_read_again(letter):
    bytes_per_letter = len(letter.encode("utf-8", "surrogatepass"))
    record = FOX._replace(prompt=letter * ((1 << 20) // bytes_per_letter))
    assert read_metadata(embedded(IMAGES["webp lossy"], record)).record == record


def test_longer_details_than_any_reader_takes_leave_an_image_as_it_is():
    result = write_record(IMAGES["png"], FOX._replace(prompt="&" * (2 << 20)))
    assert (result.is_written, result.pieces) == (False, (IMAGES["png"],))
    assert "longer than 16 MiB" in result.reason


def test_details_too_long_for_a_jpeg_leave_it_as_it_is():
    result = write_record(IMAGES["jpeg"], FOX._replace(parameters={"x": "y" * 70_000}))
    assert (result.is_written, result.pieces) == (False, (IMAGES["jpeg"],))
    assert "no room" in result.reason


@each_format
def test_an_image_with_signed_credentials_is_known_and_stays_as_it_is(name):
    image = IMAGES[name]
    data = signed(name, embedded(image, Record()) if name == "webp" else image)
    inspect(data)
    assert has_credentials(data)
    assert read_metadata(data).c2pa
    result = write_record(data, FOX)
    assert (result.is_written, result.pieces, result.reason) == (False, (data,), SIGNED)


@each_image
def test_an_image_without_credentials_is_not_taken_for_a_signed_one(name):
    assert not has_credentials(IMAGES[name])
    assert not has_credentials(embedded(IMAGES[name]))


@each_format
def test_an_image_that_names_where_its_credentials_are_stays_as_it_is(name):
    provenance = b'xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance='
    packet = FOREIGN.replace(b"my:mark=", provenance)
    data = with_xmp(name, packet)
    assert has_credentials(data)
    assert read_metadata(data).c2pa
    assert write_record(data, FOX).pieces == (data,)


@each_format
def test_a_prompt_about_provenance_is_no_credential(name):
    record = FOX._replace(prompt="dcterms:provenance <dcterms:provenance> c2pa jumb")
    assert not has_credentials(embedded(IMAGES[name], record))
    assert embedded(embedded(IMAGES[name], record), FOX) == embedded(IMAGES[name], FOX)


# --- AVIF: the tables of its meta box


def avif_with_tables(data, version, base, *, inside=False):
    """The same AVIF with another version of `iloc`, offsets from a base, or data in `meta`."""
    meta = boxes.read_meta(data, next(part for part in avif.walk(data) if part.kind == b"meta"))
    items = boxes.read_items(data, meta).all
    content = b"".join(boxes.read_content(data, meta, item) for item in items)

    def built(start):
        wide = "I" if version == 2 else "H"
        rows = struct.pack(f">{wide}", len(items))
        at = 0
        for item in items:
            length = len(boxes.read_content(data, meta, item))
            rows += struct.pack(f">{wide}", item.number)
            if version:
                rows += struct.pack(">H", int(inside))
            rows += struct.pack(">H", 0)
            if base:
                rows += struct.pack(">Q", base)
            rows += struct.pack(">HQI", 1, start + at - base, length)
            at += length
        iloc = bytes([version, 0, 0, 0, 0x84, 0x80 if base else 0]) + rows
        body = data[meta.part.body : meta.part.body + 4]
        for part in meta.children:
            body += box(b"iloc", iloc) if part.kind == b"iloc" else data[part.start : part.end]
        if inside:
            body += box(b"idat", content)
        return box(b"meta", body)

    head = data[: meta.part.start]
    if inside:
        return head + built(0)
    return head + built(len(head) + len(built(base)) + 8) + box(b"mdat", content)


def box(kind, body):
    return struct.pack(">I4s", 8 + len(body), kind) + body


@pytest.mark.parametrize("name", ["avif", "avif alpha", "avif gray"])
@pytest.mark.parametrize(
    ("version", "base", "inside"),
    [(0, 0, 0), (1, 0, 0), (2, 0, 0), (0, 100, 0), (1, 100, 0), (2, 100, 0), (1, 0, 1), (2, 0, 1)],
)
def test_an_avif_with_any_known_kind_of_item_table_keeps_its_pixels(
    name, version, base, inside, tmp_path
):
    data = avif_with_tables(IMAGES[name], version, base, inside=inside)
    assert frames(data) == frames(IMAGES[name])
    result = embedded(data)
    assert frames(result) == frames(data)
    assert read_metadata(result).record == FOX
    assert embedded(embedded(data, FOX._replace(seed=1))) == result
    assert tool("avifdec", "--info", saved(tmp_path, "avif", result)).returncode == 0


def test_an_avif_whose_last_box_has_no_length_or_that_moves_stays_as_it_is():
    data = IMAGES["avif"]
    last = list(avif.walk(data))[-1]
    endless = data[: last.start] + bytes(4) + data[last.start + 4 :]
    assert inspect(endless).format == "avif"
    for odd, reason in ((endless, "no length"), (IMAGES["avif animated"], "moov")):
        result = write_record(odd, FOX)
        assert (result.is_written, result.pieces) == (False, (odd,))
        assert reason in result.reason


# --- damaged and hostile bytes

WRITTEN = {name: embedded(IMAGES[name]) for name in EDITABLE}


def handled(data):
    """Embedding raises nothing, and reading raises ImageError alone."""
    result = write_record(data, FOX)
    if not result.is_written:
        assert result.pieces == (data,)
        assert result.reason
    with contextlib.suppress(ImageError):
        read_metadata(data)
    has_credentials(data)


@each_image
def test_flipped_bytes_end_in_an_image_error_or_in_none(name):
    for data in damaged_copies(WRITTEN[name], near=700):
        handled(data)


@each_image
def test_images_cut_anywhere_end_in_an_image_error_or_in_none(name):
    data = WRITTEN[name]
    for length in {*range(min(len(data), 300)), *range(0, len(data), 41)}:
        handled(data[:length])


@given(
    st.sampled_from([WRITTEN[name][:length] for name in SIMPLE for length in (8, 16, 40, 200)]),
    st.binary(),
)
def test_random_bytes_behind_a_true_beginning_end_in_an_image_error_or_in_none(head, tail):
    handled(head + tail)


def test_the_image_of_the_docs_takes_a_record():
    data = (Path(__file__).parents[3] / "docs/images/lake.jpg").read_bytes()
    assert frames(embedded(data)) == frames(data)
