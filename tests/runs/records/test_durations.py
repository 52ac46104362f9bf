"""How long images took in earlier runs, as far as journals tell."""

import json
import os

import pytest

from flux_cli.runs.records.archive import durations
from flux_cli.runs.records.archive.durations import Asked, read_durations
from flux_cli.runs.records.lines import seal

ASKED = Asked("lumenfall", "https://example.test", {"flux-2"})
RUN = {
    "event": "run",
    "schema": 3,
    "provider": "lumenfall",
    "base_url": "https://example.test",
    "model": "flux-2",
}
OPEN = {"event": "open"}


def sent(number, time=100.0, **more):
    return {"event": "sent", "call": number, "time": time, **more}


def whole(number, time):
    return {"event": "whole", "call": number, "time": time}


@pytest.fixture
def journal(tmp_path):
    """Write a journal: `journal(second, *events)`; a later second is a later run."""

    def write(second, *events):
        texts = [json.dumps(event)[:-1].encode() for event in events]
        lines = b"\n".join(text + seal(text) for text in texts)
        path = tmp_path / f"20261201-1000{second:02}-abcdef.jsonl"
        path.write_bytes(lines)
        return path

    return write


def test_the_latest_images_of_the_same_model_and_provider_count(journal, tmp_path):
    journal(1, RUN, OPEN, sent(1), whole(1, 108.0))
    journal(2, RUN, OPEN, sent(1), sent(2, 101.0), whole(2, 110.0), whole(1, 112.0))
    journal(3, RUN | {"model": "another"}, OPEN, sent(1), whole(1, 150.0))
    journal(4, RUN | {"provider": "fal"}, OPEN, sent(1), whole(1, 150.0))
    journal(5, RUN | {"base_url": "http://localhost"}, OPEN, sent(1), whole(1, 150.0))
    journal(6, RUN | {"model": None}, OPEN, sent(1, model="flux-2"), whole(1, 107.0))
    assert read_durations(tmp_path, ASKED) == (7.0, 9.0, 12.0, 8.0)


def test_what_failed_waited_for_a_recovery_or_has_no_time_teaches_nothing(journal, tmp_path):
    journal(1, RUN, OPEN, sent(1), {"event": "failed", "call": 1})
    journal(2, RUN, OPEN, sent(1), OPEN, whole(1, 9999.0))
    journal(3, RUN, OPEN, sent(1), {"event": "whole", "call": 1})
    journal(4, RUN, OPEN, sent(1, "soon"), sent([]), whole(1, 101.0), whole(2, 90.0))
    assert read_durations(tmp_path, ASKED) == ()


def test_a_broken_journal_is_ignored(journal, tmp_path):
    good = journal(1, RUN, OPEN, sent(1), whole(1, 108.0))
    text = good.read_bytes()
    (tmp_path / "20261201-100002-abcdef.jsonl").write_bytes(text.replace(b"108.0", b"999.0"))
    (tmp_path / "20261201-100003-abcdef.jsonl").write_bytes(b"\xff\x00[[[\n" + text[40:])
    (tmp_path / "20261201-100004-abcdef.jsonl").mkdir()
    os.mkfifo(tmp_path / "20261201-100005-abcdef.jsonl")
    assert read_durations(tmp_path, ASKED) == (8.0,)
    assert read_durations(tmp_path / "none", ASKED) == ()


def test_only_a_few_journals_and_durations_are_read(journal, tmp_path):
    for second in range(durations.RUNS + 10):
        journal(second, RUN | {"model": "another"}, OPEN)
    journal(0, RUN, OPEN, sent(1), whole(1, 108.0))
    assert read_durations(tmp_path, ASKED) == ()
    many = [event for number in range(50) for event in (sent(number), whole(number, 109.0))]
    journal(55, RUN, OPEN, *many)
    assert read_durations(tmp_path, ASKED) == (9.0,) * durations.ENOUGH
