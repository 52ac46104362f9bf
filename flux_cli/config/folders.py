"""The user's folders: settings, credentials, models, the cache, and the project.

`state` has the journals.
"""

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
    """The path of `user_folder`."""
    return _path("XDG_CONFIG_HOME", ".config") or _other_path("user_config_dir", ".config")


def saved_schema(base_url: str, model: str) -> str:
    """The path of the file with the gateway's schema of a model; "" if there is none."""
    path = schema_path(base_url, model)
    return path if os.path.isfile(path) else ""


def schema_path(base_url: str, model: str) -> str:
    """Where the schema of a model at this base URL is saved, in the cache folder."""
    return os.path.join(cache_path(), "schemas", _file_name(base_url), f"{_file_name(model)}.json")


def cache_path() -> str:
    """The path of the cache folder, which may not exist yet."""
    return _path("XDG_CACHE_HOME", ".cache") or _other_path("user_cache_dir", ".cache")


def _path(variable: str, usual: str) -> str:
    """The folder of flux in the one that the variable names, or in the `usual` one at home.

    "" where that is not the rule. Avoids importing `platformdirs`, which is slower than a lookup.
    """
    home = os.environ.get("HOME", "")
    base = variable_text(os.environ, variable)
    if not base and home and not home.endswith("/"):
        base = f"{home}/{usual}"
    is_linux = sys.platform == "linux" and "ANDROID_DATA" not in os.environ
    return os.path.join(base, APP) if is_linux and base.startswith("/") else ""


def _other_path(function: str, usual: str) -> str:
    """The folder that a function of `platformdirs` names."""
    import platformdirs

    try:
        path: str = getattr(platformdirs, function)(APP, appauthor=False)
    except RuntimeError:  # no HOME, and no entry in passwd: as with HOME=/ in containers
        return f"/{usual}/{APP}"
    return path


def _file_name(text: str) -> str:
    """A name that every file system takes. Other texts with the same name are told apart inside."""
    return "".join(map(_quoted, text))


def _quoted(char: str) -> str:
    is_plain = char.isascii() and (char.isalnum() or char in "-._")
    return char if is_plain else f"%{ord(char):x}"


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
