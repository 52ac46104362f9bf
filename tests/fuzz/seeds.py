"""What the parsers are meant to read: mutations of it go deeper than noise."""

import base64
from pathlib import Path

from fakes.images import pixels_as

import flux_cli

REPLIES = Path(__file__).parents[1] / "replies"
MODELS = Path(flux_cli.__file__).parent / "catalog/models"
PNG = pixels_as("png", 16, 16)
IMAGES = [pixels_as(kind, 16, 16) for kind in ("png", "jpeg", "gif", "webp", "avif")]
BODIES = [path.read_bytes() for path in sorted(REPLIES.rglob("*.json"))]
CONFIG = b"""\
model = "flux1.1-pro"
provider = "bfl"
timeout = 1.5
retries = 3
[providers.mine]
base_url = "https://h/v1"
"""
SCHEMA = b"""\
{"parameters": {"core": [{"name": "seed", "type": "integer", "minimum": 0}],
  "size": {"type": "object", "properties": {"width": {"enum": [512]}}, "required": ["width"]}},
 "max_input_images": 4,
 "price": {"currency": "USD", "components": [
  {"type": "output", "metric": "megapixel", "unit_price": 0.015}]}}
"""
URI = f"data:image/png;base64,{base64.b64encode(PNG).decode()}".encode()

SEEDS: dict[str, list[bytes]] = {
    "shapes": [b"16:9\n1920x1080\n1.91:1\n2K\n4MP\n1024\xc3\x971024"],
    "parameters": [b'7\ntrue\n0.5\njpeg\n{"a": [1, null]}\n"7"\nhttps://h/p.png', URI],
    "requests": [
        (
            b"a red fox\nseed=7\nsize=1920x1080\nraw=true\nn=2\n"
            b"output_format=webp\naspect_ratio=16:9\nresolution=2K"
        )
    ],
    "templates": [
        b"out/{slug}-{seed}.{ext}\na red fox",
        "{index:03}-{prompt}.png\nein Füchslein im Schnee 雪".encode(),
    ],
    "images": IMAGES,
    "conversions": IMAGES,
    "data_uris": [URI, b"data:,%89PNG", base64.urlsafe_b64encode(PNG)],
    "replies": [
        *(b"1\n429\n" + body for body in BODIES),
        b"Wed, 21 Oct 2015 07:28:00 GMT\n503\n<html>",
    ],
    "answers": [
        *BODIES,
        b'event: x.completed\ndata: {"b64_json": "' + base64.b64encode(PNG) + b'"}\n\n',
        b'{"data": [{"status": "submitted", "task_id": "t"}]}\n{"images": ["/a.png"]}',
    ],
    "addresses": [
        b"https://api.us1.bfl.ai/v1/get_result?id=1\n//cdn/x.png\nhttps://[::ffff:127.0.0.1]/\nhttps://0x7f.1/x"
    ],
    "redactions": [
        b"wrong key canary-Sup3r'S3cr3t+V4lue",
        b"canary-Sup3r\\'S3cr3t%2BV4l\xe2\x80\xa6",
    ],
    "models": [path.read_bytes() for path in sorted(MODELS.glob("*.toml"))],
    "schemas": [SCHEMA],
    "settings": [CONFIG, b"7\n0.5"],
    "key_files": [b'FUZZ_KEY = "lmnfl_abcdefgh"', b"lmnfl_abcdefgh\n"],
}
