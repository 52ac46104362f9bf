"""Images as input at BFL, fal and Replicate: inside the JSON of the request."""

import base64
import io
import json
import shlex

import pytest
from fakes.providers import (
    DIRECT_ENDPOINTS,
    KEY,
    bfl_task,
    fal_request,
    replicate_prediction,
)
from fakes.server import Server
from PIL import Image
from sample_images import IMAGES, encoded

SIZE = (400, 300)
ANSWERS = {"bfl": bfl_task, "fal": fal_request, "replicate": replicate_prediction}


@pytest.fixture
def server():
    with Server() as server:
        yield server


@pytest.fixture
def edit(flux, environment, server, work):
    """Run `flux generate` with images at a provider; the bodies of what it has sent."""
    (work / "fox.png").write_bytes(encoded("png", size=SIZE))
    (work / "snow.jpg").write_bytes(encoded("jpeg", size=SIZE))

    def run(provider, *words, answer=None):
        server.on("POST", answer or ANSWERS[provider]())
        endpoint = DIRECT_ENDPOINTS[provider]
        env = environment | {endpoint.key_variable: KEY}
        line = ("--provider", provider, "--base-url", server.origin + endpoint.base_path)
        result = flux("generate", "x", *line, "--seed", "7", *words, env=env)
        assert KEY not in result.out + result.err
        return result

    return run


def image_in(value):
    """The image in a data URI, or in bare base64."""
    head, _, text = value.rpartition(",")
    data = base64.b64decode(text, validate=True)
    if head:
        assert head in ("data:image/png;base64", "data:image/jpeg;base64")
    return Image.open(io.BytesIO(data))


