"""The journal on disk: private, whole lines, one writer, nothing recoverable forgotten."""

import json
import os
import resource
import shutil
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from journals import DELIVERY, change_first_line, line, lines_of, task

from flux_cli.core.errors import DiskError, OutputError, UsageError
from flux_cli.core.outcome import Facts, Media, Reply, SavedImage
from flux_cli.core.request import Call
from flux_cli.core.text import Secret
from flux_cli.images.metadata.record import Record
from flux_cli.images.names import Name
from flux_cli.runs.capacity import Disks
from flux_cli.runs.job import Task
from flux_cli.runs.records import journal, store
from flux_cli.runs.records.listing import find_run, list_all, read_journal
from flux_cli.runs.records.past import PastRun
from flux_cli.runs.records.rescue import resume
from flux_cli.runs.saving.delivery import delivery_document, read_delivery

KEY = "lmnfl_canary.Sup3rS3cretV4lue"
CALL = Call(1, 7, "m", {})
TASK = task(CALL)
ANSWER = Reply(
    200, {"x-request-id": "q", "set-cookie": "no"}, b'{"data": [{"url": "https://a/b"}]}'
)


def facts(prompt: str | None = "a fox", count: int = 1) -> dict:
    return {"provider": "lumenfall", "base_url": "https://a", "prompt": prompt, "n": count}


def begin(root: Path, told: dict) -> journal.Journal:
    return journal.begin(root, store.new_name(), told)


def media(book: journal.Journal, data: bytes = b"image") -> Media:
    path = book.folder / os.urandom(4).hex()
    path.write_bytes(data)
    return Media(str(path), Facts("q", "fal", 0.06, 7, "a red fox"))


def saved(path: str = "7.jpg") -> SavedImage:
    return SavedImage(path, "jpeg", 1, 1, 1, as_received=True, facts=Facts())


def past(root: Path, book: journal.Journal) -> PastRun:
    return find_run(root, book.run).past


@pytest.fixture
def root(tmp_path) -> Path:
    return tmp_path / "state" / "runs"


@pytest.fixture
def file_size():
    """A limit on the size of files, as a full disk in the middle of a run."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_nobody_else_may_read_it(root):
    old = os.umask(0)
    try:
        with begin(root, facts()) as book:
            modes = {
                path.name: stat.S_IMODE(path.stat().st_mode) for path in (root, *root.iterdir())
            }
    finally:
        os.umask(old)
    assert modes == {"runs": 0o700, book.run: 0o700, f"{book.run}.jsonl": 0o600}


def test_a_whole_run_leaves_its_lines_and_no_folder(root):
    with begin(root, facts()) as book:
        book.sent(TASK)
        book.answered(CALL, ANSWER)
        one = media(book)
        book.fetched(CALL, [one])
        book.saved(CALL, one, saved())
        book.whole(CALL)
    assert [path.name for path in root.iterdir()] == [f"{book.run}.jsonl"]
    run = past(root, book)
    assert (run.state, run.cost_usd, run.calls[0].saved) == (
        "complete",
        0.06,
        (str(Path("7.jpg").absolute()),),
    )


def test_what_is_not_saved_stays(root):
    with begin(root, facts()) as book:
        book.sent(TASK)
        book.answered(CALL, ANSWER)
        one = media(book)
        book.fetched(CALL, [one])
        book.failed(CALL, DiskError("full"))
    assert Path(one.file).read_bytes() == b"image"
    assert past(root, book).state == "recoverable"
    reply = read_journal(book.path).calls[0].reply
    assert reply == ANSWER._replace(headers={"x-request-id": "q"})


def test_a_failure_after_which_nothing_is_left_to_fetch_leaves_no_folder(root):
    with begin(root, facts()) as book:
        book.sent(TASK)
        book.answered(CALL, ANSWER)
        media(book)
        book.failed(CALL, DiskError("x"), final=True)
    assert not book.folder.exists()
    assert past(root, book).state == "failed"


def test_whoever_reads_meanwhile_finds_the_run_as_far_as_it_is_written(root):
    """The list of what is waiting grows, and nothing is ever lost from it or read wrongly."""
    with begin(root, facts(count=200)) as book:
        stop = threading.Event()
        counts = [0]

        def look() -> None:
            while not stop.is_set():
                counts.append(past(root, book).count("waiting"))

        reader = threading.Thread(target=look)
        reader.start()
        for number in range(1, 201):
            book.answered(CALL._replace(number=number), ANSWER._replace(data=b"x" * 5000))
        stop.set()
        reader.join()
    assert counts == sorted(counts)
    assert past(root, book).count("waiting") == 200


@pytest.mark.parametrize("name", ["caf\udce9", "😀", 'a"b', "a\nb"])
def test_names_of_files_that_are_no_text_come_back_as_they_were(root, name):
    with begin(root, facts()) as book:
        book.sent(task(CALL, f"{name}.{{ext}}"))
    assert past(root, book).calls[0].name.path("png") == f"{name}.png"


def test_before_the_money_is_spent_a_full_disk_is_an_error(root, file_size):
    with begin(root, facts()) as book:
        file_size((root / f"{book.run}.jsonl").stat().st_size + 10)
        with pytest.raises(OSError, match=r"space|large"):
            book.sent(TASK)
        file_size(1 << 20)
    assert past(root, book).calls[0].state == "not_sent"


@pytest.fixture
def small_disk(tmp_path):
    """A file system with room for two images."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "none", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be had here: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_a_disk_with_no_room_for_an_image_is_full(small_disk):
    """What cannot be kept must not be paid for."""
    with begin(small_disk / "runs", facts()) as book:
        book.sent(TASK)
        disks = Disks([book.folder])
        disks.check()
        assert (disks.have_room(1), disks.have_room(2)) == (True, False)
        (small_disk / "others").write_bytes(bytes(12 << 20))
        with pytest.raises(DiskError, match="space"):
            disks.check()
    (small_disk / "rest").write_bytes(bytes(shutil.disk_usage(small_disk).free))
    with pytest.raises(OutputError, match="space"):
        begin(small_disk / "runs", facts())
    # A run that could not begin leaves nothing.
    assert {path.stem for path in (small_disk / "runs").iterdir()} == {book.run}


