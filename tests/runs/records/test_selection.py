"""Which runs are listed, and how many journals are opened for that."""

import os
import time

import pytest
from journals import saved_steps, write_run

from flux_cli.core.errors import UsageError
from flux_cli.runs.records.archive import selection
from flux_cli.runs.records.archive.selection import Filter, parse_since, select
from flux_cli.runs.records.listing import find_run

FAILED = {"event": "failed", "call": 1, "code": "network", "message": "", "billed": False}
DAYS = [f"202611{day:02}-120000-00000{day}" for day in range(1, 9)]


@pytest.fixture
def root(tmp_path):
    """Eight runs, one a day: the even ones failed."""
    for day, name in enumerate(DAYS, 1):
        sent = {"event": "sent", "call": 1}
        steps = saved_steps(f"/w/Sea-{day}.jpg") if day % 2 else (sent, FAILED)
        write_run(tmp_path, name, *steps, prompt=f"a FOX of day {day}")
    return tmp_path


@pytest.fixture
def opened(monkeypatch):
    """The names of the journals that are opened."""
    names, read = [], selection.read_run

    def noting(path):
        names.append(path.stem)
        return read(path)

    monkeypatch.setattr(selection, "read_run", noting)
    return names


def names(found):
    return [one.past.id for one in found.runs]


def test_only_the_newest_are_read(root, opened):
    found = select(root, Filter(), 3)
    assert names(found) == opened == DAYS[:-4:-1]
    assert found.more == 5


def test_filters_stop_at_the_limit(root, opened):
    found = select(root, Filter(failed=True), 2)
    assert names(found) == [DAYS[7], DAYS[5]]
    assert (opened, found.more) == (DAYS[:-4:-1], 5)


def test_a_time_needs_no_older_journals(root, opened):
    noon = time.mktime((2026, 11, 6, 12, 0, 0, 0, 0, -1))
    found = select(root, Filter(since=noon), 20)
    assert (names(found), found.more) == (DAYS[:-4:-1], 0)
    assert set(opened) <= set(DAYS[4:])


@pytest.mark.parametrize(
    ("text", "days"), [("fox of DAY 3", [3]), ("sea-", [7, 5, 3, 1]), ("/w/", []), ("cat", [])]
)
def test_a_text_is_searched_in_prompts_and_file_names(root, text, days):
    assert names(select(root, Filter(search=text), 20)) == [DAYS[day - 1] for day in days]


def test_the_prompt_of_one_request_is_searched_too(tmp_path):
    sent = {"event": "sent", "call": 1, "delivery": {"record": {"prompt": "a red boat"}}}
    write_run(tmp_path, DAYS[0], sent)
    assert names(select(tmp_path, Filter(search="boat"), 20)) == [DAYS[0]]


def test_runs_of_one_second_are_ordered_by_their_journals(tmp_path):
    second = "20261101-120000"
    for tail, more in (("aaaaaa", 0.7), ("bbbbbb", 0.1), ("cccccc", 0.4)):
        began = time.mktime(time.strptime(second, "%Y%m%d-%H%M%S")) + more
        write_run(tmp_path, f"{second}-{tail}", time=began)
    found = select(tmp_path, Filter(), 2)
    assert names(found) == [f"{second}-aaaaaa", f"{second}-cccccc"]
    assert found.more == 1
    assert find_run(tmp_path, "last").past.id == f"{second}-aaaaaa"


def test_journals_of_other_names_are_as_old_as_their_files(tmp_path):
    path = write_run(tmp_path, DAYS[2])
    other = path.rename(tmp_path / "copy.jsonl")
    write_run(tmp_path, DAYS[4])
    for day, place in ((1, 1), (8, 0)):
        seconds = time.mktime((2026, 11, day, 0, 0, 0, 0, 0, -1))
        os.utime(other, (seconds, seconds))
        assert [name for _, name in selection.dated_names(tmp_path)][place] == "copy"


def test_times():
    now = time.time()
    assert parse_since("7d") == pytest.approx(now - 7 * 86_400, abs=5)
    assert parse_since("2026-01-31") == time.mktime((2026, 1, 31, 0, 0, 0, 0, 0, -1))
    assert parse_since("2026-01-31T15:04") == time.mktime((2026, 1, 31, 15, 4, 0, 0, 0, -1))
    today, yesterday = parse_since("today"), parse_since("Yesterday")
    assert time.localtime(today)[3:5] == time.localtime(yesterday)[3:5] == (0, 0)
    assert 22 * 3600 < today - yesterday < 26 * 3600
    assert today <= now < today + 26 * 3600


@pytest.mark.parametrize("text", ["", "7", "soon", "2026-13-01", "31.01.2026"])
def test_other_times_are_refused(text):
    with pytest.raises(UsageError, match="invalid time"):
        parse_since(text)
