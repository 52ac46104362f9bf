"""`flux doctor`: each thing that can be wrong is found, in one line, with what to type."""

import os
import socket

import pytest
from fakes.gateway import status
from fakes.messages import redirect, reply
from fakes.proxy import Proxy
from fakes.server import Server, hang_up

from e2e.conftest import KEY
from e2e.screen import Screen, needs_tmux

pytestmark = pytest.mark.slow

BALANCE, BASE = "/v1/balance", "/openai/v1"
GOOD = {"object": "balance", "available": {"amount": 12.5, "currency": "usd"}}
NAMES = [
    *("versions", "settings", "config", "state", "cache"),
    *("terminal", "trust", "key", "proxy", "network"),
]


@pytest.fixture
def doctor(flux, keyed, gateway, home):
    """Run `flux doctor --json`, and return the exit code and the checks by name.

    It never POSTs, and shows neither the key nor the home folder.
    """
    gateway.serves(BALANCE, reply(GOOD))

    def run(*words, env=None):
        result = flux("doctor", "--json", *words, env=keyed | (env or {}))
        assert KEY not in result.out + result.err
        assert str(home) not in result.out + result.err
        assert (result.err, gateway.posts) == ("", [])
        checks = result.json["checks"]
        assert result.code == int(any(check["state"] == "problem" for check in checks))
        assert all("\n" not in check["message"] for check in checks)
        return result.code, {check["name"]: check for check in checks}

    return run


def test_where_nothing_is_wrong_it_says_so(flux, keyed, gateway, doctor):
    code, checks = doctor()
    assert (code, list(checks)) == (0, NAMES)
    assert {check["state"] for check in checks.values()} == {"ok"}
    assert checks["key"]["message"].endswith("from the environment; accepted, balance 12.50 USD")
    host = gateway.url.split("/")[2]
    expected = f"{host} answers: DNS: 1 address, TCP, no TLS, HTTP status 404"
    assert checks["network"]["message"] == expected
    result = flux("doctor", env=keyed)
    assert [line.split()[1] for line in result.lines[:-1]] == NAMES
    assert result.lines[-1] == "nothing is wrong"


def test_the_key_goes_only_to_the_question_about_the_account(doctor, gateway):
    doctor()
    sent = [(one.path, "authorization" in one.headers) for one in gateway.requests]
    assert sent == [(BASE, False), (BALANCE, True)]


@pytest.mark.parametrize("option", ["--no-network", "--offline"])
def test_without_the_network_nothing_is_sent(doctor, gateway, option):
    code, checks = doctor(option)
    assert (code, gateway.requests, gateway.connections) == (0, [], 0)
    assert "not checked" in checks["key"]["message"]


def test_a_missing_key_and_a_refused_one_are_problems(doctor, gateway):
    code, checks = doctor(env={"LUMENFALL_API_KEY": ""})
    assert (code, checks["key"]["hint"]) == (1, "flux login --provider lumenfall")
    gateway.serves(BALANCE, status(401, "AUTHENTICATION_FAILED", f"no such key: {KEY}"))
    code, checks = doctor()
    assert (code, checks["key"]["state"], checks["network"]["state"]) == (1, "problem", "ok")
    assert "refused" in checks["key"]["message"]


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"<html><title>Hotel</title>\x1b[2J", 200, content_type="text/html"),
        reply({"message": f"::error::{KEY}"}, 500),
        reply(b"[" * 5000),
        redirect("https://evil.example/"),
        hang_up,
    ],
)
def test_an_answer_that_does_not_say_is_a_warning(doctor, gateway, answer):
    gateway.serves(BALANCE, answer)
    code, checks = doctor()
    assert (code, checks["key"]["state"]) == (0, "warning")
    assert "not checked: " in checks["key"]["message"]


def test_offline_it_says_so_and_does_not_ask_again(doctor, gateway):
    code, checks = doctor(env={"LUMENFALL_BASE_URL": "http://127.0.0.1:9/openai/v1"})
    assert (code, checks["network"]["state"], gateway.requests) == (1, "problem", [])
    assert checks["network"]["message"].startswith("cannot reach 127.0.0.1:9: ")
    assert checks["key"]["message"].endswith("not checked without a network")


def test_a_server_that_never_answers_is_given_up(doctor):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/v1"
        code, checks = doctor(env={"LUMENFALL_BASE_URL": url})
    assert (code, checks["network"]["state"]) == (1, "problem")
    assert checks["network"]["message"].endswith(": no answer within 4 s")


