"""How an image was made, as other programs write it; hostile metadata costs no memory."""

import contextlib
import io
import json
import random
import struct
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from sample_images import IMAGES, encoded

from flux_cli.images.containers.registry import inspect
from flux_cli.images.metadata import exif, xmp, xmp_scan
from flux_cli.images.metadata.read import read_metadata
from flux_cli.images.metadata.record import BY_MODEL, Record
from flux_cli.images.metadata.xmp_scan import XmpError

A1111 = """a (red:1.2) fox, snow
second line
Negative prompt: blurry, bad
hands
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 1234567890, Size: 512x768, \
Model hash: abcdef, Model: dreamshaper, Lora hashes: "a: 1, b: 2", Version: v1.10.1"""
FOX = Record(
    model="dreamshaper",
    prompt="a (red:1.2) fox, snow\nsecond line",
    negative_prompt="blurry, bad\nhands",
    seed=1234567890,
    size="512x768",
    parameters={
        "Steps": "20",
        "Sampler": "DPM++ 2M Karras",
        "CFG scale": "7",
        "Model hash": "abcdef",
        "Lora hashes": "a: 1, b: 2",
    },
    tool="v1.10.1",
    source_type=BY_MODEL,
)


def png(**texts):
    """A PNG with texts as Pillow writes them: Latin text as tEXt, other text as iTXt."""
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key.replace("_", "-") if key.startswith("sd_") else key, text)
    return encoded("png", pnginfo=info)


def user_comment(file_format, text, order="big"):
    """An image with an EXIF user comment in UTF-16: AUTOMATIC1111 is big-endian, others little."""
    comment = b"UNICODE\0" + text.encode(f"utf-16-{order[0]}e")
    head = b"MM\0*\0\0\0\x08" + struct.pack(">HHHII", 1, 0x8769, 4, 1, 26) + bytes(4)
    table = struct.pack(">HHHII", 1, 0x9286, 7, len(comment), 44) + bytes(4)
    return encoded(file_format, exif=b"Exif\0\0" + head + table + comment)


def test_automatic1111_s_parameters_in_a_png():
    reading = read_metadata(png(parameters=A1111))
    assert (reading.record, reading.source) == (FOX, "AUTOMATIC1111")
    assert reading.fields["parameters"] == A1111


@pytest.mark.parametrize("text", [A1111, A1111.replace("fox", "狐 🦊 für")])
@pytest.mark.parametrize("packed", [False, True])
def test_texts_in_any_chunk_of_a_png_read_alike(text, packed):
    info = PngImagePlugin.PngInfo()
    info.add_itxt("parameters", text, zip=packed)
    record = read_metadata(encoded("png", pnginfo=info)).record
    assert record == read_metadata(png(parameters=text)).record
    if text.isascii():
        info = PngImagePlugin.PngInfo()
        info.add_text("parameters", text, zip=packed)
        assert read_metadata(encoded("png", pnginfo=info)).record == FOX


@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize("file_format", ["jpeg", "webp", "png", "avif"])
def test_automatic1111_s_user_comment_in_exif(file_format, order):
    for animal in ("fox", "狐 🦊"):
        text = A1111.replace("fox", animal)
        reading = read_metadata(user_comment(file_format, text, order))
        assert reading.record == FOX._replace(prompt=FOX.prompt.replace("fox", animal))
        assert reading.source == "AUTOMATIC1111"


def test_the_comment_of_a_gif_and_a_jpeg():
    for file_format in ("gif", "jpeg"):
        assert read_metadata(encoded(file_format, comment=A1111.encode())).record == FOX


@pytest.mark.parametrize(
    "text", ["", "a fox", "a fox\nSteps: 20", "Size: 1x1, Seed: x", "\n\n", "Steps: 20, Seed: 7"]
)
def test_text_that_is_no_parameters_is_no_record_but_still_shown(text):
    reading = read_metadata(png(parameters=text))
    assert (reading.record, reading.source) == (Record(), "")
    assert reading.fields["parameters"] == text


