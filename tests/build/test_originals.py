"""The hidden folder of a project, where originals lie."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from flux_cli.build.execution.originals import Keeper, Owner, hide, pending_rows
from flux_cli.build.lock.rows import Row
from flux_cli.core.errors import DiskError
from flux_cli.core.image import ImageFile
from flux_cli.core.outcome import Facts
from flux_cli.core.request import Call
from flux_cli.runs.job import Original as Received


def test_two_builds_may_make_the_folder_at_the_same_moment(tmp_path, monkeypatch):
    make = Path.mkdir

    def make_second(path, *rest, **more):
        os.makedirs(path, exist_ok=True)  # the other build is a moment earlier
        make(path, *rest, **more)

    monkeypatch.setattr(Path, "mkdir", make_second)
    hide(str(tmp_path))
    assert (tmp_path / ".flux").is_dir()


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / ".flux").write_text("")
    with pytest.raises(DiskError, match=r"\.flux: it is not a folder"):
        hide(str(tmp_path))


def test_what_a_killed_build_has_noted_stays(tmp_path):
    """Its files have the time of that row, and a row made from the journal has another."""
    lock = str(tmp_path / "flux-build.lock")
    task = SimpleNamespace(
        key="a",
        call=Call(1, 7, "m", {}),
        delivery=SimpleNamespace(record=SimpleNamespace(request_digest="0")),
    )
    received = Received(task, b"data", ImageFile(b"data", "png", 1, 1, as_received=True), Facts())
    for created in ("2026-12-01T10:00:00Z", "2026-12-01T10:00:01Z"):
        owner = Owner(Row("1" * 16, "2" * 16), lock)
        Keeper(lambda _, one=owner: one, provider="p", run="r", created=created)(received)
    assert pending_rows(lock)["a"].generated["time"] == "2026-12-01T10:00:00Z"
