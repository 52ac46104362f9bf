"""Servers that speak the OpenAI Images API with an accent, and the table of all providers."""

import base64
import time
from pathlib import Path

import pytest
from fakes.gateway import Gateway, status, together
from fakes.images import pixels_as
from fakes.messages import reply

from flux_cli.providers.rows import ROWS
from flux_cli.runs.saving.twins import Twins

pytestmark = pytest.mark.slow

IMAGE = pixels_as("png", 64, 64)
B64 = base64.b64encode(IMAGE).decode()
JPEG = base64.b64encode(pixels_as("jpeg", 64, 64)).decode()
VARIABLES = {"together": "TOGETHER_API_KEY", "openai.com": "OPENAI_API_KEY"}


@pytest.fixture
def server():
    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def ask(flux, server):
    """Run `flux generate` for a model nobody knows against a kind of server."""

    def run(name, *more, env=None):
        keys = {VARIABLES[name]: "k-123456789"} if name in VARIABLES else {}
        line = [
            "generate",
            "a fox",
            "-m",
            "some-model",
            "--provider",
            name,
            "--base-url",
            server.url,
        ]
        return flux(*line, *more, env=keys | (env or {}))

    return run


BODIES = [
    ("openai.com", ["-a", "16:9", "-f", "webp"], {"size": "1360x768"}),
    ("openai.com", ["--response-format", "b64_json"], {}),
    ("localai", ["-s", "512x512", "-f", "jpeg"], {"size": "512x512"}),
    (
        "sdcpp",
        ["--seed", "7"],
        {"prompt": 'a fox <sd_cpp_extra_args>{"seed": 7}</sd_cpp_extra_args>', "seed": None},
    ),
    ("together", ["-s", "512x768", "--no-seed"], {"width": 512, "height": 768, "size": None}),
    ("together", ["--response-format", "b64_json", "--no-seed"], {"response_format": "base64"}),
    ("vllm", ["--response-format", "url", "--no-seed"], {"response_format": "b64_json"}),
    ("sglang", ["--seed", "7"], {"seed": 7}),
]


@pytest.mark.parametrize(("name", "said", "sent"), BODIES)
def test_each_kind_of_server_is_asked_in_its_own_words(ask, server, name, said, sent):
    server.answers(reply({"data": [{"b64_json": B64}]}))
    assert ask(name, *said).code == 0
    body = server.posts[0]
    expected = {"model": "some-model", "prompt": "a fox"} | sent
    assert body == {key: value for key, value in expected.items() if value is not None}


@pytest.mark.parametrize("name", ["together", "vllm"])
def test_a_server_that_takes_a_seed_gets_one_that_is_recorded(ask, server, name):
    server.answers(reply({"data": [{"b64_json": B64}]}))
    (file,) = ask(name, "--json").json["files"]
    assert file["seed"] == server.posts[0]["seed"]


def test_a_server_whose_default_is_one_seed_always_gets_another(ask, server):
    server.answers(reply({"data": [{"b64_json": B64}]}))
    assert ask("sglang", "-n", "3").code == 0
    assert len({post["seed"] for post in server.posts}) == 3


@pytest.mark.parametrize("name", ["sdcpp", "localai"])
def test_a_server_that_makes_one_image_at_a_time_is_asked_for_one(ask, server, name):
    server.answers(lambda _request: time.sleep(0.1) or reply({"data": [{"b64_json": B64}]}))
    assert ask(name, "-n", "3").code == 0
    assert (len(server.posts), server.most_at_once) == (3, 1)


def test_it_is_asked_for_more_at_once_if_the_user_says_so(ask, server):
    server.answers(together(2, reply({"data": [{"b64_json": B64}]})))
    assert ask("sdcpp", "-n", "2", "--concurrency", "2").code == 0
    assert server.most_at_once == 2


def test_sdcpp_draws_with_another_seed_each_time(ask, server):
    server.answers(reply({"data": [{"b64_json": B64}]}))
    assert ask("sdcpp", "-n", "3").code == 0
    assert len({post["prompt"] for post in server.posts}) == 3


