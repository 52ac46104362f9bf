"""A program in strict types, as users of the Python interface write it. Only mypy reads it.

An ignored error that is none is an error, too: what must be refused is refused.
"""

from pathlib import Path
from typing import Unpack, assert_type

import flux_cli


def generate() -> None:
    result = flux_cli.generate("a fox", n=2, seed=[1, 5], raw=True, output=Path("out"))
    assert_type(result, flux_cli.Result)
    assert_type([image.width for image in result.images], list[int | None])
    assert_type(result.errors, tuple[flux_cli.FluxError, ...])
    flux_cli.generate("a fox", image=["a.png", Path("b.png")], params={"guidance": 3.5})
    flux_cli.generate(like="a.png", seed=range(4), size=None, max_cost=1)


async def generate_async() -> None:
    assert_type(await flux_cli.generate_async("a fox", offline=True), flux_cli.Result)


def look_up() -> None:
    size = flux_cli.resolve(size="16:9").size
    assert_type(size, flux_cli.Size | None)
    assert_type(flux_cli.sizes("16:9", model="flux.2-pro")[0].megapixels, float)


def pass_on(prompt: str, **options: Unpack[flux_cli.Options]) -> None:
    try:
        flux_cli.generate(prompt, **options)
    except flux_cli.ModerationError as error:
        assert_type(error.hint, str)


def refused() -> None:
    flux_cli.generate("a fox", sise="1:1")  # type: ignore[call-arg]
    flux_cli.generate("a fox", n="2")  # type: ignore[arg-type]
    flux_cli.generate("a fox", quiet=True)  # type: ignore[call-arg]
    flux_cli.sizes(1024)  # type: ignore[arg-type]
    flux_cli.generate_all()  # type: ignore[attr-defined]
    flux_cli.resolve().n = 2  # type: ignore[misc]
