"""The user's folders: settings, credentials, models, and the project. `state` has the journals."""

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


def project_folders() -> list[str]:
    """The current folder and those above it, up to the top of the repository.

    Outside of a repository, only the current folder. The repository of another user is none.
    """
    try:
        here = os.getcwd()
    except OSError:  # the folder was deleted
        return []
    folders = [here]
    while not _is_repository(folders[-1]):
        above = os.path.dirname(folders[-1])
        if above == folders[-1]:
            return [here]
        folders.append(above)
    return folders


def _is_repository(folder: str) -> bool:
    path = os.path.join(folder, ".git")
    if not os.path.lexists(path):
        return False
    from flux_cli.disk.owners import is_trusted  # lookups outside of repositories do without

    return is_trusted(path)
