"""The table of all settings, and the check of their values."""

from __future__ import annotations

from flux_cli.core.errors import ConfigError, UsageError, did_you_mean
from flux_cli.core.lite import NamedTuple
from flux_cli.core.values import TRUTHS
from flux_cli.images.formats import ALL_FORMATS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from flux_cli.core.model import Json

NAMED_KINDS = {
    "text": "text",
    "boolean": "true or false",
    "age": "forever, never, or an age such as 30d",
}
SET = "flux config set"  # the source of a value that is about to be written
MAX_SHOWN = 60  # characters of an invalid value in its error message


class Setting(NamedTuple):
    """One setting. `project`: a project's flux.toml may set it."""

    name: str
    kind: Literal["text", "integer", "number", "boolean", "age"]
    help: str
    default: Json = None
    variable: str = ""
    minimum: float = 0
    maximum: float = float("inf")
    project: bool = True
    choices: tuple[str, ...] = ()


SETTINGS = (
    Setting("model", "text", "default model", "flux1.1-pro-ultra", "FLUX_MODEL"),
    Setting(
        "provider", "text", "default provider; see flux providers", "lumenfall", "FLUX_PROVIDER"
    ),
    # A cloned folder must not decide where the key goes, so no project file can set a URL.
    Setting(
        "base_url",
        "text",
        "URL of an OpenAI-compatible server",
        variable="FLUX_BASE_URL",
        project=False,
    ),
    Setting(
        "lumenfall_base_url",
        "text",
        "another URL of the Lumenfall gateway",
        variable="LUMENFALL_BASE_URL",
        project=False,
    ),
    Setting(
        "openai_base_url",
        "text",
        "another URL of OpenAI, for OPENAI_API_KEY",
        variable="OPENAI_BASE_URL",
        project=False,
    ),
    Setting(
        "http_hosts",
        "text",
        "hosts that may get a key over plain http",
        variable="FLUX_HTTP_HOSTS",
        project=False,
    ),
    Setting(
        "image_field",
        "text",
        "form field of input images: image or image[]",
        variable="FLUX_IMAGE_FIELD",
        choices=("image", "image[]"),
    ),
    Setting("output", "text", "default of -o: file, folder or template", None, "FLUX_OUTPUT"),
    Setting("output_format", "text", f"default of -f: {ALL_FORMATS}", None, "FLUX_OUTPUT_FORMAT"),
    Setting(
        "concurrency", "integer", "most requests in flight at once", 16, "FLUX_CONCURRENCY", 1, 256
    ),
    Setting(
        "timeout", "number", "seconds to wait for an image", 300, "FLUX_TIMEOUT", 0.001, 86_400
    ),
    Setting(
        "retries",
        "integer",
        "retries of requests that certainly had no effect",
        default=3,
        variable="FLUX_RETRIES",
        minimum=0,
        maximum=20,
    ),
    Setting("max_cost", "number", "most that a run may cost, in USD", None, "FLUX_MAX_COST"),
    Setting(
        "confirm_cost",
        "number",
        "a run that costs more must be confirmed, in USD",
        5,
        "FLUX_CONFIRM_COST",
    ),
    Setting(
        "journal_prompts",
        "boolean",
        "keep prompts in the journal of runs",
        default=True,
        variable="FLUX_JOURNAL_PROMPTS",
    ),
    Setting(
        "keep_prompts",
        "age",
        "how long the journal keeps prompts: forever, never, or 30d",
        default="forever",
        variable="FLUX_KEEP_PROMPTS",
    ),
    Setting(
        "metadata",
        "text",
        "metadata written into images: full, no-prompt or none",
        default="full",
        variable="FLUX_METADATA",
        choices=("full", "no-prompt", "none"),
    ),
    Setting(
        "sign_certificate",
        "text",
        "file with the certificates (PEM) to sign images with",
        variable="FLUX_SIGN_CERTIFICATE",
        project=False,
    ),
    Setting(
        "sign_key",
        "text",
        "file with the private key of the certificate",
        variable="FLUX_SIGN_KEY",
        project=False,
    ),
    Setting(
        "sign_algorithm",
        "text",
        "signature algorithm of that key",
        default="es256",
        variable="FLUX_SIGN_ALGORITHM",
        project=False,
    ),
    Setting(
        "progress",
        "text",
        "auto, plain or none",
        default="auto",
        variable="FLUX_PROGRESS",
        choices=("auto", "plain", "none"),
    ),
)
# Set by the environment only: they depend on the terminal and the machine, not on a project.
VARIABLES = (
    Setting(
        "preview",
        "text",
        "how to show images: kitty, iterm, sixel, truecolor, 256 or off",
        variable="FLUX_PREVIEW",
    ),
    Setting(
        "state", "text", "folder of the journal and of images not saved yet", None, "FLUX_STATE"
    ),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}


