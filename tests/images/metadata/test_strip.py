"""Metadata is left out without touching a pixel: all of it, or only what may be a prompt."""

import io
import json
import struct

import pytest
from PIL import Image, ImageCms
from sample_images import IMAGES, damaged_copies, encoded, signed

from flux_cli.images.containers.container import Block
from flux_cli.images.containers.parts import splice
from flux_cli.images.containers.registry import CONTAINERS, inspect, read_blocks
from flux_cli.images.details import read_details
from flux_cli.images.finish import Finish
from flux_cli.images.metadata import exif
from flux_cli.images.metadata.credentials import has_credentials
from flux_cli.images.metadata.read import read_metadata
from flux_cli.images.metadata.record import Record, without_prompt
from flux_cli.images.metadata.strip import without_metadata
from flux_cli.images.metadata.transfer.prompts import without_prompts
from flux_cli.images.metadata.write import write_record
from flux_cli.images.names import fixed
from flux_cli.images.outputs import outputs
from flux_cli.images.pixels.render import measure
from flux_cli.images.pixels.wholeness import examine
from flux_cli.runs.saving.finish import PlannedFile, make_files
from flux_cli.runs.saving.provenance import find_provenance

SECRET, OWNER = "a secret fox", "Ann Owner"
A1111 = f"{SECRET}\nSteps: 20, Sampler: Euler a, Seed: 77, Size: 64x64"
GRAPH = f'workflow:{{"nodes": ["{SECRET}"]}}'
PACKET = f"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:d="http://purl.org/dc/elements/1.1/"
 xmlns:i="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:e="http://ns.adobe.com/exif/1.0/"
 i:AIPromptInformation='{SECRET}' xmlns:s="http://ns.adobe.com/xap/1.0/" s:Rating="5">
