"""`flux login` and `flux logout`: a key is checked, stored for its owner alone, and never shown."""

import fcntl
import os
import pty
import stat
import subprocess
import termios

import pytest
from fakes.gateway import status
from fakes.messages import redirect, reply
from fakes.server import hang_up

from e2e.conftest import KEY
from e2e.screen import drained

pytestmark = pytest.mark.slow

BALANCE = "/v1/balance"
GOOD = {"object": "balance", "available": {"amount": 12.5, "currency": "usd"}}
LINE = f'LUMENFALL_API_KEY = "{KEY}"\n'


@pytest.fixture
def file(home):
    return home / ".config" / "flux-image-cli" / "credentials.toml"


@pytest.fixture
def stored(file):
    """Write credentials.toml as a person would."""

    def write(text: str, mode: int = 0o600) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    return write


@pytest.fixture
def login(flux, gateway):
    """Run `flux login` with a key on standard input. Nothing that it prints shows the key."""
    gateway.serves(BALANCE, reply(GOOD))

    def run(*words, key=KEY, env=None, verb="login"):
        env = {"LUMENFALL_BASE_URL": gateway.url} | (env or {})
        result = flux(verb, *words, env=env, input=key.encode())
        assert KEY not in result.out + result.err
        assert "Traceback" not in result.err
        assert gateway.posts == []
        return result

    return run


def test_a_good_key_is_stored_for_its_owner_alone_and_used(login, file, flux, gateway):
    result = login(key=f"  {KEY}\r\n")
    assert (result.code, result.err) == (0, "")
    assert "lumenfall: the key is accepted; balance 12.50 USD" in result.out
    assert "in ~/.config/flux-image-cli/credentials.toml" in result.out
    assert file.read_text() == LINE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert gateway.log == [f"GET {BALANCE}"]
    assert gateway.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert flux("generate", "a fox", env={"LUMENFALL_BASE_URL": gateway.url}).code == 0


def test_a_umask_that_lets_everybody_read_changes_nothing(command, environment, gateway, file):
    gateway.serves(BALANCE, reply(GOOD))
    env = environment | {"LUMENFALL_BASE_URL": gateway.url}
    line = ["sh", "-c", 'umask 0; exec "$0" login', command]
    subprocess.run(line, env=env, input=KEY.encode(), check=True, capture_output=True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "answer",
    [
        status(401, "AUTHENTICATION_FAILED", f"Invalid API key {KEY}"),
        reply({"detail": f"Not authenticated: {KEY}"}, 403),
    ],
)
def test_a_refused_key_is_not_stored(login, gateway, file, answer):
    gateway.serves(BALANCE, answer)
    result = login()
    assert (result.code, result.out) == (4, "")
    assert "refused the key, which is not stored" in result.err
    assert "https://lumenfall.ai/app/api_keys" in result.err
    assert not file.exists()


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"<html><title>Hotel</title>", 200, content_type="text/html"),
        reply({"message": f"hello {KEY}"}),
        reply([1]),
        reply(b"{" * 5000),
        reply({}, 404),
        status(500),
        redirect("https://evil.example/"),
        hang_up,
    ],
)
def test_an_answer_that_does_not_say_leaves_the_key_unchecked(login, gateway, file, answer):
    gateway.serves(BALANCE, answer)
    result = login()
    assert result.code == 0
    assert "lumenfall: the key is not checked: " in result.out
    assert file.read_text() == LINE


@pytest.mark.parametrize("amount", [None, "x", -1, 1e400, {"a": 1}, True])
def test_a_balance_that_is_none_is_not_shown(login, gateway, amount):
    gateway.serves(BALANCE, reply(GOOD | {"available": {"amount": amount}}))
    assert "lumenfall: the key is accepted\n" in login().out


def test_without_a_network_it_is_stored_and_said_to_be_unchecked(login, file):
    result = login(env={"LUMENFALL_BASE_URL": "http://127.0.0.1:9/openai/v1"})
    assert (result.code, file.read_text()) == (0, LINE)
    assert "the key is not checked: cannot reach 127.0.0.1:9" in result.out


