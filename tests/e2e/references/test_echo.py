"""Answers that are not what was asked for: the input itself, and no transparency."""

import base64

import pytest
from fakes.messages import reply
from fakes.providers import bfl_task, fal_request, replicate_prediction
from fakes.server import Server
from PIL import Image
from sample_images import encoded, image_bytes, opened

PLACES = {"form": ("openai", "gpt-image-2"), "inside": ("fal", "flux.2-pro")}
DIRECT = {"bfl": bfl_task, "fal": fal_request, "replicate": replicate_prediction}
URL = "/kept/fox.png"
SIZE = (400, 300)
RESULT = encoded("jpeg", size=SIZE)


@pytest.fixture
def server():
    with Server() as server:
        yield server


@pytest.fixture(params=PLACES)
def place(request):
    return request.param


@pytest.fixture
def edit(flux, environment, server, place, work):
    (work / "fox.png").write_bytes(encoded("png", size=SIZE))
    (work / "mask.png").write_bytes(encoded("png", "1", size=SIZE))
    provider, model = PLACES[place]

    def run(*words, image="fox.png"):
        where = ("--provider", provider, "--base-url", server.origin, "-m", model, "--no-key")
        line = ("generate", "x", "--image", image, *where, "-o", "made", "--json", *words)
        return flux(*line, env=environment)

    return run


def images_in(request):
    """The images that a request has, and its mask behind them."""
    if request.is_form:
        return [part.data for part in request.files]
    return [base64.b64decode(uri.partition(",")[2]) for uri in request.json["image_urls"]]


def coded(data):
    return base64.b64encode(data).decode()


WAYS = {
    "bare base64": lambda _server, data: {"b64_json": coded(data)},
    "a data URI": lambda _server, data: {"url": f"data:image/png;base64,{coded(data)}"},
    "a URL": lambda server, data: {"url": server.serves(URL, reply(data))},
}


def answering(server, way, *, chosen=0, more=()):
    """Answer a request with one of its own images, and with `more` images behind it."""

    def answer(request):
        item = WAYS[way](server, images_in(request)[chosen])
        items = [item, *({"b64_json": coded(data)} for data in more)]
        return reply({"created": 1, "data": items, "images": items})

    return answer


@pytest.mark.parametrize("way", WAYS)
def test_the_input_itself_is_no_result(edit, server, way, work):
    server.answers(answering(server, way))
    result = edit()
    (error,) = result.json["errors"]
    assert (result.code, error["may_have_been_billed"]) == (1, True), error
    assert result.json["files"] == []
    assert sorted(path.name for path in work.iterdir()) == ["fox.png", "mask.png"]


@pytest.mark.parametrize("way", WAYS)
def test_the_image_beside_the_input_is_the_result(edit, server, way, work):
    server.answers(answering(server, way, more=[RESULT]))
    assert edit().code == 0
    assert (work / "made.jpg").read_bytes() == RESULT


@pytest.mark.parametrize("place", ["form"], indirect=True)
def test_the_mask_itself_is_no_result(edit, server):
    server.answers(answering(server, "bare base64", chosen=1))
    result = edit("--mask", "mask.png")
    assert (result.code, result.json["files"]) == (1, [])


@pytest.mark.parametrize("provider", DIRECT)
def test_a_url_that_the_provider_reads_itself_is_no_result(flux, environment, server, provider):
    url = server.serves(URL, reply(encoded("png", size=SIZE)))
    server.on("POST", DIRECT[provider](image=url))
    where = ("--provider", provider, "--base-url", server.origin, "-m", "flux.2-pro", "--no-key")
    result = flux("generate", "x", "--image", url, *where, "--json", env=environment)
    (error,) = result.json["errors"]
    assert (result.code, error["may_have_been_billed"]) == (1, True), error
    assert "only repeats an image of the request" in error["message"]
    assert result.json["files"] == []


@pytest.mark.parametrize(("alpha", "is_missing"), [(0, False), (255, True)])
@pytest.mark.parametrize("place", ["form"], indirect=True)
def test_a_transparent_background_is_checked(edit, server, alpha, is_missing, work):
    data = image_bytes(Image.new("RGBA", SIZE, (200, 100, 50, alpha)))
    server.answers(reply({"data": [{"b64_json": coded(data)}]}))
    result = edit("--background", "transparent")
    said = ["a transparent background was requested, but the image has none"]
    assert (result.code, result.json["warnings"]) == (0, said if is_missing else [])
    assert server.posts[0]["background"] == "transparent"
    assert opened((work / "made.png").read_bytes()).mode == "RGBA"


@pytest.mark.parametrize("place", ["form"], indirect=True)
def test_a_transparent_jpeg_costs_nothing(edit, server):
    assert edit("-p", "background=transparent", "-f", "jpeg").code == 2
    assert server.requests == []
