"""What recovery deletes, keeps and moves aside, and which images it knows to be there."""

import json
import tempfile
from pathlib import Path

import pytest
from fakes.images import pixels_as

from flux_cli.core.outcome import Facts, Media, Reply
from flux_cli.http.replies import MARK
from flux_cli.images.names import Name
from flux_cli.runs.records import store
from flux_cli.runs.records.journal import begin
from flux_cli.runs.records.listing import find_run, read_journal
from flux_cli.runs.records.past import PastCall, PastRun
from flux_cli.runs.records.rescue import clear_folder, drop_copies, resume, unnamed_files
from flux_cli.runs.recovery import arrived, mark_saved

IMAGE, OTHER = pixels_as("png", 8, 8), pixels_as("png", 9, 8)
SENT = PastCall(1, 7, "m", Name("7.{ext}", {}), sent=True)
ANSWERED = SENT._replace(answered=True)
LOST = {"code": "error", "final": True, "billed": True}
OPEN = {
    "unclear": SENT,
    "waiting": ANSWERED,
    "expired": ANSWERED._replace(failure={"code": "expired", "final": True}),
    "paid for, and lost": SENT._replace(failure=LOST),
    "not sent, as far as a journal without an end says": SENT._replace(sent=False),
}


def reply(*items: dict[str, str]) -> Reply:
    return Reply(200, {}, json.dumps({"data": list(items)}).encode())


@pytest.mark.parametrize("call", OPEN.values(), ids=OPEN)
def test_an_unnamed_image_is_kept_while_one_of_the_run_is_not_saved(tmp_path, call):
    (tmp_path / "ab").write_bytes(IMAGE)
    (moved,) = clear_folder(PastRun("r", {}, (call,)), tmp_path)
    assert Path(moved).read_bytes() == IMAGE


def test_an_unnamed_image_is_deleted_once_all_of_the_run_are_saved(tmp_path):
    (tmp_path / "ab").write_bytes(IMAGE)
    assert clear_folder(PastRun("r", {}, (ANSWERED._replace(whole=True),)), tmp_path) == []
    assert [*tmp_path.iterdir()] == []


def test_an_unnamed_image_stays_where_it_is_if_its_request_will_be_known(tmp_path):
    (tmp_path / "ab").write_bytes(IMAGE)
    assert clear_folder(PastRun("r", {}, (SENT,)), tmp_path, will_clear_up=True) == []
    assert [path.name for path in tmp_path.iterdir()] == ["ab"]


def test_an_image_that_arrives_again_replaces_one_copy_that_nobody_names(tmp_path):
    contents = {"named": IMAGE, "a": IMAGE + b"of an older file", "b": OTHER, "c": IMAGE[:-9]}
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    past = PastRun("r", {}, (ANSWERED._replace(files=("named",)),))
    strays = unnamed_files(past, tmp_path)
    named = str(tmp_path / "named")
    drop_copies([*strays, named], [Media(named, Facts())])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c", "named"]


def test_half_an_image_replaces_no_whole_one(tmp_path):
    for name, data in {"named": IMAGE[:20], "a": IMAGE}.items():
        (tmp_path / name).write_bytes(data)
    drop_copies([str(tmp_path / "a")], [Media(str(tmp_path / "named"), Facts())])
    assert (tmp_path / "a").read_bytes() == IMAGE


def test_an_image_in_the_second_place_has_arrived(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder, second = tmp_path / "run", tmp_path / "flux-run"
    folder.mkdir()
    second.mkdir(mode=0o700)
    (second / "ab").write_bytes(IMAGE)
    media = (Media("ab", Facts()),)
    answer = reply({"url": "https://gone.example/a.png"})
    call = ANSWERED._replace(reply=answer, media=media, files=("ab",))
    found = arrived(PastRun("run", {}, (call,)), folder)
    assert found == {1: [Media(str(folder / "ab"), Facts())]}


ESCAPED = reply({"b64_json": f"{MARK}ab"}, {"url": "https://a/b"})
REPLIES = {
    "prose": (reply({"url": "https://a/b", "revised_prompt": "a green blob on a table"}), False),
    "prose without address": (reply({"url": "a/b", "revised_prompt": "a green blob"}), False),
    "an image without a name": (reply({"b64_json": MARK}), False),
    "one of two without a name": (reply({"b64_json": f"{MARK}ab"}, {"b64_json": MARK}), False),
    "an escaped address, too": (
        ESCAPED._replace(data=ESCAPED.data.replace(b"/", rb"\/")),
        False,
    ),
    "an image that was moved into a file": (reply({"b64_json": f"{MARK}ab"}), True),
}


@pytest.mark.parametrize(("answer", "is_saved"), REPLIES.values(), ids=REPLIES)
def test_only_an_image_whose_own_file_is_gone_counts_as_saved(tmp_path, answer, is_saved):
    begin(tmp_path, store.new_name(), {"prompt": "a", "n": 1}).__exit__()
    (path,) = tmp_path.glob("*.jsonl")
    _, ledger = resume(find_run(tmp_path, path.stem))
    call = ANSWERED._replace(reply=answer, files=("ab",) if is_saved else (), saved=("7.png",))
    with ledger:
        assert mark_saved(PastRun("r", {}, (call,), damaged=1), ledger) is is_saved
    past = read_journal(path)
    assert past is not None
    assert past.calls[0].whole is is_saved
