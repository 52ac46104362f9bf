"""Measures `flux build` from JSON lines: a check of what is unchanged, and an index made anew (B4).

    python benchmarks/lines.py [--flux PATH] [--lines 1000000] [--short]

Every line has a row and a file. `--short` only checks that everything works, with few lines.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

from build import START, measured
from fanout import Run

WORDS = ["-m", "flux1.1-pro-ultra", "-o", "img/{name}.webp", "--ledger", "ledger"]
DATA = b"x"
IN_FOLDER = 1000  # files


def prepare(folder: Path, count: int) -> None:
    """Write lines, files, and a ledger, in another process: memory of a parent counts here."""
    folder.mkdir()
    line = [sys.executable, __file__, "prepare", str(count)]
    subprocess.run(line, cwd=folder, check=True)


def write_project(count: int) -> None:
    """The work of `prepare`, in the current folder."""
    from flux_cli.build.lock.rows import File, Original, Row
    from flux_cli.build.stream.ledger import Writer
    from flux_cli.build.stream.lines import LineReader, lines_of

    digest = sha256(DATA).hexdigest()
    original = Original(digest, 1450332, 2752, 1536, "png")
    generated = {"cost_usd": 0.06, "provider": "lumenfall", "request_id": "req_01JABCDEFGHJK"}
    generated |= {"run": "20261201-101502-4f3a1c", "time": "2026-12-01T10:15:09Z"}
    with Path("a.jsonl").open("w") as file:
        for number in range(count):
            name = f"s{number:07}"
            place = f"img/{number // IN_FOLDER}/{{name}}.webp"
            row = {"name": name, "prompt": f"a cup with the number {number}", "seed": number}
            file.write(json.dumps(row | {"output": place}) + "\n")
    reader = LineReader({"model": "flux1.1-pro-ultra"}, None, "a.jsonl")  # type: ignore[arg-type]
    rows = {}
    with Path("a.jsonl").open("rb") as file, Writer("ledger") as writer:
        for line in lines_of(file):
            asset = reader.asset(line)
            files = {}
            for path, output in asset.files.items():
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                Path(path).write_bytes(DATA)
                files[path] = File(output, digest, len(DATA), 1440, 804)
            row = Row(asset.request, "0" * 16, asset.requested, generated, original, files)
            rows[asset.name] = row
            if len(rows) == IN_FOLDER:
                writer.add(rows)
                rows.clear()
        writer.add(rows)


def measure(flux: str, folder: Path, count: int) -> tuple[Run, Run]:
    """A build of unchanged lines that makes the index anew, and one that finds it."""
    prepare(folder, count)
    line = [flux, "build", "a.jsonl", *WORDS, "--quiet"]
    return measured(line, folder), measured(line, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flux", default=shutil.which("flux") or "flux")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    count = 1000 if options.short else options.lines
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _, few = measure(options.flux, folder / "few", count // 10)
        first, many = measure(options.flux, folder / "many", count)
        start = measured(START, folder)
        more = many.peak - few.peak
        print(f"{count:,} unchanged lines: {many.wall:.1f} s (<= 60), {many.peak:.0f} MiB")
        print(f"  starts of Python (CPU): {many.cpu / start.cpu:.0f}")
        print(f"  MiB more than {count // 10:,} lines: {more:.1f} (<= 8)")
        print(f"  index made anew: {first.wall - many.wall:.1f} s more, {first.peak:.0f} MiB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["prepare"]:
        write_project(int(sys.argv[2]))
    else:
        main()
