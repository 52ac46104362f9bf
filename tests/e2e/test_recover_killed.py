"""`flux recover` after a run that was killed, at each of its steps."""

import time
from pathlib import Path

import pytest
from fakes.gateway import HISTORY, held, image, status
from fakes.images import look, noise
from fakes.messages import reply
from journals import change_first_line

from e2e.recovery import SAFE, SlowGateway, files, folders, journal_says, states

pytestmark = pytest.mark.slow

SERVER = ("--provider", "openai", "--no-key")


@pytest.mark.parametrize("form", [(), SAFE], ids=["url", "b64"])
def test_before_the_answer_the_history_knows_what_became_of_it(
    killed, recover, gateway, release, flux, state, form
):
    gateway.answers(held(release))
    killed("--seed", "7", *form, when=lambda: gateway.posts)
    release.set()
    while gateway.history[0]["status"] != "completed":
        pass
    assert states(flux) == ["unclear"]
    result = recover()
    assert (result.code, result.out) == (0, f"{Path.cwd()}/a-fox-7.jpg\n")
    assert look("a-fox-7.jpg")[0] == "jpeg"
    assert (files(), folders(state), states(flux)) == (["a-fox-7.jpg"], [], ["complete"])


@pytest.mark.parametrize("page", [1, 2, 100])
def test_the_history_is_read_page_by_page_and_a_call_that_was_repeated_counts_once(
    killed, recover, gateway, release, flux, page
):
    """The first try failed without cost; the second was paid for, and its line is the newer one."""
    gateway.answers(status(503), held(release))
    gateway.page_size = page
    killed("--seed", "7", when=lambda: len(gateway.posts) == 2)
    release.set()
    while gateway.history[1]["status"] != "completed":
        pass
    gateway.history.reverse()
    assert (recover().code, files(), states(flux)) == (0, ["a-fox-7.jpg"], ["complete"])
    gateway.history.reverse()
    assert flux("runs", "--json").json["runs"][0]["cost_usd"] == 0.06


def test_a_history_that_keeps_no_answers_says_that_it_was_paid_and_is_lost(
    killed, recover, gateway, release, flux
):
    gateway.answers(held(release))
    gateway.keeps_answers = False
    killed("--seed", "7", when=lambda: gateway.posts)
    release.set()
    while gateway.history[0]["status"] != "completed":
        pass
    result = recover()
    assert (result.code, "nothing to save" in result.err) == (0, False)
    assert "flux: note: request 1: the image was made for 0.06 USD" in result.err
    (run,) = flux("runs", "--json").json["runs"]
    (entry,) = flux("runs", run["run"], "--json").json["runs"][0]["entries"]
    assert (entry["state"], "the gateway keeps no copy" in entry["error"]["message"]) == (
        "failed",
        True,
    )
    assert (run["cost_usd"], entry["request_id"]) == (None, "req_h0")
    asked = len(gateway.requests)
    assert "nothing to save" in recover().err
    assert len(gateway.requests) == asked


def test_a_request_that_is_still_worked_on_is_asked_for_again_later(
    killed, recover, gateway, release, flux
):
    gateway.answers(held(release))
    killed("--seed", "7", when=lambda: gateway.posts)
    later = recover()
    assert (later.code, later.out, states(flux)) == (3, "", ["unclear"])
    assert "the outcome of 1 of 1 requests is not known yet; it may have been billed" in later.err
    assert "nothing to save" not in later.err
    document = recover("--json").json
    (run,) = document["runs"]
    assert {(end["status"], end["exit_code"]) for end in (document, run)} == {("unclear", 3)}
    assert (run["unclear"], run["cost_usd"], run["known_cost_usd"]) == (1, None, 0)
    assert [error["code"] for error in run["errors"]] == ["unclear"]
    release.set()
    while gateway.history[0]["status"] != "completed":
        pass
    document = recover("--json").json
    assert (document["exit_code"], document["runs"][0]["unclear"], files()) == (
        0,
        0,
        ["a-fox-7.jpg"],
    )


def test_a_server_without_a_history_will_never_tell_and_that_is_said_once(
    killed, recover, gateway, release, flux
):
    gateway.answers(held(release))
    killed("--seed", "7", *SERVER, "--base-url", gateway.url, when=lambda: gateway.posts)
    release.set()
    assert "hint: flux recover looks up requests" in flux("runs").err
    document = recover("--json").json
    (run,) = document["runs"]
    assert (document["status"], run["status"]) == ("unclear", "unclear")
    assert (run["unclear"], run["cost_usd"], run["errors"]) == (1, None, [])
    assert states(flux) == ["unrecoverable"]
    assert "hint" not in flux("runs").err
    again = recover()
    assert (again.code, again.err) == (0, "flux: nothing to save\n")
    named = recover(run["run"])
    assert (named.code, "nothing to save" in named.err) == (0, False)
    assert f"1 of 1 requests of run {run['run']} may have been billed" in named.err


