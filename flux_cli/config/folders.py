"""The user's folders: settings, credentials and models. `state` has the folder of journals."""

from __future__ import annotations

import os
import sys

from flux_cli.core.text import variable_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

APP = "flux-image-cli"


def user_folder() -> Path:
    """The folder for settings, credentials and models."""
    from pathlib import Path

    return Path(user_path())


def user_path() -> str:
    """The path of `user_folder`. Avoids importing `platformdirs`, which is slower than a lookup."""
    home = os.environ.get("HOME", "")
    base = variable_text(os.environ, "XDG_CONFIG_HOME")
    if not base and home and not home.endswith("/"):
        base = f"{home}/.config"
    is_linux = sys.platform == "linux" and "ANDROID_DATA" not in os.environ
    if is_linux and base.startswith("/"):
        return os.path.join(base, APP)
    import platformdirs

    try:
        return platformdirs.user_config_dir(APP, appauthor=False)
    except RuntimeError:  # no HOME, and no entry in passwd: as with HOME=/ in containers
        return f"/.config/{APP}"


def model_folders() -> tuple[str, ...]:
    """The folders for the user's own model files."""
    return (os.path.join(user_path(), "models"),)


def owners() -> set[int]:
    """Users whose files are trusted: this one and root; for root under sudo, also who called it."""
    user, caller = os.geteuid(), os.environ.get("SUDO_UID", "")
    return {0, user, int(caller)} if user == 0 and caller.isdecimal() else {0, user}


def is_trusted(path: str) -> bool:
    """Whether a file of a project is the user's own or root's; False if there is none.

    Root also trusts the owner of the current folder: containers and CI services run as root in the
    checkout of somebody else. A symbolic link and its target must both be trusted.
    """
    if os.name != "posix":
        return os.path.exists(path)
    try:
        found = {os.lstat(path).st_uid, os.stat(path).st_uid}
        trusted = owners()
        if os.geteuid() == 0:
            trusted.add(os.stat(".").st_uid)
    except OSError:
        return False
    return found <= trusted
