"""What servers say about an answer without an image is found wherever they say it."""

import json

import pytest

from flux_cli.core.errors import AuthError, ModerationError
from flux_cli.core.outcome import Reply
from flux_cli.providers.missing import UnreadableError, no_image_error
from flux_cli.providers.reading.reasons import find_reason

SAID = {
    "message": ({"message": "no GPU"}, "no GPU"),
    "error as text": ({"images": [], "error": "no GPU"}, "no GPU"),
    "error as an object": ({"error": {"message": "no GPU", "code": 5}}, "no GPU"),
    "detail": ({"detail": "no GPU"}, "no GPU"),
    "MiniMax": ({"data": None, "base_resp": {"status_code": 1026, "status_msg": "no GPU"}}, "no GPU"),
    "Qianfan": ({"message": "success", "data": {"task_status_msg": "no GPU"}}, "no GPU"),
    "a list": ([{"error": {"message": "no GPU"}}], "no GPU"),
    "Cloudflare": ({"success": False, "errors": [{"code": 1, "message": "no GPU"}]}, "no GPU"),
    "Gemini": ({"candidates": [{"content": {"parts": [{"text": "no GPU"}]}}]}, "no GPU"),
    "Gemini, blocked": ({"promptFeedback": {"blockReason": "SAFETY"}}, "SAFETY"),
    "in an item": ({"data": [{"url": None, "error": "no GPU"}]}, "no GPU"),
    "the error before the message": ({"message": "done", "note": 1, "error": "no GPU"}, "no GPU"),
    "the outer before the inner": ({"message": "no GPU", "data": {"error": "x"}}, "no GPU"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "said"), SAID.values(), ids=SAID)
def test_the_reason_of_a_server_is_found(body, said):
    assert find_reason(body).message == said


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"candidates": [{"content": {}, "finishReason": "IMAGE_SAFETY"}]}, ModerationError),
        ({"candidates": [{"finishReason": "IMAGE_PROHIBITED_CONTENT"}]}, ModerationError),
        ({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, ModerationError),
        (
            {
                "predictions": [
                    {"raiFilteredReason": "Filtered out because they violated guidelines"}
                ]
            },
            ModerationError,
        ),
        ({"data": [{"is_image_safe": False, "url": None, "seed": 1}]}, ModerationError),
        ({"data": [{"url": "", "respect_moderation": False}]}, ModerationError),
        (
            {"base_resp": {"status_code": 1027, "status_msg": "output new_sensitive"}},
            ModerationError,
        ),
        ({"base_resp": {"status_code": 1004, "status_msg": "login fail: no key"}}, AuthError),
        ({"data": [{"is_image_safe": True, "url": None}], "message": "no"}, UnreadableError),
        ({"candidates": [{"finishReason": "MAX_TOKENS"}]}, UnreadableError),
    ],
)
def test_a_refusal_under_a_good_status_is_a_refusal(body, kind):
    reply = Reply(200, {}, json.dumps(body).encode())
    assert type(no_image_error(reply, body, None)) is kind


def test_a_prompt_in_a_reason_is_no_refusal():
    body = {"data": [], "message": "no worker could draw 'insufficient credits'"}
    reply = Reply(200, {}, json.dumps(body).encode(), texts=("insufficient credits",))
    assert type(no_image_error(reply, body, None)) is UnreadableError


def test_a_code_beside_the_reason_comes_with_it():
    assert find_reason({"info": {"code": "moderated", "message": "no"}}).code == "moderated"
    assert find_reason({"code": 200, "message": "no"}).code == ""


@pytest.mark.parametrize(
    "body",
    [
        None, 5, "x", {}, {"data": []}, {"message": "Success."}, {"code": 0, "msg": "OK"},
        {"input": {"text": "a fox"}}, {"error": None}, {"message": ["a"]},
    ],
)  # fmt: skip
def test_nothing_is_no_reason(body):
    assert find_reason(body) is None
