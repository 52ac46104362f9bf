"""`python -m flux_cli`: the same command as `flux`."""

import sys

from flux_cli.cli import main

if __name__ == "__main__":
    sys.exit(main())
