"""Images finished: decode what came, make every file that is wanted of it. The owner of Pillow, beside the painter.

`color` brings any image to 8-bit RGB, `crop` finds what to keep, `resize` scales, `palette` finds 256 colors,
`encode` writes; `thumbnails` are for eyes only.
"""

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from PIL import Image, ImageOps
from PIL.ImageFile import ImageFile as PillowFile

from flux_cli.core.errors import ImageError
from flux_cli.core.request import ImageFile
from flux_cli.images.containers import parts
from flux_cli.images.containers.whole import Inspection, inspect, sniff
from flux_cli.images.formats import FORMATS, QUALITY
from flux_cli.images.outputs import MAX_PIXELS, Box, Frame, Output, Received, Rendered
from flux_cli.images.pixels.color import prepared
from flux_cli.images.pixels.crop import box_of
from flux_cli.images.pixels.encode import encoded, encoded_within
from flux_cli.images.pixels.pillow import ORIENTATION, SIDEWAYS, opened, pillow
from flux_cli.images.pixels.resize import resized

TURNED = range(2, 9)  # values of the EXIF tag that turn or mirror an image


def measure(data: bytes) -> Received:
    """What an image is, as `core.finish` plans with it; not decoded yet. Raises ImageError."""
    look = _look(data)
    with pillow(f"cannot be read as {look.format}"), _opened(data, look.format) as source:
        # Pillow decodes a whole PNG to look for EXIF behind the pixels, so it is asked only where there is some.
        noted = look.format != "png" or any(part.kind == b"eXIf" for part in parts.png(data))
        turned = source.getexif().get(ORIENTATION, 1) if noted else 1
        width, height = source.size[::-1] if turned in SIDEWAYS else source.size
    return Received(look.format, width, height, len(data), upright=turned not in TURNED)


def render(data: bytes, planned: Sequence[Output], workers: int = 1) -> Iterator[Rendered]:
    """Make every file that is planned of one image, all from its full size, in their order.

    It is decoded once; an animation counts by its first image. `workers` threads share the work.
    Raises ImageError for bytes that are no whole image, UsageError where `max_bytes` is too few.
    """
    look = _look(data)
    received = ImageFile(data, look.format, look.width, look.height, as_received=True)
    if all(output.untouched for output in planned):
        yield from (Rendered(received, output, None) for output in planned)
        return
    with pillow(f"cannot be read as {look.format}"), _opened(data, look.format) as source:
        image = _upright(source)
    yield from _made(image, received, planned, workers)


def convert(data: bytes, file_format: str, quality: int | None) -> ImageFile:
    """Decode whole image bytes and encode them as `file_format`, at `quality` (0 to 100) where it is lossy.

    Alpha is flattened onto white for JPEG, orientation is applied, the color profile is kept where it still fits.
    Raises ImageError for bytes that Pillow cannot decode or that hold more pixels than any image should.
    """
    with pillow(f"cannot be converted to {file_format}"):
        with _opened(data, sniff(data)) as source:
            image = _upright(source)
        output = encoded(image, file_format, QUALITY if quality is None else quality)
    look = inspect(output)
    return ImageFile(output, look.format, look.width, look.height, as_received=False)


def _made(image: Image.Image, received: ImageFile, planned: Sequence[Output], workers: int) -> Iterator[Rendered]:
    """Scale once for each frame, encode once for each file."""
    todo = [output for output in planned if not output.untouched]
    with pillow("cannot be cropped"):
        boxes = {output.frame.window: box_of(image, output.frame.window, output.focus) for output in todo}
    pool = ThreadPoolExecutor(workers)
    try:
        frames = dict.fromkeys(output.frame for output in todo)
        shown = {frame: pool.submit(_framed, image, frame, boxes[frame.window]) for frame in frames}
        files = {output: pool.submit(lambda one: _file(shown[one.frame].result(), one), output) for output in todo}
        for output in planned:
            yield files[output].result() if output in files else Rendered(received, output, None)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _framed(image: Image.Image, frame: Frame, box: Box) -> Image.Image:
    with pillow(f"cannot be scaled to {frame.width}x{frame.height}"):
        return resized(image, (frame.width, frame.height), box)


def _file(image: Image.Image, output: Output) -> Rendered:
    with pillow(f"cannot be converted to {output.format}"):
        data, quality = encoded_within(image, output)
    look = inspect(data)
    made = ImageFile(data, look.format, look.width, look.height, as_received=False)
    return Rendered(made, output, quality if FORMATS[output.format].quality and not output.lossless else None)


def _look(data: bytes) -> Inspection:
    """What whole bytes are. Raises ImageError, also for more pixels than any image should have."""
    look = inspect(data)
    _check_pixels(look.width, look.height)
    return look


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageError(f"the image has {width}x{height} pixels: more than any should")


@contextlib.contextmanager
def _opened(data: bytes, file_format: str | None) -> Iterator[PillowFile]:
    """The image, still undecoded. Pillow's warnings about oddities of other people's files are nobody's business."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = opened(data, file_format)
        _check_pixels(*source.size)
        yield source


def _upright(source: Image.Image) -> Image.Image:
    """The decoded image as it is meant to be seen."""
    ImageOps.exif_transpose(source, in_place=True)
    return prepared(source)