@pytest.mark.parametrize(("provider", "variable"), [("fal", "FAL_KEY"), ("openai", "FLUX_API_KEY")])
def test_where_nothing_is_documented_nothing_is_asked(login, gateway, file, provider, variable):
    result = login("--provider", provider)
    assert (result.code, gateway.requests) == (0, [])
    assert "no documented way" in result.out
    assert file.read_text() == f'{variable} = "{KEY}"\n'


@pytest.mark.parametrize(
    ("provider", "setting", "path", "answer"),
    [
        ("bfl", None, "/v1/credits", {"credits": 250}),
        ("replicate", None, "/account", {"username": "me"}),
        ("together", None, "/models", [{"id": "flux"}]),
        ("openai.com", "OPENAI_BASE_URL", "/v1/models", {"data": []}),
    ],
)
def test_other_providers_are_asked_at_their_own_addresses(
    login, gateway, provider, setting, path, answer
):
    gateway.serves(path, reply(answer))
    base = gateway.origin + ("/v1" if setting else "")
    env = {setting: base} if setting else {"FLUX_PROVIDER": provider, "FLUX_BASE_URL": base}
    result = login("--provider", provider, env=env) if setting else login(env=env)
    assert result.code == 0
    assert f"{provider}: the key is accepted" in result.out
    assert gateway.log == [f"GET {path}"]
    assert ("balance 2.50 USD" in result.out) == (provider == "bfl")


@pytest.mark.parametrize("key", ["", " \n", "two words", "two\nlines", "caf\u00e9", "a\0b"])
def test_what_is_no_key_is_refused_before_it_is_sent(login, gateway, file, key):
    assert (login(key=key).code, gateway.requests, file.exists()) == (2, [], False)


def test_a_key_is_never_sent_unencrypted(login, file):
    result = login(env={"LUMENFALL_BASE_URL": "http://gateway.example/openai/v1"})
    assert (result.code, file.exists()) == (2, False)
    assert "unencrypted" in result.err


@pytest.mark.parametrize("words", [(KEY,), ("--key", KEY), (f"--key={KEY}",), ("-k", KEY)])
@pytest.mark.parametrize("verb", ["login", "logout"])
def test_a_key_on_the_command_line_is_neither_taken_nor_quoted(login, file, gateway, words, verb):
    result = login(*words, verb=verb)
    assert (result.code, gateway.requests, file.exists()) == (2, [], False)


def test_a_provider_without_a_key_has_nothing_to_store(login):
    result = login("--provider", "localai")
    assert (result.code, "needs no key" in result.err) == (2, True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "# mine\nLUMENFALL_API_KEY='old' # x\nA = 1\n",
            f'# mine\nLUMENFALL_API_KEY="{KEY}" # x\nA = 1\n',
        ),
        ('"LUMENFALL_API_KEY"="old"', f'"LUMENFALL_API_KEY"="{KEY}"'),
        ("A = 1", f"A = 1\n{LINE}"),
        ("A = 1\r\n", f"A = 1\r\n{LINE.strip()}\r\n"),
        ("A = 1\n[b]\nc = 1\n", f"A = 1\n{LINE}[b]\nc = 1\n"),
    ],
)
def test_other_lines_stay_as_they_are(login, stored, file, before, after):
    stored(before)
    assert login().code == 0
    assert file.read_bytes().decode() == after


@pytest.mark.parametrize(
    "text",
    ['LUMENFALL_API_KEY = """\nold"""\n', 'A = """\nLUMENFALL_API_KEY = 1\n"""\n', "not TOML"],
)
def test_what_cannot_be_edited_stays_as_it_is(login, stored, file, text):
    stored(text)
    assert (login().code, file.read_text()) == (2, text)


def test_a_file_that_others_can_read_is_refused_before_the_key_is_sent(login, stored, gateway):
    stored("A = 1\n", 0o644)
    result = login()
    assert (result.code, gateway.requests) == (2, [])
    assert "hint: chmod 600 " in result.err


