"""Faults in files that others may have written: a project's settings, and files with keys."""

import os
from collections.abc import Callable
from pathlib import Path

from faults.row import Row, fine, refused

OTHER = 1234  # the uid of somebody else
NO_KEY = {"LUMENFALL_API_KEY": ""}
FROM_FILE = {**NO_KEY, "LUMENFALL_API_KEY_FILE": "~/open/key"}
MOUNTED = {**NO_KEY, "LUMENFALL_API_KEY_FILE": "open/key"}


def project(text: str, own: str = "") -> Callable[[Path], None]:
    """A folder with a flux.toml in a repository, and a user with settings of their own."""

    def prepare(work: Path) -> None:
        (work / ".git" / "hooks").mkdir(parents=True)
        (work / "flux.toml").write_text(text)
        (work / "link").symlink_to(work.parent)
        folder = work.parent / "home/.config/flux-image-cli"
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text(own)

    return prepare


def of_another_user(work: Path) -> None:
    (work / "flux.toml").write_text('output = "obeyed-{seed}"\nmodel = "nonsense"\n')
    os.chown(work / "flux.toml", OTHER, OTHER)


def key_file(
    folder_mode: int = 0o700, mode: int = 0o600, owner: int = -1, *, place: str = "home"
) -> Callable[[Path], None]:
    def prepare(work: Path) -> None:
        folder = work.with_name(place) / "open"
        folder.mkdir()
        (folder / "key").write_text("lmnfl_another.key")
        (folder / "key").chmod(mode)
        os.chown(folder / "key", owner, owner)
        folder.chmod(folder_mode)

    return prepare


def unsafe(name: str, output: str, says: str = "inside the project") -> Row:
    text = f'output = "{output}"'
    return refused(
        name, f"flux.toml: output = {output}", before=project(text), code=2, posts=0, says=(says,)
    )


def unpaid(name: str, does: str, says: str, before: Callable[[Path], None], **more: object) -> Row:
    return refused(name, does, before=before, code=2, posts=0, says=(says,), **more)


def linked_by_another_user(work: Path) -> None:
    """A folder for everybody, in which somebody has led `out` and `run.log` to files of this user."""
    (work / "shared").mkdir()
    (work / "shared").chmod(0o1777)
    for name, target in (("out", "home"), ("run.log", "home/.bashrc"), ("fox.jpg", "home/fox")):
        (work / "shared" / name).symlink_to(work.parent / target)
        os.chown(work / "shared" / name, OTHER, OTHER, follow_symlinks=False)


def planted(name: str, does: str, *line: str, **more: object) -> Row:
    says = "is a link that another user has made"
    return unpaid(name, does, says, linked_by_another_user, line=line, needs="root", **more)


CHEAP, PRIVATE = "max_cost = 0.01", 'metadata = "none"'
PROJECTS = (
    unsafe("an output above the project", "../fox.jpg"),
    unsafe("an absolute output", "/tmp/fox.jpg"),
    unsafe("an output in the home folder", "~/.config/autostart/fox.jpg"),
    unsafe("an output in .git", ".git/hooks/fox.jpg"),
    unsafe("an output behind a link", "link/fox.jpg", "leads out of the project"),
    unsafe("an output with an escape sequence", "\\u001b[2Jfox.jpg", "control characters"),
    unsafe("an output with a command for GitHub", "::error::fox.jpg", "commands to CI services"),
    unsafe("an output with an older command", "##[group]fox.jpg", "commands to CI services"),
    unpaid("a project that raises the limit", "0.01 in config.toml, 1000 in flux.toml", "over the limit of 0.01", project("max_cost = 1000", CHEAP)),
    unpaid("a project that lowers the limit", "flux.toml only", "over the limit of 0.01", project(CHEAP)),
    fine("a project that wants the prompt", "none in config.toml, full in flux.toml", before=project('metadata = "full"', PRIVATE), says=("metadata full becomes none",)),
    fine("a flux.toml of another user", "ignored, with one note", before=of_another_user, says=("is ignored: it belongs to another user",), needs="root"),
)  # fmt: skip

KEY_FILES = (
    unpaid("a key file that others can read", "mode 0644", "chmod 600", key_file(mode=0o644), env=FROM_FILE),
    unpaid("a key file that others can replace", "its folder has mode 0777", "chmod o-w", key_file(0o777), env=FROM_FILE),
    fine("a key file in a folder such as /tmp", "mode 1777", before=key_file(0o1777), env=FROM_FILE),
    unpaid("a key file of another user", "uid 1234", "belongs to another user", key_file(owner=OTHER), env=FROM_FILE, needs="root"),
    fine("a mounted key file that others can read", "mode 0444, outside of the home folder", before=key_file(mode=0o444, place="work"), env=MOUNTED),
    fine("a mounted key file of another user", "uid 1234, mode 0444", before=key_file(mode=0o444, owner=OTHER, place="work"), env=MOUNTED, needs="root"),
)  # fmt: skip

LINKS = (
    planted("a folder that another user linked", "-o shared/out/fox.jpg", "-o", "shared/out/fox.jpg"),
    planted("a folder that another user linked, as a folder", "-o shared/out/", "-o", "shared/out/"),
    planted("a file that another user linked, to overwrite", "-o shared/fox.jpg", "-o", "shared/fox.jpg", "--overwrite"),
    planted("a log that another user linked", "--log-file shared/run.log", "--log-file", "shared/run.log"),
    planted("a contact sheet behind a link of another user", "--sheet-output shared/out/sheet.jpg", "--sheet-output", "shared/out/sheet.jpg"),
    planted("a state folder behind a link of another user", "FLUX_STATE=shared/out/state", env={"FLUX_STATE": "shared/out/state"}),
)  # fmt: skip
