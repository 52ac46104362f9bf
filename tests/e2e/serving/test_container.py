"""The container of `flux serve`: its install and entry lines, run as a user without a home."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
NOBODY = 54_321  # a user id that nothing knows


def instructions():
    """The instructions of the Dockerfile, with continued lines joined."""
    lines = DOCKERFILE.replace("\\\n", " ").splitlines()
    return [line.split(None, 1) for line in lines if line and not line.startswith("#")]


def only(name):
    """The arguments of an instruction that the Dockerfile has once."""
    (found,) = [rest for word, rest in instructions() if word == name]
    return found


def test_the_container_has_a_user_and_compose_takes_everything_from_it():
    assert only("USER") == COMPOSE["services"]["flux"]["user"].strip('"')
    service = COMPOSE["services"]["flux"]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert [port.split(":")[0] for port in service["ports"]] == ["127.0.0.1"]
    assert service["environment"]["FLUX_SERVE_KEY"].startswith("${FLUX_SERVE_KEY:?")


def test_what_is_copied_is_what_the_wheel_is_made_of():
    """The build context has nothing else: no keys, no images."""
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines()[1:]]
    assert all((ROOT / name).exists() for name in kept)
    assert (ROOT / ".dockerignore").read_text().splitlines()[0] == "*"


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_its_lines_install_and_serve_as_any_user(tmp_path):
    target = tmp_path / "opt"
    install = only("RUN").replace("/opt/flux", str(target)).replace("/source", str(ROOT))
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-euc", install], check=True, env=path | {"HOME": str(tmp_path)})
    for folder in (tmp_path, *tmp_path.parents):
        if str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    environment = {
        **dict(word.split("=", 1) for word in shlex.split(only("ENV"))),
        "FLUX_SERVE_KEY": "a key",
        "PATH": f"{target}/bin:/usr/bin:/bin",
        "FLUX_STATE": f"/tmp/flux-{os.getpid()}",
    }
    line = [*json.loads(only("ENTRYPOINT")), "--port", "0", *json.loads(only("CMD"))]
    with subprocess.Popen(
        [f"{target}/bin/{line[0]}", *line[1:]],
        env=environment,
        cwd="/",
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        url = process.stdout.readline().strip().replace("0.0.0.0", "127.0.0.1")
        assert url, process.stderr.read()
        body = {"prompt": "a fox", "model": "sketch", "size": "256x256"}
        headers = {"authorization": "Bearer a key"}
        answer = httpx.post(f"{url}/images/generations", json=body, headers=headers, timeout=60)
        health = httpx.get(url.replace("/v1", "/healthz"))
        process.terminate()
        log = process.stderr.read()
    assert (answer.status_code, health.text, process.returncode) == (200, "ok\n", 0), log
