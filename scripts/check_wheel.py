"""Checks that the wheel in a folder contains exactly the modules and data files of the package."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path


def main(folder: str) -> int:
    """Compare the only wheel in the folder with the files that git tracks. Returns 0 if equal."""
    (wheel,) = Path(folder).glob("*.whl")
    expected = {*tracked_files(), *shared_files()}
    packed = packed_files(wheel)
    for name in sorted(expected ^ packed):
        problem = "missing from" if name in expected else "unexpected in"
        print(f"{problem} {wheel.name}: {name}")
    return int(expected != packed)


def tracked_files() -> list[str]:
    """The paths in the package of the files that git tracks."""
    line = ["git", "ls-files", "flux_cli", "completions"]
    names = subprocess.run(line, capture_output=True, text=True, check=True).stdout.split()
    return [f"flux_cli/{name.removeprefix('flux_cli/')}" for name in names]


def shared_files() -> list[str]:
    """Where the wheel puts files for shells and man."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    return list(wheel["shared-data"].values())


def packed_files(wheel: Path) -> set[str]:
    """The files in the wheel, without its metadata. Shared data is in a folder `NAME.data/data`."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
    return {name.partition(".data/data/")[2] or name for name in names}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
