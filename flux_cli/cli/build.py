"""The command `flux build`. What it does is in `commands/build/`."""

from flux_cli.build.options import BuildOptions
from flux_cli.cli.help import examples
from flux_cli.cli.options import takes_options
from flux_cli.cli.spellings import Spelling

# Options of `flux build` that differ from those of `flux generate`.
BUILD = {
    "max_cost": Spelling(
        "--max-cost", "USD", "Refuse to send requests that would cost more [env: FLUX_MAX_COST]"
    ),
    "offline": Spelling(
        "--offline", "", "Make placeholders instead of requests, or accept them in --check"
    ),
    "html": Spelling("--html", "", "Print a <picture> element for each asset"),
    "overwrite": Spelling("--overwrite", "", "Replace edited files, and files that are in the way"),
    "yes": Spelling("--yes -y", "", "Proceed even if the price is unknown; never lifts a limit"),
    "verbose": Spelling("--verbose -v", "", "List unchanged assets, too, and the causes of errors"),
}


@examples(
    "flux build --plan",
    "flux build --check",
    "flux build --plan --only 'icon-*' --json",
)
@takes_options(BUILD)
def build(options: BuildOptions) -> int:
    """Keep a set of images in sync with a manifest, flux-build.toml.

    --plan shows what would be done, why, and what it costs; --check tells whether images and lock
    are as the manifest says. Neither needs a key or a network, and neither writes anything.
    """
    from flux_cli.commands.build.run import run

    return run(options)
