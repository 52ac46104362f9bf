"""The saved schema of a model: who may read what, and which files count as none."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from flux_cli.catalog.gateway.reading import read_schema
from flux_cli.catalog.gateway.saved import KIND, Saved, now, read_saved, save
from flux_cli.config.folders import saved_schema, schema_path
from flux_cli.core.errors import DiskError

BASE = "https://gateway.example/openai/v1"
MODEL = "Vendor/new model:1"


@pytest.fixture
def saved() -> Saved:
    schema = read_schema({"parameters": {"size": {"values": ["1K"]}}})
    return Saved(schema, MODEL, BASE, f"{BASE}/models/x", now())


@pytest.fixture
def path(saved) -> str:
    path = schema_path(BASE, MODEL)
    save(saved, path)
    return path


def change(path: str, **changes: object) -> None:
    with open(path) as file:
        document = json.load(file)
    with open(path, "w") as file:
        json.dump(document | changes, file)


def test_what_is_saved_is_read_again(saved, path, home):
    assert path.startswith(str(home / ".cache" / "flux-image-cli" / "schemas"))
    assert saved_schema(BASE, MODEL) == path
    assert read_saved(path, BASE, MODEL) == saved
    save(saved._replace(source="https://other.example"), path)
    assert read_saved(path, BASE, MODEL).source == "https://other.example"
    assert len(os.listdir(os.path.dirname(path))) == 1


def test_the_cache_folder_is_that_of_the_system(monkeypatch, work):
    monkeypatch.setenv("XDG_CACHE_HOME", str(work / "cache"))
    assert schema_path(BASE, MODEL).startswith(str(work / "cache" / "flux-image-cli"))


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "\0", "a/b", "..", "", "\ud800", "é"])
def test_no_name_of_a_model_leads_out_of_the_folder(name):
    folder = os.path.dirname(schema_path(BASE, "x"))
    path = schema_path(BASE, name)
    assert os.path.dirname(os.path.normpath(path)) == folder
    assert saved_schema(BASE, name) == ""


def test_a_file_is_of_one_model_at_one_address(path):
    assert read_saved(path, f"{BASE}/", MODEL) is None
    assert read_saved(path, BASE, MODEL.lower()) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b"null",
        b"[" * 100_000,
        b'{"kind":' * 100_000,
        b"\0\xff",
        b"7" * 100_000,
        b'{"kind": "' + b"x" * (5 << 20) + b'"}',
    ],
    ids=["empty", "list", "cut", "null", "nested", "tables", "binary", "number", "large"],
)
def test_a_damaged_file_counts_as_none(path, data):
    with open(path, "wb") as file:
        file.write(data)
    assert read_saved(path, BASE, MODEL) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "flux"},
        {"source": 7},
        {"schema": None},
        {"schema": {"parameters": {}}},
        *({"fetched": value} for value in ("", "yesterday", 7, None, "2026-12-02T00:00:00")),
        {"fetched": "0001-01-01T00:00:00+23:59"},
    ],
    ids=str,
)
def test_a_file_without_what_it_must_have_counts_as_none(path, changes):
    assert read_saved(path, BASE, MODEL)
    change(path, **changes)
    assert read_saved(path, BASE, MODEL) is None


@pytest.mark.parametrize(
    ("days", "is_old", "is_usable"),
    [
        *((0, False, True), (0.9, False, True), (1.1, True, True), (29.9, True, True)),
        *((30.1, True, False), (-0.5, False, True), (-2, False, False)),
    ],
)
def test_age_decides_what_a_file_is_good_for(path, days, is_old, is_usable):
    change(path, fetched=(datetime.now(UTC) - timedelta(days=days)).isoformat())
    saved = read_saved(path, BASE, MODEL)
    assert (saved.is_old, saved.is_usable) == (is_old, is_usable)


def test_a_file_of_another_user_or_without_permission_counts_as_none(path):
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
    else:
        os.chmod(path, 0)
    assert read_saved(path, BASE, MODEL) is None


def test_a_pipe_or_a_folder_in_its_place_counts_as_none(path):
    os.unlink(path)
    os.mkfifo(path)
    assert saved_schema(BASE, MODEL) == ""
    assert read_saved(path, BASE, MODEL) is None


def test_a_name_that_is_too_long_is_an_error_only_when_it_is_saved(saved):
    name = "x" * 500
    assert saved_schema(BASE, name) == ""
    with pytest.raises(DiskError, match="cannot write"):
        save(saved, schema_path(BASE, name))


def test_the_mark_is_in_the_file(path):
    with open(path) as file:
        assert json.load(file)["kind"] == KIND
