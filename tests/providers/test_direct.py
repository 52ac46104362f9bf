"""BFL, fal and Replicate: what is sent, what comes back, and every known trap."""

import base64
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from fakes.gateway import status
from fakes.images import pixels_as
from fakes.messages import reply
from fakes.providers import (
    DIRECT_ENDPOINTS,
    GOOD_JOBS,
    KEY,
    bfl_task,
    edited,
    fal_request,
    marks_of,
    recorded,
    replicate_prediction,
)

from flux_cli.core.auth import Auth
from flux_cli.core.errors import ProviderError
from flux_cli.core.text import Secret
from flux_cli.http.trust import credentials
from flux_cli.providers.rows import ROWS

pytestmark = pytest.mark.slow

each = pytest.mark.parametrize("name", GOOD_JOBS)


# --- what goes out --------------------------------------------------------------------------------

BODIES = {
    "bfl": {
        "prompt": "a red fox", "aspect_ratio": "16:9", "prompt_upsampling": True, "raw": True,
        "safety_tolerance": 6, "output_format": "jpeg", "seed": 7,
    },
    "fal": {
        "prompt": "a red fox", "aspect_ratio": "16:9", "enhance_prompt": True, "raw": True,
        "safety_tolerance": "6", "output_format": "jpeg", "seed": 7,
    },
    "replicate": {
        "prompt": "a red fox", "aspect_ratio": "16:9", "raw": True, "safety_tolerance": 6,
        "output_format": "jpg", "seed": 7,
    },
}  # fmt: skip


@each
def test_every_parameter_goes_out_in_the_providers_own_spelling(ask, upstream, name):
    upstream.answers(GOOD_JOBS[name]())
    enhance = ["--enhance-prompt"] if name != "replicate" else []
    said = [
        "--size",
        "1365x768",
        "--raw",
        "--safety-tolerance",
        "6",
        "-f",
        "jpeg",
        "--seed",
        "7",
        *enhance,
    ]
    result = ask(name, *said)
    assert (result.code, result.lines) == (0, ["a-red-fox-7.jpg"])
    (post,) = upstream.paid
    assert post.path == DIRECT_ENDPOINTS[name].submit_path
    assert post.json == ({"input": BODIES[name]} if name == "replicate" else BODIES[name])
    assert post.headers[DIRECT_ENDPOINTS[name].key_header] == DIRECT_ENDPOINTS[name].key_value


@each
def test_the_key_is_on_every_request_but_those_for_images(ask, upstream, name):
    polls = {
        "bfl": ("pending", "ready"),
        "fal": ("202-in-queue", "completed"),
        "replicate": ("202-starting", "succeeded"),
    }
    upstream.answers(GOOD_JOBS[name](*polls[name]))
    assert ask(name, "--seed", "7").code == 0
    for request in upstream.requests:
        has_key = (
            request.headers.get(DIRECT_ENDPOINTS[name].key_header)
            == DIRECT_ENDPOINTS[name].key_value
        )
        assert has_key is not request.path.startswith("/delivery/"), request.path
        assert KEY not in str(
            [
                value
                for key, value in request.headers.items()
                if key != DIRECT_ENDPOINTS[name].key_header
            ]
        )


def test_replicate_is_asked_to_hold_the_answer_open(ask, upstream):
    upstream.answers(replicate_prediction())
    assert ask("replicate").code == 0
    assert upstream.paid[0].headers["prefer"] == "wait=60"


@each
def test_several_images_are_several_jobs_with_seeds_counting_up_in_order(ask, upstream, name):
    upstream.answers(GOOD_JOBS[name]())
    result = ask(name, "-n", "3", "--seed", "7", "--json")
    assert [file["seed"] for file in result.json["files"]] == [7, 8, 9]
    bodies = [post.json.get("input", post.json) for post in upstream.paid]
    assert sorted(body["seed"] for body in bodies) == [7, 8, 9]
    assert all("num_images" not in body for body in bodies)


def test_one_of_three_that_fails_does_not_lose_the_others(ask, upstream):
    upstream.answers(bfl_task("ready"), bfl_task("failed"), bfl_task("ready"))
    result = ask("bfl", "-n", "3", "--seed", "7", "--concurrency", "1", "--json")
    assert (result.code, len(result.json["files"]), len(result.json["errors"])) == (3, 2, 1)
    assert (result.json["errors"][0]["seed"], result.json["errors"][0]["code"]) == (8, "provider")