GRAPH = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 42, "steps": 25, "cfg": 3.5, "sampler_name": "euler", "scheduler": "simple",
            "positive": ["9", 0], "negative": ["7", 0], "model": ["4", 0], "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "flux1-dev.safetensors"}},
    "5": {
        "class_type": "EmptyLatentImage",
        "inputs": {"width": 1024, "height": 640, "batch_size": 1},
    },
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "ein Füchslein 🦊", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["4", 1]}},
    "9": {"class_type": "FluxGuidance", "inputs": {"conditioning": ["6", 0], "guidance": 3.5}},
}  # fmt: skip
GRAPH_RECORD = Record(
    model="flux1-dev.safetensors",
    prompt="ein Füchslein 🦊",
    negative_prompt="blurry",
    seed=42,
    size="1024x640",
    parameters={"steps": 25, "cfg": 3.5, "sampler_name": "euler", "scheduler": "simple"},
    tool="ComfyUI",
    source_type=BY_MODEL,
)


def test_comfyui_s_graph_in_a_png_and_in_the_exif_of_a_webp():
    graph = json.dumps(GRAPH)
    reading = read_metadata(png(prompt=graph, workflow='{"nodes": []}'))
    assert (reading.record, reading.source) == (GRAPH_RECORD, "ComfyUI")
    assert reading.fields["workflow"] == '{"nodes": []}'
    tags = Image.Exif()
    tags[0x0110] = f"prompt:{graph}"
    assert read_metadata(encoded("webp", exif=tags.tobytes())).record == GRAPH_RECORD


def test_a_graph_that_bites_its_own_tail_is_left_unread():
    looped = {**GRAPH, "6": {"class_type": "Loop", "inputs": {"conditioning": ["9", 0]}}}
    record = read_metadata(png(prompt=json.dumps(looped))).record
    assert (record.prompt, record.negative_prompt) == ("", "blurry")


ODD_INPUTS = (
    "[]", '{"seed": 1e999}', '{"seed": true, "positive": [[]]}', f'{{"seed": {"9" * 5000}}}',
)  # fmt: skip
ODD_GRAPHS = (
    "[]", "{}", "null", "7", '"text"', '{"3": null}', '{"3": {"class_type": 1}}', "{",
    "[" * 100_000,
    *(f'{{"3": {{"class_type": "K", "inputs": {inputs}}}}}' for inputs in ODD_INPUTS),
)  # fmt: skip


@pytest.mark.parametrize("graph", ODD_GRAPHS, ids=lambda text: text[:40])
@pytest.mark.parametrize("key", ["prompt", "invokeai_metadata", "Comment", "parameters"])
def test_odd_json_is_no_crash(key, graph):
    assert read_metadata(png(**{key: graph, "Software": "NovelAI"})).record.prompt == ""


def test_invokeai_new_and_old():
    parameters = {"steps": 30, "cfg_scale": 7.5, "scheduler": "euler"}
    new = parameters | {
        "positive_prompt": "a fox",
        "negative_prompt": "blurry",
        "seed": 5,
        "width": 512,
        "height": 640,
        "model": {"name": "sdxl", "hash": "x"},
    }
    record = read_metadata(png(invokeai_metadata=json.dumps(new))).record
    assert record == Record(
        model="sdxl",
        prompt="a fox",
        negative_prompt="blurry",
        seed=5,
        size="512x640",
        tool="InvokeAI",
        parameters=parameters,
        source_type=BY_MODEL,
    )
    old = {
        "model_weights": "sd",
        "image": {"prompt": [{"prompt": "a fox"}], "seed": 5, "width": 512, "height": 640},
    }
    record = read_metadata(png(sd_metadata=json.dumps(old))).record
    assert (record.prompt, record.seed, record.size) == ("a fox", 5, "512x640")


def test_novelai():
    comment = {"steps": 28, "scale": 5.0, "seed": 9, "uc": "bad", "width": 832, "height": 1216}
    texts = {"Software": "NovelAI", "Source": "NAI v3", "Description": "a fox"}
    reading = read_metadata(png(**texts, Comment=json.dumps(comment)))
    record = reading.record
    assert reading.source == "NovelAI"
    assert (record.prompt, record.negative_prompt) == ("a fox", "bad")
    assert (record.model, record.seed, record.size) == ("NAI v3", 9, "832x1216")


