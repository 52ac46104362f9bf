"""What another file of an image takes over of its metadata, and what is said of the rest."""

import io
import json
import shutil
import struct
import subprocess
import zlib

import pytest
from PIL import Image
from sample_images import IMAGES, drawn, encoded

from flux_cli.images.containers import png
from flux_cli.images.finish import Finish
from flux_cli.images.metadata import exif
from flux_cli.images.metadata.read import read_metadata
from flux_cli.images.metadata.record import Record
from flux_cli.images.metadata.write import write_record
from flux_cli.images.metadata.xmp import foreign_values
from flux_cli.images.names import fixed
from flux_cli.images.outputs import outputs
from flux_cli.images.pixels.render import measure
from flux_cli.images.pixels.wholeness import examine
from flux_cli.runs.saving.finish import PlannedFile, make_files
from flux_cli.runs.saving.provenance import find_provenance

FORMATS = ("png", "jpeg", "webp", "avif", "gif")
each_format = pytest.mark.parametrize("target", FORMATS)
A1111 = "a fox, 写真\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, Seed: 77, Size: 64x64"
GRAPH = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 5, "positive": ["6", 0]}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "comfy", "clip": ["4", 0]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["3", 0]}},
}
MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
ODD_PREFIXES = f"""<z:RDF xmlns:z="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<z:Description xmlns:a="http://purl.org/dc/elements/1.1/"
 xmlns:b="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" b:DigitalSourceType="{MADE}">
<a:creator><z:Seq><z:li>Ann</z:li><z:li>Bob</z:li></z:Seq></a:creator>
<a:rights><z:Alt><z:li xml:lang="x-default">© Ann</z:li><z:li xml:lang="de">© Anne</z:li></z:Alt>
</a:rights></z:Description></z:RDF>""".encode()


def png_with(*chunks: bytes) -> bytes:
    return IMAGES["png"][:33] + b"".join(chunks) + IMAGES["png"][33:]


def text(key: str, value: str, encoding: str = "utf-8") -> bytes:
    return png.chunk(b"tEXt", key.encode() + b"\0" + value.encode(encoding))


def converted(data: bytes, target: str, **wanted) -> tuple[bytes, tuple[str, ...]]:
    """The one file that a conversion makes anew, and what is said about it."""
    seen = examine(data)
    plan = outputs(Finish(formats=(target,), effort="fast", **wanted), measure(data))
    files = [PlannedFile(fixed("x"), output) for output in plan]
    (file,) = make_files(data, files, find_provenance(seen), seen=seen)
    assert not file.image.as_received
    return b"".join(file.image.parts), file.remarks


def exif_of(data: bytes) -> Image.Exif:
    return Image.open(io.BytesIO(data)).getexif()


def camera(**values) -> bytes:
    """A JPEG with EXIF, by the names of its tags."""
    tags = {"artist": 0x013B, "copyright": 0x8298, "maker": 0x010F}
    block = exif.build({tags[name]: value for name, value in values.items()}, {})
    return encoded("jpeg", exif=b"Exif\0\0" + block)


@each_format
def test_artist_and_copyright_of_a_camera_are_taken_over_and_nothing_else_is(target):
    data, remarks = converted(camera(artist="Ann", copyright="© Ann", maker="Acme"), target)
    assert remarks == ()
    fields = read_metadata(data).fields
    assert (fields["xmp:dc:creator"], fields["xmp:dc:rights"]) == ("Ann", "© Ann")
    assert b"Acme" not in data
    if target != "gif":
        assert (exif_of(data)[0x013B], fields["exif:Copyright"]) == ("Ann", "© Ann")


@each_format
@pytest.mark.parametrize("source", ["jpeg", "webp", "avif", "gif", "png"])
def test_the_source_type_and_lists_of_xmp_survive_whatever_their_prefixes(source, target):
    first, _ = converted(encoded("jpeg", xmp=ODD_PREFIXES), source)
    data, remarks = converted(first, target)
    assert remarks == ()
    block = next(one for one in read_metadata(data).blocks if one.kind == "xmp")
    assert foreign_values(block.data) == {
        "dc:creator": (("", "Ann"), ("", "Bob")),
        "dc:rights": (("x-default", "© Ann"), ("de", "© Anne")),
        "Iptc4xmpExt:DigitalSourceType": (("", MADE),),
    }