@pytest.mark.parametrize("suffix", ["", ".jsonl"])
def test_a_run_that_cannot_begin_touches_nothing_of_another(root, suffix):
    name = store.new_name()
    there = root / f"{name}{suffix}"
    if suffix:
        root.mkdir(parents=True)
        there.write_bytes(b"journal")
        (root / name).mkdir()
    else:
        there.mkdir(parents=True)
    image = root / name / "ab"
    image.write_bytes(b"image")
    count = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    with pytest.raises(OutputError):
        journal.begin(root, name, {"prompt": "a"})
    assert image.read_bytes() == b"image"
    assert (root / f"{name}.jsonl").exists() == bool(suffix)
    if count:
        assert len(os.listdir("/proc/self/fd")) == count


def test_after_the_money_is_spent_a_full_disk_loses_neither_image_nor_journal(root, file_size):
    with begin(root, facts()) as book:
        path = root / f"{book.run}.jsonl"
        book.sent(TASK)
        book.answered(CALL, ANSWER)
        one = media(book)
        book.fetched(CALL, [one])
        file_size(path.stat().st_size + 10)
        book.saved(CALL, one, saved())  # torn after ten bytes
        book.whole(CALL)
        assert Path(one.file).exists()
        file_size(1 << 20)
        book.failed(CALL, DiskError("full"))  # the line behind the torn one counts
    assert book.folder.exists()
    run = past(root, book)
    assert (run.state, run.calls[0].failure["code"]) == ("recoverable", "disk")


@pytest.mark.parametrize("there", ["a file", "a folder nobody may write in"])
def test_a_journal_that_cannot_be_had_is_said_before_anything_is_sent(tmp_path, there):
    blocked = tmp_path / "state"
    if there == "a file":
        blocked.touch()
    else:
        blocked.mkdir(mode=0o500)
        if os.geteuid() == 0:
            pytest.skip("root may write anywhere")
    with pytest.raises(OutputError, match="cannot write a journal") as caught:
        begin(blocked / "runs", facts())
    assert (caught.value.exit_code, "FLUX_STATE" in caught.value.hint) == (2, True)


def test_a_run_under_way_is_seen_as_such_and_nobody_else_may_go_on_with_it(root):
    with begin(root, facts()) as book:
        (row,) = list_all(root).runs
        assert row.running
        with pytest.raises(UsageError, match="under way"):
            resume(row)
    (row,) = list_all(root).runs
    assert not row.running
    _, again = resume(row)
    with again, pytest.raises(UsageError, match="under way"):
        resume(row)
    assert again.run == book.run