def packet(inner, head=""):
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{head}'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:i="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' xmlns:f="urn:flux-image-cli:metadata#">'
        f"{inner}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def test_draw_things():
    said = {"c": "a fox", "uc": "bad", "seed": 3, "size": "512x512", "model": "m", "steps": 8}
    texts = f"<rdf:Alt><rdf:li xml:lang='x-default'>{json.dumps(said)}</rdf:li></rdf:Alt>"
    inner = f"<exif:UserComment>{texts}</exif:UserComment>"
    reading = read_metadata(encoded("png", pnginfo=_xmp_text(packet(inner))))
    assert reading.source == "Draw Things"
    assert (reading.record.prompt, reading.record.seed) == ("a fox", 3)


def _xmp_text(data):
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", data.decode())
    return info


KIND = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
ATTRIBUTES = f'xmlns:i="{xmp_scan.IPTC}" i:DigitalSourceType="{KIND}"'
SPELLINGS = {
    "element": f"<i:DigitalSourceType>{KIND}</i:DigitalSourceType>",
    "resource": f'<i:DigitalSourceType rdf:resource="{KIND}"/>',
    "attribute": f"</rdf:Description><rdf:Description {ATTRIBUTES}>",
}


@pytest.mark.parametrize("said", SPELLINGS.values(), ids=SPELLINGS)
def test_the_iptc_s_fields_in_any_spelling_of_rdf(said):
    described = "<dc:description><rdf:Alt><rdf:li>a fox</rdf:li></rdf:Alt></dc:description>"
    reading = read_metadata(encoded("jpeg", xmp=packet(described + said)))
    assert reading.source == "XMP"
    assert reading.record == Record(prompt="a fox", source_type="trainedAlgorithmicMedia")


def test_the_caption_of_a_photograph_is_no_prompt():
    described = "<dc:description><rdf:Alt><rdf:li>my dog</rdf:li></rdf:Alt></dc:description>"
    assert read_metadata(encoded("jpeg", xmp=packet(described))).record.prompt == ""


def test_iptc_datasets_in_a_jpeg_are_shown():
    texts = {120: b"a caption", 110: b"Made with Some AI", 80: "É".encode()}
    dataset = b""
    for number, text in texts.items():
        dataset += b"\x1c\2" + bytes([number]) + struct.pack(">H", len(text)) + text
    body = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(dataset)) + dataset
    data = IMAGES["jpeg"]
    data = data[:2] + b"\xff\xed" + struct.pack(">H", 2 + len(body)) + body + data[2:]
    fields = read_metadata(data).fields
    assert fields == {
        "iptc:Caption": "a caption",
        "iptc:Credit": "Made with Some AI",
        "iptc:By-line": "É",
    }


@pytest.mark.parametrize("cut", [20, 60_000, 60_005, 60_015])
def test_iptc_is_read_across_segments_and_with_long_lengths(cut):
    fields = b"\x1c\2\x78\x80\4\0\0\0\5Hello" + b"\x1c\2\x50\0\3Ann"
    resources = b"8BIM\4\x0c\0\0" + struct.pack(">I", 60_000) + bytes(60_000)
    resources += b"8BIM\4\4\0\0" + struct.pack(">I", len(fields)) + fields
    segments = b""
    for piece in (resources[:cut], resources[cut:]):
        body = b"Photoshop 3.0\0" + piece
        segments += b"\xff\xed" + struct.pack(">H", 2 + len(body)) + body
    data = IMAGES["jpeg"][:2] + segments + IMAGES["jpeg"][2:]
    assert read_metadata(data).fields == {"iptc:Caption": "Hello", "iptc:By-line": "Ann"}


@pytest.mark.parametrize("length", range(1, 13))
def test_resources_that_are_cut_off_say_nothing(length):
    body = b"Photoshop 3.0\0" + b"8BIM\4\4\0\0\0\0\0\5"[:length]
    segment = b"\xff\xed" + struct.pack(">H", 2 + len(body)) + body
    data = IMAGES["jpeg"][:2] + segment + IMAGES["jpeg"][2:]
    assert read_metadata(data).fields == {}


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_that_says_nothing_has_an_empty_record_and_nobody_wrote_it(name):
    reading = read_metadata(IMAGES[name])
    assert (reading.record, reading.source, reading.c2pa, reading.problems) == (
        Record(),
        "",
        False,
        (),
    )


# --- hostile metadata


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunks(*chunks):
    data = IMAGES["png"]
    return data[:33] + b"".join(chunks) + data[33:]


