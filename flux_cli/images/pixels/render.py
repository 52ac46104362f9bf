"""Makes the outputs of an image: decodes it once, then crops, scales and encodes each file."""

import contextlib
import math
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

from PIL import Image, ImageOps
from PIL.ImageFile import ImageFile as PillowFile

from flux_cli.core.errors import ImageError
from flux_cli.core.image import ImageFile, Inspection
from flux_cli.images.containers import jpeg, png
from flux_cli.images.containers.registry import inspect, sniff
from flux_cli.images.formats import FORMATS, QUALITY
from flux_cli.images.outputs import MAX_PIXELS, Box, Frame, Output, Rendered
from flux_cli.images.pixels.color import normalize
from flux_cli.images.pixels.crop import find_box
from flux_cli.images.pixels.encode import encode, encode_within
from flux_cli.images.pixels.memory import LIMIT, MEMORY, estimate, too_large_error
from flux_cli.images.pixels.pillow import ORIENTATION, SIDEWAYS, catch_faults, open_image
from flux_cli.images.pixels.resize import resize
from flux_cli.images.threads import Threads

MAX_SCANNED = 2_000_000_000  # pixels times scans of a JPEG; a progressive one has about ten
NOT_UPRIGHT = range(2, 9)  # values of the EXIF tag that turn or mirror an image


def measure(data: bytes) -> Inspection:
    """Inspect an image and read its EXIF orientation, without decoding it. Raises ImageError."""
    image = _inspect(data)
    with catch_faults(f"cannot be read as {image.format}"), _open(data, image.format) as source:
        orientation = source.getexif().get(ORIENTATION, 1) if _may_have_exif(data, image) else 1
        width, height = source.size
    if orientation in SIDEWAYS:
        width, height = height, width
    upright = orientation not in NOT_UPRIGHT
    return image._replace(width=width, height=height, upright=upright)


def render(data: bytes, planned: Sequence[Output], workers: int = 1) -> Iterator[Rendered]:
    """Make every planned file of one image, in the given order, each from the image at full size.

    The image is decoded once; of an animation, only the first frame. `workers` threads share the
    work. Raises ImageError for bytes that are not a complete image, UsageError if a file cannot fit
    into `max_bytes`.
    """
    image = _inspect(data)
    received = ImageFile(data, image.format, image.width, image.height, as_received=True)
    todo = [output for output in planned if not output.untouched]
    if not todo:
        yield from (Rendered(received, output, None) for output in planned)
        return
    with _open_to_read(data, image.format) as source:
        memory, workers = _plan_memory(source, image, todo, workers)
        todo = [_shrink(output, source, image) for output in todo]
        with MEMORY.reserve(memory):
            with catch_faults(f"cannot be read as {image.format}"):
                pixels = _decode(source)
            made = _render_all(pixels, todo, workers)
            for output in planned:
                yield Rendered(received, output, None) if output.untouched else next(made)


def convert(data: bytes, file_format: str, quality: int | None) -> ImageFile:
    """Decode an image and encode it as `file_format`, at `quality` (0 to 100) if that is lossy.

    Transparent parts become white in formats without transparency. EXIF orientation is applied, and
    the color profile is kept where it still fits. Raises ImageError if Pillow cannot decode the
    bytes, or if there are more pixels than allowed.
    """
    with catch_faults(f"cannot be converted to {file_format}"):
        with _open(data, sniff(data)) as source:
            pixels = _decode(source)
        output = encode(pixels, file_format, QUALITY if quality is None else quality)
    return _image_file(output)


def _plan_memory(
    source: PillowFile, image: Inspection, todo: Sequence[Output], workers: int
) -> tuple[int, int]:
    """The bytes that it takes to make the files, and by how many workers.

    There are fewer workers if the memory would not do otherwise. If it does not do for one, a JPEG
    is decoded at a smaller scale, which is less precise than scaling in linear light. Raises
    ImageError if that does not help.
    """
    width, height = source.size
    size = (height, width) if _is_turned(source, image.format) else (width, height)
    for count in range(workers, 0, -1):
        memory = estimate(image.format, size, todo, count)
        if memory <= LIMIT:
            return memory, count
    scale = max(output.frame.scale for output in todo)
    source.draft(None, (math.ceil(width * scale), math.ceil(height * scale)))
    memory = estimate(image.format, source.size, todo, 1)
    if memory > LIMIT:
        raise too_large_error(size)
    return memory, 1


