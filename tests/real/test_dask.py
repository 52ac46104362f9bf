"""`flux build --on dask`: workers on this machine, and a gateway that counts requests."""

import json
import os
import signal
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.builder import SMALL, Builder
from fakes.gateway import Gateway, held, image

from real.programs import FOLDER, ROOT, free_port, installed

pytestmark = pytest.mark.slow
ENGINES = FOLDER / "engines" / "bin"  # a virtual environment of its own
KEY = "lmnfl_canary.Sup3rS3cretV4lue"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as fake:
        yield fake


@pytest.fixture
def builder(environment, gateway, work) -> Builder:
    """`flux build` of this source, with the Python that has Dask."""
    python = installed("python", ENGINES)
    line = [python, "-c", "import distributed, obstore"]
    if subprocess.run(line, capture_output=True, check=False).returncode:
        pytest.skip("distributed is not installed: run .ci/install-servers")
    env = {"LUMENFALL_API_KEY": KEY, "LUMENFALL_BASE_URL": gateway.url, "PYTHONPATH": str(ROOT)}
    env |= {"FLUX_STORE": f"file://{work / 'store'}"}
    builder = Builder(python, environment | env, gateway, work)
    builder.line = [python, "-m", "flux_cli", "build"]
    (work / "flux-build.toml").write_text(SMALL + "seed = 1\n")
    return builder


def workers_of_parts(work: Path) -> dict[int, int]:
    """The processes that run `flux build --shard` in a folder, and the worker of each."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            is_child = b"flux_cli.build.engines.child" in (path / "cmdline").read_bytes()
            if is_child and os.readlink(path / "cwd") == str(work):
                stat = (path / "stat").read_text()
                found[int(path.name)] = int(stat.rpartition(")")[2].split()[1])
        except OSError:
            continue
    return found


def test_25_a_killed_worker_pays_for_nothing_twice(builder, gateway, work):
    release = threading.Event()
    gateway.answers(held(release))
    tick = threading.Event()
    with builder.start("--on", "dask") as process:
        while len(gateway.posts) < 8:
            assert process.poll() is None, process.stderr.read()
            tick.wait(0.01)
        part, worker = workers_of_parts(work).popitem()
        os.kill(worker, signal.SIGKILL)
        while part in workers_of_parts(work):  # it ends soon, but an answer could be faster
            tick.wait(0.01)
        gateway.answers(image())
        release.set()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert "?" in err
    assert KEY not in out + err
    unclear = {name for name, row in builder.rows().items() if "unclear" in row}
    assert 0 < len(unclear) < 8, err
    assert builder.images() == 8 - len(unclear)
    code, posts, _, err = builder.run()
    assert (code, posts) == (3, 0), err
    seeds = Counter(post["seed"] for post in gateway.posts)
    assert seeds == dict.fromkeys(range(1, 9), 1)


def test_ctrl_c_in_a_terminal_ends_the_parts_and_keeps_what_they_made(builder, gateway):
    gateway.answers(held(threading.Event()))
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    line = [*builder.line, "--on", "dask"]
    tick = threading.Event()
    with subprocess.Popen(line, env=builder.env, start_new_session=True, **streams) as process:
        while len(gateway.posts) < 8:
            assert process.poll() is None, process.stderr.read()
            tick.wait(0.01)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert all("unclear" in row for row in builder.rows().values())
    code, posts, _, err = builder.run()
    assert (code, posts, len(builder.rows())) == (3, 0, 8), err


def test_workers_build_every_asset_once_and_the_lock_is_one(builder, work):
    code, posts, out, err = builder.run("--on", "dask", "--json", "--max-cost", "1")
    assert (code, posts, builder.images()) == (0, 8, 8), err
    document = json.loads(out)
    assert (document["status"], document["cost_usd"]) == ("ok", pytest.approx(0.48))
    assert len(document["paths"]) == 8
    assert sorted(path.name for path in work.glob("*.lock")) == ["flux-build.lock"]
    assert builder.run("--check")[0] == 0
    code, posts, _, err = builder.run("--on", "dask")
    assert (code, posts) == (0, 0), err


def test_nothing_is_sent_without_a_scheduler_or_a_store(builder):
    hasty = "from flux_cli.build.engines import dask; dask.SECONDS = 1; import flux_cli.main as m"
    builder.line = [builder.line[0], "-c", f"{hasty}; m.run()", "build"]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (free_port(), silent.getsockname()[1]):
            code, posts, _, err = builder.run("--on", f"dask://127.0.0.1:{port}")
            assert (code, posts) == (1, 0), err
            assert "no Dask scheduler answers" in err
    del builder.env["FLUX_STORE"]
    assert builder.run("--on", "dask")[:2] == (2, 0)
