"""What can be set, and what its value must be."""

from __future__ import annotations

from flux_cli.core.errors import ConfigError, UsageError, did_you_mean
from flux_cli.core.lite import NamedTuple
from flux_cli.core.values import TRUTHS
from flux_cli.images.formats import ALL_FORMATS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from flux_cli.core.model import Json


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
    Setting("output", "text", "file, folder or template of the images", None, "FLUX_OUTPUT"),
    Setting("output_format", "text", ALL_FORMATS, None, "FLUX_OUTPUT_FORMAT"),
    Setting("concurrency", "whole", "calls in flight at once", 16, "FLUX_CONCURRENCY", 1, 256),
    Setting("timeout", "number", "seconds to wait for an image", 300, "FLUX_TIMEOUT", 0.001, 86_400),
    Setting("retries", "whole", "repetitions of a call that surely did nothing", 3, "FLUX_RETRIES", 0, 20),
    Setting("max_cost", "number", "most a run may cost, in USD", None, "FLUX_MAX_COST"),
    Setting("journal_prompts", "truth", "keep prompts in the journal of runs", True, "FLUX_JOURNAL_PROMPTS"),  # noqa: FBT003 - a table reads by column
    Setting(
        "metadata",
        "text",
        "what is written into images",
        "full",
        "FLUX_METADATA",
        choices=("full", "no-prompt", "none"),
    ),
    Setting(
        "sign_certificate",
        "text",
        "certificates (PEM) to sign images with",
        None,
        "FLUX_SIGN_CERTIFICATE",
        project=False,
    ),
    Setting("sign_key", "text", "file of the key that belongs to them", None, "FLUX_SIGN_KEY", project=False),
    Setting("sign_algorithm", "text", "how that key signs", "es256", "FLUX_SIGN_ALGORITHM", project=False),
    Setting("progress", "text", "auto, plain or none", "auto", "FLUX_PROGRESS", choices=("auto", "plain", "none")),
)
VARIABLES = (  # what only the environment sets: a run's place and this terminal, no matter of a project
    Setting("preview", "text", "kitty, iterm, sixel, truecolor, 256 or off: how to show images", None, "FLUX_PREVIEW"),
    Setting("state", "text", "folder of the journal and of what is not saved yet", None, "FLUX_STATE"),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}


def parse_setting(setting: Setting, value: object, source: str) -> Json:
    """The value in the setting's type and range. Raises ConfigError (UsageError for an option) naming the source."""
    wanted = {"text": "a text", "whole": "a whole number", "number": "a number", "truth": "true or false"}[setting.kind]
    right: str | float = ""
    try:
        if setting.kind == "text":
            right = value if isinstance(value, str) else ""
            valid = right in setting.choices if setting.choices else bool(right.strip()) and "\x00" not in right
            wanted = " or ".join(setting.choices) or wanted
        elif setting.kind == "truth":
            said = TRUTHS.get(str(value).strip().lower())
            right, valid = said is True, said is not None
        else:
            right = _number(value, whole=setting.kind == "whole")
            valid = setting.minimum <= right <= setting.maximum and right < float("inf")
            most = f" to {setting.maximum:g}" if setting.maximum < float("inf") else ""
            wanted += f" from {setting.minimum:g}{most or ' up'}"
    except (ValueError, OverflowError):
        valid = False
    if valid:
        return right
    error = UsageError if source.startswith("--") else ConfigError
    hint = did_you_mean(str(value), setting.choices) or _written(setting, source)
    raise error(f"{source}: {setting.name} must be {wanted}, not {str(value)[:60]!r}", hint=hint)


def _written(setting: Setting, source: str) -> str:
    """A right value where the wrong one stood, as it is written there; the way without where nobody knows one."""
    from flux_cli.core.lite import json_text

    if setting.default is None and setting.kind == "text":
        where = source if source.startswith("--") or source == setting.variable else setting.name
        return f"leave {where} out, or give it a value"
    value = json_text(1 if setting.default is None else setting.default)
    bare = value.strip('"')
    if source.startswith("--"):
        return f"write {source} {bare}"
    return f"write {source}={bare}" if source == setting.variable else f"write {setting.name} = {value}"


def _number(value: object, *, whole: bool) -> int | float:
    written = isinstance(value, int | float) or (isinstance(value, str) and value.isascii() and "_" not in value)
    if isinstance(value, bool) or not written:
        raise ValueError
    number = float(str(value))
    if whole and not number.is_integer():
        raise ValueError
    return int(number) if whole else number