def test_whoever_goes_on_reads_what_the_one_before_has_written(root):
    """Two recoveries at once: the second finds the work done."""
    with begin(root, facts()) as book:
        book.answered(CALL, ANSWER)
    (stale,) = list_all(root).runs
    assert stale.past.state == "recoverable"
    run, first = resume(stale)
    with first:
        assert run.state == "recoverable"
        first.whole(CALL)
    run, second = resume(stale)
    with second:
        assert run.state == "complete"


RUN = """
import sys
from pathlib import Path
from runs.records.test_journal import ANSWER, CALL, TASK, begin, facts, media, saved
from flux_cli.runs.records.listing import find_run
from flux_cli.runs.records.rescue import resume
for _ in range(10):
    with begin(Path(sys.argv[1]), facts()) as book:
        book.sent(TASK)
        book.answered(CALL, ANSWER)
        one = media(book)
        book.fetched(CALL, [one])
        if sys.argv[2] == "die":
            break
        book.saved(CALL, one, saved())
        book.whole(CALL)
if sys.argv[2] == "die":
    import os, signal
    _, book = resume(find_run(Path(sys.argv[1]), book.run))
    book.sent(TASK)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_several_at_once_keep_apart_and_a_lock_ends_with_its_process(root):
    here = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    words = [sys.executable, "-c", RUN, str(root)]
    runs = [subprocess.Popen([*words, end], env=here) for end in ("die", "end", "end", "end")]
    while any(run.poll() is None for run in runs):
        list_all(root)  # somebody lists them all the while
        time.sleep(0.05)
    assert [run.returncode for run in runs] == [-9, 0, 0, 0]
    rows = list_all(root).runs
    assert (len(rows), [row for row in rows if row.running]) == (31, [])
    assert sorted({row.past.state for row in rows}) == ["complete", "recoverable"]


def ended_runs(root: Path, count: int, *, days: float = 0) -> list[Path]:
    """Journals of runs that began some days ago, the oldest first."""
    paths = []
    for number in range(count):
        began = time.time() - days * 86_400 - 3600 * (count - number)
        with begin(root, facts()) as book:
            book.sent(TASK)
            book.failed(CALL, DiskError("refused"))
        stem = time.strftime("%Y%m%d-%H%M%S", time.localtime(began)) + "-aaaaaa"
        paths.append((root / f"{book.run}.jsonl").rename(root / f"{stem}.jsonl"))
    return paths


def test_prune_keeps_the_newest_and_what_is_not_too_old(root):
    old = ended_runs(root, 2, days=91)
    paths = ended_runs(root, 4, days=60)
    store.prune(root)
    assert [path.exists() for path in (*old, *paths)] == [False] * 2 + [True] * 4
    store.prune(root, keep=3)
    assert [path.exists() for path in paths] == [False, True, True, True]


def test_prune_goes_by_the_names_of_runs_and_leaves_other_files_alone(root):
    """The time of a file changes when it is copied."""
    (path,) = ended_runs(root, 1)
    os.utime(path, (0, 0))
    (root / "notes.jsonl").touch()
    store.prune(root)
    assert path.exists()
    store.prune(root, keep=0)
    assert [path.name for path in root.iterdir()] == ["notes.jsonl"]


@pytest.mark.parametrize("state", ["running", "waiting", "unclear"])
def test_prune_never_forgets_what_is_not_saved_or_not_clear(root, state):
    """However old it seems: a clock may be a hundred days ahead."""
    with begin(root, facts()) as book:
        book.sent(TASK)
        if state == "waiting":
            book.answered(CALL, ANSWER)
        if state == "running":
            store.prune(root, keep=0, days=-100)
            assert book.path.exists()
    store.prune(root, keep=0, days=-100)
    assert (book.path.exists(), book.folder.exists()) == (True, True)


def test_a_request_that_is_clear_later_lets_its_run_go(root):
    with begin(root, facts()) as book:
        book.sent(TASK)
    before, again = resume(find_run(root, book.run))
    with again:
        assert before.state == "unclear"
        again.failed(CALL, DiskError("never received"), final=True)
    assert not book.folder.exists()
    store.prune(root, keep=0)
    assert not book.path.exists()


@pytest.mark.parametrize("state", ["whole", "waiting"])
def test_without_prompts_no_word_of_them_is_in_the_folder(root, state):
    prompt = "a red fox under a violet moon"
    body = json.dumps(
        {"data": [{"url": "https://a/b", "revised_prompt": prompt}], "input": {"prompt": prompt}}
    )
    with begin(root, facts(prompt=None)) as book:
        book.sent(TASK)
        book.answered(CALL, ANSWER._replace(data=body.encode()))
        one = media(book)
        book.fetched(CALL, [one._replace(facts=one.facts._replace(revised_prompt=prompt))])
        book.failed(CALL, DiskError(f"refused: {prompt}"))
        if state == "whole":
            book.saved(CALL, one, saved("a-red-fox-under-a-violet-moon-7.jpg"))
            book.whole(CALL)
    text = (root / f"{book.run}.jsonl").read_text()
    assert [word for word in ("violet", "moon") if word in text] == []
    assert "https://a/b" in text
    run, again = resume(find_run(root, book.run))
    with again:
        again.failed(CALL, DiskError(prompt))
    assert "violet" not in (root / f"{book.run}.jsonl").read_text()
    assert run.state == ("complete" if state == "whole" else "recoverable")


def test_a_key_is_nowhere_in_it(root):
    Secret(KEY)
    with begin(root, facts(prompt=f"draw {KEY}")) as book:
        book.sent(TASK)
        body = json.dumps({"error": f"key {KEY} is wrong"}).encode()
        book.answered(CALL, Reply(200, {"x-echo": KEY, "authorization": KEY}, body))
        book.failed(CALL, DiskError(f"no {KEY}"))
    assert KEY not in (root / f"{book.run}.jsonl").read_text()
    assert past(root, book).state == "recoverable"


@pytest.mark.parametrize(
    ("item", "kept"),
    [
        ({"url": "https://a/b", "revised_prompt": f"%41{KEY}" * 40_000}, '{"url": "https://a/b"}'),
        ({"url": "https://a/" + "%41" * 100_000 + KEY}, ""),
        ({"url": "https://a/" + "abc" * 100_000}, "abc" * 100_000),
        ({"url": "https://a/b", "note": [["%41%41"]] * 70_000}, ""),
    ],
)
def test_of_a_long_reply_only_what_leads_to_images_is_kept(root, item, kept):
    """Hiding keys in all of it would take many seconds, in which nothing else can be done."""
    Secret(KEY)
    with begin(root, facts()) as book:
        book.sent(TASK)
        book.answered(CALL, ANSWER._replace(data=json.dumps({"data": [item]}).encode()))
    run = past(root, book)
    body = read_journal(book.path).calls[0].reply.data.decode()
    assert kept in body if kept else body == ""
    assert KEY not in (root / f"{book.run}.jsonl").read_text()
    assert run.state == "recoverable"


def test_a_reply_of_endless_lists_is_no_error(root):
    with begin(root, facts(prompt=None)) as book:
        book.sent(TASK)
        book.answered(CALL, ANSWER._replace(data=b"[" * 900 + b"]" * 900))
    assert past(root, book).state == "recoverable"


def test_a_journal_with_line_breaks_of_windows_is_read(root):
    with begin(root, facts()) as book:
        book.sent(TASK)
    path = root / f"{book.run}.jsonl"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert (past(root, book).damaged, past(root, book).state) == (0, "unclear")


def test_a_run_is_found_by_the_beginning_of_its_name_if_that_is_the_only_one(root):
    with begin(root, facts()) as book:
        pass
    assert find_run(root, book.run[:-2]).past.id == book.run
    (root / f"{book.run[:-1]}!.jsonl").write_bytes((root / f"{book.run}.jsonl").read_bytes())
    for name, words in ((book.run[:5], "several"), ("nonsense", "no run"), ("", "no run")):
        with pytest.raises(UsageError, match=words):
            find_run(root, name)


def test_files_that_are_no_journals_are_left_out(root):
    root.mkdir(parents=True)
    (root / "notes.jsonl").write_text("hello")
    (root / "folder.jsonl").mkdir()
    assert list_all(root).runs == []
    with pytest.raises(UsageError, match="not a journal"):
        find_run(root, "notes")


def test_a_scratch_journal_writes_nothing_down_and_has_no_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").touch()
    with journal.scratch() as book:
        book.sent(TASK)
        book.answered(CALL, ANSWER)
        assert book.headers(CALL) == {}
        assert book.recovery() == ""
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_runs_of_one_second_are_listed_in_their_order(root):
    begun = []
    for _ in range(8):
        with begin(root, facts()) as book:
            begun.append(book.run)
    assert [row.past.id for row in list_all(root).runs] == begun[::-1]


def test_calls_that_are_answered_at_once_share_the_way_to_the_disk(root, monkeypatch):
    """Waiting for the disk ends only when one's own line is there; later lines wait again."""
    slow, begun, go_on = [], threading.Event(), threading.Event()

    def fsync(_file):
        slow.append(1)
        begun.set()
        go_on.wait(5)

    with begin(root, facts(count=10)) as ledger:
        monkeypatch.setattr(journal.os, "fsync", fsync)
        ledger.sent(TASK)
        first = threading.Thread(target=ledger.sync)
        first.start()
        begun.wait(5)
        for _ in range(9):
            ledger.sent(TASK)
        later = [threading.Thread(target=ledger.sync) for _ in range(9)]
        for thread in later:
            thread.start()
        assert len(slow) == 1
        go_on.set()
        for thread in (first, *later):
            thread.join(5)
        assert len(slow) == 2
        ledger.sync()
        assert len(slow) == 2


