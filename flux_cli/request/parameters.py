"""What was typed, read as the commands mean it."""

from __future__ import annotations

from flux_cli.core.errors import UsageError
from flux_cli.core.values import typed
from flux_cli.grammar import PARAMETERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.cli.options import Options
    from flux_cli.core.model import Json


def parameters(options: Options) -> dict[str, Json]:
    """Every parameter of the model that was said, by its own name; `-p` counts like the option of that name.

    Raises UsageError for a pair that is none, and for what is said twice.
    """
    said: dict[str, Json] = {name: value for name in PARAMETERS if (value := getattr(options, name)) is not None}
    if len(options.output_format or ()) == 1:
        said["output_format"] = (options.output_format or [""])[0]
    for pair in options.param or ():
        name, equals, text = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise UsageError(f"-p {pair!r} is no KEY=VALUE", hint="write -p guidance=3.5")
        if name in ("prompt", "model"):
            raise UsageError(f"-p {name}=... is not possible", hint="give PROMPT as the argument, and --model")
        if name in said:
            raise UsageError(f"{name} is given twice", hint="give it once, as an option or with -p")
        said[name] = typed(text)
    return said