@pytest.mark.parametrize(
    ("name", "asked", "sent"),
    [
        ("bfl", "1200x630", "40:21"), ("bfl", "1.91:1", "191:100"), ("bfl", "7:1", "21:9"),
        ("bfl", "1:9", "9:21"), ("bfl", "1365x768", "16:9"), ("fal", "5:4", "4:3"),
        ("fal", "4:5", "3:4"), ("fal", "887x1182", "3:4"), ("replicate", "5:4", "5:4"),
        ("replicate", "916x1145", "4:5"), ("replicate", "7:1", "21:9"),
    ],
)  # fmt: skip
def test_the_shape_is_the_nearest_the_provider_takes(flux, name, asked, sent):
    (post,) = flux("resolve", "x", "--provider", name, "--size", asked, "--json").json["sends"]
    assert post["body"].get("input", post["body"])["aspect_ratio"] == sent


@pytest.mark.parametrize("size", ["0", "7"])
def test_only_bfl_allows_no_safety_at_all(flux, size):
    codes = {
        name: flux("resolve", "x", "--provider", name, "--safety-tolerance", size).code
        for name in GOOD_JOBS
    }
    assert codes == {"bfl": 0 if size == "0" else 2, "fal": 2, "replicate": 2}


@each
@pytest.mark.parametrize("file_format", ["webp", "avif", "gif", "png"])
def test_what_the_provider_cannot_encode_is_made_from_its_png(ask, upstream, name, file_format):
    upstream.answers(GOOD_JOBS[name]())
    result = ask(name, "--seed", "7", "-f", file_format)
    assert result.lines == [f"a-red-fox-7.{file_format}"]
    body = upstream.paid[0].json
    assert body.get("input", body)["output_format"] == "png"


@pytest.mark.parametrize(
    ("name", "option"),
    [("bfl", "--sync-mode"), ("replicate", "--sync-mode"), ("replicate", "--enhance-prompt")],
)
def test_what_a_provider_cannot_do_is_refused_before_anything_is_sent(ask, upstream, name, option):
    result = ask(name, option)
    assert (result.code, upstream.requests) == (2, [])
    assert option in result.err


@each
def test_a_route_is_for_the_gateway_alone(ask, upstream, name):
    assert (ask(name, "--route", "fal").code, upstream.requests) == (2, [])


@each
def test_without_a_key_nothing_is_sent_and_the_providers_own_variable_is_named(
    flux, line, upstream, name
):
    result = flux(*line(name))
    assert (result.code, upstream.requests) == (4, [])
    assert DIRECT_ENDPOINTS[name].key_variable in result.err
    assert "--offline" in result.err


def test_an_image_prompt_goes_out_as_bare_base64_data_uri_or_address(ask, upstream, tmp_path):
    from PIL import Image

    guide = tmp_path / "guide.png"
    Image.new("RGB", (4, 4)).save(guide)
    upstream.answers(bfl_task())
    assert ask("bfl", "--image-prompt", str(guide)).code == 0
    assert upstream.paid[-1].json["image_prompt"].startswith("iVBORw0KGgo")
    upstream.answers(fal_request())
    assert ask("fal", "--image-prompt", str(guide)).code == 0
    assert upstream.paid[-1].json["image_url"].startswith("data:image/png;base64,iVBORw0KGgo")
    upstream.answers(replicate_prediction())
    assert ask("replicate", "--image-prompt", "https://example.org/a.png").code == 0
    assert upstream.paid[-1].json["input"]["image_prompt"] == "https://example.org/a.png"


# --- waiting --------------------------------------------------------------------------------------


def test_a_task_that_is_not_found_yet_is_waited_for(make, upstream):
    upstream.answers(bfl_task("404-task-not-found", "404-task-not-found", "pending", "ready"))
    assert len(make("bfl", seed=7)) == 1


def test_a_task_that_stays_unknown_ends(make, upstream):
    upstream.answers(bfl_task("404-task-not-found"))
    with pytest.raises(Exception, match="no longer knows task job-7") as raised:
        make("bfl", seed=7)
    assert (raised.value.code, raised.value.billed) == ("not_found", True)


