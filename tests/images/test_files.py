"""The disk: nothing overwritten unasked, nothing half written, nothing paid lost."""

import io
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from flux_cli.core.errors import DiskError, OutputError
from flux_cli.core.image import ImageFile
from flux_cli.images.files import PART, Folder, Pipe, is_folder, is_special, preflight, sweep
from flux_cli.images.names import Name

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX's files")
linux = pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a full device")


def name(template):
    return Name(str(template), {})


def image(data=b"bytes of an image", file_format="png"):
    return ImageFile(data, file_format, 2, 2, as_received=True)


def check(*templates, file_format=None, overwrite=False, skip_existing=False, write=True):
    names = [name(template) for template in templates]
    return preflight(
        names, file_format, overwrite=overwrite, skip_existing=skip_existing, write=write
    )


def listed(folder):
    return sorted(path.name for path in folder.iterdir())


# --- before anything is paid


def test_free_names_in_folders_that_are_not_there_yet_are_fine_and_no_folder_is_created(work):
    assert check("out/deep/fox.{ext}", "fox.png") == {}
    assert listed(work) == []


def test_a_preview_makes_no_folders(work):
    assert check("out/fox.png", write=False) == {}
    assert listed(work) == []


@pytest.mark.parametrize("existing", ["fox.png", "fox.jpg", "fox.gif", "fox.webp", "fox.avif"])
def test_any_file_the_name_could_become_is_in_the_way(existing, work):
    (work / existing).write_bytes(b"mine")
    with pytest.raises(OutputError, match=f"^{existing} already exists") as raised:
        check("fox.{ext}")
    assert "--overwrite" in raised.value.hint
    assert "--skip-existing" in raised.value.hint
    assert (work / existing).read_bytes() == b"mine"


def test_a_known_format_is_in_nobody_else_s_way(work):
    (work / "fox.jpg").write_bytes(b"mine")
    assert check("fox.{ext}", file_format="png") == {}


def test_several_clashes_are_counted(work):
    for each in ("a.png", "b.png", "c.png"):
        (work / each).touch()
    with pytest.raises(OutputError, match=r"^a\.png and 2 more already exist$"):
        check("a.png", "free.png", "b.png", "c.png")
    with pytest.raises(OutputError, match=r"^a\.png and 1 more already exist$"):
        check("a.png", "free.png", "b.png")


def test_overwrite_skips_nothing_and_complains_about_nothing(work):
    (work / "fox.png").write_bytes(b"mine")
    assert check("fox.png", overwrite=True) == {}
    assert (work / "fox.png").read_bytes() == b"mine"


def test_skip_existing_names_what_is_there_by_its_place(work):
    (work / "b.jpg").touch()
    assert check("a.{ext}", "b.{ext}", "c.{ext}", skip_existing=True) == {1: "b.jpg"}


@pytest.mark.parametrize("options", [{}, {"overwrite": True}, {"skip_existing": True}])
def test_a_folder_of_that_name_is_refused_whatever_the_options(options, work):
    (work / "fox.png").mkdir()
    with pytest.raises(OutputError, match=r"fox\.png is not a file"):
        check("fox.png", **options)


@posix
@pytest.mark.parametrize("options", [{}, {"overwrite": True}, {"skip_existing": True}])
def test_devices_and_pipes_are_refused_whatever_the_options(options, work):
    with pytest.raises(OutputError, match="/dev/null is not a file") as raised:
        check("/dev/null", **options)
    assert "-o -" in raised.value.hint
    os.mkfifo(work / "pipe.png")
    with pytest.raises(OutputError, match=r"pipe\.png is not a file"):
        check("pipe.png", **options)


@posix
def test_a_link_to_a_file_counts_as_the_file(work):
    (work / "target.png").touch()
    (work / "link.png").symlink_to("target.png")
    with pytest.raises(OutputError, match=r"link\.png already exists"):
        check("link.png")


@posix
@pytest.mark.parametrize("skip_existing", [False, True])
@pytest.mark.parametrize("target", ["absent.png", "fox.png"])
def test_a_link_to_a_missing_file_is_refused(skip_existing, target, work):
    """A new file could not get its name, and a rerun would pay for another one."""
    (work / "fox.png").symlink_to(target)
    with pytest.raises(OutputError, match=r"fox\.png is a link to a missing file") as raised:
        check("fox.png", skip_existing=skip_existing)
    assert "--overwrite" in raised.value.hint


@posix
def test_what_is_behind_a_link_is_checked_if_it_is_to_be_overwritten(work):
    (work / "round.png").symlink_to("round.png")
    with pytest.raises(OutputError, match=r"cannot write round\.png: Too many levels"):
        check("round.png", overwrite=True)
    (work / "file").touch()
    (work / "link.png").symlink_to("file/fox.png")
    with pytest.raises(OutputError, match="cannot write into file"):
        check("link.png", overwrite=True)
    (work / "dangling.png").symlink_to("absent/fox.png")
    assert check("dangling.png", overwrite=True, skip_existing=True) == {0: "dangling.png"}


