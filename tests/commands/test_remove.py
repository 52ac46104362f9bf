"""`flux runs rm` and `prune` remove what is settled, and nothing that was paid for by mistake."""

import time

import pytest
from journals import saved_steps, write_run

from flux_cli.cli import app
from flux_cli.runs.records import store

SENT = {"event": "sent", "call": 1}
ANSWERED = {"event": "answered", "call": 1, "headers": {}, "body": "{}"}
DONE, OTHER = "20250101-120000-00000a", "20250102-120000-00000b"
NEW = time.strftime("%Y%m%d-%H%M%S-00000c")

KEPT = "still under way, or with something paid for but not saved"


@pytest.fixture
def root(monkeypatch, tmp_path):
    monkeypatch.setenv("FLUX_STATE", str(tmp_path))
    folder = tmp_path / "runs"
    write_run(folder, DONE, *saved_steps("/w/1.jpg"))
    return folder


@pytest.fixture
def said(capsys):
    def run(*words):
        code = app.main(["runs", *words])
        captured = capsys.readouterr()
        assert captured.out == ""
        return code, captured.err

    return run


def names(root):
    return sorted(path.name for path in root.iterdir())


def journals(*runs):
    return [f"{name}.jsonl" for name in runs]


def test_named_runs_are_removed(root, said):
    write_run(root, OTHER, *saved_steps("/w/2.jpg"))
    assert said("rm", DONE, "last") == (
        0,
        f"flux: removed run {DONE}\nflux: removed run {OTHER}\n",
    )
    assert names(root) == []


@pytest.mark.parametrize(
    ("steps", "lost"),
    [
        ((SENT, ANSWERED), "1 image paid for but not saved"),
        ((SENT,), "1 request that may have been paid for"),
    ],
)
def test_what_was_paid_for_is_removed_only_by_force(root, said, steps, lost):
    write_run(root, OTHER, *steps)
    code, err = said("rm", DONE, OTHER)
    assert (code, err.splitlines()) == (
        2,
        [
            f"flux: error: run {OTHER} has {lost}; nothing was removed",
            f"hint: flux recover {OTHER}; --force removes it with all that is in it",
        ],
    )
    assert names(root) == journals(DONE, OTHER)
    assert said("rm", OTHER, "--force") == (
        0,
        f"flux: removed run {OTHER}, and with it {lost}\n",
    )
    assert names(root) == journals(DONE)


@pytest.mark.parametrize("place", ["", "rescued"])
def test_received_files_are_removed_only_by_force(root, said, place):
    folder = root / DONE / place
    folder.mkdir(parents=True)
    (folder / "image.jpg").write_bytes(b"image")
    code, err = said("rm", DONE)
    assert (code, f"has 1 received file in {root / DONE}" in err) == (2, True)
    assert said("prune", "--older-than", "1d", "--yes")[0] == 0
    assert (folder / "image.jpg").exists()
    assert said("rm", DONE, "--force")[0] == 0
    assert names(root) == []


def test_a_damaged_journal_is_removed_only_by_force(root, said):
    (root / f"{OTHER}.jsonl").write_bytes(b"garbage\n")
    assert "a journal that cannot be read" in said("rm", OTHER)[1]
    assert said("rm", OTHER, "--force")[0] == 0
    assert names(root) == journals(DONE)


@pytest.mark.skipif(store.fcntl is None, reason="no locks")
@pytest.mark.parametrize("words", [("rm", DONE, "--force"), ("prune", "--older-than", "1d", "-y")])
def test_a_run_that_is_under_way_stays(root, said, words):
    with (root / f"{DONE}.jsonl").open("ab") as file:
        assert store.hold(file.fileno())
        code, err = said(*words)
    assert code == (2 if words[0] == "rm" else 0)
    assert "still under way" in err
    assert names(root) == journals(DONE)


@pytest.fixture
def mixed(root):
    """Three old runs, of which one is unclear, and a new one."""
    write_run(root, OTHER, SENT)
    write_run(root, "20250103-120000-00000d", *saved_steps("/w/3.jpg"))
    write_run(root, NEW, *saved_steps("/w/4.jpg"))
    return root


def test_old_runs_are_pruned_unless_they_are_not_settled(mixed, said):
    code, err = said("prune", "--older-than", "30d", "--yes")
    assert (code, err.splitlines()) == (
        0,
        [
            "flux: removed 2 runs older than 30d",
            f"flux: note: kept 1 run {KEPT}; see: flux recover",
        ],
    )
    assert names(mixed) == journals(OTHER, NEW)
    assert said("prune", "--older-than", "30d", "--yes", "--force")[0] == 0
    assert names(mixed) == journals(NEW)
    assert said("prune", "--older-than", "30d") == (0, "flux: removed 0 runs older than 30d\n")


def test_where_nobody_can_be_asked_pruning_needs_a_yes(mixed, said):
    code, err = said("prune", "--older-than", "30d")
    assert (code, "hint: add --yes" in err, len(names(mixed))) == (2, True, 4)


@pytest.mark.parametrize(("answer", "left"), [("n\n", 4), ("", 4), ("y\n", 1)])
def test_a_terminal_is_asked_in_words(mixed, said, monkeypatch, answer, left):
    asked = []

    def confirm(text):
        asked.append(text)
        return answer.strip() == "y"

    monkeypatch.setattr("flux_cli.commands.history.remove.can_ask", lambda: True)
    monkeypatch.setattr("flux_cli.commands.history.remove.confirm", confirm)
    code, _ = said("prune", "--older-than", "30d", "--force")
    assert (code, len(names(mixed))) == (0 if answer == "y\n" else 2, left)
    what = "3 runs older than 30d, 1 of them with something paid for but not saved"
    assert asked == [f"This removes {what}. Continue?"]


@pytest.mark.parametrize("age", ["", "30", "soon", "-1d"])
def test_an_age_needs_a_unit(root, said, age):
    code, err = said("prune", f"--older-than={age}", "--yes")
    assert (code, "invalid age" in err, names(root)) == (2, True, journals(DONE))


def test_a_link_in_the_place_of_a_folder_is_not_followed(root, said, tmp_path):
    other = tmp_path / "precious"
    other.mkdir()
    (other / "file").touch()
    (root / DONE).symlink_to(other)
    code, err = said("rm", DONE, "--force")
    assert (code, "cannot remove run" in err) == (1, True)
    assert (other / "file").exists()
    assert names(root) == [DONE, f"{DONE}.jsonl"]


def test_what_nobody_can_tell_needs_no_force(root, said):
    write_run(root, OTHER, SENT, {"event": "told"})
    assert said("prune", "--older-than", "30d", "--yes")[0] == 0
    assert names(root) == []