def test_another_404_ends_at_once(make, upstream):
    upstream.answers(bfl_task("404-no-such-route"))
    with pytest.raises(Exception, match="no such task") as raised:
        make("bfl", seed=7)
    assert raised.value.code == "not_found"


def test_states_nobody_has_heard_of_mean_that_work_goes_on(make, upstream):
    upstream.answers(
        bfl_task("reasoning", "generating", recorded("bfl", "polls", "pending"), "ready")
    )
    assert len(make("bfl", seed=7)) == 1


def test_a_server_that_fails_between_two_polls_does_not_lose_the_job(make, upstream):
    upstream.answers(bfl_task("pending", status(503), status(500), "ready"))
    assert len(make("bfl", seed=7)) == 1
    assert len(upstream.paid) == 1


@pytest.mark.parametrize(
    ("name", "steps", "code", "words_"),
    [
        ("bfl", ("failed",), "provider", "BFL failed"),
        ("bfl", ("error",), "provider", "BFL failed"),
        ("bfl", ("request-moderated",), "moderation", "prompt or input image"),
        ("bfl", ("content-moderated",), "moderation", r"the finished image \(Violence, Hate\)"),
        ("bfl", ("ready-without-sample",), "provider", "returned no image URL"),
        ("bfl", ("ready-without-result",), "provider", "returned no image URL"),
        ("fal", ("completed-with-error",), "provider", "provider failed"),
        ("replicate", ("202-starting", "failed"), "provider", "Replicate failed"),
        ("replicate", ("202-starting", "failed-sensitive"), "moderation", "E005"),
        ("replicate", ("202-starting", "aborted"), "provider", "aborted"),
        ("replicate", ("202-starting", "canceled"), "provider", "canceled"),
        ("replicate", ("202-starting", "data-removed"), "provider", "removed"),
        (
            "replicate",
            ("202-starting", "succeeded-without-output"),
            "provider",
            "returned no image URL",
        ),
    ],
)
def test_a_job_that_ends_badly_says_how(make, upstream, name, steps, code, words_):
    upstream.answers(GOOD_JOBS[name](*steps))
    with pytest.raises(Exception, match=words_) as raised:
        make(name, seed=7)
    assert raised.value.code == code
    assert raised.value.request_id == "job-7"


def test_output_counts_whatever_the_status_says(make, upstream):
    """A held answer may say processing and have its image already; some models return a list."""
    for created in ("201-processing-with-output", "201-processing-with-list", "201-succeeded"):
        upstream.answers(replicate_prediction(created))
        assert len(make("replicate", seed=7)) == 1


def test_flagged_images_are_refused_and_the_rest_is_kept(make, upstream):
    upstream.answers(fal_request(result="flagged"))
    with pytest.raises(Exception, match="flagged") as raised:
        make("fal", seed=7)
    assert raised.value.exit_code == 5
    upstream.answers(fal_request(result="one-of-four-flagged"))
    assert len(make("fal", seed=7)) == 3


def test_a_result_may_leave_out_everything_but_the_image(make, upstream):
    for result in ("image-without-timings", "image-and-nothing-else"):
        upstream.answers(fal_request("202-in-progress", "completed", result=result))
        assert len(make("fal", seed=7)) == 1


def test_an_expired_address_is_asked_for_once_more_and_nothing_is_paid_twice(make, upstream):
    gone = status(403)
    upstream.answers(
        bfl_task("ready", delivery=(gone, reply(b"", content_type="image/jpeg"), gone))
    )
    with pytest.raises(Exception, match="could not be downloaded"):
        make("bfl", seed=7)
    polls = [entry for entry in upstream.log if "get_result" in entry]
    assert (len(polls), len(upstream.paid)) == (2, 1)


def test_a_new_address_brings_the_image_of_the_same_task(make, upstream):
    image = reply(pixels_as("jpeg", 64, 36), content_type="image/jpeg")
    upstream.answers(bfl_task("ready", delivery=(status(403), image)))
    assert len(make("bfl", seed=7)) == 1
    assert len(upstream.paid) == 1


