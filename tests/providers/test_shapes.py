"""Every provider's answers are read in every shape, at every step of a job."""

import base64
from pathlib import Path

import pytest
from fakes.images import pixels_as
from fakes.messages import reply

pytestmark = pytest.mark.slow

PNG = pixels_as("png", 64, 64)
B64 = base64.b64encode(PNG).decode()
SUBMITS = {
    "bfl": {"id": "job-7", "polling_url": "{origin}/poll"},
    "fal": {
        "request_id": "job-7",
        "status": "IN_QUEUE",
        "status_url": "{origin}/poll",
        "response_url": "{origin}/result",
        "cancel_url": "{origin}/cancel",
    },
    "replicate": {"id": "job-7", "status": "starting", "urls": {"get": "{origin}/poll"}},
}
DONE = {"id": "job-7", "status": "succeeded", "urls": {}}
READY = {"id": "job-7", "status": "Ready"}


@pytest.fixture
def finish(upstream):
    """Answer a job, whose last answer is the given one."""

    def script(provider: str, last: object) -> None:
        upstream.answers(reply(SUBMITS[provider]))
        upstream.serves("/p", reply(PNG, content_type="image/png"))
        upstream.serves("/poll", reply({"status": "COMPLETED"} if provider == "fal" else last))
        upstream.serves("/result", reply(last))

    return script


ENDS = {
    "fal, a list of texts": ("fal", {"images": ["{origin}/p"]}),
    "fal, an object": ("fal", {"image": {"url": "{origin}/p"}}),
    "fal, base64": ("fal", {"images": [{"url": f"data:image/png;base64,{B64}"}]}),
    "fal, the image itself": ("fal", PNG),
    "fal, one of two is flagged": (
        "fal",
        {
            "images": [{"url": "{origin}/q"}, {"url": "{origin}/p"}],
            "has_nsfw_concepts": [True, False],
        },
    ),
    "replicate, an object": ("replicate", {**DONE, "output": {"image": "{origin}/p"}}),
    "replicate, base64": ("replicate", {**DONE, "output": [f"data:image/png;base64,{B64}"]}),
    "replicate, the image itself": ("replicate", PNG),
    "bfl, base64": ("bfl", {**READY, "result": {"image": B64}}),
    "bfl, a list": ("bfl", {**READY, "result": {"samples": ["{origin}/p"]}}),
    "bfl, the image itself": ("bfl", PNG),
}


@pytest.mark.parametrize(("provider", "last"), ENDS.values(), ids=ENDS)
def test_the_image_of_a_finished_job_is_found(ask, finish, upstream, provider, last):
    finish(provider, last)
    result = ask(provider, "-o", "fox.png")
    assert (result.code, len(upstream.posts)) == (0, 1), result.err
    assert Path("fox.png").read_bytes() == PNG


DIRECTLY = {
    "the image itself": PNG,
    "a list of objects": {"images": [{"url": "{origin}/p"}]},
    "base64": {"image": B64},
}


@pytest.mark.parametrize("provider", SUBMITS)
@pytest.mark.parametrize("body", DIRECTLY.values(), ids=DIRECTLY)
def test_an_answer_that_is_no_job_but_has_the_image_is_read(ask, upstream, provider, body):
    upstream.serves("/p", reply(PNG, content_type="image/png"))
    upstream.answers(reply(body))
    assert ask(provider, "-o", "fox.png").code == 0
    assert Path("fox.png").read_bytes() == PNG


REASONS = {
    "fal": {"images": [], "error": "the GPU is on fire"},
    "replicate": {**DONE, "output": None, "error": "the GPU is on fire"},
    "bfl": {**READY, "result": None, "details": {"reason": "the GPU is on fire"}},
}


@pytest.mark.parametrize("provider", REASONS)
def test_a_finished_job_without_an_image_says_why(ask, finish, provider):
    finish(provider, REASONS[provider])
    error = ask(provider, "--json").json["errors"][0]
    assert "the GPU is on fire" in error["message"]
    assert (error["request_id"], error["may_have_been_billed"]) == ("job-7", True)


LAST = {
    "fal": {"made": "of cheese"},
    "replicate": {**DONE, "output": None, "input": {"image": "{origin}/p"}},
    "bfl": {**READY, "result": {"made": "of cheese"}},
}


@pytest.mark.parametrize("provider", LAST)
def test_the_last_answer_of_a_job_is_kept_if_it_is_not_understood(
    ask, finish, upstream, home, provider
):
    finish(provider, LAST[provider])
    result = ask(provider)
    (kept,) = home.rglob("answer1")
    expected = upstream.fill(reply(LAST[provider]).body)
    assert (result.code, kept.read_bytes()) == (1, expected)
    assert f"the answer is kept in {kept}" in result.err