def test_images_that_are_the_same_are_named(ask, server):
    """Whatever the server: one that ignores the seed makes several images for nothing."""
    other = base64.b64encode(pixels_as("png", 32, 32)).decode()
    server.answers(*(reply({"data": [{"b64_json": data}]}) for data in (B64, other, B64)))
    result = ask("openai", "-n", "3", "--concurrency", "1", "-o", "x.png", "--no-key")
    said = "2 images are identical, byte for byte: x-1.png, x-3.png"
    assert (result.code, said in result.err) == (0, True)
    result = ask("openai", "-n", "2", "-o", "y.png", "--json", "--no-key")
    assert "2 images are identical" in " ".join(result.json["warnings"])


def test_images_that_are_the_same_are_named_in_order():
    twins = Twins()
    for number in (10, 2, 1):  # as they happened to arrive
        twins.add(b"mark", number, f"x-{number}.png")
    assert twins.remarks == ("3 images are identical, byte for byte: x-1.png, x-2.png, x-10.png",)


REPLIES = {
    "Together, without created": {
        "id": "x",
        "object": "list",
        "data": [{"index": 0, "type": "b64_json", "b64_json": B64}],
    },
    "stable-diffusion.cpp": {"created": 1, "output_format": "png", "data": [{"b64_json": B64}]},
    "vLLM": {"created": 1, "data": [{"b64_json": B64, "url": None, "revised_prompt": None}]},
    "LocalAI": {
        "id": "x",
        "created": 1,
        "data": [{"index": 0, "b64_json": B64}],
        "usage": {"total_tokens": 0},
    },
    "a reseller": {
        "images": [
            {"url": f"data:image/png;base64,{B64}", "width": 64, "content_type": "image/png"}
        ]
    },
}


@pytest.mark.parametrize("body", REPLIES.values(), ids=REPLIES)
def test_every_shape_of_answer_is_read(ask, server, body):
    server.answers(reply(body))
    result = ask("openai", "--no-key", "-o", "fox")
    assert (result.code, result.lines) == (0, ["fox.png"])


ERRORS = {
    "LocalAI, a number as code": (
        500,
        {"error": {"message": "model is busy", "code": 500, "type": ""}},
        "model is busy",
    ),
    "LocalAI, opaque": (500, b"", "gave no reason"),
    "stable-diffusion.cpp": (400, {"error": "prompt required"}, "prompt required"),
    "FastAPI, text": (503, {"detail": "not initialized"}, "not initialized"),
    "FastAPI, list": (
        422,
        {"detail": [{"loc": ["body", "size"], "msg": "bad", "type": "x"}]},
        "body.size: bad",
    ),
    "OpenAI": (
        400,
        {"error": {"message": "Unknown parameter", "code": "unknown_parameter", "param": "x"}},
        "Unknown",
    ),
}


@pytest.mark.parametrize(("number", "body", "says"), ERRORS.values(), ids=ERRORS)
def test_every_shape_of_error_is_read(ask, server, number, body, says):
    server.answers(reply(body, number))
    result = ask("openai", "--no-key", "--retries", "0")
    assert (result.code, says in result.err) == (1, True), result.err


def test_what_a_server_did_otherwise_is_said(ask, server):
    server.answers(reply({"data": [{"b64_json": B64, "seed": 1024}]}))
    result = ask("openai", "--no-key", "-s", "512x512", "--seed", "7", "-o", "fox.png", "--json")
    assert "fox.png: the server made 64x64, not 512x512" in result.err
    assert "fox.png: the server used seed 1024, not 7" in result.err
    assert result.json["warnings"] == [
        "fox.png: the server used seed 1024, not 7", "fox.png: the server made 64x64, not 512x512",
    ]  # fmt: skip


def test_what_a_server_has_no_word_for_is_refused_before_anything_is_sent(ask, server):
    for name, option in (
        ("openai.com", "--seed"),
        ("localai", "--resolution"),
        ("openai.com", "--safety-tolerance"),
    ):
        result = ask(name, option, "1")
        assert (result.code, server.requests) == (2, [])
        assert option in result.err


