"""Check that the one wheel in a folder holds every module and data file of the package, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path


def main(folder: str) -> int:
    """Compare the wheel with what git tracks. Returns 0 when they agree."""
    (wheel,) = Path(folder).glob("*.whl")
    tracked = subprocess.run(["git", "ls-files", "flux_cli"], capture_output=True, text=True, check=True)
    wanted = set(tracked.stdout.split())
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    for name in sorted(wanted ^ packed):
        print(f"{'missing from' if name in wanted else 'unexpected in'} {wheel.name}: {name}")
    return int(wanted != packed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
