"""One check of `flux doctor`, and the checks of what this machine has: all but the network."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import flux_cli
from flux_cli.catalog.find import list_models
from flux_cli.config.folders import cache_path, model_folders, user_path
from flux_cli.config.load import find_faults
from flux_cli.config.state import state_folder
from flux_cli.core.errors import ConfigError, FluxError
from flux_cli.core.lite import NamedTuple
from flux_cli.disk.owners import NONE, owners, user
from flux_cli.http.errors import install_command
from flux_cli.http.machine.certificates import tls_context, trusted_places
from flux_cli.images.pixels.pillow import can_use
from flux_cli.providers.rows import ROWS
from flux_cli.terminal.capabilities import choose_protocol
from flux_cli.terminal.environment import uses_color
from flux_cli.terminal.streams import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, WARNING, PROBLEM = "ok", "warning", "problem"
FORMATS = ("avif", "webp")  # which some builds of Pillow lack
EXTRAS = {  # of the package, with the libraries that each needs
    "c2pa": ("c2pa",),
    "serve": ("starlette", "uvicorn", "python_multipart"),
    "socks": ("socksio",),
}
LEAST_ROOM = 200 << 20  # bytes: a few images, and what is kept of them until they are saved


class Check(NamedTuple):
    """What was found out about one subject, in one line, and what to type if it is wrong."""

    name: str
    state: str  # OK, WARNING, PROBLEM
    message: str
    hint: str = ""


def problem(name: str, fault: FluxError) -> Check:
    """The check for something that does not work."""
    return Check(name, PROBLEM, fault.message, fault.hint)


def check_versions() -> Check:
    """The versions of flux and of what it uses."""
    python = ".".join(map(str, sys.version_info[:3]))
    found = [f"flux {flux_cli.__version__}", f"Python {python} on {sys.platform}"]
    found += [f"{name} {_version(name)}" for name in ("Pillow", "httpx")]
    extras = [name for name, needed in EXTRAS.items() if all(map(find_spec, needed))]
    found.append(f"extras: {', '.join(extras) or 'none'}")
    lacking = [name for name in FORMATS if not can_use(name)]
    if lacking:
        names = " and ".join(lacking)
        message = f"{'; '.join(found)}; Pillow cannot write {names}"
        return Check("versions", WARNING, message, install_command("--upgrade pillow"))
    return Check("versions", OK, f"{'; '.join(found)}; Pillow writes AVIF and WebP")


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def check_settings() -> list[Check]:
    """The settings files, the variables and the user's model files; one check per fault."""
    faults = find_faults(ROWS)
    try:
        list_models(model_folders())
    except FluxError as fault:
        faults.append(fault)
    if faults:
        return [problem("settings", fault) for fault in faults]
    path = Path(user_path()) / "config.toml"
    message = f"{path} is valid" if path.exists() else f"no {path}: defaults"
    return [Check("settings", OK, message)]


def check_folders() -> list[Check]:
    """The folders of settings, state and cache: whose they are, and whether they take files."""
    found = [_check_folder("config", user_path(), "set XDG_CONFIG_HOME to a folder of your own")]
    hint = "set FLUX_STATE to a folder of your own"
    try:
        found.append(_check_folder("state", state_folder(), hint))
    except ConfigError as fault:
        found.append(problem("state", fault))
    hint = "set XDG_CACHE_HOME to a folder of your own"
    return [*found, _check_folder("cache", cache_path(), hint)]


def _check_folder(name: str, path: str, hint: str) -> Check:
    folder = Path(path)
    place = next(one for one in (folder, *folder.parents) if os.path.lexists(one))
    if not place.is_dir():
        return Check(name, PROBLEM, f"{place} is not a folder", hint)
    if place == folder and user() != NONE and folder.stat().st_uid not in owners():
        return Check(name, PROBLEM, f"{folder} belongs to another user", hint)
    if not os.access(place, os.W_OK | os.X_OK):
        return Check(name, PROBLEM, f"{place} cannot be written to", hint)
    room = shutil.disk_usage(place).free
    about = f"{folder}, {room >> 20:,} MB free"
    if room < LEAST_ROOM:
        return Check(name, WARNING, about, f"free some space: df -h {place}")
    return Check(name, OK, about if place == folder else f"{about}, not there yet")


def check_trust() -> Check:
    """Which certificates TLS trusts."""
    try:
        tls_context()
    except FluxError as fault:
        return problem("trust", fault)
    return Check("trust", OK, f"certificates: {', '.join(trusted_places())}")


def check_terminal() -> Check:
    """What the terminal shows."""
    try:
        protocol = choose_protocol(os.environ)
    except FluxError as fault:
        return problem("terminal", fault)
    width = columns()
    color = "color" if uses_color(sys.stderr) else "no color"
    if width is None:
        return Check("terminal", OK, f"standard output is not a terminal; {color}")
    message = f"{width} columns, {color}, images: {protocol or 'none'}"
    return Check("terminal", OK, message)


def check_machine() -> Sequence[Check]:
    """All checks of this module, in the order in which they are shown."""
    return [
        check_versions(),
        *check_settings(),
        *check_folders(),
        check_terminal(),
        check_trust(),
    ]
