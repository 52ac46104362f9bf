"""From a prompt to files: what is sent, what is saved, and what JSON says about it."""

import base64
import gzip
import hashlib
import json
from pathlib import Path

import pytest
from fakes.gateway import image
from fakes.images import look, pixels_as
from fakes.messages import redirect, reply

from e2e.conftest import KEY

pytestmark = pytest.mark.slow

FORMATS = {"png": "png", "jpeg": "jpg", "gif": "gif", "webp": "webp", "avif": "avif"}
NATIVE = ("jpeg", "png")


@pytest.mark.parametrize("way", ["url", "b64_json"])
def test_both_response_formats_give_the_same_file(generate, gateway, way):
    result = generate("a red fox", "--seed", "7", "--response-format", way)
    assert (result.code, result.lines) == (0, ["a-red-fox-7.jpg"])
    assert Path("a-red-fox-7.jpg").read_bytes() == pixels_as("jpeg", seed=7)
    assert len(gateway.fetched) == (way == "url")


@pytest.mark.parametrize("sent", ["url", "b64_json"])
def test_what_comes_is_read_whichever_way_was_asked(generate, gateway, sent):
    def other_format(request):
        body = json.dumps(request.json | {"response_format": sent}).encode()
        return image()(request._replace(body=body))

    gateway.answers(other_format)
    other = {"url": "b64_json", "b64_json": "url"}[sent]
    assert generate("a fox", "-o", "fox.jpg", "--response-format", other).code == 0
    assert look("fox.jpg") == ("jpeg", (1024, 1024))


FAL = {"model": "fal/flux1.1-pro-ultra"}  # which alone honors some parameters
BODIES = {
    "nothing but a prompt is one square at 1K, said explicitly": ((), {"size": "1024x1024"}),
    "an aspect ratio becomes the published size": (("-a", "16:9"), {"size": "1365x768"}),
    "an odd ratio becomes the nearest": (("-a", "7:1"), {"size": "1563x670"}),
    "pixels become the nearest published size": (("-s", "1920x1080"), {"size": "1365x768"}),
    "a shape as size": (("-s", "9:16"), {"size": "768x1365"}),
    "a word for a shape": (("-s", "square"), {"size": "1024x1024"}),
    "a word for pixels": (("-s", "1080p"), {"size": "1365x768"}),
    "an aspect ratio that is written with an x": (("-a", "16x9"), {"size": "1365x768"}),
    "size wins over ratio and tier": (
        ("-s", "1254x836", "-a", "1:1", "-r", "4K"),
        {"size": "1254x836"},
    ),
    "a tier the model lacks": (("-r", "4K"), {"size": "1024x1024"}),
    "seed": (("--seed", "7"), {"size": "1024x1024", "seed": 7}),
    "a seed of zero is a seed": (("--seed", "0"), {"size": "1024x1024", "seed": 0}),
    "flags": (
        ("--raw", "--no-enhance-prompt"),
        {**FAL, "size": "1024x1024", "raw": True, "enhance_prompt": False},
    ),
    "tolerance is text, as the gateway declares it": (
        ("--safety-tolerance", "6"),
        {"size": "1024x1024", "safety_tolerance": "6"},
    ),
    "sync mode": (("--sync-mode",), {**FAL, "size": "1024x1024", "sync_mode": True}),
    "response format": (
        ("--response-format", "url"),
        {"size": "1024x1024", "response_format": "url"},
    ),
    "an image prompt and its strength": (
        ("--image-prompt", "https://example.org/a.png", "--image-prompt-strength", "0.4"),
        {
            "model": "replicate/flux1.1-pro-ultra",
            "size": "1024x1024",
            "image_prompt": "https://example.org/a.png",
            "image_prompt_strength": 0.4,
        },
    ),
    "a native format": (("-f", "png"), {"size": "1024x1024", "output_format": "png"}),
    "quality of a native format": (
        ("-f", "jpeg", "-q", "60"),
        {"size": "1024x1024", "output_format": "jpeg", "output_compression": 60},
    ),
    "a format no upstream makes is made here from png": (
        ("-f", "avif"),
        {"size": "1024x1024", "output_format": "png"},
    ),
    "a forced route": (("--route", "fal"), {"size": "1024x1024", "model": "fal/flux1.1-pro-ultra"}),
    "a route as the model's prefix": (
        ("-m", "replicate/flux1.1-pro-ultra"),
        {"size": "1024x1024", "model": "replicate/flux1.1-pro-ultra"},
    ),
    "an alias": (("-m", "flux-pro-1.1-ultra"), {"size": "1024x1024"}),
    "another model has other shapes": (
        ("-m", "flux1.1-pro", "-a", "21:9"),
        {"size": "1365x768", "model": "flux1.1-pro"},
    ),
    "n is ours, never the dialect's": (("-n", "1"), {"size": "1024x1024"}),
}


