"""A path never leads through a link that another user may have planted."""

import os
from pathlib import Path

import pytest

from flux_cli.core.errors import OutputError
from flux_cli.disk.links import follow, refuse_planted

OTHER = 12345

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can act as another user"
)


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A folder of this user, with a folder `home` that links lead to."""
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def link(path, target, owner=OTHER):
    Path(path).symlink_to(target)
    os.lchown(path, owner, owner)


def shared(name="shared", mode=0o1777, owner=0):
    os.makedirs(name)
    os.chown(name, owner, owner)
    os.chmod(name, mode)
    return name


@pytest.mark.parametrize(
    ("mode", "owner"), [(0o1777, 0), (0o777, 0), (0o775, 0), (0o755, OTHER), (0o1777, OTHER)]
)
@pytest.mark.parametrize(
    "path", ["shared/out/fox.png", "shared/out/", "{work}/shared/out/deep/fox.png", "shared/out"]
)
def test_a_link_of_another_user_is_refused_in_every_folder_that_others_write_to(
    work, mode, owner, path
):
    shared(mode=mode, owner=owner)
    link("shared/out", work / "home")
    with pytest.raises(OutputError, match=r"shared/out is a link that another user has made"):
        refuse_planted(path.format(work=work), "")


@pytest.mark.parametrize("target", ["home", "nowhere", "shared/none"])
def test_it_makes_no_difference_where_it_leads(work, target):
    shared()
    link("shared/out", work / target)
    with pytest.raises(OutputError):
        refuse_planted("shared/out/fox.png", "")


def test_a_link_behind_a_link_of_this_user_is_refused(work):
    shared()
    link("shared/out", work / "home")
    link("mine", "shared", owner=0)
    link("mine.png", "nested/../shared/out/fox.png", owner=0)
    (work / "nested").mkdir()
    for path in ("mine/out/fox.png", "mine.png"):
        with pytest.raises(OutputError, match="shared/out is a link"):
            refuse_planted(path, "")
        with pytest.raises(PermissionError, match="shared/out is a link"):
            follow(path)


def test_links_that_only_trusted_users_can_have_made_are_followed(work):
    shared()
    link("shared/own", work / "home", owner=0)
    shared("private", mode=0o755)
    link("private/theirs", "../home")  # only this user can have put it there
    for path in ("shared/own/fox.png", "private/theirs/fox.png"):
        refuse_planted(path, "")
        assert os.path.realpath(follow(path)) == str(work / "home/fox.png")


def test_root_trusts_who_called_sudo_and_who_owns_the_current_folder(work, monkeypatch):
    shared()
    link("shared/out", work / "home")
    with monkeypatch.context() as patch:
        patch.setenv("SUDO_UID", str(OTHER))
        refuse_planted("shared/out/fox.png", "")
    os.chown(work, OTHER, OTHER)
    refuse_planted("shared/out/fox.png", "")


def test_it_is_also_refused_where_the_current_folder_is_gone(work):
    shared()
    link("shared/out", work / "home")
    (work / "gone").mkdir()
    os.chdir(work / "gone")
    (work / "gone").rmdir()
    with pytest.raises(OutputError, match="another user"):
        refuse_planted(f"{work}/shared/out/fox.png", "")


def test_a_last_link_that_is_planted_is_the_place_itself(work):
    shared()
    link("shared/fox.png", work / "home/fox.png")
    assert follow("shared/fox.png") == "shared/fox.png"


@pytest.mark.usefixtures("work")
@pytest.mark.parametrize("path", ["", ".", "/", "fox.png", "./a/../fox.png", "home//fox.png"])
def test_paths_without_links_stay_what_they_are(path):
    refuse_planted(path, "")
    assert os.path.realpath(follow(path) or ".") == os.path.realpath(path or ".")


@pytest.mark.usefixtures("work")
def test_links_in_a_circle_end():
    link("a", "b", owner=0)
    link("b", "a", owner=0)
    refuse_planted("a/fox.png", "")
    with pytest.raises(OSError, match="symbolic links"):
        follow("a/fox.png")
