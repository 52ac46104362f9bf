"""`flux generate`: its options. The work is in `commands/generate.py`."""

from flux_cli.cli.finishing import Finishing
from flux_cli.cli.options import Options, takes_options
from flux_cli.cli.provenance import Metadata
from flux_cli.cli.viewing import Viewing


@takes_options
def generate(options: Options, finishing: Finishing, metadata: Metadata, viewing: Viewing) -> int:
    """Make images from a prompt.

    They are saved as files, and their paths go to stdout, one a line. Nothing is overwritten unless you say so, and
    nothing is paid before every option has been checked.
    """
    from flux_cli.commands.generate import run

    return run(options, finishing, metadata, viewing)