LAUGHS = (
    "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'ha'>"
    + "".join(
        f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]><x>&i;</x>"
).encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (LAUGHS, "document type"),
        (b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'><x/>", "document type"),
        (packet("&undefined;"), "not XML"),
        (packet("<dc:a>" * 5000), "too many elements"),
        (packet("x" * (xmp_scan.MAX_PACKET + 1)), "larger than"),
        (
            packet("<dc:a><rdf:Bag>" + "<rdf:li>x</rdf:li>" * 800_000 + "</rdf:Bag>"),
            "too many elements",
        ),
        (packet("<dc:a>x</dc:a>" * 1_000_000 + "<dc:b>"), "too many elements"),
        (b"\xff\xfe\xff", "not XML"),
        (b"<?xml version='1.0' encoding='cp037'?><a/>", "XML"),
        (b"<?xml version='1.0' encoding='rot13'?><a/>", "not text"),
        (b"<?xml version='1.0' encoding='idna'?><a/>", "not text"),
        (packet("<dc:a>" + "\x01" + "</dc:a>"), "not XML"),
    ],
    ids=range(12),
)
def test_hostile_xmp_is_refused_with_a_word(data, reason):
    body = b"XML:com.adobe.xmp\0\0\0\0\0" + data
    [problem] = read_metadata(with_chunks(chunk(b"iTXt", body))).problems
    assert reason in problem
    assert problem.isprintable()


def test_packed_texts_unfold_to_a_limit_however_many_there_are():
    """Thirty chunks of 64 MiB each, packed into 65 kB each."""
    bomb = chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(64 << 20), 9))
    data = with_chunks(
        *[bomb] * 30, chunk(b"iTXt", b"parameters\0\1\0\0\0" + zlib.compress(bytes(64 << 20)))
    )
    inspect(data)
    tracemalloc.start()
    try:
        assert read_metadata(data).source == ""
        assert tracemalloc.get_traced_memory()[1] < 200 << 20
    finally:
        tracemalloc.stop()


def test_exif_tables_that_point_anywhere_are_read_up_to_there():
    endless = b"II*\0\x08\0\0\0" + b"\xff\xff" + b"\x69\x87\4\0\1\0\0\0\x08\0\0\0" * 50
    assert exif.texts(endless) == {}
    assert exif.texts(b"MM\0*\xff\xff\xff\xff") == {}
    assert exif.number(b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0", exif.ORIENTATION) == 6


@given(st.binary(max_size=200))
def test_random_bytes_as_exif_or_xmp_are_texts_or_a_word(data):
    for order in (b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"):
        assert all(isinstance(text, str) for text in exif.texts(order + data).values())
    with contextlib.suppress(XmpError):
        assert xmp.properties(data)


def test_long_lines_of_parameters_are_read_in_one_pass():
    """Quotes that never close, and names that never end, cost no more than their length."""
    for line in (
        'a: "' * 25_000,
        "a: b, " * 16_000,
        "a" * 100_000,
        'a: "\\' * 20_000,
        "a " * 50_000,
    ):
        read_metadata(png(parameters=f"x\n{line}"))


def test_shuffled_parts_of_real_metadata_are_no_crash():
    rng = random.Random(7)
    parts = [
        A1111,
        json.dumps(GRAPH),
        "Negative prompt: ",
        "Steps: ",
        "\n",
        '"',
        "Size: 1x1, ",
        "\0",
        "\ud800"[:0],
    ]
    for _ in range(300):
        text = "".join(rng.choices(parts, k=6))
        read_metadata(png(parameters=text.replace("\0", ""), prompt=text.replace("\0", "")))


def test_a_profile_that_unfolds_without_end_is_cut():
    body = b"ICC\0\0" + zlib.compress(bytes(64 << 20))
    stream = io.BytesIO(with_chunks(chunk(b"iCCP", body)))
    assert read_metadata(stream.getvalue()).source == ""


def test_fields_of_exif_that_name_the_same_bytes_again_and_again_are_not_all_read():
    rows = struct.pack(">HHII", 0x013B, 2, 16 << 20, 0) * 1000
    block = b"MM\0*\0\0\0\x08" + struct.pack(">H", 1000) + rows + bytes(16 << 20)
    assert len(list(exif.fields(block))) == 4