@pytest.mark.parametrize(("options", "rest"), BODIES.values(), ids=BODIES)
def test_exactly_this_body_is_sent(generate, gateway, options, rest):
    assert generate("a fox", *options).code == 0
    (sent,) = without_drawn_seeds(gateway, rest)
    assert sent == {"model": "flux1.1-pro-ultra", "prompt": "a fox", **rest}


def without_drawn_seeds(gateway, said):
    """The bodies that were sent, without the seeds that flux drew because `said` has none."""
    bodies = [dict(body) for body in gateway.posts]
    if "seed" not in said:
        assert all(0 < body.pop("seed") < 2**31 for body in bodies)
    return bodies


TYPES = {
    "guidance=3.5": {"guidance": 3.5},
    "steps=30": {"steps": 30},
    "hd=true": {"hd": True},
    "nothing=null": {"nothing": None},
    "style=vivid": {"style": "vivid"},
    'style="3"': {"style": "3"},
    "loras=[1, 2]": {"loras": [1, 2]},
    'extra={"a": {"b": 1}}': {"extra": {"a": {"b": 1}}},
    "formula=a=b": {"formula": "a=b"},
    "empty=": {"empty": ""},
    "broken={": {"broken": "{"},
    "nan=NaN": {"nan": "NaN"},
    "seed=7": {"seed": 7},
    "safety_tolerance=2": {"safety_tolerance": "2"},
    "image-url=https://example.org/x": {"image_url": "https://example.org/x"},
}


@pytest.mark.parametrize(("pair", "sent"), TYPES.items(), ids=TYPES)
def test_unknown_parameters_pass_typed_as_json_where_they_parse(generate, gateway, pair, sent):
    assert generate("a fox", "-p", pair).code == 0
    assert without_drawn_seeds(gateway, sent) == [
        {"model": "flux1.1-pro-ultra", "prompt": "a fox", "size": "1024x1024", **sent}
    ]


def test_a_model_nobody_knows_gets_every_parameter_unchecked_and_no_size_of_ours(generate, gateway):
    options = (
        "-m",
        "nano-banana-9",
        "-s",
        "auto",
        "-a",
        "weird",
        "--seed",
        "7",
        "--safety-tolerance",
        "99",
        "-n",
        "2",
    )
    result = generate("a fox", *options, "-o", "{index}")
    assert result.code == 0
    sent = {
        "model": "nano-banana-9",
        "prompt": "a fox",
        "size": "auto",
        "aspect_ratio": "weird",
        "seed": 7,
        "safety_tolerance": "99",
    }
    assert sorted(gateway.posts, key=lambda body: body["seed"]) == [sent, {**sent, "seed": 8}]
    assert "not in the catalog" in result.err


def test_a_near_miss_of_a_known_model_asks_whether_it_was_meant(generate):
    assert "did you mean flux1.1-pro-ultra?" in generate("a fox", "-m", "flux1.1-pro-utlra").err


def test_the_key_goes_with_the_post_and_with_nothing_else(generate, gateway, other):
    image = pixels_as("jpeg")
    away = other.serves("/deep/image.jpg", reply(image, content_type="image/jpeg"))
    home = gateway.serves("/moved.jpg", redirect(away))
    gateway.answers(reply({"data": [{"url": home}]}))
    assert generate("a fox", "-o", "fox.jpg").code == 0
    seen = [
        (request.method, request.path, request.headers.get("authorization"))
        for request in gateway.requests + other.requests
    ]
    assert seen == [
        ("POST", "/openai/v1/images/generations", f"Bearer {KEY}"),
        ("GET", "/moved.jpg", None),
        ("GET", "/deep/image.jpg", None),
    ]
    assert not any(KEY in str(request) for request in gateway.requests[1:] + other.requests)


def test_the_request_says_who_asks_and_sends_json(generate, gateway):
    generate("a fox")
    headers = gateway.requests[0].headers
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("flux-image-cli")


