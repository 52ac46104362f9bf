"""Settings: flags > environment > project file > user file > defaults, each value with its source.

It owns the FLUX_ variables and the settings files, and decides what is set, not what to do with it. Keys are in `keys`.
"""

from __future__ import annotations

import os
import sys

from flux_cli.core.errors import ConfigError, UsageError, did_you_mean
from flux_cli.core.noun import NamedTuple
from flux_cli.core.provider import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Literal, TextIO

    from flux_cli.core.model import Json

APP = "flux-image-cli"
PROJECT_FILE = "flux.toml"
MAX_BYTES = 1 << 20  # a settings file is a page of text
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-/")  # characters of an address that mean only themselves


class Setting(NamedTuple):
    """One thing that can be set. `project`: a project's file may set it too."""

    name: str
    kind: Literal["text", "whole", "number", "truth"]
    help: str
    default: Json = None
    variable: str = ""
    minimum: float = 0
    maximum: float = float("inf")
    project: bool = True
    choices: tuple[str, ...] = ()


SETTINGS = (
    Setting("model", "text", "model to ask", "flux1.1-pro-ultra", "FLUX_MODEL"),
    Setting("provider", "text", "who is asked; see flux providers", "lumenfall", "FLUX_PROVIDER"),
    # A folder somebody cloned must not choose where the key goes: no project file sets an address.
    Setting("base_url", "text", "address of an OpenAI-compatible server", None, "FLUX_BASE_URL", project=False),
    Setting("lumenfall_base_url", "text", "address of the gateway", None, "LUMENFALL_BASE_URL", project=False),
    Setting("output", "text", "file, folder or template of the pictures", None, "FLUX_OUTPUT"),
    Setting("output_format", "text", "png, jpeg, gif, webp or avif", None, "FLUX_OUTPUT_FORMAT"),
    Setting("concurrency", "whole", "calls in flight at once", 16, "FLUX_CONCURRENCY", 1, 256),
    Setting("timeout", "number", "seconds to wait for a picture", 300, "FLUX_TIMEOUT", 0.001, 86_400),
    Setting("retries", "whole", "repetitions of a call that surely did nothing", 3, "FLUX_RETRIES", 0, 20),
    Setting("max_cost", "number", "most a run may cost, in USD", None, "FLUX_MAX_COST"),
    Setting("journal_prompts", "truth", "keep prompts in the journal of runs", True, "FLUX_JOURNAL_PROMPTS"),  # noqa: FBT003 - a table reads by column
    Setting(
        "metadata",
        "text",
        "what is written into pictures",
        "full",
        "FLUX_METADATA",
        choices=("full", "no-prompt", "none"),
    ),
    Setting(
        "sign_certificate",
        "text",
        "certificates (PEM) to sign pictures with",
        None,
        "FLUX_SIGN_CERTIFICATE",
        project=False,
    ),
    Setting("sign_key", "text", "file of the key that belongs to them", None, "FLUX_SIGN_KEY", project=False),
    Setting("sign_algorithm", "text", "how that key signs", "es256", "FLUX_SIGN_ALGORITHM", project=False),
    Setting("progress", "text", "auto, plain or none", "auto", "FLUX_PROGRESS", choices=("auto", "plain", "none")),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}
TRUTHS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
RANKS = ("option", "environment", "project", "user", "default")


class Value(NamedTuple):
    """A setting's value, and where it came from, for people (`source`) and for comparison (`rank`, 0 is strongest)."""

    value: Json
    source: str
    rank: int


class Settings(NamedTuple):
    """Every setting in its type. `base_url` is the address of this run's provider."""

    model: str
    provider: Row
    base_url: str
    output: str | None
    output_format: str | None
    concurrency: int
    timeout: float
    retries: int
    max_cost: float | None
    journal_prompts: bool
    metadata: str
    sign_certificate: str | None
    sign_key: str | None
    sign_algorithm: str
    progress: str
    values: dict[str, Value]
    providers: Mapping[str, Row]