def test_a_server_without_tls_is_a_problem_and_gets_no_key(doctor):
    with Server(greet=(b"HTTP/1.1 400 Bad Request\r\n\r\n",)) as server:
        url = server.origin.replace("http://", "https://")
        code, checks = doctor(env={"LUMENFALL_BASE_URL": f"{url}/v1"})
    assert (code, checks["network"]["state"], server.requests) == (1, "problem", [])
    assert checks["network"]["message"].endswith(" does not speak TLS")


def test_a_proxy_is_named_without_its_login(doctor, gateway):
    with Proxy(gateway, refusal=b"HTTP/1.1 403 No\r\n\r\n") as proxy:
        named = proxy.origin.replace("http://", "http://me:Pa55word@")
        env = {"HTTPS_PROXY": named, "LUMENFALL_BASE_URL": "https://gateway.example/openai/v1"}
        code, checks = doctor(env=env)
    assert (code, proxy.hosts) == (1, ["gateway.example:443"])
    expected = f"{proxy.origin} (HTTPS_PROXY), with a login"
    assert checks["proxy"]["message"] == expected
    assert "refused to connect" in checks["network"]["message"]
    assert "Pa55word" not in str(checks)


def test_an_unreadable_proxy_is_a_problem(doctor):
    env = {"ALL_PROXY": "gopher://x", "LUMENFALL_BASE_URL": "https://gateway.example/openai/v1"}
    code, checks = doctor(env=env)
    assert (code, checks["proxy"]["state"]) == (1, "problem")


def test_every_fault_in_the_settings_has_a_line(flux, keyed, home, gateway):
    folder = home / ".config" / "flux-image-cli"
    (folder / "models").mkdir(parents=True)
    (folder / "config.toml").write_text('timeout = "soon"\nretries = "many"\n')
    (folder / "models" / "own.toml").write_text("nonsense = 1\n")
    result = flux("doctor", "--json", env=keyed | {"FLUX_CONCURRENCY": "lots"})
    found = [one for one in result.json["checks"] if one["name"] == "settings"]
    assert (result.code, len(found), gateway.requests) == (1, 4, [])
    said = " ".join(one["message"] for one in found)
    assert all(word in said for word in ("timeout", "retries", "FLUX_CONCURRENCY", "own.toml"))


def test_a_key_file_that_others_can_read_is_a_problem(doctor, home):
    path = home / ".config" / "flux-image-cli" / "credentials.toml"
    path.parent.mkdir(parents=True)
    path.write_text(f'LUMENFALL_API_KEY = "{KEY}"\n')
    path.chmod(0o644)
    code, checks = doctor(env={"LUMENFALL_API_KEY": ""})
    hint = "chmod 600 ~/.config/flux-image-cli/credentials.toml"
    assert (code, checks["key"]["hint"]) == (1, hint)


def test_folders_that_are_none_and_certificates_that_are_missing_are_problems(doctor, home):
    (home / ".cache").mkdir()
    (home / ".cache" / "flux-image-cli").touch()
    code, checks = doctor(env={"SSL_CERT_FILE": f"{home}/none.pem", "FLUX_PREVIEW": "hologram"})
    assert code == 1
    found = {name for name, check in checks.items() if check["state"] == "problem"}
    assert found == {"cache", "trust", "terminal"}
    assert all(checks[name]["hint"] for name in found)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_a_problem(doctor, home):
    (home / ".cache").mkdir(mode=0o500)
    assert doctor()[1]["cache"]["state"] == "problem"


def test_other_providers_are_checked_as_they_are_asked(doctor, gateway):
    code, checks = doctor("--provider", "offline")
    assert (code, gateway.requests) == (0, [])
    assert checks["network"]["message"] == "provider offline needs none"
    code, checks = doctor("--provider", "fal", "--no-network", env={"FAL_KEY": "fal-key-1234"})
    assert (code, "no documented way" in checks["key"]["message"]) == (0, True)


@needs_tmux
def test_on_a_terminal_its_width_and_colors_are_named(command, environment, tmp_path):
    line = [command, "doctor", "--no-network"]
    env = environment | {"LUMENFALL_API_KEY": KEY, "FLUX_PREVIEW": "sixel"}
    with Screen(line, env, width=120, height=30, folder=tmp_path) as screen:
        shown = screen.end()
    assert "120 columns, color, images: sixel" in shown
    assert "[exit 0]" in shown
