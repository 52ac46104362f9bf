"""What a build notes for the next one, in case it is killed."""

import pytest

from flux_cli.build.lock.file import pending_path
from flux_cli.build.lock.pending import Left, Pending, read_pending
from flux_cli.build.lock.rows import File, Row
from flux_cli.core.errors import DiskError

FIRST = Row("1" * 16, "2" * 16, {"prompt": "a\nc\u2028at"}, {"run": "r", "time": "10:00"})
AGAIN = FIRST._replace(generated={"run": "r", "time": "10:01"})
OTHER = FIRST._replace(generated={"run": "s", "time": "11:00"})
FILE = File("0" * 8, "a" * 64, 5, 64, 32)
LATER = FILE._replace(sha256="b" * 64)


@pytest.fixture
def lock(tmp_path):
    return str(tmp_path / "flux-build.lock")


def add_line(lock, data):
    with open(pending_path(lock), "ab") as file:
        file.write(data)


def test_nothing_is_left_of_a_build_that_has_ended(lock):
    pending = Pending(lock)
    assert read_pending(lock) == Left()
    pending.add_row("a", FIRST)
    pending.forget()
    assert read_pending(lock) == Left()


def test_rows_and_files_come_back(lock):
    pending = Pending(lock)
    pending.add_row("a", FIRST)
    for file in (FILE, LATER):
        pending.add_file("img/a.png", file)
    found = {"img/a.png": {FILE.sha256: FILE, LATER.sha256: LATER}}
    assert read_pending(lock) == Left({"a": FIRST}, found)


def test_notes_go_on_after_those_of_a_killed_build_and_after_forgetting(lock):
    Pending(lock).add_row("a", FIRST)
    pending = Pending(lock)
    pending.add_row("b", OTHER)
    assert read_pending(lock).rows == {"a": FIRST, "b": OTHER}
    pending.forget()
    pending.add_row("b", OTHER)
    assert read_pending(lock).rows == {"b": OTHER}


def test_the_first_row_of_a_run_stays(lock):
    """What was made of it has its time; one that comes from the journal has another."""
    pending = Pending(lock)
    pending.add_row("a", FIRST)
    pending.add_row("a", AGAIN)
    assert read_pending(lock).rows == {"a": FIRST}
    pending.add_row("a", OTHER)
    assert read_pending(lock).rows == {"a": OTHER}


@pytest.mark.parametrize(
    "line",
    [
        b'{"schema": 1, "assets": {"b": {"request": "1',  # cut short by a power failure
        b'{"schema": 1, "assets": {"../b": 7}}',
        b'{"schema": 9, "assets": {}}',
        b'{"img/a.png": ["x"]}',
        b'{"img/a.png": {"output": "00000000"}}',
        b'{"../a.png": {"output": "00000000", "sha256": "%b", "bytes": 5}}' % (b"a" * 64),
        b"[" * 100_000,
        b"\xff\0",
        b"7",
    ],
)
def test_a_line_that_cannot_be_read_costs_no_other(lock, line):
    pending = Pending(lock)
    pending.add_row("a", FIRST)
    add_line(lock, line)
    pending.add_file("img/a.png", FILE)
    assert read_pending(lock) == Left({"a": FIRST}, {"img/a.png": {FILE.sha256: FILE}})


def test_a_link_is_not_followed(lock, tmp_path):
    """A cloned repository could bring one."""
    place = tmp_path / ".flux/pending/flux-build.lock"
    place.parent.mkdir(parents=True)
    (tmp_path / "mine").write_text("")
    place.symlink_to(tmp_path / "mine")
    with pytest.raises(DiskError, match="cannot write"):
        Pending(lock).add_file("img/a.png", FILE)
    assert not (tmp_path / "mine").read_text()