def load(flags: Mapping[str, Json], known: Mapping[str, Row], environ: Mapping[str, str] | None = None) -> Settings:
    """Merge the five layers. A flag that is None was not given. Raises ConfigError naming file or variable.

    `known` are the providers flux brings along; the user's file may add more.
    """
    environ = os.environ if environ is None else environ
    values = {setting.name: Value(setting.default, "default", len(RANKS) - 1) for setting in SETTINGS}
    user = os.path.join(_user_folder(), "config.toml")
    table, added = _user(user)
    layers = [(table, user), (_project(), PROJECT_FILE)]
    for rank, (table, source) in zip((3, 2), layers, strict=True):
        values |= {name: Value(_typed(BY_NAME[name], value, source), source, rank) for name, value in table.items()}
    for setting in SETTINGS:
        if text := environ.get(setting.variable):
            values[setting.name] = Value(_typed(setting, text, setting.variable), setting.variable, 1)
        if (flag := flags.get(setting.name)) is not None:
            option = f"--{setting.name.replace('_', '-')}"
            values[setting.name] = Value(_typed(setting, flag, option), option, 0)
    return _settings(values, {**known, **added})


def _settings(values: dict[str, Value], rows: Mapping[str, Row]) -> Settings:
    provider, base_url = _endpoint(values, rows)

    def text(name: str) -> str | None:
        value = values[name].value
        return None if value is None else str(value)

    def number(name: str) -> float:
        value = values[name].value
        return float(value) if isinstance(value, int | float) else 0.0

    return Settings(
        model=text("model") or "",
        provider=provider,
        base_url=base_url,
        output=os.path.expanduser(text("output") or "") or None,
        output_format=text("output_format"),
        concurrency=int(number("concurrency")),
        timeout=number("timeout"),
        retries=int(number("retries")),
        max_cost=None if values["max_cost"].value is None else number("max_cost"),
        journal_prompts=values["journal_prompts"].value is True,
        metadata=text("metadata") or "",
        sign_certificate=text("sign_certificate"),
        sign_key=text("sign_key"),
        sign_algorithm=text("sign_algorithm") or "",
        progress=text("progress") or "",
        values=values,
        providers=rows,
    )


def _endpoint(values: dict[str, Value], rows: Mapping[str, Row]) -> tuple[Row, str]:
    """Provider and address. An address that is said more strongly than the provider means any compatible server."""
    provider, address = values["provider"], values["base_url"]
    name, url = str(provider.value), str(address.value or "")
    if url and address.rank < provider.rank:
        name = "lumenfall" if _host(url) == _host(rows["lumenfall"].base_url) else "openai"
    row = rows.get(name)
    if row is None:
        hint = did_you_mean(name, rows) or f"providers: {', '.join(rows)}"
        raise UsageError(f"there is no provider {name!r}", hint=hint)
    if not row.hosted:
        return row, row.base_url
    if not url or (row.base_url and address.rank > provider.rank):
        gateway = values["lumenfall_base_url"].value if name == "lumenfall" else None
        url = str(gateway or row.base_url)
    if not url:
        raise UsageError(f"provider {name} needs an address", hint="add --base-url http://localhost:8080/v1")
    return row, _checked_url(url)


def _user(path: str) -> tuple[dict[str, Json], dict[str, Row]]:
    """Settings and providers of the user's own file."""
    table = _file(path)
    if "providers" not in table:
        return table, {}
    from flux_cli.settings_file import providers

    return table, providers(path, table.pop("providers"))


def _checked_url(url: str) -> str:
    """The address without a trailing slash. Raises ConfigError for what is no plain http(s) address."""
    if "@" in url:
        raise ConfigError("the base URL holds a user name or password", hint="put the key into its variable")
    scheme, _, rest = url.partition("://")
    if scheme in ("http", "https") and rest[:1].isalnum() and PLAIN.issuperset(rest):
        return url.rstrip("/")  # nothing in it that needs to be taken apart
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigError(f"base URL {url!r} is no address", hint="write it as https://host/v1")
    if "?" in url or "#" in url:
        raise ConfigError(f"base URL {url!r} ends in a query or fragment", hint="write it as https://host/v1")
    return url.rstrip("/")


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def user_folder() -> Path:
    """The platform's folder for the user's settings, credentials and models."""
    from pathlib import Path

    return Path(_user_folder())


