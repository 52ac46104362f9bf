"""`flux recover` when journals or received images are damaged: nothing else suffers or is lost.

Power failures, other programs and bad disks leave lines cut short, zeros and single wrong bits.
"""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.gateway import held, image, status
from fakes.images import look, noise
from journals import change_first_line, lines_of

from e2e.recovery import SAFE, files, folders, states

pytestmark = pytest.mark.slow

SERVER = ("--provider", "openai", "--no-key")

Damage = Callable[[bytes], bytes]


@pytest.fixture
def waiting(generate, gateway, state, work):
    """A run whose image waits in the state folder: the output folder was a file meanwhile."""

    def run(*options: str, data: bytes = noise(512), name: str = "out") -> Path:
        out = work / name
        before = {*state.glob("*.jsonl")}
        gateway.answers(lambda _request: (out.touch(), image(data))[1])
        assert generate("a fox", "--seed", "7", "-o", f"{name}/", *options).code == 1
        out.unlink()
        (journal,) = {*state.glob("*.jsonl")} - before
        return journal

    return run


def damage_line(journal: Path, event: str, change: Damage) -> None:
    lines = lines_of(journal)
    mark = f'"event": "{event}"'.encode()
    changed = [change(line) if mark in line else line for line in lines]
    assert changed != lines
    journal.write_bytes(b"\n".join(changed) + b"\n")


def cut(line: bytes) -> bytes:
    return line[:40]


def zeros(line: bytes) -> bytes:
    return bytes(len(line))


def flip(line: bytes) -> bytes:
    return line[:30] + bytes([line[30] ^ 4]) + line[31:]


@pytest.mark.parametrize("change", [cut, zeros, flip])
def test_a_damaged_first_line_hides_no_image(waiting, recover, flux, state, change):
    journal = waiting(*SAFE)
    damage_line(journal, "run", change)
    assert "its first line is damaged" in flux("runs").err
    result = recover("--json")
    (run,) = result.json["runs"]
    assert (result.code, run["status"], run["run"]) == (1, "failed", journal.stem)
    rescued = journal.with_suffix("") / "rescued"
    assert f"its files are now in {rescued}\n" in result.err
    found, kept_journal = run["moved"]
    assert (look(Path(found))[0], Path(found).suffix) == ("jpeg", ".jpg")
    assert Path(kept_journal).name == journal.name
    assert [*state.iterdir(), *rescued.parent.iterdir()] == [rescued.parent, rescued]
    again = recover()
    assert (again.code, again.err) == (0, "flux: nothing to save\n")
    assert Path(found).exists()
    assert str(rescued) in flux("runs").err


@pytest.mark.parametrize("change", [cut, zeros, flip])
@pytest.mark.parametrize("events", [("answered",), ("answered", "fetched")])
def test_an_image_whose_lines_are_damaged_is_saved_or_moved_aside(
    waiting, recover, gateway, state, change, events
):
    journal = waiting(*SAFE)
    for event in events:
        damage_line(journal, event, change)
    gateway.history.clear()  # the gateway has never heard of it
    result = recover()
    found = [*Path("out").rglob("*.jpg"), *rescued(state)]
    assert [look(path)[0] for path in found] == ["jpeg"]
    if "fetched" in events:
        assert (result.code, "are now in" in result.err) == (1, True)
    else:  # the second line names the file, too
        assert result.code == 0


def test_without_its_journal_an_image_is_moved_aside(waiting, recover, state):
    waiting(*SAFE).unlink()
    result = recover()
    assert (result.code, "its journal is missing" in result.err) == (1, True)
    (found,) = rescued(state)
    assert (look(found)[0], found.suffix) == ("jpeg", ".jpg")
    assert recover().code == 0


