"""The command `flux serve`. What it does is in `commands/serve/`."""

from flux_cli.cli.help import examples
from flux_cli.cli.options import takes_options
from flux_cli.cli.spellings.others import SERVE
from flux_cli.serve.options import ServeOptions


@examples(
    "flux serve --offline",
    "flux serve --provider bfl --max-cost 5",
    "flux serve --host 0.0.0.0 --key-file ~/serve.key --max-cost 5",
)
@takes_options(SERVE)
def serve(options: ServeOptions) -> int:
    """Serve an OpenAI-compatible image API on this machine.

    Programs send requests of the OpenAI Images API, and flux carries them out as generate does.
    Ctrl-C finishes what is under way, and ends the server.
    """
    from flux_cli.commands.serve.run import run

    return run(options)