@pytest.mark.parametrize("option", [False, True])
def test_base_url_reaches_any_compatible_server(flux, gateway, option):
    words_ = ("--base-url", gateway.url + "/") if option else ()
    variable = {} if option else {"FLUX_BASE_URL": gateway.url}
    result = flux(
        "generate",
        "a fox",
        "-o",
        "fox.jpg",
        "--json",
        *words_,
        env={"FLUX_API_KEY": KEY, "LUMENFALL_API_KEY": "lmnfl_of-the-gateway", **variable},
    )
    assert result.code == 0
    assert result.json["provider"] == "openai"
    assert gateway.requests[0].path == "/openai/v1/images/generations"
    assert gateway.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_no_key_sends_no_authorization_and_needs_no_variable(flux, gateway):
    result = flux("generate", "a fox", "-o", "fox.jpg", "--base-url", gateway.url, "--no-key")
    assert (result.code, result.lines) == (0, ["fox.jpg"])
    assert "authorization" not in gateway.requests[0].headers


def test_no_key_wins_over_a_key_in_the_environment(generate, gateway):
    assert generate("a fox", "--no-key").code == 0
    assert "authorization" not in gateway.requests[0].headers


@pytest.mark.parametrize("wanted", FORMATS)
def test_every_format_is_what_its_suffix_says(generate, wanted):
    name = f"fox.{FORMATS[wanted]}"
    result = generate("a fox", "-a", "3:2", "-o", name)
    assert (result.code, result.lines) == (0, [name])
    assert look(name) == (wanted, (1254, 836))


@pytest.mark.parametrize("came", FORMATS)
@pytest.mark.parametrize("wanted", FORMATS)
def test_any_image_becomes_any_format_and_what_already_is_right_is_saved_untouched(
    generate, gateway, came, wanted
):
    data = pixels_as(came, 300, 200)
    gateway.answers(image(data))
    result = generate("a fox", "-f", wanted, "-o", "fox", "--json")
    path = Path(result.json["files"][0]["path"])
    assert look(path) == (wanted, (300, 200))
    same = hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(data).digest()
    assert same == result.json["files"][0]["as_received"] == (came == wanted)


@pytest.mark.parametrize("came", FORMATS)
def test_without_a_format_an_image_keeps_its_bytes_and_gets_the_suffix_of_its_true_type(
    generate, gateway, came
):
    data = pixels_as(came, 300, 200)
    gateway.answers(image(data, name="{id}.jpg"))
    result = generate("a fox", "--seed", "1")
    assert (result.code, result.lines) == (0, [f"a-fox-1.{FORMATS[came]}"])
    assert Path(result.lines[0]).read_bytes() == data


def test_png_bytes_under_a_jpg_address_become_a_real_jpeg_where_a_jpg_was_asked(generate, gateway):
    gateway.answers(image(pixels_as("png", 300, 200), name="{id}.jpg"))
    assert generate("a fox", "-o", "x.jpg").code == 0
    assert look("x.jpg") == ("jpeg", (300, 200))


def test_quality_changes_the_size_of_what_is_encoded_here(generate, gateway):
    gateway.answers(image(pixels_as("png", 600, 400)))

    def size_at(quality: int) -> int:
        name = f"{quality}.webp"
        (file,) = generate("a fox", "-o", name, "-q", str(quality), "--json").json["files"]
        assert file["bytes"] == Path(name).stat().st_size
        return file["bytes"]

    assert size_at(5) < size_at(95)


def test_several_images_in_one_answer_are_all_saved(generate, gateway):
    first = gateway.serves("/1", reply(pixels_as("jpeg"), content_type="image/jpeg"))
    second = gateway.serves("/2", reply(pixels_as("png"), content_type="image/jpeg"))
    gateway.answers(reply({"data": [{"url": first}, {"url": second}]}))
    result = generate("a fox", "-o", "fox")
    assert (result.code, sorted(result.lines)) == (0, ["fox-2.png", "fox.jpg"])
    assert [look(path)[0] for path in ("fox.jpg", "fox-2.png")] == ["jpeg", "png"]


def test_json_says_everything_about_a_run(generate, gateway):
    gateway.answers(image(pixels_as("jpeg", 2752, 1536)))
    result = generate("a fox", "-s", "1920x1080", "-n", "2", "--seed", "7", "--json")
    document = result.json
    assert list(document) == [
        "schema", "status", "exit_code", "run", "provider", "hosted", "request", "resolved",
        "notes", "files", "skipped", "outdated", "errors", "warnings", "canceled_jobs", "cost_usd",
        "known_cost_usd", "seconds",
    ]  # fmt: skip
    assert (document["schema"], document["status"], document["exit_code"]) == (1, "ok", 0)
    assert (document["provider"], document["hosted"], document["cost_usd"]) == (
        "lumenfall",
        True,
        0.12,
    )
    assert (document["known_cost_usd"], 0 < document["seconds"] < 60) == (0.12, True)
    assert (document["skipped"], document["errors"]) == ([], [])
    assert document["request"]["prompt"] == "a fox"
    assert document["request"]["size"] == "1920x1080"
    assert document["resolved"]["size"] == "1365x768"
    assert document["resolved"]["seed"] == 7
    assert {note["parameter"] for note in document["notes"]} >= {"size", "seed", "n"}
    assert all(
        set(note) >= {"parameter", "asked", "used", "behavior", "reason"}
        for note in document["notes"]
    )
    for index, file in enumerate(document["files"], 1):
        data = Path(file["path"]).read_bytes()
        assert file.pop("seconds") >= 0
        assert file == {
            "path": f"a-fox-{6 + index}.jpg", "index": index, "seed": 6 + index, "format": "jpeg",
            "bytes": len(data), "requested_size": "1920x1080", "nominal_size": "1365x768",
            "received_size": "2752x1536", "width": 2752, "height": 1536, "as_received": True,
            "quality": None, "variant": None, "provider": "fal", "request_id": "req_1",
            "cost_usd": 0.06, "revised_prompt": "revised",
        }  # fmt: skip


