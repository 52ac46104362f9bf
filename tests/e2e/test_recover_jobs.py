"""`flux recover` for jobs at BFL, fal and Replicate that were under way."""

import os
import subprocess

import pytest
from fakes.gateway import status
from fakes.providers import DIRECT_ENDPOINTS, ENDLESS_JOBS, GOOD_JOBS, POLLED_PATHS
from fakes.providers import KEY as UPSTREAM_KEY
from fakes.server import Server

from e2e.recovery import files, folders, states

pytestmark = pytest.mark.slow


def kill_while_polling(command: str, name: str, upstream: Server) -> None:
    """Run `flux generate` for a job that is never done, and kill it at its first poll."""
    endpoint = DIRECT_ENDPOINTS[name]
    upstream.answers(ENDLESS_JOBS[name]())
    polled = f"GET {POLLED_PATHS[name].format(seed=7)}"
    env = {variable: os.environ[variable] for variable in ("PATH", "HOME")}
    env |= {"COLUMNS": "100", endpoint.key_variable: UPSTREAM_KEY}
    address = ("--provider", name, "--base-url", upstream.origin + endpoint.base_path)
    line = [command, "generate", "a fox", *address, "--seed", "7"]
    with subprocess.Popen(line, env=env, stderr=subprocess.DEVNULL) as run:
        while polled not in upstream.log:
            assert run.poll() is None
        run.kill()


@pytest.mark.parametrize("name", GOOD_JOBS)
def test_a_job_that_was_under_way_is_polled_by_its_own_address(command, flux, name, state):
    endpoint = DIRECT_ENDPOINTS[name]
    with Server() as upstream:
        kill_while_polling(command, name, upstream)
        done = GOOD_JOBS[name]()(upstream.paid[0])
        for place, script in done.scripts.items():
            upstream.on(place, *script)
        result = flux("recover", env={endpoint.key_variable: UPSTREAM_KEY})
        assert (result.code, files(), folders(state)) == (0, ["a-fox-7.jpg"], [])
        assert len(upstream.paid) == 1
        journals = "".join(path.read_text() for path in state.glob("*.jsonl"))
        assert UPSTREAM_KEY not in result.out + result.err + journals


@pytest.mark.parametrize("name", GOOD_JOBS)
@pytest.mark.parametrize("number", [404, 504])
def test_a_job_nobody_knows_any_more_is_expired_and_one_that_cannot_be_read_now_is_not(
    command, flux, name, number
):
    endpoint = DIRECT_ENDPOINTS[name]
    with Server() as upstream:
        kill_while_polling(command, name, upstream)
        upstream.serves(POLLED_PATHS[name].format(seed=7), status(number))
        more = {endpoint.key_variable: UPSTREAM_KEY, "FLUX_RETRIES": "0", "FLUX_TIMEOUT": "1.5"}
        assert flux("recover", env=more).code == 1
        assert states(flux) == ["expired" if number == 404 else "recoverable"]
        assert len(upstream.paid) == 1