@pytest.mark.parametrize(
    ("began", "text"), [(1_764_583_200, "2025-12-01T10:00:00Z"), (None, None), (1e14, None)]
)
def test_times_are_told_in_utc(root, began, text):
    with begin(root, facts()) as book:
        pass
    path = root / f"{book.run}.jsonl"
    change_first_line(path, time=began)
    assert find_run(root, book.run).began == text


def test_a_line_that_did_not_fit_leaves_no_part_of_itself(root, file_size):
    with begin(root, facts(count=2)) as book:
        size = book.path.stat().st_size
        file_size(size + 10)
        with pytest.raises(OSError, match=r"space|large"):
            book.sent(TASK)
        file_size(1 << 20)
        assert book.path.stat().st_size == size
    assert read_journal(book.path).damaged == 0


@pytest.mark.parametrize("count", [1, 3000])
def test_a_run_counts_its_requests_before_they_are_sent(root, count):
    with begin(root, facts(count=count)) as book:
        assert past(root, book).state == "interrupted"
        assert book.path.stat().st_size < 1000
    past_run = read_journal(book.path)
    assert (past_run.count("not_sent"), past_run.damaged) == (count, 0)
    assert past_run.state == "interrupted"  # nothing has failed


DELIVERIES = (DELIVERY, DELIVERY._replace(sidecar=True, record=Record(prompt="a violet moon")))


