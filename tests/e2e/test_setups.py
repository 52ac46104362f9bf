"""The installed command where people run it: in containers, and with servers behind fronts."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from fakes.gateway import status

pytestmark = pytest.mark.slow

KEY, TOKEN = "k3y-0f-s0mebody", "t0ken-0f-the-fr0nt"
NOBODY = ("setpriv", "--reuid", "1000650000", "--regid", "0", "--clear-groups")
needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("setpriv"),
    reason="only root can become nobody",
)


@pytest.fixture
def table(home):
    """Write the user's config.toml."""
    path = home / ".config" / "flux-image-cli" / "config.toml"
    path.parent.mkdir(parents=True)
    return path.write_text


def test_a_server_behind_a_front_gets_its_headers_and_query(flux, gateway, table):
    """As Azure and Cloudflare Access want it."""
    table(
        f'[providers.azure]\nbase_url = "{gateway.url}/deployments/x?api-version=2025-04-01"\n'
        'key = "AZURE_KEY"\nkey_header = "api-key"\n'
        'headers = { CF-Access-Client-Secret = "$CF_SECRET" }\n'
    )
    env = {"AZURE_KEY": KEY, "CF_SECRET": TOKEN}
    line = ("generate", "a fox", "-m", "m", "--provider", "azure")
    result = flux(*line, "-o", "fox", env=env)
    assert result.code == 0, result.err
    post = gateway.requests[0]
    assert post.target.endswith("/deployments/x/images/generations?api-version=2025-04-01")
    assert (post.headers["api-key"], "authorization" in post.headers) == (KEY, False)
    assert post.headers["cf-access-client-secret"] == TOKEN
    gateway.answers(status(400, message=f"who is {TOKEN}, with {KEY}?"))
    result = flux(*line, env=env)
    assert "who is ***, with ***?" in result.err
    curl = flux("resolve", "a fox", "--curl", "-m", "m", "--provider", "azure", env=env).out
    assert '-H "api-key: $AZURE_KEY" -H "CF-Access-Client-Secret: $CF_SECRET"' in curl


def test_the_gateways_key_is_sent_to_no_other_server(generate, other):
    result = generate("a fox", "--base-url", other.url)
    assert (result.code, other.requests) == (4, [])
    assert "FLUX_API_KEY is not set" in result.err
    assert "--provider lumenfall" in result.err
    assert generate("a fox", "--base-url", other.url, "--provider", "lumenfall").code == 0
    assert "authorization" in other.requests[0].headers


def run_as_nobody(command, *words, **env):
    """Run the command as a user without an entry in passwd, and without HOME."""
    Path().chmod(0o777)
    for folder in Path.cwd().parents:
        if folder.stat().st_uid == os.geteuid() and str(folder) not in ("/", "/tmp"):
            folder.chmod(0o755)
    kept = {"PATH": os.environ["PATH"], "FLUX_METADATA": "none", **env}
    return subprocess.run(
        [*NOBODY, command, *words], env=kept, capture_output=True, text=True, check=False
    )


@needs_root
@pytest.mark.parametrize("home", [None, "/", "/nonexistent", "/proc", "private"])
def test_nobody_without_a_home_can_use_every_command(command, gateway, home):
    if home == "private":  # as with HOME=/root, which containers keep for other users
        home = str(Path.cwd() / "private")
        Path(home).mkdir(mode=0o700)
    env = {"HOME": home} if home else {}
    for words in (("sizes", "16:9"), ("resolve", "a fox"), ("config", "path"), ("models",)):
        done = run_as_nobody(command, *words, **env)
        assert (done.returncode, done.stderr) == (0, ""), words
    env |= {"LUMENFALL_API_KEY": KEY, "LUMENFALL_BASE_URL": gateway.url}
    temporary = Path.cwd() / "temporary"
    temporary.mkdir()
    temporary.chmod(0o1777)
    env["TMPDIR"] = str(temporary)
    done = run_as_nobody(command, "generate", "a fox", "-o", "fox.jpg", **env)
    assert (done.returncode, done.stdout) == (0, "fox.jpg\n"), done.stderr
    assert f"flux: note: state folder {home or ''}".rstrip("/") in done.stderr
    assert str(temporary / "flux-image-cli-1000650000") in done.stderr
    done = run_as_nobody(command, "runs", **env)
    assert (done.returncode, "a fox" in done.stdout) == (0, True), done.stderr
    done = run_as_nobody(command, "recover", **env)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs namespaces")
def test_on_a_read_only_file_system_images_are_written_where_they_can_be(
    command, gateway, environment, tmp_path
):
    """The home folder is read-only; the key is a secret of mode 0444 on it."""
    secret = Path(os.environ["HOME"]) / "key"
    secret.write_text(KEY)
    secret.chmod(0o444)
    script = 'mount --bind "$HOME" "$HOME" && mount -o remount,bind,ro "$HOME" && exec "$@"'
    start = ["unshare", "-rm", "sh", "-c", script, "-"]
    env = environment | {
        "LUMENFALL_API_KEY_FILE": str(secret),
        "LUMENFALL_BASE_URL": gateway.url,
        "TMPDIR": str(tmp_path),
    }
    line = [*start, command, "generate", "a fox", "-o", "fox.jpg"]
    done = subprocess.run(line, env=env, capture_output=True, text=True, check=False)
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip("no namespaces here")
    assert (done.returncode, done.stdout) == (0, "fox.jpg\n"), done.stderr
    assert "state folder" in done.stderr
    assert gateway.requests[0].headers["authorization"] == f"Bearer {KEY}"
