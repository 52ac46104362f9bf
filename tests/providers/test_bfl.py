"""BFL directly: submit, poll, download from the addresses BFL names, and nothing twice."""

import base64
import errno
import os
from pathlib import Path

import pytest
from fakes.gateway import by_seed, status
from fakes.images import look, pixels_as
from fakes.messages import Reply, redirect, reply
from fakes.providers import CHOSEN_SEED, KEY, SMALL, bfl_task, recorded, recorded_names
from fakes.server import hang_up
from fakes.steps import hold

from flux_cli.core.errors import ModerationError, NetworkError, NotFoundError, ProviderError
from flux_cli.images.containers.registry import inspect

pytestmark = pytest.mark.slow

POLL = "GET /v1/get_result?id=job-7"
IMAGE = "GET /delivery/job-7.jpeg"
SUBMIT = "POST /v1/flux-pro-1.1-ultra"


# --- the good way ---------------------------------------------------------------------------------


def test_submit_poll_and_download(ask, upstream):
    upstream.answers(bfl_task("pending", "ready"))
    result = ask(
        "bfl", "-a", "16:9", "--seed", "7", "--raw", "--safety-tolerance", "6", "-o", "fox.jpg"
    )
    assert (result.code, result.lines) == (0, ["fox.jpg"])
    assert look(Path("fox.jpg")) == ("jpeg", SMALL)
    assert upstream.log == [SUBMIT, POLL, POLL, IMAGE]
    submit = upstream.requests[0]
    assert submit.json == {
        "prompt": "a red fox", "aspect_ratio": "16:9", "raw": True, "safety_tolerance": 6,
        "seed": 7, "output_format": "jpeg",
    }  # fmt: skip
    assert submit.headers["content-type"] == "application/json"


def test_the_key_goes_with_submit_and_polls_under_bfl_s_own_header_and_not_to_the_delivery(
    ask, upstream
):
    upstream.answers(bfl_task("pending", "ready"))
    ask("bfl", "--seed", "7")
    *asked, delivery = upstream.requests
    assert [one.headers["x-key"] for one in asked] == [KEY] * 3
    assert all("authorization" not in one.headers for one in upstream.requests)
    assert "x-key" not in delivery.headers
    assert all(KEY not in value for value in delivery.headers.values())


def test_a_plain_request_names_its_shape_and_nothing_else(ask, upstream):
    upstream.answers(bfl_task())
    assert ask("bfl", "--no-seed").code == 0
    assert upstream.requests[0].json == {"prompt": "a red fox", "aspect_ratio": "1:1"}


def test_every_option_in_bfl_s_own_words(ask, upstream):
    """A local image goes as bare base64. What BFL cannot do is done locally afterward."""
    data = pixels_as("png", 20, 20)
    Path("guide.png").write_bytes(data)
    upstream.answers(bfl_task())
    result = ask(
        "bfl", "--size", "1200x630", "--seed", "7", "--no-raw", "--enhance-prompt",
        "--image-prompt", "guide.png", "--image-prompt-strength", "0.5", "--safety-tolerance", "0",
        "--response-format", "b64_json", "-f", "webp", "-q", "80", "-o", "fox",
    )  # fmt: skip
    assert (result.code, result.lines) == (0, ["fox.webp"])
    assert look(Path("fox.webp")) == ("webp", SMALL)
    assert upstream.requests[0].json == {
        "prompt": "a red fox",
        "aspect_ratio": "40:21",
        "seed": 7,
        "raw": False,
        "prompt_upsampling": True,
        "image_prompt": base64.b64encode(data).decode(),
        "image_prompt_strength": 0.5,
        "safety_tolerance": 0,
        "output_format": "png",
    }