def test_a_request_is_described_when_it_is_sent(root):
    """Two requests with nothing in common come back as they were."""
    first = task(CALL, key="hero", about={"request": "9f2c", "take": 2})
    other = Task(
        Call(2, None, "other", {}), Name("b/{id}.webp", {"id": "x"}), DELIVERIES[1], price_usd=0.5
    )
    shared = facts(count=3) | {"model": "m", "delivery": delivery_document(DELIVERY, private=False)}
    with begin(root, shared) as book:
        book.sent(first)
        book.sent(other)
    one, two, three = past(root, book).calls
    assert [call.state for call in (one, two, three)] == ["unclear", "unclear", "not_sent"]
    assert (one.seed, one.model, one.key) == (7, "m", "hero")
    assert (one.about, one.price_usd) == ({"request": "9f2c", "take": 2}, None)
    assert (two.seed, two.model, two.key, two.about) == (None, "other", "", {})
    assert (two.name, two.price_usd) == (other.name, 0.5)
    assert (read_delivery(one.delivery), read_delivery(two.delivery)) == DELIVERIES


def test_what_requests_share_is_written_once(root):
    fields = {"slug": "a-fox", "model": "m"}
    shared = facts(count=9) | {
        "model": "m",
        "price_usd": 0.06,
        "delivery": delivery_document(DELIVERY, private=False),
        "template": "{slug}-{seed}.{ext}",
        "fields": fields,
    }
    name = Name("{slug}-{seed}.{ext}", {**fields, "seed": 7})
    with begin(root, shared) as book:
        book.sent(Task(CALL, name, DELIVERY, price_usd=0.06))
    (_, _, sent, _) = map(json.loads, lines_of(book.path))
    assert {*sent} == {"event", "call", "time", "seed", "fields", "crc"}
    assert (sent["fields"], past(root, book).calls[0].name) == ({"seed": 7}, name)


def test_without_prompts_the_description_of_a_request_has_none(root):
    name = Name("{slug}-{prompt}.{ext}", {"slug": "violet-moon", "prompt": "a violet moon"})
    for more in ({"prompt": None}, {"private": True}):
        with begin(root, facts() | more) as book:
            book.sent(Task(CALL, name, DELIVERIES[1]))
        assert "violet" not in book.path.read_text()
        (call,) = past(root, book).calls
        assert call.name.path("png") == "image-image.png"
    with begin(root, {"private": False}) as book:
        book.sent(Task(CALL, name, DELIVERIES[1]))
    assert past(root, book).calls[0].name == name


