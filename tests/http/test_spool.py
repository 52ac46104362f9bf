"""Received data finds a place whatever fails: the folder, a temporary folder, or memory."""

import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flux_cli.http.spool import Spool

DATA = os.urandom(300_000)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The folder of a run, and beside it one for temporary files."""
    (tmp_path / "temporary").mkdir()
    (tmp_path / "run").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "run"


@contextmanager
def limited(what: int, soft: int) -> Iterator[None]:
    before = resource.getrlimit(what)
    resource.setrlimit(what, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(what, before)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 16


def receive(spool: Spool, *parts: bytes) -> str:
    file = spool.open_new()
    for part in parts:
        file.write(part)
    file.close()
    return file.path


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_folder_that_is_gone_is_replaced_by_a_temporary_one_of_its_name(folder):
    shutil.rmtree(folder)
    spool = Spool(folder)
    path = receive(spool, DATA)
    assert spool.read(path) == DATA
    second = Path(tempfile.gettempdir(), "flux-run")
    assert spool.secure(path) == str(second / Path(path).name)
    assert second.stat().st_mode & 0o777 == 0o700
    spool.release(path)
    spool.close()
    assert not second.exists()


def test_a_folder_that_is_removed_while_a_file_arrives_loses_nothing(folder):
    spool = Spool(folder)
    file = spool.open_new()
    file.write(DATA)
    shutil.rmtree(folder)
    file.write(DATA)
    file.close()
    assert spool.read(file.path) == DATA * 2


def test_what_an_earlier_run_left_in_the_temporary_folder_is_found_by_its_name(folder):
    shutil.rmtree(folder)
    name = Path(receive(Spool(folder), DATA)).name
    folder.mkdir()
    spool = Spool(folder)
    path = spool.find(name)
    assert spool.read(path) == DATA
    spool.release(path)
    spool.close()
    assert files(folder.parent) == []


def test_it_is_also_found_where_an_earlier_run_had_its_temporary_files(folder, monkeypatch):
    shutil.rmtree(folder)
    earlier = tempfile.gettempdir()
    name = Path(receive(Spool(folder), DATA)).name
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder.parent))
    assert Spool(folder).find(name) is None
    spool = Spool(folder, earlier)
    path = spool.find(name)
    assert spool.read(path) == DATA
    spool.release(path)
    spool.close()
    assert files(folder.parent) == []
    assert not Path(earlier, "flux-run").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can")
def test_the_temporary_folder_of_another_user_is_not_read(folder):
    other = Path(tempfile.gettempdir(), "flux-run")
    other.mkdir()
    (other / "abc").write_bytes(b"theirs")
    os.chown(other, 12345, 12345)
    assert Spool(folder, tempfile.gettempdir()).find("abc") is None


def test_a_temporary_folder_that_is_a_link_is_not_used(folder):
    shutil.rmtree(folder)
    (folder.parent / "theirs").mkdir()
    Path(tempfile.gettempdir(), "flux-run").symlink_to(folder.parent / "theirs")
    spool = Spool(folder)
    path = receive(spool, DATA)
    assert spool.read(path) == DATA
    assert files(folder.parent) == []


@pytest.mark.parametrize("parts", [(DATA,), (DATA[:1000], DATA[1000:]), (DATA[:150_000],) * 2])
def test_a_limit_on_file_sizes_moves_everything_into_memory(folder, parts):
    spool = Spool(folder)
    with limited(resource.RLIMIT_FSIZE, 100_000):
        path = receive(spool, *parts)
        assert spool.read(path) == b"".join(parts)
        assert spool.secure(path) == ""
        assert files(folder.parent) == []
    assert spool.secure(path) == path
    assert Path(path).read_bytes() == b"".join(parts)


def test_without_file_descriptors_everything_is_held_in_memory(folder):
    spool = Spool(folder)
    with limited(resource.RLIMIT_NOFILE, 3):
        path = receive(spool, DATA)
        assert spool.read(path) == DATA
    assert spool.find(Path(path).name) == path
    spool.release(path)
    assert spool.find(Path(path).name) is None


def test_without_a_folder_nothing_touches_the_disk(folder):
    spool = Spool(None)
    path = receive(spool, DATA)
    assert (spool.read(path), spool.secure(path)) == (DATA, "")
    assert files(folder.parent) == []


@pytest.mark.parametrize("limit", [0, 100_000, 1 << 30])
def test_a_file_that_is_dropped_leaves_nothing_wherever_it_was(folder, limit):
    spool = Spool(folder)
    with limited(resource.RLIMIT_FSIZE, limit):
        for is_closed in (True, False):
            file = spool.open_new()
            file.write(DATA)
            if is_closed:
                file.close()
            file.drop()
            assert spool.find(Path(file.path).name) is None
    assert files(folder.parent) == []


def test_a_full_place_is_left_and_files_stay_whole(folder):
    """The second file is larger than the rest of the first place."""
    spool = Spool(folder)
    before = open_files()
    with limited(resource.RLIMIT_FSIZE, len(DATA)):
        paths = [receive(spool, DATA), receive(spool, DATA, b"more")]
    assert [spool.read(path) for path in paths] == [DATA, DATA + b"more"]
    assert open_files() == before
