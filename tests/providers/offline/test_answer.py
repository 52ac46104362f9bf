"""What the offline server answers: the pixels of the model, a seed, and no time."""

import base64
import io
import itertools
import json

import pytest
from PIL import Image

from flux_cli.catalog.find import find_model
from flux_cli.providers.offline.answer import answer

pytestmark = pytest.mark.slow

ULTRA = find_model("flux1.1-pro-ultra")


def answered(**body):
    reply = answer(json.dumps({"prompt": "a lake", "response_format": "b64_json", **body}).encode())
    assert reply.status == 200
    return json.loads(reply.data)


def pixels(document):
    data = base64.b64decode(document["data"][0]["b64_json"])
    with Image.open(io.BytesIO(data)) as image:
        return image.size


# Drawing is slow, so the names of the model take turns.
SIZES_AND_NAMES = list(zip(ULTRA.sizes, itertools.cycle((ULTRA.id, f"fal/{ULTRA.id}"))))


@pytest.mark.parametrize(
    ("size", "name"), SIZES_AND_NAMES, ids=[size.name for size, _ in SIZES_AND_NAMES]
)
def test_a_size_of_the_model_has_its_native_pixels(size, name):
    assert pixels(answered(model=name, size=size.name)) == size.native


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"model": ULTRA.id, "size": "100x80"}, (100, 80)),
        ({"model": "flux1.1-pro", "size": "1365x768"}, (1365, 768)),
        ({"model": "some-model", "size": "1024x1024"}, (1024, 1024)),
        ({"size": "320x200"}, (320, 200)),
        ({"aspect_ratio": "1:1"}, (1024, 1024)),
    ],
)
def test_other_sizes_are_drawn_as_they_are(body, expected):
    assert pixels(answered(**body)) == expected


def test_equal_requests_have_equal_answers_even_without_a_seed():
    one, two = answered(size="64x64"), answered(size="64x64")
    assert one == two
    seed = one["data"][0]["seed"]
    assert answered(size="64x64", seed=seed)["data"] == one["data"]
    assert answered(size="64x64", prompt="a sea")["data"][0]["seed"] != seed
