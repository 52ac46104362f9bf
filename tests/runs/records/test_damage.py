"""Random damage to journals: whatever it is, recovery loses no image and removes no address."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from fakes.images import look, pixels_as
from fakes.messages import reply
from fakes.server import Server
from faults.batch import Batch
from journals import task

from flux_cli.core.errors import DiskError
from flux_cli.core.outcome import Facts, Media, Reply, SavedImage
from flux_cli.core.request import Call
from flux_cli.http.replies import BLOB
from flux_cli.runs.records import journal, store
from flux_cli.runs.records.listing import list_all

PER_RUN = 3  # requests
DONE = ("saved", "failed", "not_sent")  # `flux recover` does not look at them
FEW, CHUNKS, PER_CHUNK = 6, 10, 150
OFTEN = 1  # chunks that run with the slow tests; the others with `-m corpus`
SELDOM = [pytest.param(chunk, marks=pytest.mark.corpus) for chunk in range(OFTEN, CHUNKS)]


class Paid(NamedTuple):
    """The state folder of runs that were interrupted, and what they paid for."""

    state: Path
    work: Path
    batch: Batch
    sides: tuple[int, ...]  # of the images in the state folder, which are all different
    addresses: tuple[str, ...]


@pytest.fixture
def paid(tmp_path) -> Iterator[Paid]:
    """Two runs, of images in the state folder and of images at an address, with one saved each."""
    addresses = tuple(f"/{number}" for number in range(PER_RUN))
    scripts = {f"GET {path}": [reply(png(90 + place))] for place, path in enumerate(addresses)}
    with Server(scripts) as server, Batch(tmp_path, server) as batch:
        state = tmp_path / "home" / ".local" / "state" / "flux-image-cli"
        write_run(state / "runs", batch.work, server.origin, ())
        write_run(state / "runs", batch.work, server.origin, addresses)
        yield Paid(state, batch.work, batch, (*range(50, 50 + PER_RUN), 60), addresses)


def png(side: int) -> bytes:
    return pixels_as("png", side, 40)


def write_run(root: Path, work: Path, origin: str, addresses: tuple[str, ...]) -> None:
    """The journal of a run that was killed once its first image was saved."""
    numbers = range(1, PER_RUN + 1)
    name = "url" if addresses else "b64"
    facts = {"provider": "lumenfall", "base_url": f"{origin}/v1", "prompt": "a fox", "n": PER_RUN}
    book = journal.begin(root, store.new_name(), {**facts, "folder": str(work)})
    for place, number in enumerate(numbers):
        call = Call(number, number, "m", {})
        book.sent(task(call, f"{name}-{number}.{{ext}}"))
        media = []
        if addresses:
            words = '"revised_prompt": "a green blob on a table"'
            items = f'{{"url": "{origin}{addresses[place]}", {words}}}'
        else:
            images = (50 + place, 60) if number == PER_RUN else (50 + place,)
            media = [received(book, f"ab{side}", side) for side in images]
            names = [Path(one.file).name for one in media]
            items = ", ".join(f'{{"b64_json": "{BLOB}{name}"}}' for name in names)
        book.answered(call, Reply(200, {}, f'{{"data": [{items}]}}'.encode()))
        if media:
            book.fetched(call, media)
    saved = SavedImage(str(work / f"{name}-1.png"), "png", 1, 1, 1, as_received=True)
    Path(saved.path).write_bytes(png(90 if addresses else 50))
    first = Call(1, 1, "m", {})
    book.saved(first, Media("x", Facts()), saved)
    book.whole(first)
    book.failed(Call(2, 2, "m", {}), DiskError("full"))


def received(book: journal.Journal, name: str, side: int) -> Media:
    """An image that has arrived in the folder of a run."""
    path = book.folder / name
    path.write_bytes(png(side))
    return Media(str(path), Facts("q"))


def damage(data: bytes, chance: random.Random) -> bytes:
    """What power failures, bad disks and other programs do to a file."""
    place, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    end = min(end, place + chance.choice((1, 20, 600, len(data))))
    lines = data.split(b"\n")
    dropped = chance.randrange(len(lines))
    bit = chance.randrange(len(data) * 8)
    flipped = bytes([data[bit // 8] ^ 1 << bit % 8])
    return chance.choice(
        (
            data[: bit // 8] + flipped + data[bit // 8 + 1 :],
            data[:place] + bytes(end - place) + data[end:],
            data[:place] + chance.randbytes(end - place) + data[end:],
            data[:place] + data[end:],
            data[:place],
            data[place:],
            data[:place] + b'\n{"event": "end"}\n' + data[place:],
            b"\n".join(lines[:dropped] + lines[dropped + 1 :]),
        )
    )


def lost(paid: Paid) -> list[str]:
    """What is neither saved nor kept: images in the state folder, and addresses in journals.

    An address counts only while `flux recover` still looks at it.
    """
    files = [path for path in (*paid.state.rglob("*"), *paid.work.rglob("*")) if path.is_file()]
    journals = b"".join(path.read_bytes() for path in files if path.suffix == ".jsonl")
    sides = {look(path)[1][0] for path in files if path.suffix != ".jsonl" and is_image(path)}
    settled = settled_requests(paid)
    missing = [f"image {side}" for side in paid.sides if side not in sides]
    for place, address in enumerate(paid.addresses):
        is_kept = f'{address}\\"'.encode() in journals and place + 1 not in settled
        if 90 + place not in sides and not is_kept:
            missing.append(f"address {address}")
    return missing


def settled_requests(paid: Paid) -> set[int]:
    """The requests of the run with addresses that its journal, as far as it is read, calls done."""
    found = set()
    for run in list_all(paid.state / "runs").runs:
        if any(call.name.template.startswith("url") for call in run.past.calls):
            found |= {call.number for call in run.past.calls if call.state in DONE}
    return found


def is_image(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG")


def lost_after_damage(paid: Paid, numbers: range) -> list[str]:
    """Damage a copy of the state folder again and again, and recover it. Returns what was lost."""
    copy, faults = paid.state.with_name("copy"), []
    shutil.copytree(paid.state, copy)
    for number in numbers:
        chance = random.Random(number)
        shutil.rmtree(paid.state)
        shutil.copytree(copy, paid.state)
        victim = chance.choice(sorted(paid.state.rglob("*.jsonl")))
        victim.write_bytes(damage(victim.read_bytes(), chance))
        at_hand = lost(paid)  # addresses that the damage itself has hit
        seen = [paid.batch("recover") for _ in range(1 if number % 5 else 2)]
        codes = [one["code"] for one in seen]
        wrong = [one for one in lost(paid) if one not in at_hand]
        is_silent = codes[0] == 0 and any(paid.state.rglob("rescued"))
        if wrong or is_silent or not {*codes} <= {0, 1, 3, 4}:
            faults.append(f"damage {number}: {wrong}, exit {codes}: {seen[0]['err']}")
        for path in paid.work.glob("*"):
            if not path.name.endswith("-1.png"):
                path.unlink()
    return faults


def test_damage_to_journals_loses_no_image(paid):
    assert lost_after_damage(paid, range(FEW)) == []


@pytest.mark.slow
@pytest.mark.parametrize("chunk", [*range(OFTEN), *SELDOM])
def test_much_damage_to_journals_loses_no_image(paid, chunk):
    first = FEW + chunk * PER_CHUNK
    assert lost_after_damage(paid, range(first, first + PER_CHUNK)) == []
