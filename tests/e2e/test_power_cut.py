"""A power failure: what a person was told is saved, or safe, is there after it.

The disk is a file with a file system in it. While flux is stopped, that file is copied: the copy
has what reached the disk, and nothing of what the system still held in memory. It takes the place
of the disk, as after a restart.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.gateway import held, image
from fakes.images import look, noise

from e2e.recovery import PATIENCE, SAFE, files

pytestmark = pytest.mark.slow

MEGABYTES = 96


class Disk:
    """An ext4 file system in a file, mounted at `path`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._file, self.path = folder / f"{name}.img", folder / name
        self.path.mkdir()
        with self._file.open("wb") as file:
            file.truncate(MEGABYTES << 20)
        made = ["mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", self._file]
        for line in (made, ["mount", "-o", "loop", self._file, self.path]):
            done = subprocess.run(line, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
        os.sync()

    def cut_power(self, process: subprocess.Popen) -> None:
        """End a process that was stopped. Only what has reached the disk is still there."""
        copy = self._file.with_suffix(".copy")
        shutil.copyfile(self._file, copy)
        process.kill()
        process.communicate()
        self.unmount()
        copy.replace(self._file)
        subprocess.run(["mount", "-o", "loop", self._file, self.path], check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", self.path], capture_output=True, check=False)


@pytest.fixture
def disk(tmp_path) -> Iterator[Callable[[str], Disk]]:
    if os.geteuid() or not shutil.which("mkfs.ext4"):
        pytest.skip("mounting a disk needs root and mkfs.ext4")
    disks: list[Disk] = []

    def make(name: str) -> Disk:
        disks.append(Disk(tmp_path, name))
        return disks[-1]

    yield make
    os.chdir("/")
    for one in disks:
        one.unmount()


@pytest.fixture
def start(command, keyed):
    """Start flux with its state folder on a disk."""

    def run(disk: Disk, *words: str) -> subprocess.Popen:
        env = keyed | {"FLUX_STATE": str(disk.path / "state")}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([command, *words], env=env, **pipes)

    return run


def stop(process: subprocess.Popen) -> None:
    """Stop a process, unless it has ended."""
    process.send_signal(signal.SIGSTOP)
    status = Path(f"/proc/{process.pid}/stat")
    while status.read_text().rpartition(")")[2].split()[0] not in ("T", "Z"):
        time.sleep(0.01)


@pytest.mark.parametrize("form", [(), SAFE], ids=["url", "b64"])
def test_images_that_wait_for_an_encoder_survive(start, gateway, disk, recover, form):
    gateway.answers(image(noise(1500)))
    one = disk("disk")
    out = one.path / "out"
    line = ("-n", "4", "--seed", "7", "-f", "avif", "--effort", "small", "-o", f"{out}/", *form)
    run = start(one, "generate", "a fox", *line)
    wait_for_lines(one, '"fetched"', 4)
    time.sleep(0.5)  # the disk is asked at once, in another thread
    stop(run)
    one.cut_power(run)
    if form:
        gateway.history.clear()
    assert recover(env={"FLUX_STATE": str(one.path / "state")}).code == 0
    assert [look(path)[0] for path in sorted(out.iterdir())] == ["avif"] * 4


def wait_for_lines(disk: Disk, mark: str, count: int) -> None:
    """Wait until the journal has so many lines of a kind."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = [path.read_text().count(mark) for path in disk.path.rglob("*.jsonl")]
        if sum(found) >= count:
            return
        time.sleep(0.005)
    pytest.fail(f"the journal has no {count} lines of {mark}")


@pytest.mark.parametrize("form", [(), SAFE], ids=["url", "b64"])
def test_what_is_called_safe_survives(start, gateway, disk, recover, work, form):
    """The other request of the run still goes on when the error is printed."""
    release = work / "out"
    one = disk("disk")
    gateway.answers(
        lambda _request: (release.touch(), image(noise(1500)))[1],
        lambda _request: time.sleep(5) or image(),
    )
    line = ("-n", "2", "--seed", "7", "-o", "out/", "--concurrency", "1", *form)
    run = start(one, "generate", "a fox", *line)
    wait_for_lines(one, '"failed"', 1)
    stop(run)
    one.cut_power(run)
    release.unlink()
    gateway.history.clear()
    recover(env={"FLUX_STATE": str(one.path / "state")})
    assert files() == ["out/a-fox-7.jpg"]


@pytest.mark.parametrize("where", ["same", "other"])
def test_paths_that_were_printed_survive(start, gateway, disk, where):
    one = disk("disk")
    other = disk("other") if where == "other" else one
    gateway.answers(image(noise(800)))
    run = start(one, "generate", "a fox", "-n", "4", "--seed", "7", "-o", f"{other.path}/out/")
    out, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == 0
    other.cut_power(run)
    assert [look(Path(path))[0] for path in out.splitlines()] == ["jpeg"] * 4


@pytest.mark.parametrize("where", ["same", "other"])
def test_files_that_were_saved_survive_while_the_run_goes_on(
    start, gateway, disk, recover, release, where
):
    one = disk("disk")
    other = disk("other") if where == "other" else one
    gateway.answers(image(noise(800)), image(noise(800)), held(release))
    line = ("-n", "3", "--seed", "7", "-o", f"{other.path}/out/", "--concurrency", "1", *SAFE)
    run = start(one, "generate", "a fox", *line)
    wait_for_lines(one, '"whole"', 2)
    if where == "same":
        time.sleep(0.5)  # the disk is asked at once, in another thread
    stop(run)
    other.cut_power(run)  # if there are two, all of the journal has reached its own disk
    gateway.history.clear()
    recover(env={"FLUX_STATE": str(one.path / "state")})
    names = sorted(path.name for path in (other.path / "out").iterdir())
    assert names[:2] == ["a-fox-7.jpg", "a-fox-8.jpg"]