@each_format
@pytest.mark.parametrize("source", FORMATS)
def test_parameters_survive_where_their_programs_look_for_them(source, target):
    first, _ = converted(
        png_with(png.chunk(b"iTXt", b"parameters\0\0\0\0\0" + A1111.encode())), source
    )
    data, remarks = converted(first, target)
    reading = read_metadata(data)
    assert (reading.record.prompt, reading.record.seed, reading.source) == (
        "a fox, 写真", 77, "AUTOMATIC1111",
    )  # fmt: skip
    assert remarks == ()
    place = {"png": "parameters", "gif": "comment"}.get(target, "exif:UserComment")
    assert reading.fields[place] == A1111


@each_format
def test_graphs_survive_in_exif_where_comfyui_looks_for_them_or_are_named(target):
    chunks = (text("prompt", json.dumps(GRAPH)), text("workflow", '{"nodes": []}'))
    data, remarks = converted(png_with(*chunks), target)
    if target == "gif":
        assert "its texts 'prompt', 'workflow' (ComfyUI)" in remarks[0]
        return
    assert read_metadata(data).record.prompt == "comfy"
    if target != "png":
        assert exif_of(data)[0x010F] == 'workflow:{"nodes": []}'
        again, _ = converted(data, "png")
        assert Image.open(io.BytesIO(again)).text["workflow"] == '{"nodes": []}'


def test_a_graph_without_a_prompt_that_is_certain_is_taken_over_without_a_word():
    graph = {name: node for name, node in GRAPH.items() if name != "6"}
    data = png_with(text("prompt", json.dumps(graph)))
    assert read_metadata(data).problems
    made, remarks = converted(data, "webp")
    assert remarks == ()
    assert read_metadata(made).source == "ComfyUI"


def test_fooocus_finds_its_texts_in_the_first_table_of_exif():
    body = json.dumps({"prompt": "x", "base_model": "y", "seed": "5"})
    data, _ = converted(
        png_with(text("parameters", body), text("fooocus_scheme", "fooocus")), "webp"
    )
    assert (exif_of(data)[0x9286], exif_of(data)[0x927C]) == (body, "fooocus")
    again, _ = converted(data, "png")
    assert Image.open(io.BytesIO(again)).text["fooocus_scheme"] == "fooocus"


def test_texts_without_a_place_are_named_once_with_their_program():
    data = png_with(text("invokeai_metadata", '{"positive_prompt": "a"}'), text("Disclaimer", "d"))
    _, (note,) = converted(data, "webp")
    assert "its texts 'invokeai_metadata', 'Disclaimer' (InvokeAI)" in note


def test_a_png_keeps_all_texts_of_a_png_also_those_with_the_same_keyword():
    data, remarks = converted(
        png_with(text("X", "1"), text("X", "2"), text("Author", "Ann")), "png"
    )
    blocks = read_metadata(data).blocks
    assert [one[1:] for one in blocks if one.kind == "text"] == [
        (b"1", "X"), (b"2", "X"), (b"Ann", "Author"),
    ]  # fmt: skip
    assert remarks == ()


def test_the_first_text_of_a_keyword_counts_before_and_after():
    data = png_with(text("parameters", A1111), text("parameters", A1111.replace("fox", "dog")))
    made, remarks = converted(data, "webp")
    assert read_metadata(made).record == read_metadata(data).record
    lost = "its further text 'parameters'"
    assert remarks == (f"the conversion does not keep all of the image: {lost}",)


SWARM = {"sui_image_params": {"prompt": "a whale", "seed": 88, "model": "m"}}
FOOOCUS = {"prompt": "a lynx", "seed": 47, "base_model": "jug", "metadata_scheme": "fooocus"}
RUINED = {"Prompt": "a cat", "seed": 21, "base_model_name": "x"}
NOVELAI = {"prompt": "1girl", "seed": 99, "uc": "lowres", "steps": 28}
PROGRAMS = {
    "SwarmUI": {"parameters": json.dumps(SWARM)},
    "Fooocus": {"parameters": json.dumps(FOOOCUS), "fooocus_scheme": "fooocus"},
    "RuinedFooocus": {"parameters": json.dumps(RUINED)},
    "NovelAI": {"Software": "NovelAI", "Source": "NovelAI Diffusion V4",
                "Description": "1girl", "Comment": json.dumps(NOVELAI)},
}  # fmt: skip