def parse_setting(setting: Setting, value: object, source: str) -> Json:
    """The value in the type and range of the setting.

    Raises ConfigError with the source, or UsageError if the source is an option.
    """
    try:
        return _PARSERS[setting.kind](setting, value)
    except (ValueError, OverflowError):
        pass
    error = UsageError if source.startswith("--") else ConfigError
    hint = did_you_mean(str(value), setting.choices) or _example(setting, source)
    expected, shown = _expected(setting, value), str(value)[:MAX_SHOWN]
    message = f"{source}: {setting.name} must be {expected}, not {shown!r}"
    raise error(message, hint=hint)


def _parse_text(setting: Setting, value: object) -> str:
    text = value if isinstance(value, str) else ""
    if setting.choices and text not in setting.choices:
        raise ValueError
    if not text.strip() or "\x00" in text:
        raise ValueError
    return text


def _parse_boolean(_setting: Setting, value: object) -> bool:
    found = TRUTHS.get(str(value).strip().lower())
    if found is None:
        raise ValueError
    return found


def _parse_number(setting: Setting, value: object) -> int | float:
    number = _read_number(value, whole=setting.kind == "integer")
    if not _is_in_range(setting, number):
        raise ValueError
    return number


def _parse_age(_setting: Setting, value: object) -> str:
    from flux_cli.config.ages import seconds_to_keep  # most users set no age

    text = str(value).strip().lower()
    seconds_to_keep(text)
    return text


def _is_in_range(setting: Setting, number: float) -> bool:
    return setting.minimum <= number <= setting.maximum and number < float("inf")


_PARSERS = {
    "text": _parse_text,
    "integer": _parse_number,
    "number": _parse_number,
    "boolean": _parse_boolean,
    "age": _parse_age,
}


def _expected(setting: Setting, value: object) -> str:
    """What a value must be, for an error message. Mentions the range only if the type is right."""
    if setting.choices:
        return " or ".join(setting.choices)
    if setting.kind in NAMED_KINDS:
        return NAMED_KINDS[setting.kind]
    kind = {"integer": "a whole number", "number": "a number"}[setting.kind]
    try:
        _read_number(value, whole=setting.kind == "integer")
    except (ValueError, OverflowError):
        return kind
    if setting.maximum == float("inf"):
        return f"{kind} of at least {setting.minimum:g}"
    return f"{kind} from {setting.minimum:g} to {setting.maximum:g}"


def _example(setting: Setting, source: str) -> str:
    """A hint with a valid value, written for the source of the invalid one."""
    from flux_cli.core.lite import json_text

    if source == SET and setting.default is None and setting.kind == "text":
        return f"flux config unset {setting.name} removes it"
    is_named = source.startswith("--") or source == setting.variable
    name = source if is_named else setting.name
    if setting.default is None and setting.kind == "text":
        return f"leave {name} out, or give it a value"
    value = json_text(1 if setting.default is None else setting.default)
    bare = value.strip('"')
    if setting.choices:  # nobody knows which one was meant
        return f"leave {name} out for the default, {bare}"
    if source.startswith("--"):
        return f"write {source} {bare}"
    if source == setting.variable:
        return f"write {source}={bare}"
    if source == SET:
        return f"{SET} {setting.name} {bare}"
    return f"write {setting.name} = {value}"


def _read_number(value: object, *, whole: bool) -> int | float:
    """A number or the text of one. Raises ValueError for anything else.

    If `whole`, fractions are errors, too.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_text = isinstance(value, str) and value.isascii() and "_" not in value
    if not (is_number or is_text):
        raise ValueError
    number = float(str(value))
    if whole and not number.is_integer():
        raise ValueError
    return int(number) if whole else number