def test_damage_to_one_run_holds_no_other_back(waiting, recover, state):
    damage_line(waiting(*SAFE, name="one"), "run", zeros)
    waiting(*SAFE, name="two")
    (state / "20260101-000000-aaaaaa.jsonl").mkdir()
    os.mkfifo(state / "20260101-000000-bbbbbb.jsonl")
    os.mkfifo(state / "x.jsonl")
    (state / "20260101-000000-cccccc.jsonl").write_bytes(b"[" * 100_000)
    result = recover()
    assert (result.code, files()) == (3, ["two/a-fox-7.jpg"])
    for name in ("aaaaaa", "bbbbbb", "cccccc"):
        assert name in result.err


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def empty(_data: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("change", [zeros, half, empty, None])
def test_a_received_image_that_is_damaged_is_fetched_again(
    waiting, recover, gateway, state, change
):
    waiting()
    damage_received(state, change)
    fetched = len(gateway.fetched)
    result = recover()
    assert (result.code, files(), folders(state)) == (0, ["out/a-fox-7.jpg"], [])
    assert look("out/a-fox-7.jpg") == ("jpeg", (512, 512))
    assert len(gateway.fetched) == fetched + 1


@pytest.mark.parametrize("change", [zeros, half, empty, None])
def test_what_is_left_of_an_image_without_address_is_kept_and_said(
    waiting, recover, flux, state, change
):
    waiting(*SAFE)
    left = damage_received(state, change)
    result = recover()
    assert (result.code, files(), states(flux)) == (1, [], ["failed"])
    assert [path.read_bytes() for path in rescued(state)] == left
    assert all(str(path.parent) in result.err for path in rescued(state))
    again = recover()
    assert (again.code, again.err) == (0, "flux: nothing to save\n")


def test_what_is_saved_is_listed_even_if_the_folder_cannot_be_cleared(waiting, recover):
    journal = waiting(*SAFE)
    damage_line(journal, "end", zeros)
    (journal.with_suffix("") / "rescued").write_bytes(b"in the way")
    result = recover()
    assert (result.code, files()) == (3, ["out/a-fox-7.jpg"])
    assert result.out.endswith("out/a-fox-7.jpg\n")
    assert "cannot clear" in result.err


def rescued(state: Path) -> list[Path]:
    """The files that recovery could not save."""
    return [*state.glob("*/rescued/*")]


def damage_received(state: Path, change: Damage | None) -> list[bytes]:
    """Change the received image, or remove it. Returns what is left of it."""
    (folder,) = folders(state)
    (received,) = folder.iterdir()
    if change is None:
        received.unlink()
        return []
    data = change(received.read_bytes())
    received.write_bytes(data)
    return [data] if data else []


def test_an_image_whose_address_fails_today_keeps_what_has_arrived(
    waiting, recover, gateway, flux, state
):
    waiting()
    (left,) = damage_received(state, half)
    (path,) = {path for path in gateway.fetched if path.startswith("/media/")}
    gateway.serves(path, status(503))
    assert (recover(env={"FLUX_RETRIES": "0"}).code, states(flux)) == (1, ["recoverable"])
    (folder,) = folders(state)
    assert [one.read_bytes() for one in folder.iterdir()] == [left]
    gateway.serves(path, status(404))
    assert recover(env={"FLUX_RETRIES": "0"}).code == 1
    assert [path.read_bytes() for path in rescued(state)] == [left]


def test_a_saved_image_is_not_said_to_be_lost_because_its_line_is(generate, recover, state, flux):
    assert generate("a fox", "--seed", "7", *SAFE).code == 0
    (journal,) = state.glob("*.jsonl")
    for event in ("whole", "end"):
        damage_line(journal, event, zeros)
    result = recover()
    assert (result.code, files(), states(flux)) == (0, ["a-fox-7.jpg"], ["complete"])


def test_a_request_is_unclear_if_the_line_that_it_was_sent_is_damaged(
    generate, gateway, state, flux
):
    gateway.answers(status(401))
    assert generate("a fox").code == 4
    (journal,) = state.glob("*.jsonl")
    lines = lines_of(journal)
    journal.write_bytes(b"\n".join([lines[0], bytes(50)]))
    assert states(flux) == ["unclear"]


# --- several users, clocks and years --------------------------------------------------------------


def test_the_journal_of_another_user_gets_no_key_and_no_file(waiting, recover, gateway, flux):
    if os.geteuid():
        pytest.skip("only root can give files away")
    journal = waiting()
    os.chown(journal, 1234, -1)
    asked = len(gateway.requests)
    result = recover()
    assert (result.code, files(), len(gateway.requests)) == (0, [], asked)
    assert "skipped runs of other users: 1" in result.err
    assert journal.exists()
    assert (recover(journal.stem).code, states(flux)) == (2, [])


def test_a_run_that_stays_unclear_for_a_year_is_forgotten_aloud(
    killed, recover, gateway, release, state
):
    gateway.answers(held(release))
    killed("--seed", "7", *SERVER, "--base-url", gateway.url, when=lambda: gateway.posts)
    release.set()
    (journal,) = state.glob("*.jsonl")
    assert "may have been billed; openai keeps no history that tells" in recover().err
    assert recover().err == "flux: nothing to save\n"
    change_first_line(journal, time=time.time() - 366 * 86_400)
    result = recover()
    assert "is forgotten: its requests have been unclear for more than 365 days" in result.err
    assert list(state.iterdir()) == []


def test_images_wait_for_as_long_as_it_takes(waiting, generate, recover, gateway, state):
    """Years later, after thousands of other runs."""
    journal = waiting(*SAFE)
    old = state / "20200101-000000-abcdef"
    journal.with_suffix("").rename(old)
    journal.rename(old.with_suffix(".jsonl"))
    for path in state.iterdir():
        os.utime(path, (0, 0))
    for number in range(600):
        shutil.copy(old.with_suffix(".jsonl"), state / f"20260101-000000-{number:06x}.jsonl")
    gateway.answers(image())
    assert generate("a cat", "-o", "cat.jpg").code == 0
    assert len([*state.glob("*.jsonl")]) < 510
    assert (recover(old.name).code, "out/a-fox-7.jpg" in files()) == (0, True)