@each_format
@pytest.mark.parametrize("program", PROGRAMS)
def test_the_prompts_of_programs_are_read_in_every_format_and_back_in_a_png(program, target):
    data = png_with(*(text(key, value) for key, value in PROGRAMS[program].items()))
    before = read_metadata(data)
    assert (before.source, bool(before.record.prompt)) == (program, True)
    there, remarks = converted(data, target)
    back, more = converted(there, "png")
    for reading in (read_metadata(there), read_metadata(back)):
        assert (reading.source, reading.record) == (program, before.record)
    assert (remarks, more) == ((), ())


def test_a_copyright_in_latin_1_and_one_of_two_people_are_read():
    data, _ = converted(png_with(text("Copyright", "© José", "latin-1")), "webp")
    assert read_metadata(data).fields["exif:Copyright"] == "© José"
    order = struct.pack(">HHHII", 1, 0x8298, 2, 10, 26)
    block = b"MM\0*\0\0\0\x08" + order.ljust(18, b"\0") + b"Ann\0Bob\0\0\0"
    data, _ = converted(encoded("jpeg", exif=b"Exif\0\0" + block), "webp")
    assert read_metadata(data).fields["xmp:dc:rights"] == "Ann; Bob"


def jfif(unit: int, across: int, down: int) -> bytes:
    data = encoded("jpeg")
    return data[:13] + struct.pack(">BHH", unit, across, down) + data[18:]


DENSITIES = {
    "pHYs": (png_with(png.chunk(b"pHYs", struct.pack(">IIB", 11_811, 5906, 1))), (300, 150)),
    "JFIF per inch": (jfif(1, 300, 150), (300, 150)),
    "JFIF per centimeter": (jfif(2, 100, 50), (254, 127)),
    "EXIF": (encoded("webp", exif=b"Exif\0\0II*\0\x08\0\0\0\x03\0\x1a\x01\x05\0\x01\0\0\0\x32\0\0\0"
                     b"\x1b\x01\x05\0\x01\0\0\0\x3a\0\0\0\x28\x01\x03\0\x01\0\0\0\x02\0\0\0\0\0\0\0"
                     + struct.pack("<IIII", 600, 2, 150, 1)), (300, 150)),
}  # fmt: skip


@pytest.mark.parametrize("target", ["png", "jpeg", "webp", "avif", "gif"])
@pytest.mark.parametrize("source", DENSITIES)
def test_the_density_survives_in_every_unit_or_is_named(source, target):
    data, expected = DENSITIES[source]
    made, remarks = converted(data, target)
    if target == "gif":
        assert f"its density ({expected[0]}x{expected[1]} dpi)" in remarks[0]
        return
    assert remarks == ()
    if target in ("png", "jpeg"):
        assert Image.open(io.BytesIO(made)).info["dpi"] == pytest.approx(expected, abs=0.05)
    else:
        fields = exif_of(made)
        scale = {2: 1, 3: 2.54}[fields[0x0128]]
        found = tuple(float(fields[tag]) * scale for tag in (0x011A, 0x011B))
        assert found == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("data", [
    png_with(png.chunk(b"pHYs", struct.pack(">IIB", 1, 1, 0))),
    png_with(png.chunk(b"pHYs", bytes(9))),
    png_with(png.chunk(b"pHYs", b"short")),
    jfif(0, 1, 1), jfif(1, 0, 0), jfif(7, 300, 300),
])  # fmt: skip
def test_a_density_that_says_nothing_is_not_taken_over(data):
    made, remarks = converted(data, "webp")
    assert (read_metadata(made).blocks, remarks) == ((), ())


def test_the_shape_of_pixels_is_kept_and_turned_with_the_image():
    data = encoded("jpeg", exif=b"Exif\0\0" + exif.build({0x0112: 6}, {}))
    data = data[:13] + struct.pack(">BHH", 0, 2, 1) + data[18:]
    made, _ = converted(data, "png")
    at = made.index(b"pHYs") + 4
    assert struct.unpack(">IIB", made[at : at + 9]) == (1, 2, 0)


