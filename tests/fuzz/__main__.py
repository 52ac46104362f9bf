"""`python -m tests.fuzz NAME [libFuzzer's options]`: fuzz one parser, guided by coverage.

    pip install atheris
    python -m tests.fuzz images -max_total_time=300

atheris is not a dependency of the tests: some systems have no wheels, and it needs more time.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # where pytest finds these packages, too


def main(words: list[str]) -> int:
    try:
        import atheris
    except ImportError:
        print("atheris is not installed: pip install atheris", file=sys.stderr)
        return 2
    with atheris.instrument_imports(include=["flux_cli"]):
        from fuzz.seeds import SEEDS
        from fuzz.targets import TARGETS
    if not words or words[0] not in TARGETS:
        print(f"parsers: {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    name, *options = words
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(SEEDS[name]):
            (Path(folder) / str(number)).write_bytes(seed)
        atheris.Setup([name, *options, folder], TARGETS[name])
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