def test_a_request_whose_description_is_damaged_is_still_known_by_its_answer(root):
    with begin(root, facts(count=2)) as book:
        book.sent(TASK)
        book.answered(CALL, ANSWER)
    lines = [one for one in lines_of(book.path) if b'"sent"' not in one]
    book.path.write_bytes(b"\n".join([*lines, b"damaged"]))
    one, two = past(root, book).calls
    assert (one.state, one.name.path("png")) == ("waiting", "recovered.png")
    assert two.state == "unclear"  # its line could be the damaged one


NOT_JOURNALS = {
    "a FIFO": os.mkfifo,
    "a folder": lambda path: path.mkdir(),
    "a link": lambda path: path.symlink_to("/dev/zero"),
    "a device": lambda path: path.symlink_to("/dev/full"),
    "nested lists": lambda path: path.write_bytes(b"[" * 100_000),
    "zeros": lambda path: path.write_bytes(bytes(100_000)),
    "empty": lambda path: (path.touch(), os.utime(path, (0, 0))),
    "a newer journal": lambda path: path.write_bytes(line({"event": "run", "schema": 99})),
}


@pytest.mark.parametrize("make", NOT_JOURNALS.values(), ids=NOT_JOURNALS)
@pytest.mark.parametrize("name", ["x", "20260101-000000-abcdef"])
def test_whatever_lies_among_the_journals_stops_no_other(root, make, name):
    with begin(root, facts()) as book:
        pass
    make(root / f"{name}.jsonl")
    listing = list_all(root)
    assert [run.past.id for run in listing.runs] == [book.run]
    assert [stray.path.stem for stray in listing.strays] in ([], [name])
    assert not name.startswith("2026") or listing.strays


def test_a_journal_of_many_short_lines_is_read_in_bounded_time_and_memory(root):
    with begin(root, facts()) as book:
        book.sent(TASK)
    with book.path.open("ab") as file:
        file.writelines(b"{}\n" * 100_000 for _ in range(12))
    assert read_journal(book.path).damaged > 1_000_000


def test_a_journal_of_another_user_is_not_read(root):
    if os.geteuid():
        pytest.skip("only root can give files away")
    with begin(root, facts()) as book:
        book.answered(CALL, ANSWER)
    os.chown(book.path, 1234, -1)
    (stray,) = list_all(root).strays
    assert (stray.is_foreign, stray.reason) == (True, "it belongs to another user")
    with pytest.raises(UsageError, match="another user"):
        find_run(root, book.run)


def test_the_folder_of_another_user_is_not_touched(root, tmp_path):
    """Its owner could have put a link to any other folder there."""
    with begin(root, facts()) as book:
        book.answered(CALL, ANSWER)
    book.folder.rmdir()
    (tmp_path / "mine").mkdir()
    book.folder.symlink_to(tmp_path / "mine")
    with pytest.raises(OutputError, match="folder"):
        resume(find_run(root, book.run))


def test_images_that_wait_are_on_the_disk_before_the_lines_that_name_them(root, monkeypatch):
    synced = []
    real = os.fsync

    def fsync(file):
        synced.append(Path(os.readlink(f"/proc/self/fd/{file}")).name)
        real(file)

    with begin(root, facts()) as book:
        monkeypatch.setattr(os, "fsync", fsync)
        book.answered(CALL, ANSWER)
        one = media(book)
        book.fetched(CALL, [one])
        assert (synced, book.is_behind) == ([], True)
        book.keep([one])
        book.sync()
        assert synced == [Path(one.file).name, book.run, f"{book.run}.jsonl"]
        assert not book.is_behind
        synced.clear()
        assert "safe" in book.recovery(one)
        assert synced[0] == Path(one.file).name
        other = media(book)
        synced.clear()
    assert Path(other.file).name in synced


def test_an_image_that_the_disk_refuses_is_not_called_safe(root, monkeypatch):
    def refuse(_file):
        raise OSError(5, "Input/output error")

    with begin(root, facts()) as book:
        book.answered(CALL, ANSWER)
        one = media(book)
        monkeypatch.setattr(os, "fsync", refuse)
        assert book.recovery(one).startswith(f"the image is in {one.file}; to save it: ")
