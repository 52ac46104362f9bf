"""Makes Typer options of the spellings, and hands them to a command as one value.

The flags and help texts are in `spellings`. Values stay text here; `request` checks them against
the catalog.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, TypeAlias, TypeVar, get_type_hints

import typer

from flux_cli.cli.spellings.generate import ARGUMENTS, ORDER, PANEL_OF, PANELS
from flux_cli.cli.spellings.others import LOOKUP
from flux_cli.cli.spellings.spelling import Spelling
from flux_cli.core.options import NOT_TYPED, fields_of, fill

Result = TypeVar("Result")
Spellings: TypeAlias = Mapping[str, Spelling]  # by field


def argument(field: str, special: Spellings | None = None) -> Any:  # noqa: ANN401 - for Typer
    """The Typer argument of a field of `core/options.py`. `special`: as in `option`."""
    metavar, text = ARGUMENTS[field]
    if special and field in special:
        metavar, text = special[field].metavar, special[field].help
    return typer.Argument(metavar=metavar, show_default=False, help=text)


def option(field: str, special: Spellings | None = None, panel: str = "") -> Any:  # noqa: ANN401
    """The Typer option of a field. `special` are the spellings that differ in this command.

    `panel` is where its help is, if not in the panel of the field.
    """
    spelling = PANELS[PANEL_OF[field]][field]
    if special and field in special:
        spelling = special[field]
    return typer.Option(
        *spelling.flags.split(),
        metavar=spelling.metavar or None,
        rich_help_panel=panel or PANEL_OF[field],
        show_default=False,
        help=spelling.help,
    )


AsJson = Annotated[bool, option("as_json")]
ModelName = Annotated[str | None, option("model", LOOKUP)]
Verbose = Annotated[bool, option("verbose", LOOKUP)]


def takes_options(
    special: Spellings | None = None,
    moved: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Let a command declare `options: GenerateOptions`, although Typer passes options one by one.

    Typer reads signatures. `spell_out` makes the signature it needs, and only for the command that
    is run, because that takes longer than a lookup. Fields that are `moved` to another panel come
    last in help.
    """

    def decorate(command: Callable[..., Result]) -> Callable[..., Result]:
        types = get_type_hints(command, include_extras=True)
        kind = types.pop("options")
        defaults = inspect.signature(command).parameters
        names = tuple(name for name in defaults if name != "options")
        own = [_parameter(name, types[name], defaults[name].default) for name in names]

        def run(**values: object) -> Result:
            own_values = {name: values[name] for name in names}
            return command(options=fill(kind, values), **own_values)

        def parameters() -> list[inspect.Parameter]:
            return [*_option_parameters(kind, special, moved or {}), *own]

        run.__doc__, run.__name__ = command.__doc__, command.__name__
        run.options = kind  # type: ignore[attr-defined] # functions take attributes
        run.own = names  # type: ignore[attr-defined]
        run.parameters = parameters  # type: ignore[attr-defined]
        return run

    return decorate


def spell_out(command: Callable[..., Result]) -> Callable[..., Result]:
    """Give the command a signature with every option, for Typer to read, and return it.

    Raises KeyError or ValueError if a field of its options has no spelling.
    """
    if hasattr(command, "parameters"):
        parameters = command.parameters()
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _option_parameters(
    kind: type, special: Spellings | None, moved: Mapping[str, str]
) -> list[inspect.Parameter]:
    """One parameter per field of an options type: arguments first, then options as in help."""
    defaults, types = fields_of(kind), _types_of(kind)
    arguments = [field for field in defaults if field in ARGUMENTS]
    options = sorted(
        defaults.keys() - arguments, key=lambda field: (field in moved, ORDER.index(field))
    )
    declared = {field: argument(field, special) for field in arguments}
    declared |= {field: option(field, special, moved.get(field, "")) for field in options}
    return [
        _parameter(field, Annotated[types[field], declaration], defaults[field])
        for field, declaration in declared.items()
    ]


def _parameter(name: str, annotation: object, default: object) -> inspect.Parameter:
    keyword_only = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, keyword_only, default=default, annotation=annotation)


@cache
def _types_of(kind: type) -> dict[str, Any]:
    """The types of the fields of an options type, including those of nested options types."""
    types: dict[str, Any] = {}
    for field, hint in get_type_hints(kind).items():
        if hint in NOT_TYPED:
            continue
        is_nested = hasattr(hint, "_field_defaults")
        types |= _types_of(hint) if is_nested else {field: hint}
    return types