<d:rights><rdf:Alt><rdf:li xml:lang="x-default">{OWNER}</rdf:li></rdf:Alt></d:rights>
<d:description><rdf:Alt><rdf:li xml:lang="x-default">{SECRET}</rdf:li></rdf:Alt></d:description>
<e:UserComment>{SECRET}</e:UserComment>
</rdf:Description></rdf:RDF>""".encode()
EXIF = exif.build(
    {0x010F: GRAPH, 0x010E: SECRET, 0x013B: OWNER, 0x0132: "2026:01:01 00:00:00"},
    {0x9286: exif.user_comment(A1111), 0x9C9C: SECRET.encode("utf-16-le")},
)
BLOCKS = (
    Block("exif", EXIF), Block("xmp", PACKET), Block("text", A1111.encode(), "parameters"),
    Block("text", OWNER.encode(), "Author"), Block("comment", A1111.encode()),
)  # fmt: skip
STILL = [name for name in IMAGES if name != "avif animated"]
each_image = pytest.mark.parametrize("name", STILL)
FORMATS = ("png", "jpeg", "webp", "avif", "gif")
each_format = pytest.mark.parametrize("name", FORMATS)


def loaded(name: str, data: bytes | None = None) -> bytes:
    """An image with every kind of metadata that its format holds."""
    data = data or IMAGES[name]
    container = CONTAINERS[name.split(maxsplit=1)[0]]
    for block in BLOCKS:
        if block.kind in container.holds:
            data = b"".join(splice(data, container.add(data, block)))
    return data


def frames(data: bytes) -> list[bytes]:
    with Image.open(io.BytesIO(data)) as image:
        found = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            found.append(image.convert("RGBA").tobytes())
        return found


def holds(data: bytes, text: str) -> bool:
    """Whether a text is anywhere in the bytes, in one of the encodings of metadata."""
    return any(text.encode(encoding) in data for encoding in ("utf-8", "utf-16-be", "utf-16-le"))


def stripped(data: bytes, kept: str):
    """The file that `flux convert` makes in place, and what is said about it."""
    seen = examine(data)
    files = [PlannedFile(fixed("x"), one) for one in outputs(Finish(), measure(data))]
    (file,) = make_files(data, files, find_provenance(seen, kept), seen=seen)
    return b"".join(file.image.parts), file.remarks


@each_image
def test_nothing_is_left_but_the_pixels(name):
    data = loaded(name)
    assert holds(data, OWNER)
    bare, remarks = stripped(data, "none")
    inspect(bare)
    assert frames(bare) == frames(data)
    assert not holds(bare, OWNER)
    assert not holds(bare, SECRET)
    kinds = {block.kind for block in read_blocks(name.split()[0], bare)}
    assert kinds <= {"icc", "density"}
    assert remarks == ()
    assert without_metadata(bare, name.split()[0]) == bare


@each_format
def test_the_color_profile_stays_without_metadata(name):
    if name == "gif":
        pytest.skip("a GIF has none")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    bare, _ = stripped(loaded(name, encoded(name, icc_profile=profile)), "none")
    assert read_details(bare).icc == profile


@each_image
def test_prompts_go_and_everything_else_stays(name):
    data = loaded(name)
    clean, remarks = stripped(data, "no-prompt")
    inspect(clean)
    assert frames(clean) == frames(data)
    assert not holds(clean, SECRET)
    fields = read_metadata(clean).fields
    assert fields["xmp:dc:rights"] == OWNER
    assert fields["xmp:xmp:Rating"] == "5"
    if not name.startswith("gif"):
        assert (fields["exif:Artist"], fields["exif:DateTime"]) == (OWNER, "2026:01:01 00:00:00")
    assert read_metadata(clean).record.prompt == ""
    assert remarks == ()
    assert without_prompts(clean, name.split()[0], is_made=True) == clean


@each_format
def test_the_record_of_flux_stays_without_its_prompt(name):
    record = Record(prompt=SECRET, model="m", seed=7, tool="flux 0.1.0", finish={"fit": "cover"})
    data = b"".join(write_record(IMAGES[name if name != "webp" else "webp lossy"], record).pieces)
    clean, remarks = stripped(data, "no-prompt")
    assert (read_metadata(clean).record, remarks) == (without_prompt(record), ())
    assert not holds(clean, SECRET)
    assert not holds(stripped(data, "none")[0], "flux 0.1.0")


@pytest.mark.parametrize("kept", ["none", "no-prompt"])
@each_format
def test_an_image_without_metadata_stays_the_same(name, kept):
    data = IMAGES[name if name != "webp" else "webp lossy"]
    assert stripped(data, kept) == (data, ())


@each_format
def test_what_people_say_about_a_photograph_is_no_prompt(name):
    packet = PACKET.replace(b"i:AIPromptInformation", b"s:Label").replace(
        b"<e:UserComment>", b"<s:Nickname>"
    )
    packet = packet.replace(b"</e:UserComment>", b"</s:Nickname>")
    container, data = CONTAINERS[name], IMAGES[name if name != "webp" else "webp lossy"]
    data = b"".join(splice(data, container.add(data, Block("xmp", packet))))
    assert stripped(data, "no-prompt") == (data, ())


@each_format
def test_credentials_go_with_the_prompt_which_is_said_and_stay_without_one(name):
    source = IMAGES[name if name != "webp" else "webp lossy alpha"]
    data = signed(name, loaded(name, source))
    clean, (note,) = stripped(data, "no-prompt")
    assert "content credentials (C2PA)" in note
    assert not has_credentials(clean)
    assert frames(clean) == frames(data)
    plain = signed(name, source)
    assert stripped(plain, "no-prompt") == (plain, ())
    bare, remarks = stripped(plain, "none")
    assert not has_credentials(bare)
    assert remarks == ()


def test_a_jpeg_loses_thumbnails_density_and_what_is_behind_its_end():
    data = encoded("jpeg", dpi=(300, 300))
    thumbnail = data[:18] + b"\1\1" + b"\xab\xcd\xef" + data[20:]
    thumbnail = thumbnail[:4] + b"\0\x13" + thumbnail[6:]
    assert inspect(thumbnail + b"tail").format == "jpeg"
    bare = without_metadata(thumbnail + b"tail", "jpeg")
    assert bare == encoded("jpeg")


def test_prompts_in_iptc_go_and_by_line_stays():
    texts = [(120, SECRET), (80, OWNER)]
    datasets = b"".join(
        b"\x1c\2" + bytes([number]) + struct.pack(">H", len(text)) + text.encode()
        for number, text in texts
    )
    resource = b"8BIM\4\4\0\0" + struct.pack(">I", len(datasets)) + datasets
    resource += bytes(len(datasets) % 2)
    segments = b""
    for piece in (resource, SECRET.encode()):  # the second continues the first
        body = b"Photoshop 3.0\0" + piece
        segments += b"\xff\xed" + struct.pack(">H", 2 + len(body)) + body
    data = loaded("jpeg")
    data = data[:2] + segments + data[2:]
    clean, _ = stripped(data, "no-prompt")
    assert not holds(clean, SECRET)
    assert read_metadata(clean).fields["iptc:By-line"] == OWNER


@pytest.mark.parametrize(
    "packet", [b"no XML", PACKET.decode().encode("utf-16"), b"<!DOCTYPE x>" + PACKET]
)
@each_format
def test_xmp_that_cannot_be_read_is_left_out_because_it_may_hold_a_prompt(name, packet):
    if name == "gif" and b"\0" in packet:
        pytest.skip("a GIF cannot hold it")
    data = IMAGES[name if name != "webp" else "webp lossy"]
    data = b"".join(splice(data, CONTAINERS[name].add(data, Block("xmp", packet))))
    clean, _ = stripped(data, "no-prompt")
    assert not holds(clean, SECRET)
    assert frames(clean) == frames(data)


@each_format
def test_damaged_images_are_stripped_or_refused_but_never_an_unexpected_error(name):
    whole = loaded(name if name != "webp" else "webp lossy")
    for data in damaged_copies(whole):
        for strip in (
            without_metadata,
            lambda data, name: without_prompts(data, name, is_made=True),
        ):
            try:
                strip(data, name)
            except (ValueError, IndexError, struct.error):
                continue


def test_other_programs_json_in_a_comment_is_a_prompt_even_if_nobody_knows_it():
    text = json.dumps({"unknown": SECRET})
    data = b"".join(
        splice(IMAGES["gif"], CONTAINERS["gif"].add(IMAGES["gif"], Block("comment", text.encode())))
    )
    assert not holds(stripped(data, "no-prompt")[0], SECRET)
