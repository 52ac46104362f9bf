"""Keys: from the environment or from a file that only its owner can read, never from the command line."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from flux_cli.core.errors import ConfigError
from flux_cli.core.text import Secret

MAX_BYTES = 1 << 20  # a key file is a line of text


def find(variable: str, folder: Path, environ: Mapping[str, str] | None = None) -> tuple[Secret | None, str]:
    """A key and where it came from: the variable, the file in `<variable>_FILE`, or credentials.toml in `folder`.

    Raises ConfigError for files that others may read and for keys that cannot be sent in a header.
    """
    environ = os.environ if environ is None else environ
    if text := environ.get(variable, "").strip():
        return _secret(text, variable), variable
    if path := environ.get(f"{variable}_FILE", ""):
        key = _private(Path(path)).strip()
        if not key:
            raise ConfigError(f"key file {path} is empty")
        return _secret(key, path), path
    credentials = folder / "credentials.toml"
    if credentials.exists():
        import tomllib  # this and the next are dear, and most runs need neither

        try:
            text = tomllib.loads(_private(credentials)).get(variable, "")
        except (ValueError, RecursionError) as fault:
            raise ConfigError(f"{credentials} is no TOML") from fault  # the parser's message may quote the key
        if isinstance(text, str) and text.strip():
            return _secret(text.strip(), str(credentials)), str(credentials)
    return None, ""


def check_transport(url: str) -> None:
    """Raise ConfigError where a key would cross a network in the clear."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "http" and host != "localhost" and not _is_loopback(host):
        raise ConfigError(f"the key would travel to {host} unencrypted", hint="use https, or --no-key to send none")


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _secret(text: str, source: str) -> Secret:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigError(f"the key from {source} holds blanks or characters that no key has", hint="copy it again")
    return Secret(text)


def _private(path: Path) -> str:
    """The text of a file that only its owner can read."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if os.name == "posix" and mode & 0o077:
                raise ConfigError(f"{path} can be read by others (mode {mode:04o})", hint=f"chmod 600 {path}")
            return file.read(MAX_BYTES).decode()
    except OSError as fault:
        raise ConfigError(f"key file {path} cannot be read: {fault.strerror}") from fault
    except UnicodeDecodeError as fault:
        raise ConfigError(f"key file {path} is no text") from fault
