"""The ledger: rows survive torn lines, and its index any loss."""

import os

import pytest

from flux_cli.build.lock.rows import File, Row
from flux_cli.build.stream.index import Index
from flux_cli.build.stream.ledger import WHOLE, Writer, line_of, state_of
from flux_cli.core.errors import ManifestError, OutputError, UsageError

ROW = Row("0" * 16, "1" * 16, {"prompt": "a\nfox \ud800 ::set-output"}, {"cost_usd": 0.06})
OTHER = ROW._replace(request="2" * 16, files={"a.webp": File("0" * 8, "0" * 64, 3, 1, 1)})


@pytest.fixture
def ledger(tmp_path):
    folder = str(tmp_path / "ledger")
    with Writer(folder) as writer:
        writer.add({"a": ROW, "b": ROW})
    return folder


@pytest.fixture
def part(ledger):
    return os.path.join(ledger, WHOLE)


def rows(ledger, tmp_path, names="abc"):
    with Index(ledger, str(tmp_path / "cache")) as index:
        return {name: row for name in names if (row := index.row(name))}


def append(path, data):
    with open(path, "ab") as file:
        file.write(data)


def test_the_last_row_of_a_name_counts(ledger, tmp_path):
    assert rows(ledger, tmp_path) == {"a": ROW, "b": ROW}
    with Writer(ledger) as writer:
        writer.add({"a": OTHER})
    assert rows(ledger, tmp_path) == {"a": OTHER, "b": ROW}


@pytest.mark.parametrize("length", range(1, len(line_of("c", OTHER)), 23))
def test_a_torn_line_is_no_row_and_no_part_of_the_next(ledger, part, tmp_path, length):
    append(part, line_of("c", OTHER)[:length])
    assert rows(ledger, tmp_path) == {"a": ROW, "b": ROW}
    with Writer(ledger) as writer:
        writer.add({"a": OTHER})
    assert rows(ledger, tmp_path) == {"a": OTHER, "b": ROW}


def test_zeros_of_a_power_cut_are_no_row(ledger, part, tmp_path):
    append(part, b"\0" * 500 + b"\n" + line_of("c", OTHER))
    assert rows(ledger, tmp_path) == {"a": ROW, "b": ROW, "c": OTHER}


@pytest.mark.parametrize("damage", ["lost", "empty", "garbage"])
def test_an_index_is_made_anew(ledger, tmp_path, damage):
    rows(ledger, tmp_path)
    (path,) = (tmp_path / "cache").iterdir()
    if damage == "lost":
        path.unlink()
    else:
        path.write_bytes(b"" if damage == "empty" else b"x" * path.stat().st_size)
    assert rows(ledger, tmp_path) == {"a": ROW, "b": ROW}


def test_a_ledger_that_was_replaced_or_deleted_is_read_anew(ledger, part, tmp_path):
    rows(ledger, tmp_path)
    with open(part, "wb") as file:
        file.write(line_of("c", OTHER) * 3)
    assert rows(ledger, tmp_path) == {"c": OTHER}
    os.unlink(part)
    assert rows(ledger, tmp_path) == {}


def test_a_damaged_ledger_is_an_error_and_not_an_empty_one(ledger, part, tmp_path):
    """Whatever counted as missing would be paid for again."""
    append(part, b"garbage\n")
    with pytest.raises(ManifestError, match=r"1-of-1\.jsonl, byte \d+: not a row of a ledger"):
        rows(ledger, tmp_path)


def test_a_damaged_row_is_an_error(ledger, part, tmp_path):
    append(part, line_of("c", OTHER).replace(b'"bytes": 3', b'"bytes": x'))
    with pytest.raises(ManifestError):
        rows(ledger, tmp_path)


def test_the_state_of_a_row_tells_what_is_unchanged(ledger, tmp_path):
    with Writer(ledger) as writer:
        writer.add({"a": OTHER, "b": OTHER._replace(placeholder=True)})
    with Index(ledger, str(tmp_path / "cache")) as index:
        states = [index.see(name)[0].place.state for name in "ab"]
    assert states == [state_of(OTHER.request, [("a.webp", "0" * 8, 3)]), ""]


def test_names_that_file_systems_confuse_are_seen_once(ledger, tmp_path):
    with Index(ledger, str(tmp_path / "cache")) as index:
        seen = [index.see(name) for name in ("a", "A", "x", "X", "a", "b")]
        assert [was_seen for _, was_seen in seen] == [False, True, False, True, True, False]
        assert [known is not None for known, _ in seen] == [True, False, False, False, True, True]
        assert index.read(seen[0][0]) == ROW
        claims = [index.claim(path) for path in ("img/a", "IMG/A", "a")]
        assert claims == [True, False, True]
        index.update()
        assert index.see("a") == (seen[0][0], False)


def test_one_build_writes_at_a_time(ledger):
    with Writer(ledger), pytest.raises(UsageError, match="another build is writing to "):
        Writer(ledger)


def test_a_ledger_is_a_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        Writer(str(tmp_path / "file"))
    with pytest.raises(OutputError):
        Index(str(tmp_path / "file"), str(tmp_path / "cache"))


@pytest.mark.parametrize(
    "order", [("1-of-2.jsonl", "2-of-3.jsonl"), ("2-of-3.jsonl", "1-of-2.jsonl")]
)
def test_among_parts_the_newest_image_of_a_name_counts(tmp_path, order):
    folder, new = str(tmp_path / "ledger"), ROW._replace(generated={"time": "2026-02-01T00:00:00Z"})
    old = ROW._replace(generated={"time": "2026-01-01T00:00:00Z"})
    for part, row in zip(order, (new, old), strict=True):
        with Writer(folder, part) as writer:
            writer.add({"a": row})
    assert rows(folder, tmp_path) == {"a": new}
    with Writer(folder, order[1]) as writer:
        writer.add({"a": new._replace(take=2)})
    assert rows(folder, tmp_path)["a"].take == 2
    with Writer(folder, order[0]) as writer:
        writer.add({"a": old})
    assert rows(folder, tmp_path)["a"].take == 2
