"""The lookup commands: resolve, sizes, models, providers, config. They need no network or key.

The commands below `config` that change settings are here, too.
"""

from typing import Annotated

import typer

from flux_cli.cli.help import Command, Group, examples
from flux_cli.cli.options import AsJson, ModelName, option, takes_options
from flux_cli.core.options import GenerateOptions


@examples(
    "flux resolve --size 1920x1080",
    'flux resolve "a lighthouse by the sea" -a 7:1 --raw --json',
    'flux resolve "a lighthouse by the sea" --curl | sh',
)
@takes_options()
def resolve(options: GenerateOptions, curl: Annotated[bool, option("curl")] = False) -> None:
    """Show what would be sent, and why.

    Takes every option of generate, sends nothing, and needs no key. For each parameter, it shows
    what you asked for, what is sent, the behavior of the provider, and the reason.
    """
    from flux_cli.commands.resolve import run

    run(options, curl=curl)


@examples(
    "flux sizes",
    "flux sizes 1920x1080 4:3",
    "SIZE=$(flux sizes 16:9 --plain)",
    "flux sizes 21:9 -m flux1.1-pro --exact || echo not there",
)
def sizes(
    shape: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RATIO|SIZE]…",
            show_default=False,
            help="Show the closest size, for example to 16:9, 1920x1080 or square",
        ),
    ] = None,
    model: ModelName = None,
    as_json: AsJson = False,
    plain: Annotated[bool, option("plain")] = False,
    native: Annotated[bool, option("native")] = False,
    exact: Annotated[bool, option("exact")] = False,
) -> None:
    """Show a model's sizes, or the closest ones.

    Sizes are nominal: the model generates larger images of the same ratio, shown in the "native"
    column. Another size than you asked for is used with a note, or not at all with --exact.
    """
    from flux_cli.commands.sizes import run

    run(shape=shape, model=model, as_json=as_json, plain=plain, native=native, exact=exact)


@examples(
    "flux models", "flux models flux1.1-pro-ultra", "flux models gemini-3-pro-image --refresh"
)
def models(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[MODEL]", show_default=False, help="Show one model in full"),
    ] = None,
    refresh: Annotated[
        bool,
        typer.Option(
            "--refresh",
            rich_help_panel="Provider",
            show_default=False,
            help="Ask the gateway what it says about MODEL, and save that for 30 days",
        ),
    ] = False,
    provider: Annotated[str | None, option("provider")] = None,
    base_url: Annotated[str | None, option("base_url")] = None,
    no_key: Annotated[bool, option("no_key")] = False,
    as_json: AsJson = False,
) -> None:
    """List the models in the catalog.

    Other models of the gateway work, too; their parameters are passed through unchecked. --refresh
    reads what the gateway says about one of them, for notes and prices.
    """
    from flux_cli.commands.models import run

    run(
        name=name,
        refresh=refresh,
        provider=provider,
        base_url=base_url,
        no_key=no_key,
        as_json=as_json,
    )


@examples("flux providers", "flux providers bfl")
def providers(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[PROVIDER]",
            show_default=False,
            help="Show what a provider does with each parameter",
        ),
    ] = None,
    model: ModelName = None,
    as_json: AsJson = False,
) -> None:
    """List image providers.

    With a name, show what that provider does with each parameter of the model: passthrough,
    renamed, converted, emulated (done by flux), or unsupported.
    """
    from flux_cli.commands.providers import run

    run(name=name, model=model, as_json=as_json)


config_app = typer.Typer(
    cls=Group,
    help="Show every setting and where it comes from, or change one.",
    invoke_without_command=True,
    rich_markup_mode=None,
    add_completion=False,
)


@config_app.callback()
def config(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document")] = False,
) -> None:
    """Show every setting and where it comes from."""
    if context.invoked_subcommand:
        return
    from flux_cli.commands.config.show import run

    run(as_json=as_json)


@config_app.command("path", cls=Command, epilog='cat "$(flux config path)"')
def path() -> None:
    """Print the path of your settings file, whether it exists or not."""
    from flux_cli.commands.config.show import path as print_path

    print_path()


SettingName = Annotated[
    str, typer.Argument(metavar="SETTING", show_default=False, help="For example max_cost")
]


@config_app.command(
    "get", cls=Command, epilog='flux config get max_cost\nMODEL="$(flux config get model)"'
)
def get(key: SettingName) -> int:
    """Print the value of one setting, whatever its source.

    The exit code is 1 if the setting has no value.
    """
    from flux_cli.commands.config.values import get as work

    return work(key)


@config_app.command(
    "set", cls=Command, epilog="flux config set max_cost 2\nflux config set output_format webp"
)
def set_value(
    key: SettingName,
    value: Annotated[str, typer.Argument(metavar="VALUE", show_default=False, help="Its value")],
) -> None:
    """Write one setting into your settings file.

    The value is checked first. Comments and all other lines of the file stay as they are. Keys are
    not settings: flux login stores them.
    """
    from flux_cli.commands.config.values import set_value as work

    work(key, value)


@config_app.command("unset", cls=Command, epilog="flux config unset max_cost")
def unset(key: SettingName) -> None:
    """Remove one setting from your settings file.

    Its default counts again, or what the project's flux.toml says.
    """
    from flux_cli.commands.config.values import unset as work

    work(key)


@config_app.command(
    "edit", cls=Command, epilog='flux config edit\nEDITOR="code --wait" flux config edit'
)
def edit() -> None:
    """Open your settings file in an editor, and check it afterward.

    The editor is $VISUAL or $EDITOR. A file that is missing is created, with every setting as a
    comment.
    """
    from flux_cli.commands.config.edit import run

    run()