@pytest.mark.parametrize("where", [HISTORY, f"{HISTORY}/req_h0"], ids=["list", "request"])
def test_a_history_that_fails_today_is_no_word_about_the_image(
    killed, recover, gateway, release, flux, where
):
    gateway.answers(held(release))
    killed("--seed", "7", when=lambda: gateway.posts)
    release.set()
    while gateway.history[0]["status"] != "completed":
        pass
    gateway.serves(where, status(500))
    result = recover(env={"FLUX_RETRIES": "0"})
    assert (result.code, states(flux)) == (1, ["unclear"])
    assert "cannot read the history of lumenfall" in result.err
    gateway.forgets(f"GET {where}")
    assert (recover().code, files()) == (0, ["a-fox-7.jpg"])


def test_what_the_history_does_not_list_is_unclear_for_a_day_and_then_was_never_got(
    killed, recover, gateway, release, flux, state
):
    gateway.answers(held(release))
    killed("--seed", "7", when=lambda: gateway.posts)
    gateway.history.clear()
    assert (recover().code, states(flux)) == (3, ["unclear"])
    (path,) = state.glob("*.jsonl")
    change_first_line(path, time=time.time() - 90_000)
    assert (recover().code, states(flux)) == (0, ["failed"])
    assert flux("runs", "--json").json["runs"][0]["cost_usd"] == 0


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"data": 3}'])
def test_a_history_that_is_no_list_says_nothing(killed, recover, gateway, release, flux, body):
    gateway.answers(held(release))
    killed("--seed", "7", when=lambda: gateway.posts)
    gateway.serves(HISTORY, reply(body))
    result = recover()
    assert (result.code, states(flux), "not a list of requests" in result.err) == (
        1,
        ["unclear"],
        True,
    )


def test_a_request_that_was_refused_is_over(killed, recover, gateway, release, flux):
    gateway.answers(held(release, status(400)))
    killed("--seed", "7", when=lambda: gateway.posts)
    release.set()
    while gateway.history[0]["status"] != "rejected":
        pass
    assert (recover().code, files(), states(flux)) == (0, [], ["failed"])


def test_after_the_answer_its_address_is_in_the_journal(killed, flux, keyed, release, state):
    """No key is needed: the image is paid for and its address known."""
    with SlowGateway(release) as gateway:
        env = keyed | {"LUMENFALL_BASE_URL": gateway.url}
        killed("--seed", "7", when=gateway.arrived.is_set, env=env)
        release.set()
        del env["LUMENFALL_API_KEY"]
        result = flux("recover", env=env)
        assert (result.code, files(), folders(state), len(gateway.posts)) == (
            0,
            ["a-fox-7.jpg"],
            [],
            1,
        )


@pytest.mark.parametrize("form", [(), SAFE], ids=["url", "b64"])
def test_after_the_download_nothing_is_fetched_again(killed, recover, gateway, state, form):
    """Killed while the encoder works: what came lies in the state folder, for the format asked."""
    gateway.answers(image(noise(2048)))
    killed("--seed", "7", "-f", "avif", *form, when=journal_says(state, "fetched"))
    asked = len(gateway.requests)
    assert recover().code == 0
    assert (files(), folders(state), len(gateway.requests)) == (["a-fox-7.avif"], [], asked)
    assert look("a-fox-7.avif") == ("avif", (2048, 2048))


@pytest.mark.parametrize("name", ["a-fox-7.jpg", "a-fox-7-2.jpg"], ids=["its own name", "aside"])
def test_after_the_file_was_published_it_is_not_doubled(generate, recover, flux, state, name):
    """The journal ends before the line that says so, as after a kill between the two."""
    assert generate("--seed", "7", "a fox").code == 0
    (path,) = state.glob("*.jsonl")
    kept = [
        line
        for line in path.read_bytes().split(b"\n")
        if b'"saved"' not in line and b'"whole"' not in line
    ]
    path.write_bytes(b"\n".join(kept[:-2]))
    if name != "a-fox-7.jpg":
        Path("a-fox-7.jpg").rename(name)
        Path("a-fox-7.jpg").write_bytes(b"somebody else's")
    before = {path: Path(path).read_bytes() for path in files()}
    assert states(flux) == ["recoverable"]
    result = recover()
    assert (result.code, result.lines) == (0, [str(Path(name).absolute())])
    assert {path: Path(path).read_bytes() for path in files()} == before
    assert states(flux) == ["complete"]


def test_a_torn_last_line_does_not_matter(generate, recover, flux, state):
    assert generate("--seed", "7", "a fox").code == 0
    (path,) = state.glob("*.jsonl")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b'"event": "fetched"') + 40])
    assert (recover().code, files(), states(flux)) == (0, ["a-fox-7.jpg"], ["complete"])


def test_what_a_killed_run_was_writing_is_swept_away(generate, recover, state):
    assert generate("--seed", "7", "a fox").code == 0
    (path,) = state.glob("*.jsonl")
    (state / path.stem).mkdir()
    (state / path.stem / "abc").touch()
    Path(f".flux-{path.stem}0011").touch()
    assert (recover().code, files(), folders(state)) == (0, ["a-fox-7.jpg"], [])
