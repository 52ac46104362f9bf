"""Several runs in one folder, and killed runs: nothing is overwritten, torn or paid twice."""

import subprocess
import threading
from pathlib import Path

import pytest
from fakes.images import look
from fakes.messages import reply
from fakes.server import Answer, Exchange, Server

from faults.kill import by_seed, image, killed, start
from faults.run import FLUX

pytestmark = pytest.mark.slow

RUNS, EACH = 8, 3


@pytest.fixture
def folders(tmp_path) -> tuple[list[Path], Path]:
    homes, work = [tmp_path / f"home{number}" for number in range(RUNS)], tmp_path / "work"
    for folder in (*homes, work):
        folder.mkdir()
    return homes, work


def test_eight_runs_into_one_folder_overwrite_nothing(folders):
    """All of them want the same names; each path that is printed holds an image of its own.

    No run sees what another one has reserved, as on several machines. No call is answered before
    all have come: a run that begins when another has saved may refuse.
    """
    homes, work = folders
    everybody = threading.Barrier(RUNS * EACH)
    scripts: dict[str, list[Answer]] = {
        f"GET /{seed}": [reply(image(seed))] for seed in range(7, 7 + EACH)
    }

    def wait(_exchange: Exchange) -> None:
        everybody.wait(60)

    with Server({**scripts, "POST": [(wait, by_seed)]}) as server:
        words = ("generate", "a fox", "--seed", "7", "-n", str(EACH), "--quiet")
        runs = [start(server, work, home, *words) for home in homes]
        outs = [run.communicate(timeout=120)[0].decode().split() for run in runs]
    printed = [path for out in outs for path in out]
    assert [run.returncode for run in runs] == [0] * RUNS
    assert len(printed) == len(set(printed)) == RUNS * EACH == server.charges
    assert sorted(path.name for path in work.iterdir()) == sorted(printed)
    sizes = [(40 + seed % 50, 30) for seed in range(7, 7 + EACH)]
    for out in outs:
        assert [look(work / path)[1] for path in out] == sizes


KILLS = 20  # `python -m tests.faults --kill` tries a hundred


@pytest.mark.parametrize("number", range(KILLS))
def test_a_run_killed_at_a_random_moment_loses_no_image(tmp_path, number):
    """If the reply had arrived, `flux recover` brings the image; nothing is paid again."""
    if subprocess.run([FLUX, "recover", "--help"], capture_output=True, check=False).returncode:
        pytest.skip("this flux has no `recover` yet")
    assert killed(tmp_path, number) == []
