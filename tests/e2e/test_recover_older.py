"""`flux recover` with journals as flux has written them: every schema is read for ever.

The files in `journals/` are from runs of three images that were killed once the first had its
answer. They lack the checksums, which would name the addresses of another server.
"""

import json
import os
from pathlib import Path

import pytest
from fakes.images import look, noise
from fakes.messages import reply
from journals import line, lines_of

from e2e.recovery import files, states
from flux_cli.runs.records.lines import UNSEALED

JOURNALS = Path(__file__).with_name("journals")


def journal_of(schema: int, origin: str) -> bytes:
    """The journal of a run at this server in the current folder, by a flux of that schema."""
    text = (JOURNALS / f"schema-{max(schema, 2)}.jsonl").read_text()
    text = text.replace("ORIGIN", origin).replace("FOLDER", str(Path.cwd()))
    first, *rest = map(json.loads, text.splitlines())
    events = [first | {"schema": schema}, *rest]
    if schema == UNSEALED:
        return b"".join(json.dumps(event).encode() + b"\n" for event in events)
    return b"".join(line(event) + b"\n" for event in events)


@pytest.fixture(params=[1, 2, 3])
def older(request, gateway, state) -> Path:
    """The journal of a run whose first image can be fetched, and whose others were not sent."""
    data = journal_of(request.param, gateway.origin)
    name = json.loads(data.splitlines()[0])["id"]
    state.mkdir(parents=True)
    (state / name).mkdir()
    (state / f"{name}.jsonl").write_bytes(data)
    gateway.serves("/media/7-4f315ecf.jpg", reply(noise(64)))
    return state / f"{name}.jsonl"


def test_the_images_of_an_older_run_are_saved_as_a_run_saves_them_now(older, recover, flux):
    """The full image of `--width` is saved, too: the flux that wrote the journal left it out."""
    (run,) = flux("runs", older.stem, "--json").json["runs"]
    assert (run["state"], run["requests"], run["prompt"]) == ("recoverable", 3, "a fox")
    assert [entry["state"] for entry in run["entries"]] == ["waiting", "not_sent", "not_sent"]
    result = recover()
    made = ["out/a-fox-7-32.webp", "out/a-fox-7.json", "out/a-fox-7.webp"]
    assert (result.code, files()) == (0, made)
    assert look("out/a-fox-7.webp") == ("webp", (64, 64))
    assert look("out/a-fox-7-32.webp") == ("webp", (32, 32))
    record = json.loads(Path("out/a-fox-7.json").read_text())
    assert (record["prompt"], record["seed"], record["size"]) == ("a fox", 7, "16:9")
    assert states(flux) == ["partial"]


def test_an_older_run_is_recovered_once(older, recover):
    recover()
    before = older.read_bytes()
    assert recover().err == "flux: nothing to save\n"
    assert (older.read_bytes(), os.listdir(older.parent)) == (before, [older.name])


def test_a_run_that_was_killed_before_it_sent_anything_has_nothing_to_save(older, recover, flux):
    older.write_bytes(b"\n".join([*lines_of(older)[:2], b""]))
    (run,) = flux("runs", older.stem, "--json").json["runs"]
    assert (run["state"], run["requests"], run["cost_usd"]) == ("interrupted", 3, 0)
    assert {entry["state"] for entry in run["entries"]} == {"not_sent"}
    assert (recover().err, files()) == ("flux: nothing to save\n", [])
    assert os.listdir(older.parent) == [older.name]
    (run,) = flux("runs", older.stem, "--json").json["runs"]
    assert run["state"] == "interrupted"  # recovery has ended it, and nothing has failed