def test_three_images_have_seeds_of_their_own_and_keep_their_order(ask, upstream):
    """Each file is the image of its seed, although the first is ready last."""
    upstream.answers(by_seed({7: bfl_task("pending", "ready")}, otherwise=bfl_task("ready")))
    document = ask("bfl", "-n", "3", "--seed", "7", "-f", "png", "--json").json
    assert sorted(request.json["seed"] for request in upstream.paid) == [7, 8, 9]
    files = document["files"]
    assert [(file["path"], file["seed"], file["request_id"]) for file in files] == [
        ("a-red-fox-7.png", 7, "job-7"),
        ("a-red-fox-8.png", 8, "job-8"),
        ("a-red-fox-9.png", 9, "job-9"),
    ]
    for seed in (7, 8, 9):
        assert Path(f"a-red-fox-{seed}.png").read_bytes() == pixels_as("png", *SMALL, seed)
    for body in upstream.posts:
        assert "num_images" not in body
        assert "n" not in body


def test_a_partial_failure_keeps_the_good_ones_and_says_which_failed(ask, upstream):
    upstream.answers(by_seed({8: bfl_task("request-moderated")}, otherwise=bfl_task("ready")))
    result = ask("bfl", "-n", "3", "--seed", "7", "--json")
    assert (result.code, result.json["status"]) == (3, "partial")
    assert [file["seed"] for file in result.json["files"]] == [7, 9]
    (error,) = result.json["errors"]
    assert (error["index"], error["seed"], error["code"]) == (2, 8, "moderation")
    assert "flux: 2 saved, 1 failed, 0.12 USD" in result.err


def test_the_seed_bfl_chose_is_reported(ask, upstream):
    upstream.answers(bfl_task())
    assert ask("bfl", "--no-seed", "--json").json["files"][0]["seed"] == CHOSEN_SEED


def test_another_seed_than_asked_is_said(ask, upstream):
    ready = reply({"status": "Ready", "result": {"sample": "/delivery/job-7.jpeg", "seed": 99}})
    upstream.answers(bfl_task(ready))
    document = ask("bfl", "--seed", "7", "-o", "fox.jpg", "--json").json
    assert "fox.jpg: the server used seed 99, not 7" in document["warnings"]


# --- polling --------------------------------------------------------------------------------------


def test_task_not_found_is_no_news_early_in_a_job(ask, upstream):
    """A regional store may answer before it knows the task."""
    upstream.answers(bfl_task("404-task-not-found", "404-task-not-found", "pending", "ready"))
    assert ask("bfl", "--seed", "7").code == 0
    assert upstream.log == [SUBMIT, *[POLL] * 4, IMAGE]


@pytest.mark.parametrize("shape_name", ["404-task-not-found", "task-not-found"])
def test_task_not_found_again_and_again_is_an_error_that_names_the_task(make, upstream, shape_name):
    upstream.answers(bfl_task(shape_name))
    with pytest.raises(NotFoundError, match="job-7") as raised:
        make("bfl", seed="7")
    assert (raised.value.billed, raised.value.request_id) == (True, "job-7")
    assert len(upstream.requests) <= 12


def test_any_other_404_ends_it_at_once(ask, upstream):
    upstream.answers(bfl_task("404-no-such-route"))
    result = ask("bfl", "--seed", "7", "--json")
    assert (result.code, result.json["errors"][0]["code"]) == (1, "not_found")
    assert "no such task" in result.err
    assert upstream.log == [SUBMIT, POLL]


def test_an_unknown_status_means_that_work_goes_on(make, upstream):
    shapes = ["reasoning", "generating"]
    others = [
        reply({"id": "job-7", "status": status})
        for status in ("Queued", "ready", "", None, 5, ["Ready"])
    ]
    odd = [reply("no JSON at all"), reply("[]"), reply(b""), reply({"status": "Ready"}, 202)]
    upstream.answers(bfl_task(*shapes, *others, *odd, "ready"))
    assert len(make("bfl", seed="7")) == 1
    assert upstream.log == [SUBMIT, *[POLL] * (len(shapes + others + odd) + 1), IMAGE]


def test_polls_are_half_a_second_apart_and_do_not_end_after_a_few(make, upstream):
    """Others gave up after six seconds."""
    upstream.answers(bfl_task(*["pending"] * 40, "ready"))
    make("bfl", seed="7")
    assert make.pauses == [0.5] * 40