def test_a_folder_that_everybody_can_write_to_is_refused(login, file, gateway):
    file.parent.mkdir(parents=True)
    file.parent.chmod(0o777)
    assert (login().code, gateway.requests, file.exists()) == (2, [], False)


def test_a_link_of_the_user_is_followed_and_stays(login, file, home):
    file.parent.mkdir(parents=True)
    (home / "dotfiles.toml").touch(0o600)
    file.symlink_to(home / "dotfiles.toml")
    assert login().code == 0
    assert file.is_symlink()
    assert (home / "dotfiles.toml").read_text() == LINE


def test_a_key_in_the_environment_has_precedence_and_that_is_said(login, file):
    result = login(env={"LUMENFALL_API_KEY": "lmnfl_other.key"})
    assert file.read_text() == LINE
    assert "note: LUMENFALL_API_KEY is set in the environment, and has precedence" in result.err
    result = login(verb="logout", env={"LUMENFALL_API_KEY": "lmnfl_other.key"})
    assert "note: LUMENFALL_API_KEY is still set" in result.err


def test_logout_removes_one_key_and_leaves_the_rest(login, stored, file, gateway):
    stored(f'# keys\n{LINE}FAL_KEY = "f"\nFAL_API_KEY = "g"\n')
    assert login(verb="logout").out.startswith("lumenfall: removed LUMENFALL_API_KEY from ~/")
    assert file.read_text() == '# keys\nFAL_KEY = "f"\nFAL_API_KEY = "g"\n'
    assert login("--provider", "fal", verb="logout").code == 0
    assert (file.read_text(), gateway.requests) == ("# keys\n", [])
    result = login(verb="logout")
    assert (result.code, "no key in ~/" in result.out) == (0, True)


@pytest.fixture
def terminal(command, environment, gateway):
    """Type at `flux login` on a terminal, each line when a prompt ends as given.

    Returns the exit code and what the terminal showed.
    """

    def run(*typed: tuple[str, str]) -> tuple[int, str]:
        env = environment | {"LUMENFALL_BASE_URL": gateway.url, "TERM": "xterm"}
        ours, theirs = pty.openpty()
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
        shown = b""
        with subprocess.Popen(
            [command, "login"],
            env=env,
            start_new_session=True,
            # Ctrl-C arrives only at a terminal of its own.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - only a call
            **streams,
        ) as flux:
            os.close(theirs)
            for prompt, line in typed:
                while not shown.decode().endswith(prompt):
                    shown += os.read(ours, 4096)
                os.write(ours, line.encode())
            shown += drained(ours)
        return flux.returncode, shown.decode()

    return run


PROMPT = "Key for lumenfall (not shown): "
CONFIRM = "Store it anyway? [y/N] "


def test_on_a_terminal_it_says_where_to_get_a_key_and_does_not_show_it(terminal, gateway, file):
    gateway.serves(BALANCE, reply(GOOD))
    code, shown = terminal((PROMPT, f"{KEY}\n"))
    assert code == 0
    assert "Create a key at https://lumenfall.ai/app/api_keys" in shown
    assert "accepted" in shown
    assert KEY not in shown
    assert file.read_text() == LINE


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("", 1)])
def test_on_a_terminal_a_person_decides_about_a_key_that_was_not_checked(
    terminal, gateway, file, answer, code
):
    gateway.serves(BALANCE, hang_up)
    ended, shown = terminal((PROMPT, f"{KEY}\n"), (CONFIRM, f"{answer}\n"))
    assert (ended, file.exists()) == (code, code == 0)
    assert KEY not in shown


@pytest.mark.parametrize(("typed", "code"), [("\x03", 130), ("\x04", 2), ("\n", 2)])
def test_on_a_terminal_without_a_key_nothing_is_sent(terminal, gateway, file, typed, code):
    ended, shown = terminal((PROMPT, typed))
    assert (ended, gateway.requests, file.exists()) == (code, [], False)
    assert "Traceback" not in shown
