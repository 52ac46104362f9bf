"""The key: where it may come from, where it goes, and that nobody ever reads it."""

import os
import subprocess
from pathlib import Path

import pytest
from fakes.gateway import image, status
from fakes.messages import redirect, reply

from e2e.conftest import KEY

pytestmark = pytest.mark.slow

OTHER_KEY = "lmnfl_other.key"


@pytest.fixture
def keyless(flux, gateway):
    """`flux generate` for somebody whose environment has no key."""
    return lambda *line, env=None: flux(
        "generate", *line, env={"LUMENFALL_BASE_URL": gateway.url} | (env or {})
    )


def key_file(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("line", [(), ("--json",), ("--quiet",), ("-n", "5"), ("-o", "-")])
def test_without_a_key_nothing_is_sent_and_the_hint_names_variable_and_offline(
    keyless, gateway, line
):
    result = keyless("a fox", *line)
    assert (result.code, gateway.requests) == (4, [])
    assert "LUMENFALL_API_KEY" in result.err
    assert "--offline" in result.err
    assert list(Path().iterdir()) == []


def test_without_a_key_a_misspelled_model_is_said_first(keyless):
    note, error, _ = keyless("a fox", "-m", "flux1.1-pro-ulta").err.splitlines()
    assert note.startswith("flux: note: model flux1.1-pro-ulta: ")
    assert note.endswith("did you mean flux1.1-pro-ultra?")
    assert error.startswith("flux: error: no key")
    assert len(keyless("a fox", "-m", "flux1.1-pro-ulta", "--quiet").err.splitlines()) == 2


def test_without_a_key_json_has_the_code(keyless):
    result = keyless("a fox", "--json")
    assert (result.json["exit_code"], result.json["errors"][0]["code"]) == (4, "auth")


@pytest.mark.parametrize("key", ["", "   "])
def test_an_empty_variable_is_no_key(keyless, gateway, key):
    assert (keyless("a fox", env={"LUMENFALL_API_KEY": key}).code, gateway.requests) == (4, [])


@pytest.mark.parametrize("key", ["two words", "clé", "line\nbreak"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(keyless, gateway, key):
    result = keyless("a fox", env={"LUMENFALL_API_KEY": key})
    assert (result.code, gateway.requests) == (2, [])
    assert key not in result.err


def test_blanks_around_a_key_are_cut(keyless, gateway):
    assert keyless("a fox", env={"LUMENFALL_API_KEY": f" {OTHER_KEY}\n"}).code == 0
    assert gateway.requests[0].headers["authorization"] == f"Bearer {OTHER_KEY}"


def test_a_key_file_only_its_owner_can_read_is_used(keyless, gateway, tmp_path):
    path = key_file(tmp_path / "key", OTHER_KEY + "\n")
    assert keyless("a fox", env={"LUMENFALL_API_KEY_FILE": str(path)}).code == 0
    assert gateway.requests[0].headers["authorization"] == f"Bearer {OTHER_KEY}"


def test_the_users_credentials_are_used(keyless, gateway, home):
    key_file(home / ".config/flux-image-cli/credentials.toml", f'LUMENFALL_API_KEY = "{OTHER_KEY}"')
    assert keyless("a fox").code == 0
    assert gateway.requests[0].headers["authorization"] == f"Bearer {OTHER_KEY}"


def test_the_variable_wins_over_every_file(generate, gateway, home, tmp_path):
    key_file(home / ".config/flux-image-cli/credentials.toml", f'LUMENFALL_API_KEY = "{OTHER_KEY}"')
    generate("a fox", env={"LUMENFALL_API_KEY_FILE": str(key_file(tmp_path / "key", OTHER_KEY))})
    assert gateway.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o611])
@pytest.mark.parametrize("where", ["variable", "credentials"])
def test_a_key_file_that_others_may_read_is_refused(keyless, gateway, home, mode, where):
    if where == "variable":
        path = key_file(home / "key", OTHER_KEY, mode)
        result = keyless("a fox", env={"LUMENFALL_API_KEY_FILE": str(path)})
    else:
        path = key_file(
            home / ".config/flux-image-cli/credentials.toml",
            f'LUMENFALL_API_KEY = "{OTHER_KEY}"',
            mode,
        )
        result = keyless("a fox")
    assert (result.code, gateway.requests) == (2, [])
    assert f"chmod 600 {path}" in result.err
    assert OTHER_KEY not in result.err


def test_a_broken_credentials_file_is_named_and_not_quoted(keyless, gateway, home):
    path = key_file(
        home / ".config/flux-image-cli/credentials.toml", f"LUMENFALL_API_KEY = {OTHER_KEY}"
    )
    for more in ((), ("--verbose",)):
        result = keyless("a fox", *more)
        assert (result.code, gateway.requests) == (2, [])
        assert str(path) in result.err
        assert OTHER_KEY not in result.err


def test_a_key_file_that_is_not_there_is_named(keyless, gateway):
    result = keyless("a fox", env={"LUMENFALL_API_KEY_FILE": "nowhere"})
    assert (result.code, gateway.requests) == (2, [])
    assert "nowhere" in result.err


def test_a_projects_file_cannot_send_the_key_elsewhere(generate, gateway, other):
    for name in ("base_url", "lumenfall_base_url"):
        Path("flux.toml").write_text(f'{name} = "{other.url}"')
        result = generate("a fox")
        assert (result.code, gateway.requests, other.requests) == (2, [], [])
        assert "flux.toml" in result.err


def echo(request):
    return request.headers["authorization"]


def image_and_key(request):
    """An image of one pixel, with the key in every text beside it."""
    url = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    items = [{"url": url, "revised_prompt": echo(request)}]
    return reply({"data": items, "metadata": {"provider": KEY}, "id": KEY})


# every place of an answer in which a server could send the key back
ECHOES = {
    "error": lambda request: status(400, message=f"bad request: {echo(request)}"),
    "error code": lambda request: status(400, code=echo(request)),
    "error of a refused key": lambda request: status(
        401, "AUTHENTICATION_FAILED", f"Invalid API key {echo(request)}"
    ),
    "error at the end of what is shown": lambda request: status(
        400, message="x" * 275 + echo(request)
    ),
    "error of a list": lambda request: reply(
        {"detail": [{"loc": [echo(request)], "msg": "x"}]}, 422
    ),
    "error in plain text": lambda request: reply(
        f"cannot use {echo(request)}", 403, content_type="text/plain"
    ),
    "error that is retried": lambda request: status(
        429, message=f"slow down, {echo(request)}", retry_after="0"
    ),
    "error with status 200": lambda request: reply(
        {"error": {"message": f"failed for {echo(request)}"}}
    ),
    "request id": lambda request: status(400, x_lumenfall_request_id=echo(request)),
    "no JSON": lambda request: reply(f"<p>{echo(request)}"),
    "no HTTP": lambda request: (f"{echo(request)}\r\n\r\n".encode(),),
    "broken header": lambda request: (f"HTTP/1.1 200 OK\r\n{echo(request)}\r\n\r\n".encode(),),
    "redirect": lambda request: redirect(f"http://127.0.0.1/?{echo(request)}"),
    "address of an image": reply({"data": [{"url": f"/media/{KEY}.jpg"}]}),
    "address that cannot be trusted": reply({"data": [{"url": f"ftp://host/{KEY}"}]}),
    "revised prompt": image_and_key,
    "bytes of an image": reply({"data": [{"url": f"data:text/plain,{KEY}"}]}),
    "bytes of a fetched image": image(KEY.encode()),
    "redirect of an image": image(first=(redirect(f"ftp://host/{KEY}"),)),
    "broken answer for an image": image(first=2 * ((f"{KEY}\r\n\r\n".encode(),),)),
    "metadata": image(provider=KEY, executed_model=KEY),
}


@pytest.mark.parametrize("answer", ECHOES.values(), ids=ECHOES)
def test_a_key_that_a_server_sends_back_is_never_shown(generate, gateway, answer):
    """Neither in messages and their causes nor in JSON.

    Several calls are made, because they are reported in another way than a single one.
    """
    gateway.answers(answer)
    result = generate("a fox", "--retries", "1", "--json", "--verbose", "-n", "2")
    shown = result.out + result.err
    assert KEY.partition(".")[2] not in shown
    assert KEY[:12] not in shown  # not cut in half either


def test_hiding_a_key_changes_no_path(generate):
    """Many keys begin like words. Hiding half a key must not change the names of files."""
    result = generate(
        "a fox",
        "-o",
        "task-proj-1.jpg",
        "--json",
        env={"LUMENFALL_API_KEY": "sk-proj-Abc123Def456Ghi789"},
    )
    assert [file["path"] for file in result.json["files"]] == ["task-proj-1.jpg"]
    assert "saved task-proj-1.jpg" in result.err


@pytest.mark.parametrize(
    "line", ["resolve fox", "resolve fox --curl", "resolve --json", "config", "config --json"]
)
def test_lookups_do_not_show_the_key(flux, keyed, line):
    result = flux(*line.split(), env=keyed)
    assert result.code == 0
    assert KEY not in result.out + result.err


def test_the_key_is_in_no_file_the_run_leaves(generate, work, home):
    assert generate("a fox", "-f", "png").code == 0
    files = [path for folder in (work, home) for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 2  # the image and the journal of the run
    assert not any(KEY.encode() in path.read_bytes() for path in files)


def test_an_option_for_the_key_does_not_exist(generate, gateway):
    result = generate("a fox", "--api-key", OTHER_KEY)
    assert (result.code, gateway.requests) == (2, [])
    assert OTHER_KEY not in result.err


def test_proxies_of_the_environment_do_not_see_plain_loopback_keys(generate, gateway, other):
    """A proxy gets what it is set up to get: with NO_PROXY the gateway is asked directly."""
    proxy = {"HTTP_PROXY": other.origin, "NO_PROXY": "127.0.0.1"}
    assert generate("a fox", env=proxy).code == 0
    assert (len(gateway.posts), other.requests) == (1, [])


def test_nobody_else_on_the_machine_sees_the_key_in_the_process_list(keyed, command, gateway):
    seen = []

    def read_it(request):
        seen.extend(
            path.read_bytes()
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if os.access(path, os.R_OK) and path.exists()
        )
        return image()(request)

    if not Path("/proc/self/cmdline").exists():
        pytest.skip("no /proc")
    gateway.answers(read_it)
    key = (
        f"{KEY}.{os.getpid()}"  # other tests, beside this one, try what happens to keys on the line
    )
    subprocess.run(
        [command, "generate", "a fox"],
        env=keyed | {"LUMENFALL_API_KEY": key},
        check=True,
        capture_output=True,
    )
    assert any(b"a fox" in line for line in seen)
    assert not any(key.encode() in line for line in seen)
