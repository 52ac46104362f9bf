"""Collects the model parameters from options and from `-p KEY=VALUE`."""

from __future__ import annotations

from flux_cli.core.errors import UsageError
from flux_cli.core.values import parse_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Json
    from flux_cli.core.options import Parameters


def read_parameters(parameters: Parameters) -> dict[str, Json]:
    """Every parameter on the command line, by name. `-p` is equivalent to the option of that name.

    Raises UsageError for a pair that is not KEY=VALUE, and for a parameter that is given twice.
    """
    options = parameters._replace(param=None)._asdict()
    given: dict[str, Json] = {name: value for name, value in options.items() if value is not None}
    for pair in parameters.param or ():
        name, equals, text = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise UsageError(f"-p {pair!r}: expected KEY=VALUE", hint="for example -p guidance=3.5")
        if name in ("prompt", "model"):
            hint = "give PROMPT as the argument, and --model"
            raise UsageError(f"-p cannot set {name}", hint=hint)
        if name in given:
            raise UsageError(f"{name} is given twice", hint="give it once, as an option or with -p")
        given[name] = parse_value(text)
    return given