def _shrink(output: Output, source: PillowFile, image: Inspection) -> Output:
    """The output with its window on an image that is decoded at a smaller scale."""
    width, height = source.size
    if (width, height) == (image.width, image.height):
        return output
    sides = (width, image.width), (height, image.height)
    across, down = sides[::-1] if _is_turned(source, image.format) else sides
    frame = output.frame
    window = (
        min(across[0], frame.window[0] * across[0] / across[1]),
        min(down[0], frame.window[1] * down[0] / down[1]),
    )
    return output._replace(frame=frame._replace(window=window))


def _is_turned(source: PillowFile, file_format: str) -> bool:
    """Whether EXIF swaps width and height. Pillow looks for it behind all pixels of a PNG."""
    return file_format != "png" and source.getexif().get(ORIENTATION, 1) in SIDEWAYS


def _render_all(pixels: Image.Image, todo: Sequence[Output], workers: int) -> Iterator[Rendered]:
    """Scale once per frame, encode once per file."""
    boxes = {}
    with catch_faults("cannot be cropped"):
        for output in todo:
            boxes[output.frame.window] = find_box(pixels, output.frame.window, output.focus)
    pool = Threads(workers)
    try:
        scaled = {}
        for frame in dict.fromkeys(output.frame for output in todo):
            scaled[frame] = pool.submit(_scale, pixels, frame, boxes[frame.window])
        files = {}
        is_shared = len(todo) > 1 and workers > 1
        for output in todo:
            files[output] = pool.submit(_encode, scaled[output.frame], output, is_shared=is_shared)
        for output in todo:
            yield files[output].result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _scale(pixels: Image.Image, frame: Frame, box: Box) -> Image.Image:
    with catch_faults(f"cannot be scaled to {frame.width}x{frame.height}"):
        return resize(pixels, (frame.width, frame.height), box)


def _encode(scaled: Future[Image.Image], output: Output, *, is_shared: bool) -> Rendered:
    pixels = scaled.result()
    if is_shared:
        pixels = pixels.copy()  # two threads cannot save the same image
    with catch_faults(f"cannot be converted to {output.format}"):
        data, quality = encode_within(pixels, output)
    is_lossy = FORMATS[output.format].quality and not output.lossless
    return Rendered(_image_file(data), output, quality if is_lossy else None)


def _image_file(data: bytes) -> ImageFile:
    """The bytes from an encoder as an ImageFile. Raises ImageError if they are not complete."""
    image = inspect(data)
    return ImageFile(data, image.format, image.width, image.height, as_received=False)


def _inspect(data: bytes) -> Inspection:
    """Inspect an image. Raises ImageError if it is damaged or has more pixels than allowed."""
    image = inspect(data)
    _check_pixels(image.width, image.height)
    if image.format == "jpeg":
        scans = jpeg.count_scans(data)
        if scans * image.width * image.height > MAX_SCANNED:
            raise ImageError(f"the jpeg image has {scans:,} scans, which take too long to decode")
    return image


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        message = f"the image has {width}x{height} pixels; the limit is {MAX_PIXELS:,}"
        raise ImageError(message)


def _may_have_exif(data: bytes, image: Inspection) -> bool:
    """Whether to ask Pillow for EXIF, which it looks for behind all pixels of a PNG."""
    return image.format != "png" or any(part.kind == b"eXIf" for part in png.walk(data))


@contextlib.contextmanager
def _open_to_read(data: bytes, file_format: str) -> Iterator[PillowFile]:
    """See `_open`. What Pillow raises while it opens the image becomes an ImageError."""
    with contextlib.ExitStack() as stack:
        with catch_faults(f"cannot be read as {file_format}"):
            source = stack.enter_context(_open(data, file_format))
        yield source


@contextlib.contextmanager
def _open(data: bytes, file_format: str | None) -> Iterator[PillowFile]:
    """Open an image without decoding it, and without Pillow's warnings about odd files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = open_image(data, file_format)
        _check_pixels(*source.size)
        yield source


def _decode(source: Image.Image) -> Image.Image:
    """The pixels, turned upright, as RGB or RGBA."""
    ImageOps.exif_transpose(source, in_place=True)
    return normalize(source)