def test_an_image_prompt_by_address_is_fetched_without_the_key_and_sent_itself(
    ask, flux, upstream, other
):
    """BFL takes no address. `flux resolve`, which sends nothing, says what would be sent."""
    guide = pixels_as("png", 8, 8)
    address = other.serves("/guide.png", reply(guide, content_type="image/png"))
    upstream.answers(bfl_task())
    result = ask("bfl", "--image-prompt", address)
    assert result.code == 0, result.err
    assert upstream.paid[0].json["image_prompt"] == base64.b64encode(guide).decode()
    assert "x-key" not in other.requests[-1].headers
    (sent,) = flux("resolve", "x", "--provider", "bfl", "--image-prompt", address, "--json").json[
        "sends"
    ]
    assert sent["body"]["image_prompt"] == f"<the image at {address}, as base64>"
    missing = ask("bfl", "--image-prompt", f"{other.origin}/none.png")
    assert (missing.code, len(upstream.paid)) == (2, 1)


def test_the_deadline_ends_the_wait_and_names_the_job(ask, upstream):
    upstream.answers(bfl_task("pending"))
    result = ask("bfl", "--seed", "7", "--timeout", "1", "--json")
    (error,) = result.json["errors"]
    assert (result.code, error["code"], error["may_have_been_billed"]) == (1, "timeout", True)
    assert "get_result?id=job-7" in error["hint"]


# --- money ----------------------------------------------------------------------------------------


def test_what_bfl_says_it_cost_is_reported_and_silence_is_not_zero(ask, upstream):
    upstream.answers(bfl_task("ready"))
    assert ask("bfl", "--json").json["cost_usd"] == pytest.approx(0.06)
    upstream.answers(bfl_task("ready", submit="task-without-facts"))
    assert ask("bfl", "--json").json["cost_usd"] is None


@each
def test_a_dry_run_names_the_catalogs_price_and_sends_nothing(ask, upstream, name):
    plan = ask(name, "--dry-run", "--json", "-n", "2").json
    assert (plan["cost_usd"], upstream.requests) == (pytest.approx(0.12), [])


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "error", "exit_code", "code"),
    [
        ("bfl", "402-credits", 4, "payment"),
        ("bfl", "403-not-authenticated", 4, "auth"),
        ("bfl", "422-key-format", 4, "auth"),
        ("bfl", "422-validation", 1, "validation"),
        ("bfl", "429-active-tasks", 1, "rate"),
        ("bfl", "500-message", 1, "provider"),
        ("fal", "401-auth", 4, "auth"),
        ("fal", "403-locked", 4, "payment"),
        ("fal", "404-application", 1, "not_found"),
        ("fal", "422-content-policy", 5, "moderation"),
        ("fal", "422-validation", 1, "validation"),
        ("fal", "429-concurrent", 1, "rate"),
        ("replicate", "401-token", 4, "auth"),
        ("replicate", "402-credit", 4, "payment"),
        ("replicate", "404-model", 1, "not_found"),
        ("replicate", "422-enum", 1, "validation"),
        ("replicate", "500-internal", 1, "provider"),
    ],
)
def test_every_refusal_has_its_code_and_exit(ask, upstream, name, error, exit_code, code):
    upstream.answers(recorded(name, "errors", error))
    result = ask(name, "--retries", "0", "--json")
    assert (result.code, result.json["errors"][0]["code"]) == (exit_code, code)
    if exit_code == 4 and code == "auth":
        assert DIRECT_ENDPOINTS[name].key_variable in result.err


@each
def test_a_submit_that_is_not_clear_is_not_repeated(ask, upstream, name):
    upstream.answers(status(504))
    result = ask(name, "--json")
    assert (len(upstream.paid), result.json["errors"][0]["may_have_been_billed"]) == (1, True)


# --- keys -----------------------------------------------------------------------------------------


@each
def test_an_answer_that_sends_the_key_elsewhere_is_refused(ask, upstream, other, name):
    fields = {"bfl": "polling_url", "fal": "status_url", "replicate": "urls"}
    elsewhere = f"{other.origin}/poll"
    kinds = {
        "bfl": ("submits", "task"),
        "fal": ("submits", "queued"),
        "replicate": ("predictions", "202-starting"),
    }

    def answer(request):
        value = {"get": elsewhere, "cancel": elsewhere} if name == "replicate" else elsewhere
        return edited(recorded(name, *kinds[name], marks_of(request)), **{fields[name]: value})

    upstream.answers(answer)
    result = ask(name)
    assert (result.code, other.requests) == (1, [])
    assert "must not get the key" in result.err