def test_what_was_asked_stands_in_json_as_it_was_typed_but_numbers_as_numbers(generate):
    asked = generate(
        "a fox",
        "-a",
        "297:210",
        "--raw",
        "-p",
        "guidance=3.5",
        "-f",
        "webp",
        "-q",
        "70",
        "-n",
        "2",
        "--json",
    )
    assert asked.json["request"] == {
        "prompt": "a fox", "model": "flux1.1-pro-ultra", "route": None, "n": 2,
        "aspect_ratio": "297:210", "raw": True, "guidance": 3.5, "output_format": "webp",
        "output_compression": 70,
    }  # fmt: skip


def test_an_image_of_any_reported_cost_or_none_is_no_trouble(generate, gateway):
    known = {"0.06": 0.06}
    for cost in (None, "0.06", "six cents", -1, True):
        gateway.answers(image(cost=cost))
        result = generate("a fox", "--json")
        assert (result.code, result.json["cost_usd"]) == (0, known.get(cost))


def test_the_seed_the_provider_used_is_reported(generate, gateway):
    gateway.answers(image(seed=424242))
    assert generate("a fox", "--json").json["files"][0]["seed"] == 424242


IMAGE_PROMPTS = {
    "an address": ("https://example.org/guide.png", "https://example.org/guide.png"),
    "a data URI": ("data:image/png;base64,iVBORw0KGgo=", "data:image/png;base64,iVBORw0KGgo="),
}


@pytest.mark.parametrize(("given", "sent"), IMAGE_PROMPTS.values(), ids=IMAGE_PROMPTS)
def test_an_image_prompt_by_address_is_sent_as_given(generate, gateway, given, sent):
    assert generate("a fox", "--image-prompt", given).code == 0
    assert gateway.posts[0]["image_prompt"] == sent


@pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "webp"])
@pytest.mark.parametrize("spelling", ["--image-prompt={}", "-pimage_prompt={}"])
def test_a_local_image_prompt_is_sent_as_a_data_uri(generate, gateway, tmp_path, kind, spelling):
    path = tmp_path / "guide with blank.bin"
    path.write_bytes(pixels_as(kind, 40, 30))
    assert generate("a fox", spelling.format(path)).code == 0
    assert gateway.posts[0]["image_prompt"].startswith(f"data:image/{kind};base64,")


def test_an_unknown_model_takes_image_prompts_from_files_too(generate, gateway, tmp_path):
    path = tmp_path / "guide.png"
    path.write_bytes(pixels_as("png", 40, 30))
    assert generate("a fox", "-m", "unheard-of", "--image-prompt", path).code == 0
    assert gateway.posts[0]["image_prompt"].startswith("data:image/png;base64,")


def test_a_parameter_only_one_upstream_honors_selects_it_and_says_so(generate):
    said = "note: route fal: only fal honors enhance_prompt"
    assert said in generate("a fox", "--enhance-prompt").err
    assert said not in generate("a fox", "--enhance-prompt", "--route", "fal").err


def test_a_long_prompt_warns_and_is_sent_whole(generate, gateway):
    prompt = "fox " * 5000
    result = generate(prompt.strip())
    assert result.code == 0
    assert "longer than 1,000 characters" in result.err
    assert gateway.posts[0]["prompt"] == prompt.strip()


def test_an_answer_may_be_compressed(generate, gateway):
    plain = reply({"data": [{"b64_json": base64.b64encode(pixels_as("png", 20, 20)).decode()}]})
    gateway.answers(reply(gzip.compress(plain.body), content_encoding="gzip"))
    assert generate("a fox", "-o", "fox.png").code == 0
    assert look("fox.png") == ("png", (20, 20))
