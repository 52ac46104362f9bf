"""Runs and recoveries at the same time, where the file system has no locks."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from fakes.gateway import held, image, status

from e2e.recovery import PATIENCE, SAFE, files, states

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).parents[1] / "fakes" / "no_locks.c"


@pytest.fixture
def no_locks(tmp_path, keyed) -> dict[str, str]:
    """The environment of somebody with a key, where locks fail."""
    if not shutil.which("gcc"):
        pytest.skip("gcc is needed to take the locks away")
    library = tmp_path / "no_locks.so"
    done = subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, SOURCE], check=False)
    if done.returncode:
        pytest.skip("gcc makes no shared library here")
    return keyed | {"LD_PRELOAD": str(library)}


@pytest.mark.parametrize("form", [(), SAFE], ids=["url", "b64"])
@pytest.mark.parametrize("end", ["end", "stop", "kill"])
def test_a_run_under_way_is_left_alone_and_a_killed_one_is_not(
    command, gateway, release, recover, flux, no_locks, form, end
):
    """`stop` is Ctrl-Z: the process is still there and will go on."""
    gateway.answers(image(), held(release))
    line = [command, "generate", "a fox", "-n", "2", "--seed", "7", "--concurrency", "1", *form]
    with subprocess.Popen(line, env=no_locks, stderr=subprocess.DEVNULL) as run:
        while len(gateway.posts) < 2:
            assert run.poll() is None
        if end == "stop":
            run.send_signal(signal.SIGSTOP)
        if end == "kill":
            run.kill()
            run.wait()
        seen = [row["state"] for row in flux("runs", "--json", env=no_locks).json["runs"]]
        assert seen == ["unclear" if end == "kill" else "running"]
        assert recover(env=no_locks).code == (3 if end == "kill" else 0)
        release.set()
        if end == "stop":
            run.send_signal(signal.SIGCONT)
        assert run.wait(PATIENCE) == (-9 if end == "kill" else 0)
    while gateway.history[1]["status"] != "completed":
        pass
    assert (recover(env=no_locks).code, files()) == (0, ["a-fox-7.jpg", "a-fox-8.jpg"])
    assert states(flux) == ["complete"]


def test_two_recoveries_at_once_save_every_image_once(command, generate, gateway, flux, no_locks):
    gateway.answers(image(first=(status(500),)))
    assert generate("a fox", "-n", "6", "--seed", "7", env={"FLUX_RETRIES": "0"}).code == 1
    line = [command, "recover"]
    both = [subprocess.Popen(line, env=no_locks, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert {one.wait(PATIENCE) for one in both} <= {0, 2}
    assert files() == sorted(f"a-fox-{seed}.jpg" for seed in range(7, 13))
    assert (states(flux), len(gateway.posts)) == (["complete"], 6)


def test_a_recovery_that_is_killed_is_recovered(command, keyed, generate, gateway, recover, flux):
    """At many moments: no image is lost, none is saved twice, and nothing is left behind."""
    gateway.answers(image(first=(status(500),)))
    names = []
    for number in range(12):
        options = ("-n", "3", "--seed", str(3 * number), "-o", f"{number}/")
        assert generate("a fox", *options, env={"FLUX_RETRIES": "0"}).code == 1
        names += [f"{number}/a-fox-{3 * number + place}.jpg" for place in range(3)]
    for moment in range(12):
        run = subprocess.Popen([command, "recover"], env=keyed, stderr=subprocess.DEVNULL)
        try:
            run.wait(0.25 + moment / 20)
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()
    assert recover().code == 0
    assert files() == sorted(names)
    assert {*states(flux)} == {"complete"}