BOTH = ("--image", "fox.png", "--image", "snow.jpg")
ONE = ("--image", "fox.png")
MATCH = {"aspect_ratio": "match_input_image"}
PNG = {"output_format": "png", **MATCH}
TWO = ("input_image", "input_image_2")
# provider, model, images, path, fields with images, other fields beside prompt and seed
WIRES = [
    ("bfl", "flux.2-pro", BOTH, "/v1/flux-2-pro", TWO, {}),
    ("bfl", "flux.2-klein-4b", ONE, "/v1/flux-2-klein-4b", ("input_image",), {}),
    ("bfl", "flux.1-kontext-max", BOTH, "/v1/flux-kontext-max", TWO, {}),
    ("fal", "flux.2-pro", ONE, "/fal-ai/flux-2-pro/edit", "image_urls", {}),
    ("fal", "flux.2-klein-9b", BOTH, "/fal-ai/flux-2/klein/9b/edit", "image_urls", {}),
    (
        "fal",
        "flux.2-dev",
        ONE,
        "/fal-ai/flux-2/edit",
        "image_urls",
        {"image_size": {"width": 672, "height": 512}},
    ),
    ("fal", "flux.1-kontext-pro", ONE, "/fal-ai/flux-pro/kontext", ("image_url",), {}),
    ("replicate", "flux.2-max", BOTH, "flux-2-max", "input_images", PNG),
    ("replicate", "flux.2-klein-4b", ONE, "flux-2-klein-4b", "images", PNG),
    ("replicate", "flux.1-kontext-pro", ONE, "flux-kontext-pro", ("input_image",), MATCH),
]  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "model", "images", "path", "fields", "others"),
    WIRES,
    ids=[f"{row[0]} {row[1]}" for row in WIRES],
)
def test_every_provider_gets_images_as_it_takes_them(
    edit, server, provider, model, images, path, fields, others
):
    result = edit(provider, *images, "-m", model)
    assert (result.code, result.err.count("Traceback")) == (0, 0)
    (request,) = server.paid
    if provider == "replicate":
        path = f"/v1/models/black-forest-labs/{path}/predictions"
    assert request.path == path
    body = request.json["input"] if provider == "replicate" else request.json
    is_list = isinstance(fields, str)
    sent = body.pop(fields) if is_list else [body.pop(field) for field in fields]
    assert body == {"prompt": "x", "seed": 7, **others}
    assert [image_in(value).format for value in sent] == ["PNG", "JPEG"][: len(images) // 2]
    assert all(("," in value) != (provider == "bfl") for value in sent)


FLUX_3 = {"prompt", "aspect_ratio", "images"}


def test_flux_3_has_its_own_field(flux, environment, server, work):
    (work / "fox.png").write_bytes(encoded("png", size=SIZE))
    server.on("POST", bfl_task())
    env = environment | {"BFL_API_KEY": KEY}
    line = ("--provider", "bfl", "--base-url", server.origin, "-m", "flux-3-image")
    assert flux("generate", "x", "--image", "fox.png", *line, env=env).code == 0
    body = server.posts[0]
    assert set(body) == FLUX_3
    assert body["aspect_ratio"] == "auto"
    assert image_in(body["images"][0]).format == "PNG"


@pytest.mark.parametrize("provider", ["bfl", "fal", "replicate"])
def test_a_url_is_sent_as_it_is(edit, server, provider):
    url = "https://example.com/fox.png?size=large"
    assert edit(provider, "--image", url, "-m", "flux.2-pro").code == 0
    body = server.posts[0].get("input", server.posts[0])
    sent = body.get("input_image") or (body.get("image_urls") or body.get("input_images"))[0]
    assert sent == url
    assert len(server.paid) == 1


@pytest.mark.parametrize(
    ("provider", "words", "said"),
    [
        ("fal", (*BOTH, "-m", "flux.1-kontext-max"), "at most one image"),
        ("bfl", (*ONE * 9, "-m", "flux.2-klein-4b"), "at most 4 images as input, not 9"),
        ("bfl", ("--image", "small.png", "-m", "flux.2-pro"), "needs 256 pixels a side"),
        ("bfl", ("--image", "huge.png", "-m", "flux.2-pro"), "takes at most 20 megapixels"),
        ("bfl", (*ONE, "--mask", "fox.png", "-m", "flux.2-pro"), "takes no mask"),
    ],
)
def test_what_a_model_does_not_take_costs_nothing(edit, server, work, provider, words, said):
    (work / "small.png").write_bytes(encoded("png", size=(200, 200)))
    Image.new("L", (6000, 5000)).save(work / "huge.png")
    result = edit(provider, *words)
    assert result.code == 2
    assert said in result.err
    assert "hint: " in result.err
    assert server.requests == []


def test_a_hint_can_be_pasted_into_a_shell(edit, flux, work):
    name = "my $HOME's photo.png"
    Image.new("L", (6000, 5000)).save(work / name)
    result = edit("bfl", "--image", name, "-m", "flux.2-pro")
    assert result.code == 2
    hint = result.err.partition("hint: make it smaller: ")[2]
    program, *words = shlex.split(hint)
    assert (program, words[:2]) == ("flux", ["convert", name])
    assert flux(*words, "-o", "smaller.jpg").code == 0
    assert edit("bfl", "--image", "smaller.jpg", "-m", "flux.2-pro").code == 0
    uri = "data:image/png;base64," + base64.b64encode(encoded("png", size=(200, 200))).decode()
    result = edit("bfl", "--image", uri, "-m", "flux.2-pro")
    assert "image 'data URI' is 200x200" in result.err


@pytest.mark.parametrize("model", ["flux.1-kontext-pro", "flux.1-kontext-max"])
@pytest.mark.parametrize("provider", ["fal", "replicate"])
def test_two_images_for_kontext_name_a_model_that_takes_them(edit, server, provider, model):
    """How many images fal takes at its other path for several is not published."""
    result = edit(provider, *BOTH, "-m", model)
    assert result.code == 2
    assert f"{model} at {provider} takes at most one image as input, not 2" in result.err
    assert "hint: use another model: -m flux.2-pro" in result.err
    assert server.requests == []
    assert edit(provider, *BOTH, "-m", "flux.2-pro").code == 0


@pytest.mark.parametrize("name", ["jpeg cmyk", "gif animated", "png animated"])
def test_odd_images_become_png(edit, server, work, name):
    with Image.open(io.BytesIO(IMAGES[name])) as small:
        is_animated = getattr(small, "is_animated", False)
        large = small.convert("RGB").resize(SIZE)
        more = {"save_all": True, "append_images": [large.rotate(90)]} if is_animated else {}
        pixels = large if is_animated else large.convert("CMYK")
        pixels.save(work / "odd", small.format, **more)
    result = edit("fal", "--image", "odd", "-m", "flux.2-pro")
    assert result.code == 0
    sent = image_in(server.posts[0]["image_urls"][0])
    assert (sent.format, sent.mode in ("RGB", "P")) == ("PNG", True)
    assert not getattr(sent, "is_animated", False)


def test_prices_count_every_image(flux, work):
    photo = Image.new("L", (1145, 916))
    photo.save(work / "one.png")
    Image.new("L", (3000, 3000)).save(work / "many.png")

    def price(*names, provider="bfl", model="flux.2-pro"):
        images = [word for name in names for word in ("--image", name)]
        line = ("resolve", "x", *images, "-m", model, "--provider", provider, "-s", "1024x1024")
        return json.loads(flux(*line, "--json").out)["resolved"]["price_usd"]

    assert price("one.png") == pytest.approx(0.03 + 0.015)  # 1145x916 is one megapixel
    assert price("one.png", "one.png") == pytest.approx(0.03 + 2 * 0.015)
    assert price(*["one.png"] * 8) == pytest.approx(0.03 + 8 * 0.015)
    assert price("many.png") == pytest.approx(0.03 + 4 * 0.015)  # larger ones are scaled down
    assert price("one.png", provider="fal", model="flux.2-klein-4b") == pytest.approx(0.02)
    assert price("one.png", model="flux.1-kontext-max") == pytest.approx(0.08)


def test_a_refused_input_is_told_apart_from_a_refused_result(edit):
    for name, said in (
        ("request-moderated", "the prompt or input image"),
        ("content-moderated", "the finished image"),
    ):
        result = edit("bfl", *ONE, "-m", "flux.2-pro", answer=bfl_task(name))
        assert result.code == 5
        assert said in result.err


def test_an_echo_of_the_input_is_not_the_result(edit, work):
    data = base64.b64encode((work / "fox.png").read_bytes()).decode()
    answer = fal_request(image=f"data:image/png;base64,{data}")
    result = edit("fal", *ONE, "-m", "flux.2-pro", answer=answer)
    assert result.code == 1
    assert sorted(path.name for path in work.iterdir()) == ["fox.png", "snow.jpg"]