def _user_folder() -> str:
    """The same as text. On an ordinary Linux it is known without `platformdirs`, which costs more than a lookup."""
    home = os.environ.get("HOME", "")
    base = os.environ.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home and not home.endswith("/") else "")
    if sys.platform == "linux" and base.startswith("/") and base == base.strip() and "ANDROID_DATA" not in os.environ:
        return os.path.join(base, APP)
    import platformdirs

    return platformdirs.user_config_dir(APP, appauthor=False)


def state_folder(environ: Mapping[str, str] | None = None) -> Path:
    """The folder for what must survive a run: the journal, and pictures that are paid for and not saved yet."""
    from pathlib import Path

    environ = os.environ if environ is None else environ
    if named := environ.get("FLUX_STATE"):
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_state_dir(APP, appauthor=False))


def is_terminal(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Whether a person watches this stream on a terminal that can move its cursor."""
    environ = os.environ if environ is None else environ
    try:
        return stream.isatty() and environ.get("TERM") not in ("dumb", "unknown") and not environ.get("CI")
    except ValueError:  # closed
        return False


def is_github(environ: Mapping[str, str] | None = None) -> bool:
    """Whether this is a step of a GitHub workflow, whose log shows annotations."""
    return (os.environ if environ is None else environ).get("GITHUB_ACTIONS") == "true"


def model_folders() -> tuple[str, ...]:
    """Where users put model files of their own."""
    return (os.path.join(_user_folder(), "models"),)


def _project() -> dict[str, Json]:
    """The project's file: here, or up to the top of the repository this folder is in."""
    try:
        here = os.getcwd()
    except OSError:  # the folder was deleted under us
        return {}
    folders = [here]
    while (above := os.path.dirname(folders[-1])) != folders[-1]:
        folders.append(above)
    top = next((place for place, folder in enumerate(folders) if os.path.exists(os.path.join(folder, ".git"))), 0)
    for folder in folders[: top + 1]:
        path = os.path.join(folder, PROJECT_FILE)
        if os.path.isfile(path):
            table = _file(path)
            for name in table:
                if name == "providers" or not BY_NAME[name].project:
                    hint = "use the option, the environment, or the user's config.toml"
                    raise ConfigError(f"{path}: {name} cannot be set by a project's file", hint=hint)
            return table
    return {}


def _file(path: str) -> dict[str, Json]:
    """The settings of one TOML file; none where there is no file. Raises ConfigError with file, key and reason."""
    try:
        with open(path, "rb") as file:
            text = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as fault:
        raise ConfigError(f"{path} cannot be read: {fault.strerror}") from fault
    if len(text) > MAX_BYTES:
        raise ConfigError(f"{path} is larger than {MAX_BYTES:,} bytes")
    from flux_cli.settings_file import parse  # here and above: who has no such file does not pay for it

    return parse(path, text, BY_NAME)


def _typed(setting: Setting, value: object, source: str) -> Json:
    """The value in the setting's type and range. Raises ConfigError (UsageError for an option) naming the source."""
    wanted = {"text": "a text", "whole": "a whole number", "number": "a number", "truth": "true or false"}[setting.kind]
    typed: str | float = ""
    try:
        if setting.kind == "text":
            typed = value if isinstance(value, str) else ""
            valid = typed in setting.choices if setting.choices else bool(typed.strip()) and "\x00" not in typed
            wanted = " or ".join(setting.choices) or wanted
        elif setting.kind == "truth":
            said = TRUTHS.get(str(value).strip().lower())
            typed, valid = said is True, said is not None
        else:
            typed = _number(value, whole=setting.kind == "whole")
            valid = setting.minimum <= typed <= setting.maximum
            wanted += f" from {setting.minimum:g} to {setting.maximum:g}" if setting.maximum < float("inf") else ""
    except (ValueError, OverflowError):
        valid = False
    if valid:
        return typed
    error = UsageError if source.startswith("--") else ConfigError
    raise error(f"{source}: {setting.name} must be {wanted}, not {str(value)[:60]!r}")


def _number(value: object, *, whole: bool) -> int | float:
    written = isinstance(value, int | float) or (isinstance(value, str) and value.isascii() and "_" not in value)
    if isinstance(value, bool) or not written:
        raise ValueError
    number = float(str(value))
    if whole and not number.is_integer():
        raise ValueError
    return int(number) if whole else number
