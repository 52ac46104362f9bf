"""The hidden folder of a project, where originals lie."""

import os
from pathlib import Path

import pytest

from flux_cli.build.execution.originals import hide
from flux_cli.core.errors import DiskError


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
