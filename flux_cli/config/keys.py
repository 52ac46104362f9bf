"""Finds API keys in the environment and in files that only their owner can read."""

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from flux_cli.core.auth import is_loopback
from flux_cli.core.errors import ConfigError
from flux_cli.core.model import Json
from flux_cli.core.text import Secret, decode_text, unwrap, variable_text
from flux_cli.disk.owners import owners
from flux_cli.disk.pipes import read_file

CREDENTIALS = "credentials.toml"  # in the user's folder
MAX_BYTES = 1 << 20  # a key file has one line
KEY_RUN = (
    16  # letters and digits in a row that look like a key; words are shorter, or have no digits
)
# What a value may be: a bare key; the value of a header, which may have blanks; a login.
KEY, HEADER, LOGIN = "key", "header", "login"


def find(
    variable: str, folder: Path, environ: Mapping[str, str] | None = None, form: str = KEY
) -> tuple[Secret | None, str]:
    """A key and where it came from, or (None, "").

    Sources: the variable, the file that `<variable>_FILE` names, credentials.toml in `folder`.
    `form` is KEY, HEADER or LOGIN. Raises ConfigError for files that others can read and for values
    that cannot be sent in that form.
    """
    environ = os.environ if environ is None else environ
    if text := variable_text(environ, variable):
        return checked_key(text, variable, form), variable
    if path := variable_text(environ, f"{variable}_FILE"):
        key = unwrap(_read_private(Path(os.path.expanduser(path)), is_mounted=_is_mounted(path)))
        if not key:
            raise ConfigError(f"key file {path} is empty")
        return checked_key(key, path, form), path
    credentials = folder / CREDENTIALS
    if _exists(credentials):
        value = parse_credentials(_read_private(credentials), credentials).get(variable, "")
        if not isinstance(value, str):
            hint = f'write {variable} = "...", with quotes'
            raise ConfigError(f"{variable} in {credentials} must be text", hint=hint)
        if text := unwrap(value):
            return checked_key(text, str(credentials), form), str(credentials)
    return None, ""


def read_credentials(path: Path) -> str:
    """The text of credentials.toml; "" if there is none.

    Raises ConfigError for a file that others can read or replace, or a folder that is not the
    user's.
    """
    if _exists(path):
        return _read_private(path)
    if os.name == "posix" and _exists(path.parent):
        _check_folders(path.resolve(), is_mounted=False)
    return ""


def parse_credentials(text: str, path: Path) -> dict[str, Json]:
    """What credentials.toml says. Raises ConfigError for what is not TOML."""
    import tomllib  # slow to import, and most runs do not need it

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as fault:
        # The parser's message may quote the key, so it is left out.
        raise ConfigError(f"{path} is not valid TOML") from fault


def hide_all(variables: Iterable[str], folder: Path) -> None:
    """Make `redact` hide the keys of these variables, as far as they can be read."""
    for variable in variables:
        with suppress(ConfigError):
            find(variable, folder, form=LOGIN)


def checked_key(text: str, source: str, form: str = KEY) -> Secret:
    """The value as a Secret. Raises ConfigError if it cannot be sent in this form.

    Logins are encoded before they are sent, so they may be any text.
    """
    is_printable = text.isprintable() and (text.isascii() or form == LOGIN)
    if form == KEY and not (is_printable and " " not in text):
        message = f"the key from {source} has spaces or invalid characters"
        raise ConfigError(message, hint="copy the key again")
    if not is_printable:
        message = f"the value from {source} has characters that no {form} may have"
        raise ConfigError(message, hint="copy it again, as text on one line")
    return Secret(text)


def looks_like_key(text: str) -> bool:
    """Whether a long run of letters and digits is in a text, as in keys and not in names."""
    import re  # only provider tables of the user need it

    runs = re.findall(rf"[0-9A-Za-z]{{{KEY_RUN},}}", text)
    return any(not (run.isalpha() or run.isdigit()) for run in runs)


