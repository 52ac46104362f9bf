"""A server with a provider: its money, its key, its journal, and clients that go away."""

import signal
import sys
import threading
import time
from contextlib import suppress

import httpx
import pytest
from fakes.gateway import held, image, status
from fakes.messages import reply

from flux_cli.cli.app import main

pytestmark = pytest.mark.slow  # starts servers
KEY = "lmnfl_canary.Sup3rS3cretV4lue"


def error_of(answer):
    return answer.json()["error"]


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def go_away(server, seconds=0.5):
    """A client that does not wait for the answer."""
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{server.url}/images/generations",
            json={"prompt": "a fox", "model": "sketch", "size": "256x256"},
            timeout=httpx.Timeout(30, read=seconds),
        )


def test_requests_take_the_road_of_generate(paid, gateway, flux):
    with paid() as server:
        answer = server.generate(n=2, size="16:9", seed=7)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["data"]) == 2
        assert answer.json()["metadata"]["cost_usd"] == pytest.approx(0.12)
        code, log = server.stop()
    assert code == 0
    assert sorted(request.json["seed"] for request in gateway.paid) == [7, 8]  # sent in parallel
    assert "0.12 USD" in log
    assert KEY not in log + answer.text
    runs = flux("runs", env={"HOME": str(server.home)})
    assert "a fox" in runs.out


def test_a_provider_that_costs_needs_a_limit(flux):
    result = flux("serve", "--port", "0", env={"LUMENFALL_API_KEY": KEY})
    assert result.code == 2
    assert "--max-cost" in result.err


def test_the_limit_is_for_all_requests(paid, gateway):
    with paid("--max-cost", "0.13") as server:
        assert server.generate(n=2, model="flux1.1-pro-ultra").status_code == 200
        answer = server.generate(model="flux1.1-pro-ultra")
        assert (answer.status_code, error_of(answer)["code"]) == (402, "budget_exceeded")
        assert answer.headers["x-should-retry"] == "false"
    assert len(gateway.paid) == 2


@pytest.mark.parametrize("name", ["starlette", "uvicorn", "python_multipart"])
def test_without_the_libraries_it_says_what_to_install(monkeypatch, capsys, name):
    monkeypatch.setitem(sys.modules, name, None)
    assert main(["serve", "--offline"]) == 2
    assert "pip install 'flux-image-cli[serve]'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--provider", "bfl"), ("--base-url", "http://127.0.0.1:9/v1")])
def test_offline_and_a_provider_contradict_each_other(flux, words):
    result = flux("serve", "--offline", "--port", "0", *words)
    assert result.code == 2
    assert "contradict each other" in result.err


def test_other_machines_need_a_key(flux):
    result = flux("serve", "--offline", "--host", "0.0.0.0")
    assert result.code == 2
    assert "FLUX_SERVE_KEY" in result.err


def test_a_key_is_asked_for_everywhere_but_at_images(served):
    key = "a key with blanks"
    with served("--offline", env={"FLUX_SERVE_KEY": key}) as server:
        answer = server.generate()
        assert (answer.status_code, error_of(answer)["code"]) == (401, "missing_api_key")
        answer = server.generate(headers={"authorization": "Bearer wrong"})
        assert (answer.status_code, error_of(answer)["code"]) == (401, "invalid_api_key")
        answer = server.generate(headers={"authorization": f"Bearer {key}"})
        (one,) = answer.json()["data"]
        assert httpx.get(one["url"]).status_code == 200
        assert one["url"].rsplit("/")[-1] not in httpx.get(server.origin).text
        _, log = server.stop()
    assert key not in log + answer.text


def test_a_key_file_is_private(flux, home):
    (home / "key").write_text("secret\n")
    (home / "key").chmod(0o644)
    result = flux("serve", "--offline", "--port", "0", "--key-file", str(home / "key"))
    assert result.code == 2
    assert "secret" not in result.err


@pytest.mark.parametrize("word", ["host", "port"])
def test_an_address_that_cannot_be_used_is_said(flux, served, word):
    with served("--offline") as server:
        port = server.origin.rpartition(":")[2]
        words = ["--port", port] if word == "port" else ["--host", "no.such.host.invalid"]
        env = {"FLUX_SERVE_KEY": "key"}
        result = flux("serve", "--offline", *words, env=env)
    assert result.code == 2
    assert result.err.startswith(f"flux: error: {'cannot listen' if word == 'port' else '--host'}")


