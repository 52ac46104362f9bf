"""OpenAI's own client against our server: what it answers in other tests is what OpenAI answers."""

import json
import subprocess
from pathlib import Path

import pytest
from fakes.messages import reply
from sample_images import encoded, opened

from real.answers import NAME, drawn, edited, refused
from real.conftest import KEY
from real.programs import PYTHON, installed

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("official_client.py")
REPLIES = Path(__file__).parents[1] / "replies" / "openai"
FOX = {"model": "gpt-image-1", "prompt": "a red fox"}


@pytest.fixture(scope="module")
def python() -> str:
    installed("litellm", PYTHON)  # brings OpenAI's client
    return str(PYTHON / "python")


@pytest.fixture
def ask_client(python, upstream):
    """Send requests with OpenAI's client, one after the other. Returns what became of each."""

    def run(*requests: dict):
        said = {"base_url": f"{upstream.origin}/v1", "key": KEY, "requests": requests}
        done = subprocess.run(
            [python, SCRIPT], input=json.dumps(said), capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return run


def recorded(name: str):
    """A reply from tests/replies, with an image in it."""
    text = (REPLIES / f"{name}.json").read_text()
    text = text.replace("{absolute}", f"{{origin}}{NAME}").replace("{base64}", "aW1hZ2U=")
    number = Path(name).name[:3]
    return reply(text, int(number) if number.isdecimal() else 200)


def test_images_of_our_server_are_images_for_the_client(ask_client, upstream):
    upstream.answers(drawn, drawn, drawn, recorded("images/openai-gpt-image"))
    by_url = FOX | {"response_format": "url"}
    outcomes = ask_client(FOX, by_url, FOX | {"n": 3}, FOX)
    assert [outcome["unknown"] for outcome in outcomes] == 4 * [[]]
    assert [len(outcome["images"]) for outcome in outcomes] == [1, 1, 3, 1]
    assert outcomes[1]["images"][0]["url"] == upstream.origin + NAME
    assert all(image["b64_json"] for image in outcomes[2]["images"])


ERRORS = {
    "BadRequestError": refused(400, "moderation_blocked", "rejected by the safety system"),
    "AuthenticationError": refused(401, "invalid_api_key", "Incorrect API key provided"),
    "NotFoundError": refused(404, "model_not_found", "The model does not exist"),
    "RateLimitError": refused(429, "rate_limit_exceeded", "try again in 2s", retry_after="2"),
    "InternalServerError": refused(500, None, "The server had an error"),
}
RECORDED = ("errors/400-openai-moderation", "errors/400-openai-unknown-parameter")


def test_errors_of_our_server_are_errors_for_the_client(ask_client, upstream):
    upstream.answers(*ERRORS.values(), *map(recorded, RECORDED))
    outcomes = ask_client(*7 * [FOX])
    assert [name for name, *_ in outcomes] == [*ERRORS, "BadRequestError", "BadRequestError"]
    codes = [code for *_, code in outcomes]
    assert codes == [
        "moderation_blocked", "invalid_api_key", "model_not_found", "rate_limit_exceeded", None,
        "moderation_blocked", "unknown_parameter",
    ]  # fmt: skip


SAID = [
    FOX,
    FOX | {"size": "1536x1024", "quality": "high", "background": "transparent"},
    FOX | {"output_format": "jpeg", "output_compression": 60, "moderation": "low"},
    {"model": "dall-e-3", "prompt": "a red fox", "style": "natural", "size": "1792x1024"},
]


def test_flux_and_the_client_send_the_same(ask_client, generate, upstream):
    ask_client(*SAID)
    for said in SAID:
        more = [word for name, value in said.items() for word in ("-p", f"{name}={value}")]
        named = more[4:]  # without model and prompt
        words = ("-m", said["model"], "-o", "fox", "--overwrite", *named)
        result = generate(f"{upstream.origin}/v1", *words, provider="openai.com")
        assert result.code == 0, result.err
    bodies = [request.json for request in upstream.paid]
    assert bodies[:4] == SAID
    assert bodies[4:] == SAID
    first, last = upstream.paid[0], upstream.paid[-1]
    assert first.target == last.target
    for name in ("authorization", "content-type"):
        assert first.headers[name] == last.headers[name]


EDITED = [
    {"image": "fox.png"},
    {"image": ["fox.png", "snow.jpg"]},
    {"image": "fox.png", "mask": "mask.png", "quality": "high"},
    {"image": ["fox.png", "snow.jpg"], "mask": "mask.png", "size": "1536x1024"},
]
# The client sends one image of a list as a list. A file of ours has no name of the user.
IMAGES = {"fox.png": ("png", "RGB"), "snow.jpg": ("jpeg", "RGB"), "mask.png": ("png", "RGBA")}


def test_flux_and_the_client_send_the_same_images(ask_client, flux, upstream, work):
    for name, (file_format, mode) in IMAGES.items():
        (work / name).write_bytes(encoded(file_format, mode, size=(320, 240)))
    mask = opened((work / "mask.png").read_bytes())
    mask.putalpha(mask.getchannel("R"))
    mask.save(work / "mask.png")
    upstream.answers(edited)
    outcomes = ask_client(*(FOX | said for said in EDITED))
    assert [outcome["unknown"] for outcome in outcomes] == 4 * [[]]
    where = ("--provider", "openai.com", "--base-url", f"{upstream.origin}/v1")
    for said in EDITED:
        image, more = said["image"], [("--mask", said["mask"])] if "mask" in said else []
        names = image if isinstance(image, list) else [image]
        more += [("-p", f"{name}={said[name]}") for name in ("quality", "size") if name in said]
        words = [word for pair in more for word in pair]
        line = ("edit", *names, FOX["prompt"], "-m", FOX["model"], *where, *words)
        assert flux(*line, env={"OPENAI_API_KEY": KEY}).code == 0
    theirs, ours = upstream.paid[:4], upstream.paid[4:]
    assert [wire(request) for request in ours] == [wire(request) for request in theirs]
    assert theirs[0].headers["authorization"] == ours[0].headers["authorization"]


def wire(request):
    """What a server sees of a form, in an order of its own."""
    files = [
        (part.name, part.mime, bool(part.file_name), opened(part.data).size)
        for part in request.files
    ]
    kind = request.headers["content-type"].partition(";")[0]
    return request.method, request.target, kind, request.json, sorted(files)
