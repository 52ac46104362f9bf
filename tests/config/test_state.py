"""The state folder: where it is, and where it is if the usual place cannot be used."""

import os
import tempfile
from pathlib import Path

import pytest

from flux_cli.config.state import state_folder, state_note
from flux_cli.core.errors import ConfigError

posix = pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
APP = "flux-image-cli"


@pytest.fixture
def no_home(home, monkeypatch, tmp_path):
    """A home folder in which nothing can be made, and a temporary folder of the test's own."""
    blocked = home / "blocked"
    blocked.touch()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("HOME", str(blocked / "me"))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return temporary


def environ(**more):
    return {"HOME": os.environ["HOME"], **more}


def test_where_it_can_be_made_it_is_in_the_home_folder_and_nothing_is_said(home):
    assert Path(state_folder(environ())) == home / ".local" / "state" / APP
    assert state_note(environ()) == ()
    assert not (home / ".local").exists()


@posix
def test_without_a_usable_home_it_is_in_the_runtime_folder(no_home, tmp_path):
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    variables = environ(XDG_RUNTIME_DIR=f'"{runtime}"')
    assert state_folder(variables) == str(runtime / APP)
    (note,) = state_note(variables)
    assert (note.used, note.warning) == (str(runtime / APP), True)
    assert "blocked" in note.asked
    runtime.chmod(0o755)  # a folder that others can read is not taken
    assert state_folder(variables).startswith(str(no_home))


@posix
def test_else_it_is_a_private_folder_in_the_temporary_folder(no_home):
    folder = Path(state_folder(environ()))
    assert folder == no_home / f"{APP}-{os.geteuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert state_folder(environ()) == str(folder)  # `flux recover` finds it


@posix
@pytest.mark.parametrize("planted", ["open", "link", "file"])
def test_a_planted_folder_is_refused(no_home, planted, tmp_path):
    folder = no_home / f"{APP}-{os.geteuid()}"
    if planted == "link":
        (tmp_path / "target").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "target")
    elif planted == "file":
        folder.touch()
    else:
        folder.mkdir()
        folder.chmod(0o777)
    with pytest.raises(ConfigError, match="can be used by another user") as raised:
        state_folder(environ())
    assert "FLUX_STATE" in raised.value.hint


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give")
def test_a_temporary_folder_of_somebody_else_is_refused(no_home):
    folder = no_home / f"{APP}-{os.geteuid()}"
    folder.mkdir(mode=0o700)
    os.chown(folder, 1234, 1234)
    with pytest.raises(ConfigError, match="can be used by another user"):
        state_folder(environ())


@pytest.mark.usefixtures("no_home")
def test_a_folder_that_is_named_is_used_or_refused_but_never_replaced():
    named = str(Path(os.environ["HOME"]) / "state")
    assert state_folder(environ(FLUX_STATE=named)) == named
    assert state_note(environ(FLUX_STATE=named)) == ()


@posix
def test_a_temporary_folder_may_be_the_current_folder(no_home, monkeypatch):
    monkeypatch.chdir(no_home)
    monkeypatch.setenv("TMPDIR", str(no_home))
    assert state_folder(environ()) == str(no_home / f"{APP}-{os.geteuid()}")


@posix
@pytest.mark.parametrize("named", ["", ".", "/nonexistent"])
def test_a_current_folder_that_is_taken_for_want_of_a_temporary_one_is_not_used(
    named, no_home, monkeypatch
):
    monkeypatch.chdir(no_home)
    monkeypatch.setenv("TMPDIR", named)
    assert "blocked" in state_folder(environ())
    assert list(no_home.iterdir()) == []


@posix
def test_the_folders_of_the_system_count_as_temporary(no_home, monkeypatch):
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("flux_cli.config.state.TEMPORARY", (str(no_home),))
    monkeypatch.chdir(no_home)
    assert state_folder(environ()) == str(no_home / f"{APP}-{os.geteuid()}")