def test_what_is_too_long_for_a_jpeg_is_named_and_the_rest_stays():
    workflow = json.dumps({"nodes": ["x" * 70_000]})
    chunks = (text("workflow", workflow), text("parameters", A1111.replace("写真", "")))
    data, (note,) = converted(png_with(*chunks), "jpeg")
    assert "its text 'workflow', too long for a jpeg" in note
    assert read_metadata(data).record.seed == 77


@pytest.mark.parametrize("target", ["png", "webp"])
def test_texts_that_are_too_long_to_be_read_are_named_and_not_cut(target):
    long = zlib.compress(b'{"nodes": "' + b"x" * 5_000_000 + b'"}')
    chunks = (text("Author", "Ann"), png.chunk(b"zTXt", b"workflow\0\0" + long))
    data, (note,) = converted(png_with(*chunks), target)
    assert "its text 'workflow', which is too long" in note
    assert len(data) < 10_000
    assert read_metadata(data).fields["xmp:dc:creator"] == "Ann"


def test_a_png_may_have_its_texts_in_exif_beside_others():
    block = exif.build({0x0110: "prompt:" + json.dumps(GRAPH)}, {0x9286: exif.user_comment(A1111)})
    data, _ = converted(png_with(text("Author", "Ann"), png.chunk(b"eXIf", block)), "png")
    texts = Image.open(io.BytesIO(data)).text
    assert (texts["parameters"], json.loads(texts["prompt"])) == (A1111, GRAPH)


@each_format
def test_the_record_of_flux_and_other_metadata_go_together(target):
    record = Record(prompt="a red fox", seed=7, tool="flux 0.1.0")
    first = b"".join(write_record(camera(artist="Ann"), record).pieces)
    data, remarks = converted(first, target)
    assert (read_metadata(data).record, remarks) == (record, ())
    assert read_metadata(data).fields["xmp:dc:creator"] == "Ann"


@pytest.mark.parametrize("block", [
    b"II*\0", b"MM\0*\xff\xff\xff\xff", b"", b"\0" * 60_000,
    b"II*\0\x08\0\0\0\xff\xff" + b"\x98\x82\x02\0\xff\xff\xff\xff\x08\0\0\0" * 4000,
])  # fmt: skip
def test_broken_exif_never_stops_the_pixels(block):
    data = encoded("jpeg")
    body = b"Exif\0\0" + block
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(body)) + body + data[2:]
    for target in FORMATS:
        assert Image.open(io.BytesIO(converted(data, target)[0])).size == drawn().size


def test_a_size_limit_lowers_the_quality_for_metadata_and_wins_over_it():
    source = encoded("jpeg", size=(600, 400), quality=95)
    source = source[:2] + camera(copyright="© Ann")[20:].partition(b"\xff\xdb")[0] + source[2:]
    limit = len(converted(source, "jpeg", quality=60)[0]) - 10
    data, remarks = converted(source, "jpeg", max_bytes=limit)
    assert len(data) <= limit
    assert (read_metadata(data).fields["exif:Copyright"], remarks) == ("© Ann", ())
    plain = len(converted(encoded("png"), "png")[0])
    data, (note,) = converted(png_with(text("Author", "Ann")), "png", max_bytes=plain + 20)
    assert len(data) <= plain + 20
    assert "the png has no room for the metadata" in note


def test_metadata_that_would_take_a_large_share_of_a_size_limit_gives_way_to_the_pixels():
    data = png_with(text("workflow", json.dumps({"nodes": ["x" * 9_000]})))
    plain = len(converted(IMAGES["png"], "webp")[0])
    made, (note,) = converted(data, "webp", max_bytes=plain)
    assert len(made) == plain
    assert f"the webp has no room for the metadata of the image in {plain:,} bytes" in note


@pytest.mark.skipif(not shutil.which("exiftool"), reason="exiftool is not installed")
@each_format
def test_exiftool_reads_what_is_taken_over_and_finds_no_error(target, tmp_path):
    path = tmp_path / f"x.{target}"
    data = camera(artist="Ann", copyright="© Ann")
    path.write_bytes(converted(data, target)[0])
    words = ["exiftool", "-j", "-validate", "-error", "-Creator", "-Rights", "-Artist", str(path)]
    done = subprocess.run(words, capture_output=True, check=False)
    (found,) = json.loads(done.stdout)
    assert (found["Creator"], found["Rights"], "Error" in found) == ("Ann", "© Ann", False)
    assert found.get("Artist", "Ann") == "Ann"