def test_a_client_that_goes_away_does_not_lose_its_image(paid, gateway, release):
    gateway.answers(held(release))
    with paid() as server:
        go_away(server)
        release.set()
        folder = server.home / ".local/state/flux-image-cli/served"
        wait_until(lambda: folder.exists() and list(folder.iterdir()))
        answer = server.generate()  # the same request again
        assert answer.status_code == 200
        assert len(gateway.paid) == 1
        assert server.generate().status_code == 200  # that one was delivered: this is a new one
        assert len(gateway.paid) == 2
        _, log = server.stop()
    assert "repeat" in log


def test_a_marked_retry_joins_the_request_that_is_under_way(paid, gateway, release):
    gateway.answers(held(release))
    answers = []
    with paid() as server:

        def ask(headers):
            answers.append(server.generate(headers=headers).json()["data"][0]["url"])

        marks = (
            {"idempotency-key": "1"},
            {"x-stainless-retry-count": "1"},
            {"idempotency-key": "1"},
        )
        threads = []
        for mark in marks:
            threads.append(threading.Thread(target=ask, args=(mark,)))
            threads[-1].start()
            wait_until(lambda: gateway.paid)
        time.sleep(0.3)
        release.set()
        for thread in threads:
            thread.join()
    assert len(gateway.paid) == 1
    assert len(set(answers)) == 1


def test_two_clients_that_wait_get_two_images(paid, gateway, release):
    gateway.answers(held(release), held(release))
    answers = []
    with paid() as server:

        def ask():
            answers.append(server.generate().json()["data"][0]["url"])

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(gateway.paid) == 2)
        release.set()
        for thread in threads:
            thread.join()
    assert len(set(answers)) == 2


@pytest.mark.parametrize(
    ("step", "expected", "code"),
    [
        (status(400, "BAD", "bad size"), 400, "invalid_value"),
        (status(401, "KEY", "no such key"), 401, "provider_key_refused"),
        (status(402, "BALANCE", "empty"), 402, "insufficient_quota"),
        (status(404, "MODEL_NOT_FOUND", "no model"), 404, "model_not_found"),
        (status(500, "", "broken"), 424, "maybe_billed"),
        (reply(b"<html>"), 424, "maybe_billed"),
    ],
)
def test_a_failure_of_the_provider_is_never_paid_twice(paid, gateway, step, expected, code):
    gateway.answers(step)
    with paid(env={"FLUX_RETRIES": "0"}) as server:
        answer = server.generate()
        assert (answer.status_code, error_of(answer)["code"]) == (expected, code)
        assert KEY not in answer.text
        if code == "maybe_billed":
            again = server.generate()
            assert again.status_code == expected
            assert len(gateway.paid) == 1


def test_a_signal_finishes_what_is_under_way(paid, gateway, release):
    gateway.answers(held(release))
    answers = []
    with paid() as server:
        thread = threading.Thread(target=lambda: answers.append(server.generate()))
        thread.start()
        wait_until(lambda: gateway.paid)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        release.set()
        thread.join()
        code, _ = server.process.wait(30), None
    assert (code, answers[0].status_code) == (0, 200)


def test_a_slow_answer_on_demand_is_finished_too(served):
    answers = []
    with served("--offline") as server:
        thread = threading.Thread(target=lambda: answers.append(server.generate("flux:slow:2")))
        thread.start()
        time.sleep(1)
        code, _ = server.stop()
        thread.join()
    assert (code, answers[0].status_code) == (0, 200)


def test_a_second_signal_stops_at_once(paid, gateway, release):
    gateway.answers(held(release))
    with paid() as server:

        def ask():
            with suppress(httpx.HTTPError):  # there may be time for an answer
                assert server.generate().status_code == 424

        thread = threading.Thread(target=ask)
        thread.start()
        wait_until(lambda: gateway.paid)
        server.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        began = time.monotonic()
        code, log = server.stop()
        thread.join()
    assert code == 0
    assert time.monotonic() - began < 10
    assert "flux recover" in log
    assert "Traceback" not in log


def test_some_of_the_images_are_better_than_none(paid, gateway):
    gateway.answers(image(), status(400, "BAD", "no"))
    with paid(env={"FLUX_RETRIES": "0", "FLUX_CONCURRENCY": "1"}) as server:
        body = server.generate(n=2).json()
    assert len(body["data"]) == 1
    assert body["errors"][0]["code"] == "validation"
