"""Checks that the wheel in a folder contains every module and data file of the package, and nothing else."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path


def main(folder: str) -> int:
    """Compare the only wheel in the folder with the files that git tracks. Returns 0 if they match."""
    (wheel,) = Path(folder).glob("*.whl")
    tracked = subprocess.run(
        ["git", "ls-files", "flux_cli", "completions"], capture_output=True, text=True, check=True
    )
    files = [
        name if name.startswith("flux_cli/") else f"flux_cli/{name}"
        for name in tracked.stdout.split()
    ]
    build = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"][
        "build"
    ]
    expected = {*files, *build["targets"]["wheel"]["shared-data"].values()}
    with zipfile.ZipFile(wheel) as archive:
        packed = {
            name.partition(".data/data/")[2] or name
            for name in archive.namelist()
            if ".dist-info/" not in name
        }
    for name in sorted(expected ^ packed):
        print(f"{'missing from' if name in expected else 'unexpected in'} {wheel.name}: {name}")
    return int(expected != packed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