@pytest.mark.parametrize(
    "url",
    [
        "https://bfl.ai.evil.example/x", "https://evilbfl.ai/x", "http://api.bfl.ai/x",
        "https://api.bfl.ai:8443/x", "https://user@api.bfl.ai/x",
        "https://api.bfl.ai@evil.example/x", "ftp://api.bfl.ai/x", "//evil.example/x",
        "https://bfl.ai\\.evil.example/x", "javascript:alert(1)", "", "https://[::1/x",
    ],
)  # fmt: skip
def test_look_alikes_get_no_key(url):
    auth = Auth(Secret(KEY), "BFL_API_KEY", "https://api.bfl.ai", "x-key", "", ROWS["bfl"].hosts)
    with pytest.raises(ProviderError, match="must not get the key"):
        credentials(url, auth)


@pytest.mark.parametrize(
    "host", ["api.bfl.ai", "api.eu2.bfl.ai", "api.us6.bfl.ai", "gateway.bfl.ai"]
)
def test_the_providers_own_clusters_get_it(host):
    auth = Auth(Secret(KEY), "BFL_API_KEY", "https://api.bfl.ai", "x-key", "", ROWS["bfl"].hosts)
    assert credentials(f"https://{host}/v1/get_result?id=1", auth) == {"x-key": KEY}


# --- giving up ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "stop", "says"),
    [
        ("bfl", None, ""),
        ("fal", "PUT /fal-ai/flux-pro/requests/job-7/cancel", "canceled job-7 at fal: confirmed"),
        (
            "replicate",
            "POST /v1/predictions/job-7/cancel",
            "canceled job-7 at replicate: confirmed",
        ),
    ],
)
def test_ctrl_c_stops_the_job_where_the_provider_can(
    command, environment, line, upstream, name, stop, says
):
    waiting = {
        "bfl": ("pending",),
        "fal": ("202-in-queue",),
        "replicate": ("202-starting", "processing"),
    }
    upstream.answers(GOOD_JOBS[name](*waiting[name]))
    env = environment | {DIRECT_ENDPOINTS[name].key_variable: KEY}
    words_ = [command, *line(name, "--seed", "7")]
    with subprocess.Popen(
        words_, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as flux:
        tick = threading.Event()
        while len(upstream.requests) < 2 and flux.poll() is None:
            tick.wait(0.02)
        flux.send_signal(signal.SIGINT)
        _, err = flux.communicate(timeout=20)
    assert flux.returncode == 130
    cancels = [entry for entry in upstream.log if "cancel" in entry]
    assert cancels == ([stop] if stop else [])
    assert says in err
    assert list(Path().iterdir()) == []


# --- repeating ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "posts"),
    [({}, 2), ({"x_fal_retryable": "false"}, 1), ({"x_should_retry": "false"}, 1)],
)
def test_a_provider_that_calls_repeating_useless_is_believed(ask, upstream, header, posts):
    upstream.answers(status(503, **header), fal_request())
    assert ask("fal").code == (0 if posts == 2 else 1)
    assert len(upstream.paid) == posts


VERSION = "5f24084160c9089501c1b3545d9be3c27883ae2239b6f412990e82d4a6210f8f"


@pytest.mark.parametrize(
    ("model", "path", "version"),
    [
        (f"bytedance/sdxl-lightning-4step:{VERSION}", "/v1/predictions", VERSION),
        (VERSION, "/v1/predictions", VERSION),
        ("owner/name", "/v1/models/owner/name/predictions", None),
    ],
)
def test_versions_of_models_at_replicate_are_asked_by_version(ask, upstream, model, path, version):
    upstream.answers(replicate_prediction())
    assert ask("replicate", "-m", model, "-o", "fox.png").code == 0
    post = upstream.requests[0]
    assert (post.path, post.json.get("version")) == (path, version)
    assert post.json["input"] == {"prompt": "a red fox"}