def test_a_server_that_fails_for_a_moment_while_polled_loses_nothing(make, upstream):
    upstream.answers(
        bfl_task("pending", status(503), status(500), hang_up, "pending", status(429), "ready")
    )
    assert len(make("bfl", seed="7", retries=3)) == 1
    assert len(upstream.paid) == 1


@pytest.mark.parametrize(("name", "words_of_it"), [("failed", "Failed"), ("error", "worker lost")])
def test_failed_and_error_stop(ask, upstream, name, words_of_it):
    upstream.answers(bfl_task("pending", name))
    result = ask("bfl", "--seed", "7", "--json")
    error = result.json["errors"][0]
    assert (result.code, error["code"], error["request_id"]) == (1, "provider", "job-7")
    assert words_of_it in error["message"]
    assert upstream.log == [SUBMIT, POLL, POLL]


MODERATED = {
    "request-moderated": ("the prompt or input image", "Derivative Works Filter"),
    "content-moderated": ("the finished image", "Violence, Hate"),
    "content-moderated-without-reasons": ("the finished image", ""),
}


@pytest.mark.parametrize(("name", "said"), MODERATED.items(), ids=MODERATED)
def test_both_kinds_of_moderation_end_it(ask, upstream, name, said):
    """Pollers that do not know them wait until their own deadline, or fail to read the second."""
    upstream.answers(bfl_task(name))
    result = ask("bfl", "--seed", "7", "--json")
    error = result.json["errors"][0]
    assert (result.code, error["code"], error["request_id"]) == (5, "moderation", "job-7")
    for part in said:
        assert part in error["message"]
    assert "rephrase" in error["hint"]
    assert upstream.log == [SUBMIT, POLL]


@pytest.mark.parametrize("name", ["ready-without-sample", "ready-without-result"])
def test_ready_without_a_sample_is_a_clear_error(ask, upstream, name):
    upstream.answers(bfl_task(name))
    result = ask("bfl", "--seed", "7", "--json")
    error = result.json["errors"][0]
    assert (result.code, error["code"], error["may_have_been_billed"]) == (1, "provider", True)
    assert (error["message"], error["request_id"]) == (
        "the task is ready but BFL returned no image URL",
        "job-7",
    )


BAD_SUBMITS = {
    "no address": "task-without-address",
    "a number": reply({"id": "job-7", "polling_url": 5}),
    "a list": reply("[]"),
    "nothing": reply(b""),
}


@pytest.mark.parametrize("name", BAD_SUBMITS)
def test_a_submit_without_an_address_to_poll_is_an_error_that_may_have_been_billed(
    make, upstream, name
):
    answer = BAD_SUBMITS[name]
    upstream.answers(bfl_task(submit=answer) if isinstance(answer, str) else answer)
    with pytest.raises(ProviderError, match="has no polling_url") as raised:
        make("bfl")
    assert raised.value.billed
    assert len(upstream.requests) == 1


# --- the delivery ---------------------------------------------------------------------------------


def elsewhere(path: str) -> Reply:
    return reply({"id": "job-7", "status": "Ready", "result": {"sample": path, "seed": 7}})


@pytest.mark.parametrize("number", [403, 404])
def test_an_address_that_has_expired_is_asked_for_once_more(ask, upstream, number):
    upstream.answers(bfl_task("ready", elsewhere("/fresh.jpeg"), delivery=(status(number),)))
    upstream.serves("/fresh.jpeg", reply(pixels_as("jpeg", *SMALL)))
    assert ask("bfl", "--seed", "7", "--retries", "0").code == 0
    assert upstream.log == [SUBMIT, POLL, IMAGE, POLL, "GET /fresh.jpeg"]


