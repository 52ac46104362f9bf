"""`python -m flux_cli`: the same command as `flux`."""

from flux_cli.main import run

if __name__ == "__main__":
    run()