@pytest.mark.parametrize("name", ["openai", "openai.com"])
@pytest.mark.parametrize(
    ("words", "file", "quality"),
    [
        (("-o", "fox.png"), "fox.png", None),
        (("-o", "fox.webp"), "fox.webp", None),
        (("-o", "fox", "-f", "avif"), "fox.avif", None),
        (("-o", "fox.jpg"), "fox.jpg", None),
        (("-o", "fox.jpg", "-q", "5"), "fox.jpg", 5),
        (("-o", "fox", "-q", "5"), "fox.jpg", 5),
    ],
)
def test_what_flux_can_do_itself_is_not_sent(ask, server, name, words, file, quality):
    """Format and quality, also where the image arrives in the format that was asked for."""
    server.answers(reply({"data": [{"b64_json": JPEG}]}))
    result = ask(name, *words, env={"FLUX_API_KEY": "k-123456789"})
    assert (result.code, result.lines) == (0, [file]), result.err
    assert server.posts == [{"model": "some-model", "prompt": "a fox"}]
    is_received = Path(file).read_bytes() == base64.b64decode(JPEG)
    assert is_received == (file == "fox.jpg" and quality is None)


def test_what_is_named_is_sent(ask, server):
    server.answers(reply({"data": [{"b64_json": JPEG}]}))
    named = ("-p", "output_format=jpeg", "-p", "output_compression=5")
    result = ask("openai", *named, "-o", "fox", "--no-key")
    assert (result.code, result.lines) == (0, ["fox.jpg"]), result.err
    assert server.posts[0]["output_format"] == "jpeg"
    assert server.posts[0]["output_compression"] == 5
    assert Path("fox.jpg").read_bytes() == base64.b64decode(JPEG)


def test_people_add_providers_of_their_own(flux, server, home):
    folder = home / ".config" / "flux-image-cli"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(
        f'[providers.mine]\nbase_url = "{server.url}"\nkey = "MINE_KEY"\nserver = "together"\n'
    )
    server.answers(reply({"data": [{"b64_json": B64}]}))
    line = ["generate", "a fox", "--provider", "mine", "-m", "x", "-s", "64x64", "--no-seed"]
    assert flux(*line).code == 4
    result = flux(*line, env={"MINE_KEY": "k-mine-123456"})
    assert result.code == 0, result.err
    assert server.posts[0] == {"model": "x", "prompt": "a fox", "width": 64, "height": 64}
    assert server.requests[0].headers["authorization"] == "Bearer k-mine-123456"
    (folder / "config.toml").write_text(
        '[providers.mine]\nbase_url = "http://x"\nserver = "togeter"\n'
    )
    wrong = flux(*line)
    assert (wrong.code, "did you mean together?" in wrong.err) == (2, True)


def test_a_server_error_is_not_taken_for_an_image(ask, server):
    server.answers(status(200))
    assert ask("openai", "--no-key").code == 1


# --- flux providers -------------------------------------------------------------------------------


def test_all_providers_are_listed_with_key_address_and_price(flux):
    result = flux("providers", env={"BFL_API_KEY": "k-123456789"})
    rows = {line.split()[0]: line for line in result.lines[1:]}
    assert set(rows) == set(ROWS)
    assert "BFL_API_KEY (set)" in rows["bfl"]
    assert "FAL_KEY (not set)" in rows["fal"]
    assert "0.06" in rows["replicate"]
    assert "unknown" in rows["together"]
    assert "k-123456789" not in result.out


def test_one_provider_says_what_becomes_of_every_parameter(flux):
    (document,) = flux("providers", "bfl", "--json").json["providers"]
    assert document["parameters"]["enhance_prompt"] == {
        "behavior": "renamed", "field": "prompt_upsampling", "reason": None,
    }  # fmt: skip
    assert document["parameters"]["sync_mode"]["behavior"] == "unsupported"
    assert (document["key_set"], document["price_usd"], document["images_per_request"]) == (
        False,
        0.06,
        1,
    )
    (model,) = flux("models", "flux1.1-pro-ultra", "--json").json["models"]
    assert document["parameters"].keys() == model["parameters"].keys()


def test_an_unknown_provider_suggests_the_nearest(flux):
    result = flux("providers", "replcate")
    assert (result.code, "did you mean replicate?" in result.err) == (2, True)