def test_a_file_in_the_place_of_the_folder_is_refused(work):
    (work / "out").touch()
    for template in ("out/fox.png", "out/deep/fox.png"):
        with pytest.raises(OutputError, match="cannot write into out") as raised:
            check(template)
        assert "nothing was done" in raised.value.hint


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused(work):
    (work / "out").mkdir(mode=0o555)
    with pytest.raises(OutputError, match="cannot write into out"):
        check("out/fox.png")


@pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="Linux has a folder nobody can write in"
)
def test_a_folder_that_takes_no_files_is_refused_by_trying():
    with pytest.raises(OutputError, match="cannot write into /proc/self"):
        check("/proc/self/fox.png")


@pytest.mark.parametrize(
    "template", ["x" * 300 + ".png", "a\x00b.png", "\ud800.png", "x" * 300 + "/fox.png"]
)
def test_names_the_file_system_cannot_have_are_refused(template):
    with pytest.raises(OutputError):
        check(template)


# --- saving


@pytest.fixture
def folder():
    return Folder(overwrite=False)


@pytest.fixture
def overwriting():
    return Folder(overwrite=True)


@pytest.mark.parametrize(
    ("file_format", "suffix"),
    [("png", "png"), ("jpeg", "jpg"), ("gif", "gif"), ("webp", "webp"), ("avif", "avif")],
)
def test_an_image_is_saved_byte_by_byte_under_its_own_suffix(file_format, suffix, folder, work):
    assert folder.save(name("fox.{ext}"), image(b"\x00\xff" * 500, file_format)) == f"fox.{suffix}"
    assert (work / f"fox.{suffix}").read_bytes() == b"\x00\xff" * 500
    assert listed(work) == [f"fox.{suffix}"]


@posix
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_file_has_the_permissions_of_any_other_new_file(umask, folder, work):
    before = os.umask(umask)
    try:
        folder.save(name("fox.png"), image())
    finally:
        os.umask(before)
    assert stat.S_IMODE((work / "fox.png").stat().st_mode) == 0o666 & ~umask


def test_a_name_taken_meanwhile_moves_aside_and_keeps_both(folder, work):
    (work / "fox.png").write_bytes(b"mine")
    assert folder.save(name("fox.png"), image(b"1")) == "fox-2.png"
    assert folder.save(name("fox.png"), image(b"2")) == "fox-3.png"
    assert {path.name: path.read_bytes() for path in work.iterdir()} == {
        "fox.png": b"mine",
        "fox-2.png": b"1",
        "fox-3.png": b"2",
    }


