"""Named pipes: one with a writer is read to its end, and one without ends in an error."""

import os
import threading

import pytest

from flux_cli.disk import pipes
from flux_cli.disk.pipes import is_pipe, read_file

pytestmark = pytest.mark.skipif(os.name != "posix", reason="other systems have no named pipes")
LIMIT = 1 << 20


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def ignore(_status: os.stat_result) -> None:
    pass


def test_a_link_to_a_pipe_is_one_and_nothing_else_is(pipe, tmp_path):
    (tmp_path / "link").symlink_to(pipe)
    (tmp_path / "file").touch()
    assert is_pipe(pipe)
    assert is_pipe(tmp_path / "link")
    for name in ("file", "absent", "."):
        assert not is_pipe(tmp_path / name)
    assert not is_pipe("a\0b")


@pytest.mark.parametrize("data", [b"a", b"key-1\n", b"x" * 300_000])
def test_a_pipe_is_read_to_its_end_like_a_file(data, pipe, tmp_path):
    (tmp_path / "file").write_bytes(data)
    writer = threading.Thread(target=pipe.write_bytes, args=(data,), daemon=True)
    writer.start()
    assert read_file(pipe, LIMIT, ignore) == data
    writer.join()
    assert read_file(tmp_path / "file", LIMIT, ignore) == data
    assert read_file(tmp_path / "file", 1, ignore) == data[:1]


def test_a_writer_may_take_its_time(pipe, monkeypatch):
    monkeypatch.setattr(pipes, "PATIENCE", 0.0)  # nobody waits any longer for a writer
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(pipe, os.O_WRONLY)
    os.close(reader)
    answers: list[bytes] = []
    is_open = threading.Event()
    arguments = (pipe, LIMIT, lambda _status: is_open.set())
    thread = threading.Thread(target=lambda: answers.append(read_file(*arguments)), daemon=True)
    thread.start()
    is_open.wait()
    os.write(writer, b"late")
    os.close(writer)
    thread.join()
    assert answers == [b"late"]


def test_a_pipe_that_nobody_writes_into_is_an_error(pipe, monkeypatch):
    monkeypatch.setattr(pipes, "PATIENCE", 0.0)
    with pytest.raises(OSError, match="nobody writes into this pipe"):
        read_file(pipe, LIMIT, ignore)


def test_what_is_no_regular_file_is_read_too():
    assert read_file(pipes.Path(os.devnull), LIMIT, ignore) == b""
