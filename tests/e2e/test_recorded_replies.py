"""Replies in the shapes of many servers, kept in tests/replies/openai: every one is understood.

They were written after the servers' documentation and source, not captured. Names of errors begin
with their HTTP status. In images, `{absolute}`, `{relative}`, `{data_uri}` and `{base64}` stand for
what the test serves.
"""

import base64
import json
from pathlib import Path

import pytest
from fakes.gateway import status
from fakes.images import pixels_as
from fakes.messages import reply

pytestmark = pytest.mark.slow

REPLIES = Path(__file__).parents[1] / "replies" / "openai"
PNG = pixels_as("png", 60, 40)
INLINE = base64.b64encode(PNG).decode()

# what each recorded error is for us: code, exit code
MEANINGS = {
    "400-openai-unknown-parameter": ("validation", 1),
    "400-openai-moderation": ("moderation", 5),
    "400-lumenfall-invalid": ("validation", 1),
    "400-lumenfall-moderation": ("moderation", 5),
    "401-lumenfall": ("auth", 4),
    "402-lumenfall-quota": ("payment", 4),
    "402-lumenfall-billing": ("payment", 4),
    "404-lumenfall-model": ("not_found", 1),
    "404-lumenfall-recording": ("not_found", 1),
    "429-lumenfall": ("rate", 1),
    "502-lumenfall": ("provider", 1),
    "500-localai": ("provider", 1),
    "400-stable-diffusion-cpp": ("validation", 1),
    "500-stable-diffusion-cpp": ("provider", 1),
    "422-vllm-omni": ("validation", 1),
    "503-vllm-omni": ("provider", 1),
    "400-sglang": ("validation", 1),
    "401-litellm": ("auth", 4),
}


def recorded(kind: str) -> list[str]:
    return sorted(path.stem for path in (REPLIES / kind).glob("*.json"))


def text_of(kind: str, name: str) -> str:
    return (REPLIES / kind / f"{name}.json").read_text()


@pytest.mark.parametrize("name", recorded("images"))
def test_the_image_of_every_recorded_reply_is_saved_untouched(generate, gateway, name):
    address = gateway.serves("/v1/images/2f0c/content", reply(PNG, content_type="image/png"))
    text = text_of("images", name)
    for mark, value in {
        "absolute": address, "relative": "/v1/images/2f0c/content", "base64": INLINE,
        "data_uri": f"data:image/png;base64,{INLINE}",
    }.items():  # fmt: skip
        text = text.replace(f"{{{mark}}}", value)
    gateway.answers(reply(text))
    result = generate("a red fox", "-o", "fox")
    assert (result.code, result.lines) == (0, ["fox.png"])
    assert Path("fox.png").read_bytes() == PNG


@pytest.mark.parametrize("name", recorded("errors"))
def test_every_recorded_error_has_its_code_and_its_words(generate, gateway, name):
    text = text_of("errors", name)
    gateway.answers(reply(text, int(name[:3])))
    result = generate("a red fox", "--retries", "0", "--json")
    error = result.json["errors"][0]
    assert (error["code"], result.code) == MEANINGS[name]
    assert error["http_status"] == int(name[:3])
    said = json.loads(text)
    message = said.get("message") or said.get("error") or said["detail"]
    if isinstance(message, list):
        message = message[0]["msg"]
    if isinstance(message, dict):
        message = message["message"]
    assert message in result.err


def test_every_recorded_error_has_a_meaning():
    assert sorted(MEANINGS) == recorded("errors")


def test_facts_of_the_gateway_are_read_from_headers_where_the_body_has_none(generate, gateway):
    headers = {"x_lumenfall_provider": "replicate", "x_lumenfall_request_id": "req_header"}
    gateway.answers(reply({"data": [{"b64_json": INLINE}]}, **headers))
    file = generate("a red fox", "--json").json["files"][0]
    assert (file["provider"], file["request_id"]) == ("replicate", "req_header")


def test_the_request_id_of_the_body_serves_where_no_header_has_one(generate, gateway):
    gateway.answers(reply({"id": "req_body", "data": [{"b64_json": INLINE}]}))
    assert generate("a red fox", "--json").json["files"][0]["request_id"] == "req_body"


def test_the_request_id_of_a_failure_is_shown(generate, gateway):
    gateway.answers(status(400, x_request_id="req_42"))
    assert "req_42" in generate("a red fox").err
