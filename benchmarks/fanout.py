"""Measures many images at once, as whole processes against a loopback server: F1 to F5, O1, B1 and B2.

    python benchmarks/fanout.py [--flux PATH] [--runs 5] [--short]

Every figure is a ratio to something measured in the same run, so that the speed of the machine cancels out. `--short`
only checks that everything works, in one run with small numbers.
"""

import argparse
import asyncio
import base64
import io
import itertools
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Self

LATENCY = 0.5  # seconds the server takes for an image
PEER = (
    "curl -s {url}/openai/v1/images/generations -H 'Content-Type: application/json' -d '{{\"prompt\":\"a\"}}' "
    "| jq -r '.data[0].b64_json' | base64 -d > peer.png"
)


class Run(NamedTuple):
    """One finished process: wall time and CPU time in seconds, and peak memory in MiB."""

    wall: float
    cpu: float
    peak: float


class Row(NamedTuple):
    """One figure of the table."""

    name: str
    what: str
    value: float
    target: str


def drawn(side: int) -> bytes:
    """A PNG of side x side pixels with the size of a photograph: gradients under noise, always the same.

    One megapixel results in a response of 2.1 MB.
    """
    from PIL import Image

    rng = random.Random(1)
    noise = Image.frombytes("L", (side, side), rng.randbytes(side * side)).point(
        lambda value: value * 6 >> 8
    )
    slope = Image.linear_gradient("L").resize((side, side)).point(lambda value: value * 7 // 8)
    bands = [
        Image.frombytes(
            "L", (side, side), bytes(map(sum, zip(slope.tobytes(), noise.tobytes(), strict=True)))
        )
    ]
    bands += [bands[0].rotate(90), bands[0].transpose(Image.Transpose.FLIP_TOP_BOTTOM)]
    stream = io.BytesIO()
    Image.merge("RGB", bands).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


async def serve(image: bytes, latency: float, step: float) -> None:
    """Answer every POST with the image. The i-th of concurrent requests waits `latency` + i x `step` seconds."""
    body = json.dumps(
        {"created": 1, "data": [{"b64_json": base64.b64encode(image).decode()}]}
    ).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    reply = head.encode() + b"Connection: close\r\n\r\n" + body
    count = under_way = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count, under_way
        asked = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = next(
            int(line[15:]) for line in asked.split(b"\r\n") if line.startswith(b"content-length:")
        )
        await reader.readexactly(length)
        count, under_way = count + 1 if under_way else 1, under_way + 1
        try:
            await asyncio.sleep(latency + (count - 1) * step)
            writer.write(reply)
            await writer.drain()
        finally:
            writer.close()
            under_way -= 1

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


async def drain(url: str, count: int) -> None:
    """Request `count` images at once over bare sockets and discard them. Prints the seconds, a lower bound."""
    host, port = url.removeprefix("http://").split(":")

    async def one() -> None:
        reader, writer = await asyncio.open_connection(host, port, limit=1 << 18)
        writer.write(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        while await reader.read(1 << 18):
            pass
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(count)))
    print(time.perf_counter() - began)


class Server:
    """A server in a separate process."""

    def __init__(self, image: Path, latency: float = 0.0, step: float = 0.0) -> None:
        line = [sys.executable, __file__, "--serve", str(image), str(latency), str(step)]
        self._process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


class Bench:
    """Runs of the installed command, each in a new folder inside `folder`."""

    def __init__(self, flux: str, folder: Path, runs: int) -> None:
        self._flux, self._runs = flux, runs
        self._folders = (folder / str(number) for number in itertools.count())

    def run(self, url: str, count: int, *more: str) -> Run:
        """The median of several runs for `count` images at once."""
        line = [
            self._flux,
            "generate",
            "a",
            "--base-url",
            f"{url}/openai/v1",
            "--no-key",
            "-m",
            "any",
            "--quiet",
        ]
        line += [
            "-n",
            str(count),
            "--seed",
            "1",
            "--response-format",
            "b64_json",
            "-o",
            "out/",
            *more,
        ]
        if "--concurrency" not in more:
            line += ["--concurrency", str(min(count, 256))]
        return self.median(lambda: measured(line, next(self._folders), expected=count))

    def median(self, one: Callable[[], Run]) -> Run:
        found = [one() for _ in range(self._runs)]
        return Run(
            *(statistics.median(getattr(run, name) for run in found) for name in Run._fields)
        )

    def floor(self, url: str, count: int) -> float:
        """The lower bound in seconds: bare sockets that discard everything."""
        line = [sys.executable, __file__, "--drain", url, str(count)]
        return statistics.median(
            float(subprocess.run(line, capture_output=True, check=True).stdout)
            for _ in range(self._runs)
        )

    def peer(self, url: str) -> Run:
        """curl, jq and base64 for one image."""
        return self.median(
            lambda: measured(["sh", "-c", PEER.format(url=url)], next(self._folders), expected=None)
        )


