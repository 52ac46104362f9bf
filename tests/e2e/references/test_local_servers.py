"""Images as input at servers of one's own: forms with the fields that each of them reads."""

import base64

import pytest
from fakes.gateway import Gateway, status
from fakes.images import pixels_as
from fakes.messages import reply
from sample_images import encoded

SIZE = (320, 240)
ONE = ("--image", "fox.png")
TWO = (*ONE, "--image", "snow.jpg")
TAG = '<sd_cpp_extra_args>{"seed": 7}</sd_cpp_extra_args>'
# What the code of each server reads of a form, beside the images. flux sends nothing else.
READ = {
    "sdcpp": {"prompt", "model", "n", "size", "output_format", "output_compression"},
    "vllm": {"prompt", "model", "n", "size", "response_format", "output_format", "seed"},
    "sglang": {"prompt", "model", "n", "size", "response_format", "output_format", "seed"},
}
PROMPTS = {"sdcpp": f"x {TAG}"}


def strict(read):
    """Makes an image of a form with known fields, and refuses all others."""
    made = base64.b64encode(pixels_as("png", *SIZE)).decode()

    def answer(request):
        texts = {part.name for part in request.form if part.file_name is None}
        files = {part.name for part in request.files}
        if texts - read or files not in ({"image"}, {"image[]"}):
            return status(422, message=f"unknown: {texts - read} {files}")
        return reply({"created": 1, "data": [{"b64_json": made}]})

    return answer


@pytest.fixture
def server():
    with Gateway() as server:
        yield server


@pytest.fixture(autouse=True)
def images(work):
    (work / "fox.png").write_bytes(encoded("png", size=SIZE))
    (work / "snow.jpg").write_bytes(encoded("jpeg", size=SIZE))
    (work / "mask.png").write_bytes(encoded("png", size=SIZE))


@pytest.fixture
def edit(flux, server):
    def run(name, *words):
        if name in READ:
            server.answers(strict(READ[name]))
        return flux("generate", "x", "--provider", name, "--base-url", server.url, *words)

    return run


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("model", ["some-model", "flux.2-dev"])
def test_images_are_files_of_a_form(edit, server, name, model):
    for words, fields in ((ONE, ["image"]), (TWO, ["image[]"] * 2)):
        result = edit(name, *words, "-m", model, "--seed", "7", "-o", f"{len(words)}.webp")
        assert result.code == 0, result.err
        request = server.paid[-1]
        assert request.path == "/openai/v1/images/edits"
        assert [part.name for part in request.files] == fields
        assert request.json["prompt"] == PROMPTS.get(name, "x")
        assert "size" not in request.json  # the first image decides
        assert request.json.get("seed") == (None if name in PROMPTS else 7)


@pytest.mark.parametrize("name", READ)
def test_a_size_is_sent_if_it_is_named(edit, server, name):
    result = edit(name, *ONE, "-m", "some-model", "-s", "512x512", "-n", "2")
    assert result.code == 0, result.err
    assert [post["size"] for post in server.posts] == ["512x512"] * 2
    seeds = {(post["prompt"], post.get("seed")) for post in server.posts}
    assert len(seeds) == 2


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        *((name, (*ONE, "--mask", "mask.png"), "takes no mask") for name in READ),
        ("localai", ONE, "takes no images as input"),
        ("together", ONE, "takes no images as input"),
    ],
)
def test_what_a_server_does_not_take_is_refused_before(edit, server, name, words, said):
    result = edit(name, *words, "-m", "some-model")
    assert (result.code, said in result.err) == (2, True), result.err
    assert server.requests == []