def test_but_only_once_and_the_error_names_the_address(ask, upstream):
    upstream.answers(bfl_task(delivery=(status(403),)))
    result = ask("bfl", "--seed", "7", "--retries", "0", "--json")
    error = result.json["errors"][0]
    assert (result.code, error["may_have_been_billed"], error["request_id"]) == (1, True, "job-7")
    assert f"{upstream.origin}/delivery/job-7.jpeg" in error["hint"]
    assert upstream.log == [SUBMIT, POLL, IMAGE, POLL, IMAGE]


def test_an_image_that_hangs_takes_its_time_once(ask, upstream):
    """Another poll would take as long again, and so would another download."""
    upstream.answers(bfl_task(delivery=((hold,),)))
    result = ask("bfl", "--seed", "7", "--timeout", "1")
    assert (result.code, "not within 1 s" in result.err) == (1, True)
    assert upstream.log == [SUBMIT, POLL, IMAGE]


def test_an_image_that_was_cut_is_fetched_again_and_never_bought_again(ask, upstream):
    data = pixels_as("jpeg", *SMALL)
    too_short = reply(data, content_length=str(len(data) + 9))
    upstream.answers(bfl_task(delivery=(too_short, reply(data))))
    assert ask("bfl", "--seed", "7").code == 0
    assert upstream.log == [SUBMIT, POLL, IMAGE, IMAGE]


def too_many_files(monkeypatch, times):
    """So often a file that has arrived cannot be opened."""
    faults = [OSError(errno.EMFILE, os.strerror(errno.EMFILE))] * times

    def busy(data):
        if faults:
            raise faults.pop()
        return inspect(data)

    monkeypatch.setattr("flux_cli.http.download.inspect", busy)


def test_an_image_that_cannot_be_read_just_now_is_fetched_again(make, upstream, monkeypatch):
    too_many_files(monkeypatch, 1)
    upstream.answers(bfl_task())
    assert len(make("bfl", retries=1, seed=7)) == 1
    assert upstream.log == [SUBMIT, POLL, IMAGE, IMAGE]


def test_an_image_that_cannot_be_read_at_all_is_an_error_that_says_it_is_paid_for(
    make, upstream, monkeypatch
):
    too_many_files(monkeypatch, 99)
    upstream.answers(bfl_task())
    with pytest.raises(
        NetworkError, match=r"could not be downloaded: .*Too many open files"
    ) as caught:
        make("bfl", seed=7)
    assert caught.value.billed
    assert len(upstream.paid) == 1


def test_a_delivery_on_another_host_is_fetched_without_the_key(ask, upstream, other):
    address = other.serves("/signed/a.jpeg", reply(pixels_as("jpeg", *SMALL)))
    upstream.answers(bfl_task(image=f"{address}?se=2026&sig=abc"))
    other.serves("/signed/a.jpeg?se=2026&sig=abc", reply(pixels_as("jpeg", *SMALL)))
    assert ask("bfl").code == 0
    (fetched,) = other.requests
    assert all(KEY not in value for value in fetched.headers.values())


def test_a_delivery_that_redirects_is_followed_without_the_key(ask, upstream, other):
    target = other.serves("/a.jpeg", reply(pixels_as("jpeg", *SMALL)))
    upstream.answers(bfl_task(delivery=(redirect(target),)))
    assert ask("bfl").code == 0
    assert [KEY in str(request.headers) for request in other.requests] == [False]


def test_an_image_may_come_inside_the_answer(make, upstream):
    data = pixels_as("png", *SMALL)
    upstream.answers(
        bfl_task(
            elsewhere("data:image/png;base64," + base64.encodebytes(data).decode().rstrip("=\n"))
        )
    )
    assert [one.data for one in make("bfl", seed="7")] == [data]


def test_bytes_decide_the_format_and_not_the_name(ask, upstream):
    """PNG under `.jpeg`, called any type: the file is a PNG, untouched."""
    data = pixels_as("png", *SMALL)
    upstream.answers(bfl_task(delivery=(reply(data, content_type="image/jpeg"),)))
    result = ask("bfl", "--seed", "7", "-o", "fox")
    assert result.lines == ["fox.png"]
    assert Path("fox.png").read_bytes() == data


