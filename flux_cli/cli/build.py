"""The command `flux build`. What it does is in `commands/build/`."""

from flux_cli.build.options import BuildOptions, Images
from flux_cli.cli.help import examples
from flux_cli.cli.options import takes_options
from flux_cli.cli.spellings.others import BUILD

# Options of `flux generate` that describe all images of a file of JSON lines.
IMAGE_PANEL = dict.fromkeys(Images._fields, "Images from JSON lines")


@examples(
    "flux build --plan",
    "flux build --check",
    "flux build --report report.html",
    "flux build --plan --only 'icon-*' --json",
)
@takes_options(BUILD, IMAGE_PANEL)
def build(options: BuildOptions) -> int:
    """Keep a set of images in sync with a manifest, flux-build.toml.

    --plan shows what would be done, why, and what it costs; --check tells whether images and lock
    are as the manifest says. Neither needs a key or a network, and neither writes
    anything but the page of --report.
    """
    from flux_cli.commands.build.run import run

    return run(options)
