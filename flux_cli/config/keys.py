"""Finds API keys in the environment and in files that only their owner can read."""

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from flux_cli.core.auth import is_loopback
from flux_cli.core.errors import ConfigError
from flux_cli.core.text import Secret
from flux_cli.disk.owners import owners

MAX_BYTES = 1 << 20  # a key file has one line


def find(
    variable: str, folder: Path, environ: Mapping[str, str] | None = None
) -> tuple[Secret | None, str]:
    """A key and where it came from, or (None, "").

    Sources: the variable, the file that `<variable>_FILE` names, credentials.toml in `folder`.
    Raises ConfigError for files that others can read and for keys that cannot be sent in a header.
    """
    environ = os.environ if environ is None else environ
    if text := environ.get(variable, "").strip():
        return _secret(text, variable), variable
    if path := environ.get(f"{variable}_FILE", ""):
        key = _read_private(Path(path)).strip()
        if not key:
            raise ConfigError(f"key file {path} is empty")
        return _secret(key, path), path
    credentials = folder / "credentials.toml"
    if credentials.exists():
        import tomllib  # slow to import, and most runs do not need it

        try:
            text = tomllib.loads(_read_private(credentials)).get(variable, "")
        except (ValueError, RecursionError) as fault:
            # The parser's message may quote the key, so it is left out.
            raise ConfigError(f"{credentials} is not valid TOML") from fault
        if isinstance(text, str) and text.strip():
            return _secret(text.strip(), str(credentials)), str(credentials)
    return None, ""


def hide_all(variables: Iterable[str], folder: Path) -> None:
    """Make `redact` hide the keys of these variables, as far as they can be read."""
    for variable in variables:
        with suppress(ConfigError):
            find(variable, folder)


def check_transport(url: str) -> None:
    """Raise ConfigError if a key would be sent over a network unencrypted."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "http" and not is_loopback(host):
        message = f"the key would be sent to {host} unencrypted"
        raise ConfigError(message, hint="use https, or add --no-key")


def _secret(text: str, source: str) -> Secret:
    if not text.isascii() or not text.isprintable() or " " in text:
        message = f"the key from {source} has spaces or invalid characters"
        raise ConfigError(message, hint="copy the key again")
    return Secret(text)


def _read_private(path: Path) -> str:
    """The text of a file that only its owner can read or replace."""
    try:
        with path.open("rb") as file:
            if os.name == "posix":
                _check_file(path, os.fstat(file.fileno()))
                _check_folders(path.resolve())
            return file.read(MAX_BYTES).decode()
    except OSError as fault:
        raise ConfigError(f"cannot read key file {path}: {fault.strerror}") from fault
    except UnicodeDecodeError as fault:
        raise ConfigError(f"key file {path} is not a text file") from fault


def _check_file(path: Path, status: os.stat_result) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        message = f"other users can read {path} (mode {mode:04o})"
        raise ConfigError(message, hint=f"chmod 600 {path}")
    if status.st_uid not in owners():
        message = f"the key file {path} belongs to another user"
        raise ConfigError(message, hint=f'sudo chown "$(id -u)" {path}')


def _check_folders(path: Path) -> None:
    """Raise ConfigError if another user can replace a file or a folder above it.

    In folders such as /tmp, where the sticky bit is set, people can replace only what is theirs.
    """
    if path.parent.stat().st_uid not in owners():
        message = f"the folder {path.parent} of the key file belongs to another user"
        raise ConfigError(message, hint=f'sudo chown "$(id -u)" {path.parent}')
    for folder in path.parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            message = f"every user can replace the key file {path}: {folder} has mode {mode:04o}"
            raise ConfigError(message, hint=f"chmod o-w {folder}")