def test_the_size_received_is_measured_and_told_from_the_one_asked(ask, upstream):
    upstream.answers(bfl_task(delivery=(reply(pixels_as("jpeg", 2752, 1536)),)))
    file = ask("bfl", "--size", "1365x768", "--json").json["files"][0]
    assert (file["requested_size"], file["nominal_size"], file["received_size"]) == (
        "1365x768",
        "1365x768",
        "2752x1536",
    )
    assert (file["width"], file["height"]) == (2752, 1536)


WRONG_ADDRESSES = {
    "control character": "http://127.0.0.1/a\u0001b.jpeg",
    "no such port": "http://127.0.0.1:99999/a.jpeg",
    "half an address": "http://[::1/a.jpeg",
    "another scheme": "ftp://127.0.0.1/a.jpeg",
    "a file": "file:///etc/passwd",
    "a name and password": "http://user:word@127.0.0.1/a.jpeg",
    "no host": "http:///a.jpeg",
    "a host of blanks": "http://a b/a.jpeg",
    "an endless label": f"http://{'a' * 300}.example/a.jpeg",
    "no name in any alphabet": "http://xn--\u00e9.example/a.jpeg",
}


@pytest.mark.parametrize("address", WRONG_ADDRESSES.values(), ids=WRONG_ADDRESSES)
def test_an_address_nobody_can_fetch_is_the_provider_s_fault_and_not_ours(ask, upstream, address):
    upstream.answers(bfl_task(image=address))
    result = ask("bfl", "--seed", "7", "--retries", "0", "--json")
    error = result.json["errors"][0]
    assert (result.code, error["may_have_been_billed"]) == (1, True)
    assert error["code"] in ("provider", "network")


# --- money ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("submit", "ready", "usd"),
    [
        ("task", "ready", 0.06),
        ("task", "ready-with-cost", 0.12),  # the last word is the poll's
        ("task-without-facts", "ready-with-cost", 0.12),
        ("task-without-facts", "ready", None),
    ],
)
def test_credits_become_usd_and_an_unknown_cost_is_null(ask, upstream, submit, ready, usd):
    upstream.answers(bfl_task(ready, submit=submit))
    document = ask("bfl", "--json").json
    assert document["cost_usd"] == document["files"][0]["cost_usd"] == (usd and pytest.approx(usd))


@pytest.mark.parametrize("charge", [True, "six", -1, [6], float("nan"), float("inf"), 1e300])
def test_a_cost_that_is_no_amount_is_unknown(make, upstream, charge):
    ready = {"status": "Ready", "result": {"sample": "/delivery/job-7.jpeg"}, "cost": charge}
    upstream.answers(bfl_task(reply(ready), submit="task-without-facts"))
    assert make("bfl", seed="7")[0].facts.cost_usd is None


def test_costs_of_several_images_add_up(ask, upstream):
    upstream.answers(bfl_task())
    assert ask("bfl", "-n", "3", "--seed", "7", "--json").json["cost_usd"] == pytest.approx(0.18)


def test_moderation_says_which_stage_in_process_too(make, upstream):
    """The reasons may be anything; they never break the message."""
    for details in (
        None,
        [],
        "text",
        {"Moderation Reasons": 5},
        {"Moderation Reasons": [{"a": 1}, None]},
    ):
        upstream.answers(bfl_task(reply({"status": "Content Moderated", "details": details})))
        with pytest.raises(ModerationError, match="the finished image"):
            make("bfl")


def test_every_recorded_poll_is_read_without_surprise(make, upstream):
    """Each shape once, then ready: the call ends with an image or one of our errors."""
    from flux_cli.core.errors import FluxError

    for name in recorded_names("bfl", "polls"):
        upstream.answers(bfl_task(name, "ready"))
        try:
            assert len(make("bfl", seed="7")) == 1
        except FluxError as error:
            assert error.request_id == "job-7"  # noqa: PT017 - both ends are right
        assert recorded("bfl", "polls", name).body
