"""The other side of `fanout`: a server on the loopback interface, images for it, and a bare client.

python benchmarks/loopback.py draw IMAGE SIDE
python benchmarks/loopback.py serve IMAGE LATENCY STEP [LOG]
python benchmarks/loopback.py drain URL COUNT
"""

import asyncio
import base64
import io
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import BinaryIO


def drawn(side: int) -> bytes:
    """A PNG of side x side pixels with the size of a photograph, always the same.

    It has gradients under noise. One megapixel results in a response of 2.1 MB.
    """
    from PIL import Image, ImageChops

    size = (side, side)
    grains = Image.frombytes("L", size, random.Random(1).randbytes(side * side))
    noise = grains.point(lambda value: value * 6 >> 8)
    slope = Image.linear_gradient("L").resize(size).point(lambda value: value * 7 // 8)
    band = ImageChops.add(slope, noise)
    bands = [band, band.rotate(90), band.transpose(Image.Transpose.FLIP_TOP_BOTTOM)]
    stream = io.BytesIO()
    Image.merge("RGB", bands).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


async def serve(image: bytes, latency: float, step: float, log: BinaryIO) -> None:
    """Answer every POST with the image. Prints the port.

    The i-th of concurrent requests waits `latency` + i x `step` seconds. The body of each is a line
    in `log`.
    """
    item = {"b64_json": base64.b64encode(image).decode()}
    body = json.dumps({"created": 1, "data": [item]}).encode()
    start = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    reply = start.encode() + b"Connection: close\r\n\r\n" + body
    count = under_way = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count, under_way
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        request = await reader.readexactly(int(length))
        log.write(request + b"\n")
        count = count + 1 if under_way else 1
        under_way += 1
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
    """Request `count` images at once over bare sockets and discard them.

    Prints the seconds, a lower bound.
    """
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


def main(action: str, target: str, *numbers: str) -> None:
    if action == "draw":
        Path(target).write_bytes(drawn(int(numbers[0])))
    elif action == "serve":
        latency, step, *log = numbers
        with Path(*log or [os.devnull]).open("wb", buffering=0) as file:
            asyncio.run(serve(Path(target).read_bytes(), float(latency), float(step), file))
    else:
        asyncio.run(drain(target, int(numbers[0])))


if __name__ == "__main__":
    main(*sys.argv[1:])