def test_many_at_once_under_one_name_are_all_kept(folder, work):
    def save(number):
        folder.save(name("fox.png"), image(b"%d" % number))

    threads = [threading.Thread(target=save, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = {path.read_bytes() for path in work.iterdir()}
    assert kept == {b"%d" % number for number in range(20)}
    assert len(list(work.iterdir())) == 20


def test_overwriting_replaces_in_one_step_and_leaves_nothing_behind(overwriting, work):
    (work / "fox.png").write_bytes(b"old")
    assert overwriting.save(name("fox.png"), image(b"new")) == "fox.png"
    assert overwriting.save(name("new.png"), image(b"new")) == "new.png"
    assert listed(work) == ["fox.png", "new.png"]
    assert (work / "fox.png").read_bytes() == b"new"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_is_on_the_disk_before_it_has_its_name(overwrite, work, monkeypatch):
    if overwrite:
        (work / "fox.png").write_bytes(b"old")
    steps = []
    for step in ("fsync", "link", "replace"):
        real = getattr(os, step)
        monkeypatch.setattr(
            os,
            step,
            lambda *given, step=step, real=real, **more: steps.append(step) or real(*given, **more),
        )
    Folder(overwrite=overwrite).save(name("fox.png"), image())
    assert steps[0] == "fsync"
    assert steps[-1] == ("replace" if overwrite else "link")
    assert listed(work) == ["fox.png"]


def test_a_new_file_gets_its_only_name_in_one_step(overwriting, monkeypatch):
    """A process that is killed between two names would leave one of them."""
    monkeypatch.delattr(os, "replace")
    assert overwriting.save(name("fox.png"), image(b"new")) == "fox.png"


@posix
def test_a_replaced_file_keeps_its_permissions(overwriting, work):
    (work / "fox.png").write_bytes(b"old")
    (work / "fox.png").chmod(0o640)
    overwriting.save(name("fox.png"), image(b"new"))
    assert (work / "fox.png").stat().st_mode & 0o777 == 0o640


@posix
def test_a_reader_of_the_old_file_keeps_it_whole(overwriting, work):
    (work / "fox.png").write_bytes(b"old")
    with (work / "fox.png").open("rb") as reader:
        overwriting.save(name("fox.png"), image(b"new"))
        assert reader.read() == b"old"


@posix
def test_a_link_stays_a_link_when_its_file_is_replaced(overwriting, work):
    (work / "store").mkdir()
    (work / "store" / "real.png").write_bytes(b"old")
    (work / "link.png").symlink_to("store/real.png")
    (work / "dangling.png").symlink_to("store/later/new.png")
    overwriting.save(name("link.png"), image(b"new"))
    overwriting.save(name("dangling.png"), image(b"new"))
    assert (work / "link.png").is_symlink()
    assert (
        (work / "store" / "real.png").read_bytes()
        == (work / "store" / "later" / "new.png").read_bytes()
        == b"new"
    )
    assert listed(work) == ["dangling.png", "link.png", "store"]


@posix
def test_a_dangling_link_is_not_written_through_unasked(folder, work):
    (work / "fox.png").symlink_to("elsewhere.png")
    assert folder.save(name("fox.png"), image()) == "fox-2.png"
    assert not (work / "elsewhere.png").exists()


@pytest.mark.parametrize("overwrite", [False, True])
def test_further_images_of_one_call_stand_beside_the_first_and_overwrite_nothing(overwrite, work):
    sink = Folder(overwrite=overwrite)
    (work / "fox-3.png").write_bytes(b"mine")
    paths = [sink.save(name("fox.png"), image(b"%d" % extra), extra) for extra in range(3)]
    assert paths == ["fox.png", "fox-2.png", "fox-3-2.png"]
    assert (work / "fox-3.png").read_bytes() == b"mine"


def test_a_longest_name_can_still_move_aside(folder, work):
    longest = "x" * 251 + ".png"
    (work / longest).touch()
    made = folder.save(name(longest), image(b"1"))
    assert len(made) == 255
    assert (work / made).read_bytes() == b"1"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_vanished_is_made_again_for_a_paid_image(overwrite, work):
    assert Folder(overwrite=overwrite).save(name("out/fox.png"), image(b"paid")) == "out/fox.png"
    assert (work / "out/fox.png").read_bytes() == b"paid"


def test_where_an_image_cannot_go_is_said_with_the_reason(folder, work):
    (work / "out").touch()
    with pytest.raises(DiskError, match=r"cannot write out/fox\.png: "):
        folder.save(name("out/fox.png"), image())
    assert listed(work) == ["out"]


def test_the_very_same_image_is_not_saved_twice_by_a_second_try(work):
    (work / "fox.png").write_bytes(b"paid")
    again = Folder(overwrite=False, same=True)
    assert again.save(name("fox.png"), image(b"paid")) == "fox.png"
    assert again.save(name("fox.png"), image(b"other")) == "fox-2.png"
    assert listed(work) == ["fox-2.png", "fox.png"]


def test_what_a_crashed_run_was_writing_is_swept_away_and_nothing_else(work):
    (work / "out").mkdir()
    for kept in (f"{PART}20260102-aa0011", "fox.png", "out/.hidden"):
        (work / kept).touch()
    for left in (f"{PART}20260101-bb22331234", f"out/{PART}20260101-bb223399"):
        (work / left).touch()
    sweep(["fox.png", "out/fox.png"], "20260101-bb2233")
    assert sorted(path.name for path in work.rglob("*")) == sorted(
        ["out", ".hidden", f"{PART}20260102-aa0011", "fox.png"]
    )


def test_a_failed_write_leaves_no_debris(overwriting, work):
    (work / "fox.png").mkdir()
    (work / "fox.png" / "inside").touch()
    with pytest.raises(DiskError):
        overwriting.save(name("fox.png"), image())
    assert listed(work) == ["fox.png"]
    assert not any(path.name.startswith(PART) for path in work.rglob("*"))


KILLED = """
import os, signal
from flux_cli.core.image import ImageFile
from flux_cli.images.files import Folder
from flux_cli.images.names import Name
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
image = ImageFile(b"half", "png", 1, 1, as_received=True)
Folder(overwrite={overwrite}).save(Name("fox.png", {{}}), image)
"""


@linux
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_process_that_is_killed_while_it_writes_leaves_no_file(overwrite, work):
    try:
        os.close(os.open(work, os.O_TMPFILE | os.O_WRONLY))
    except OSError:
        pytest.skip("this file system has no files without names")
    line = [sys.executable, "-c", KILLED.format(overwrite=overwrite)]
    assert subprocess.run(line, check=False).returncode == -signal.SIGKILL
    assert listed(work) == []


@linux
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_system_without_unnamed_files_is_written_to_all_the_same(
    overwrite, work, monkeypatch
):
    monkeypatch.delattr(os, "O_TMPFILE")
    assert Folder(overwrite=overwrite).save(name("fox.png"), image(b"whole")) == "fox.png"
    assert (work / "fox.png").read_bytes() == b"whole"
    assert listed(work) == ["fox.png"]


@linux
def test_a_file_that_cannot_be_replaced_says_why(overwriting, work, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    (work / "fox.png").write_bytes(b"old")
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(DiskError, match="Operation not permitted"):
        overwriting.save(name("fox.png"), image(b"new"))
    assert listed(work) == ["fox.png"]


# --- a pipe


def test_a_pipe_gets_exactly_the_bytes():
    stream = io.BytesIO()
    assert Pipe(stream).save(name("-"), image(b"\x00\xff\n")) == "-"
    assert stream.getvalue() == b"\x00\xff\n"


def test_a_pipe_takes_one_image():
    stream = io.BytesIO()
    with pytest.raises(DiskError, match="several images") as raised:
        Pipe(stream).save(name("-"), image(), 1)
    assert "-o" in raised.value.hint
    assert stream.getvalue() == b""


@posix
def test_a_reader_that_has_gone_has_what_it_wanted():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as stream:
        assert Pipe(stream).save(name("-"), image(b"x" * 100_000)) == "-"


@linux
def test_a_full_pipe_is_a_disk_error():
    with (
        Path("/dev/full").open("wb", buffering=0) as stream,
        pytest.raises(DiskError, match="standard output"),
    ):
        Pipe(stream).save(name("-"), image())


# --- places


@pytest.mark.parametrize(
    ("output", "folder"), [("out/", True), ("there", True), ("absent", False), ("file", False)]
)
def test_output_is_a_folder_by_its_slash_or_by_being_one(output, folder, work):
    (work / "there").mkdir()
    (work / "file").touch()
    assert is_folder(output) is folder


def test_devices_and_pipes_are_no_places_for_images(work):
    os.mkfifo("pipe")
    (work / "file").touch()
    assert is_special("/dev/null")
    assert is_special("pipe")
    for output in ("file", ".", "none", "x" * 5000, "a\0b"):
        assert not is_special(output)


# --- links of other users


@pytest.fixture
def planted(work):
    """A folder that everybody may write to, with a link of another user to a file of this one."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can make a link for another user")
    shared = work / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (work / "mine.png").write_bytes(b"mine")
    (shared / "fox.png").symlink_to(work / "mine.png")
    os.lchown(shared / "fox.png", 12345, 12345)
    return shared


def test_a_link_that_another_user_planted_is_refused_before_anything_is_paid(planted, work):
    with pytest.raises(OutputError, match="a link that another user has made"):
        check(planted / "fox.png", overwrite=True)
    assert (work / "mine.png").read_bytes() == b"mine"


@pytest.mark.parametrize("chain", [False, True])
def test_a_link_that_another_user_plants_meanwhile_is_never_followed(
    planted, work, overwriting, chain
):
    target = "link.png" if chain else "shared/fox.png"
    (work / "link.png").symlink_to("shared/fox.png")
    assert overwriting.save(name(target), image(b"new")) == target
    assert (work / "mine.png").read_bytes() == b"mine"
    assert (planted / "fox.png").read_bytes() == b"new"
    assert not (planted / "fox.png").is_symlink()


def test_links_of_this_user_are_followed(planted, work, overwriting):
    (planted / "own.png").symlink_to(work / "mine.png")
    overwriting.save(name("shared/own.png"), image(b"new"))
    assert (work / "mine.png").read_bytes() == b"new"
    assert (planted / "own.png").is_symlink()


def link_folder(planted, work):
    """Let another user lead `shared/out` into a folder of this user."""
    (work / "home").mkdir(exist_ok=True)
    (planted / "out").symlink_to(work / "home")
    os.lchown(planted / "out", 12345, 12345)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_another_user_linked_is_refused_and_never_written_to(
    planted, work, overwrite
):
    link_folder(planted, work)
    for template in ("shared/out/fox.png", "shared/out/deep/fox.png"):
        with pytest.raises(OutputError, match="shared/out is a link that another user has made"):
            check(template, overwrite=overwrite)
        with pytest.raises(DiskError, match="shared/out is a link that another user has made"):
            Folder(overwrite=overwrite).save(name(template), image())
    assert listed(work / "home") == []


@posix
def test_links_in_a_circle_are_an_error_and_no_hang(overwriting, work):
    (work / "fox.png").symlink_to("fox.png")
    with pytest.raises(DiskError):
        overwriting.save(name("fox.png"), image())