def measured(line: list[str], folder: Path, expected: int | None) -> Run:
    """Run a command in a new folder, and check that it made the expected number of images."""
    folder.mkdir(parents=True)
    environment = {**os.environ, "FLUX_STATE": str(folder / "state"), "HOME": str(folder)}
    began = time.perf_counter()
    process = subprocess.Popen(line, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, line
    made = emptied(folder)
    assert expected in (None, made), made
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def emptied(folder: Path | str) -> int:
    """Count the images in a folder and its subfolders, and truncate them.

    They are not removed, because for a minute ext4 would look at each removed file whenever it creates one. No list of
    them is made, because Linux adds the memory of this process to the peak memory of its children.
    """
    made = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                made += emptied(entry.path)
            elif entry.name.endswith((".png", ".webp")):
                os.truncate(entry.path, 0)
                made += 1
    return made


def figures(bench: Bench, images: dict[str, Path], *, short: bool) -> list[Row]:
    """All rows of the table."""
    large = 32 if short else 256
    rows = []
    with Server(images["1"]) as none:
        start = bench.run(none.url, 1)
        if shutil.which("curl") and shutil.which("jq"):
            peer = bench.peer(none.url)
            rows.append(
                Row(
                    "F5", "wall of one image / curl | jq | base64", start.wall / peer.wall, "<= 4.5"
                )
            )
    with Server(images["1"], LATENCY) as slow:
        runs = {count: bench.run(slow.url, count) for count in (16, 64, large)}
        for name, count, target in (
            ("F1", 16, "<= 1.2"),
            ("F2", 64, "<= 1.8"),
            ("F2", large, "<= 4"),
        ):
            wall, floor = runs[count].wall - start.wall, bench.floor(slow.url, count) / LATENCY
            rows.append(
                Row(
                    name,
                    f"wall of {count} / latency (bare sockets: {floor:.2f})",
                    wall / LATENCY,
                    target,
                )
            )
        share = (runs[large].cpu - start.cpu) / large / ((runs[16].cpu - start.cpu) / 16)
        rows.append(Row("F3", f"CPU per image of {large} / of 16", share, "<= 1.25"))
    for megapixels in ("1", "4"):
        with Server(images[megapixels], LATENCY) as slow:
            peaks = [bench.run(slow.url, count).peak for count in (1, 64)]
            rows.append(
                Row(
                    "F4",
                    f"MiB per image in flight, {megapixels} MP",
                    (peaks[1] - peaks[0]) / 63,
                    "<= 0.6",
                )
            )
    rows.append(Row("", "peak MiB of one image", start.peak, "<= 45"))
    with Server(images["1"], 0.1, 2 / 16) as steady:
        plain, converted = bench.run(steady.url, 16), bench.run(steady.url, 16, "-f", "webp")
    with Server(images["1"]) as none:
        once = bench.run(none.url, 1, "-f", "webp").wall - start.wall
    rows.append(
        Row(
            "O1",
            "wall that conversion adds to 16 / one conversion",
            (converted.wall - plain.wall) / once,
            "<= 2",
        )
    )
    few, many = (50, 200) if short else (1000, 10_000)
    with Server(images["tiny"]) as quick:
        one, wide = (bench.run(quick.url, few, "--concurrency", count) for count in ("1", "64"))
        longer = bench.run(quick.url, many, "--concurrency", "64")
    rows.append(
        Row("B1", "CPU per request, 64 in flight / 1 in flight", wide.cpu / one.cpu, "<= 1.3")
    )
    rows.append(
        Row("B2", f"MiB of {many:,} requests - of {few:,}", longer.peak - wide.peak, "<= 2")
    )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--flux", default=str(Path(sys.executable).parent / "flux"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--draw", nargs=2, metavar=("IMAGE", "SIDE"), help=argparse.SUPPRESS)
    parser.add_argument("--drain", nargs=2, metavar=("URL", "COUNT"), help=argparse.SUPPRESS)
    parser.add_argument(
        "--serve", nargs=3, metavar=("IMAGE", "LATENCY", "STEP"), help=argparse.SUPPRESS
    )
    options = parser.parse_args()
    if options.draw:
        Path(options.draw[0]).write_bytes(drawn(int(options.draw[1])))
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    if options.drain:
        asyncio.run(drain(options.drain[0], int(options.drain[1])))
        return
    if options.serve:
        image, latency, step = options.serve
        asyncio.run(serve(Path(image).read_bytes(), float(latency), float(step)))
        return
    with tempfile.TemporaryDirectory() as folder:
        images = {name: Path(folder) / f"{name}.png" for name in ("1", "4", "tiny")}
        for name, side in (("1", 1024), ("4", 2048), ("tiny", 8)):
            # In another process, because Linux adds the memory of a parent to the peak memory of its children.
            subprocess.run(
                [sys.executable, __file__, "--draw", images[name], str(side)], check=True
            )
        bench = Bench(options.flux, Path(folder) / "work", 1 if options.short else options.runs)
        print(f"{'':3}  {'figure':48}  {'ratio':>7}  target")
        for row in figures(bench, images, short=options.short):
            print(f"{row.name:3}  {row.what:48}  {row.value:7.2f}  {row.target}")


if __name__ == "__main__":
    main()