def check_transport(url: str, allowed: str | None) -> None:
    """Raise ConfigError if a key would be sent over a network unencrypted.

    `allowed` are the hosts for which the user allows it, separated by commas or blanks.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "http" or _is_allowed(host, parts.netloc, allowed):
        return
    message = f"the key would be sent to {host} unencrypted"
    hint = f"set FLUX_HTTP_HOSTS={host} if that network is yours, use https, or add --no-key"
    raise ConfigError(message, hint=hint)


def check_proxy(url: str, proxy: str, allowed: str | None) -> None:
    """Raise ConfigError if a proxy (its URL) would get a key that is not encrypted.

    It sees all that goes to an http URL, so its host must be allowed like that of the URL.
    """
    parts, place = urlsplit(url), urlsplit(proxy)
    name, host = place.hostname or "", parts.hostname or ""
    if parts.scheme != "http" or _is_allowed(name, place.netloc, allowed):
        return
    message = f"the key for {host} would be sent unencrypted through the proxy {place.netloc}"
    hosts = ",".join([*_hosts(allowed), name])
    hint = f"list {host} in NO_PROXY, or set FLUX_HTTP_HOSTS={hosts} if that network is yours"
    raise ConfigError(message, hint=hint)


def _is_allowed(host: str, place: str, allowed: str | None) -> bool:
    """Whether a host, which may be listed with its port, may get a key unencrypted."""
    host = host.lower().rstrip(".")
    places = {host, f"[{host}]", place.lower()}
    is_listed = any(one.removeprefix("http://").rstrip("/") in places for one in _hosts(allowed))
    return is_loopback(host) or is_listed


def _hosts(allowed: str | None) -> list[str]:
    return (allowed or "").lower().replace(",", " ").split()


def _exists(path: Path) -> bool:
    """Whether there is such a file. None is visible in a folder that may not be searched."""
    try:
        return path.exists()
    except OSError:
        return False


def _is_mounted(path: str) -> bool:
    """Whether somebody else decides who may read a file, as for secrets of Docker and Kubernetes.

    That is so outside of the home folder, and wherever the file system is read-only.
    """
    found, home = os.path.realpath(os.path.expanduser(path)), os.path.expanduser("~")
    home = os.path.realpath(home) if os.path.isabs(home) else "/"
    is_at_home = home != "/" and found.startswith(f"{home}/")
    return not is_at_home or _is_read_only(found)


def _is_safe_place(path: Path) -> bool:
    """Whether nobody on this machine can write to a file, whatever its mode says."""
    found = os.path.realpath(path)
    return _is_read_only(found) or found.startswith("/run/secrets/")


def _is_read_only(path: str) -> bool:
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except (OSError, AttributeError):  # Windows has no statvfs
        return False


def _read_private(path: Path, *, is_mounted: bool = False) -> str:
    """The text of a file that only its owner can read or replace.

    One that is mounted may belong to anybody and be readable by everybody.
    """

    def check(status: os.stat_result) -> None:
        if os.name == "posix":
            _check_file(path, status, is_mounted=is_mounted)
            _check_folders(path.resolve(), is_mounted=is_mounted)

    try:
        data = read_file(path, MAX_BYTES + 1, check)
        if len(data) > MAX_BYTES:
            raise ConfigError(f"key file {path} is larger than {MAX_BYTES:,} bytes")
        return decode_text(data)
    except OSError as fault:
        raise ConfigError(f"cannot read key file {path}: {fault.strerror}") from fault
    except UnicodeDecodeError as fault:
        raise ConfigError(f"key file {path} is not a text file") from fault


def _check_file(path: Path, status: os.stat_result, *, is_mounted: bool) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if is_mounted:
        if mode & stat.S_IWOTH and stat.S_ISREG(status.st_mode) and not _is_safe_place(path):
            message = f"every user can change the key file {path} (mode {mode:04o})"
            raise ConfigError(message, hint=f"chmod o-w {path}")
        return
    if mode & 0o077:
        message = f"other users can read {path} (mode {mode:04o})"
        raise ConfigError(message, hint=f"chmod 600 {path}")
    if status.st_uid not in owners():
        message = f"the key file {path} belongs to another user"
        raise ConfigError(message, hint=f'sudo chown "$(id -u)" {path}')


def _check_folders(path: Path, *, is_mounted: bool) -> None:
    """Raise ConfigError if another user can replace a file or a folder above it.

    In folders such as /tmp, where the sticky bit is set, people can replace only what is theirs.
    """
    if not is_mounted and path.parent.stat().st_uid not in owners():
        message = f"the folder {path.parent} of the key file belongs to another user"
        raise ConfigError(message, hint=f'sudo chown "$(id -u)" {path.parent}')
    if is_mounted and _is_safe_place(path):
        return
    for folder in path.parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if is_mounted and os.path.ismount(folder):
            return  # such as the volume of a pod, whose mode is that of whoever mounts it
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            message = f"every user can replace the key file {path}: {folder} has mode {mode:04o}"
            raise ConfigError(message, hint=f"chmod o-w {folder}")
