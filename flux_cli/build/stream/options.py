"""Which options of `flux build` go with JSON lines, and which with manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.stores.addresses import split_output
from flux_cli.core.errors import UsageError
from flux_cli.core.lite import NamedTuple

if TYPE_CHECKING:
    from flux_cli.build.options import BuildOptions

REFUSED = (
    ("--html", "mode", "html"),
    ("--init", "mode", "init"),
    ("--report", "review", "report"),
    ("--on", "machines", "on"),
    ("--pick", "decisions", "pick"),
    ("--adopt", "decisions", "adopt"),
    ("--prune", "decisions", "prune"),
    ("--prune-originals", "decisions", "prune_originals"),
)


class Typed(NamedTuple):
    """What the command line says of lines."""

    path: str
    ledger: str
    address: str  # below which files are written; "" for the working folder
    options: BuildOptions  # their output starts there


def checked_options(options: BuildOptions) -> Typed:
    """The options, if all of them go with lines. Raises UsageError."""
    paths = options.mode.manifests or []
    if len(paths) != 1:
        raise UsageError("JSON lines are built alone", hint="name one file of lines")
    if options.machines.ledger is None:
        message = f"{paths[0]} needs a folder for the record of what was built"
        raise UsageError(message, hint=f"flux build {paths[0]} --ledger ledger/")
    if options.mode.merge:
        message = "--merge is for locks: all parts in the folder of a ledger are the ledger"
        raise UsageError(message, hint="copy the parts into one folder, and leave --merge out")
    for option, group, field in REFUSED:
        if getattr(getattr(options, group), field):
            message = f"{option} is for manifests, not for JSON lines"
            raise UsageError(message, hint="leave it out")
    output, address = options.images.output or "", ""
    if "://" in output:
        address, below = split_output(output)
        options = options._replace(images=options.images._replace(output=below))
    return Typed(paths[0], str(options.machines.ledger), address, options)


def refuse_stream_options(options: BuildOptions) -> None:
    """Raise UsageError for options that only JSON lines take."""
    given = [*options.images.given]
    if given:
        name = given[0].replace("_", "-")
        message = f"--{name} is for JSON lines: a manifest alone says what images are"
        raise UsageError(message, hint=f"write the key {given[0]} into the manifest")
    if options.machines.ledger is not None:
        hint = "leave it out, or name a .jsonl file"
        raise UsageError("--ledger is for JSON lines: a manifest has a lock", hint=hint)
