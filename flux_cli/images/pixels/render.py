"""Makes the outputs of an image: decodes it once, then crops, scales and encodes each file."""

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

from PIL import Image
from PIL.ImageFile import ImageFile as PillowFile

from flux_cli.core.errors import ImageError
from flux_cli.core.image import ImageFile, Inspection
from flux_cli.images.containers import jpeg
from flux_cli.images.containers.registry import Look, inspect, look
from flux_cli.images.details import SIDEWAYS, ImageDetails, as_seen, describe, read_details
from flux_cli.images.formats import FOREIGN, FORMATS, QUALITY
from flux_cli.images.metadata.strip import for_decoder
from flux_cli.images.outputs import Box, Frame, Output, Rendered, copy_of
from flux_cli.images.pixels.color import normalize
from flux_cli.images.pixels.crop import find_box
from flux_cli.images.pixels.encoding.encode import encode, encode_within
from flux_cli.images.pixels.memory import (
    LIMIT,
    MEMORY,
    choose_part,
    coefficients,
    estimate,
    too_large_error,
)
from flux_cli.images.pixels.pillow import catch_faults, check_pixels, opened, turn
from flux_cli.images.pixels.resize import add_borders, resize
from flux_cli.images.pixels.wholeness import examine
from flux_cli.images.threads import Threads

MAX_SCANNED = 2_000_000_000  # pixels times scans of a JPEG; a progressive one has about ten


def measure(data: bytes, seen: Look | None = None) -> Inspection:
    """Inspect an image and read its EXIF orientation. It is decoded only if it is not sound.

    `seen` is what `examine` says of `data` if the caller has it already. Raises ImageError if it
    cannot be decoded, or only with much work.
    """
    image, sound, *_ = _check_effort(seen or examine(data))
    details = describe(image, sound)
    with _open_to_read(sound, details):
        return as_seen(image, details)


def render(
    data: bytes, planned: Sequence[Output], workers: int = 1, seen: Look | None = None
) -> Iterator[Rendered]:
    """Make every planned file of one image, in the given order, each from the image at full size.

    The image is decoded once; of an animation, only the first frame. `workers` threads share the
    work. `seen` is what `look` says of `data` if the caller has it already. Raises ImageError for
    bytes that are not a complete image, UsageError if a file cannot fit into `max_bytes`.
    """
    image, sound, *_ = _check_effort(seen or look(data))
    todo = [output for output in planned if not output.untouched]
    if not todo:
        yield from (copy_of(data, output) for output in planned)
        return
    details = describe(image, sound)
    with _open_to_read(sound, details) as source:
        is_turned = details.orientation in SIDEWAYS
        memory, workers = _plan_memory(source, sound, todo, workers, details)
        todo = [_shrink(output, source, image, is_turned=is_turned) for output in todo]
        with MEMORY.reserve(memory):
            with catch_faults(f"cannot be read as {image.format}"):
                pixels = _decode(source, details)
            made = _render_all(pixels, todo, workers)
            for output in planned:
                yield copy_of(data, output) if output.untouched else next(made)


def convert(data: bytes, file_format: str, quality: int | None) -> ImageFile:
    """Decode an image and encode it as `file_format`, at `quality` (0 to 100) if that is lossy.

    Transparent parts become white in formats without transparency. EXIF orientation is applied, and
    the color profile is kept where it still fits. Raises ImageError if Pillow cannot decode the
    bytes, or if there are more pixels than allowed.
    """
    what = f"cannot be converted to {file_format}"
    try:
        details = read_details(data)
    except ImageError as fault:
        raise ImageError(f"the image {what}: {fault.message}") from fault
    with catch_faults(what):
        with opened(for_decoder(data, details.format), details.format) as source:
            pixels = _decode(source, details)
        output = encode(pixels, file_format, QUALITY if quality is None else quality)
    return _image_file(output)


def _plan_memory(
    source: PillowFile,
    data: bytes,
    todo: Sequence[Output],
    workers: int,
    details: ImageDetails,
) -> tuple[int, int]:
    """The bytes that it takes to make the files, and by how many workers.

    There are fewer workers if the memory would not do otherwise. If it does not do for one, a JPEG
    is decoded at a smaller scale, which is less precise than scaling in linear light. Raises
    ImageError if that does not help.
    """
    held = coefficients(data, details.format)
    for count in range(workers, 0, -1):
        memory = estimate(details.format, details.seen, todo, count, held)
        if memory <= LIMIT:
            return memory, count
    chosen = choose_part(details.format, details.seen, todo, held)
    if chosen:
        memory, part = chosen
        source.draft(None, (details.width // part, details.height // part))
        return memory, 1
    if held > LIMIT:
        message = "the jpeg image takes more than 1 GiB of memory at any size, as it is progressive"
        raise ImageError(
            message, hint="store it in another way: jpegtran -copy all IN.jpg >OUT.jpg"
        )
    raise too_large_error(details.seen)


def _shrink(output: Output, source: PillowFile, image: Inspection, *, is_turned: bool) -> Output:
    """The output with its window on an image that is decoded at a smaller scale."""
    width, height = source.size
    if (width, height) == (image.width, image.height):
        return output
    sides = (width, image.width), (height, image.height)
    across, down = sides[::-1] if is_turned else sides
    frame = output.frame
    window = (
        min(across[0], frame.window[0] * across[0] / across[1]),
        min(down[0], frame.window[1] * down[0] / down[1]),
    )
    return output._replace(frame=frame._replace(window=window))


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
        shown = resize(pixels, frame.shown, box)
        size = frame.width, frame.height
        return shown if frame.shown == size else add_borders(shown, size, frame.pad_color)


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


def _check_effort(found: Look) -> Look:
    """Return the image. Raises ImageError if it cannot be decoded, or only with much work."""
    image = found.image
    if image.format in FOREIGN:
        raise ImageError(f"flux cannot read {image.format} images")
    check_pixels(image.format, image.width, image.height)
    if image.format == "jpeg":
        scans = jpeg.count_scans(found.sound)
        if scans * image.width * image.height > MAX_SCANNED:
            raise ImageError(f"the jpeg image has {scans:,} scans, which take too long to decode")
    return found


@contextlib.contextmanager
def _open_to_read(data: bytes, details: ImageDetails) -> Iterator[PillowFile]:
    """See `opened`. What Pillow raises while it opens the image becomes an ImageError.

    Pillow gets only pixels: metadata must not keep it from reading them.
    """
    name = details.format
    with contextlib.ExitStack() as stack:
        with catch_faults(f"cannot be read as {name}"):
            source = stack.enter_context(opened(for_decoder(data, name), name))
        if source.size != (details.width, details.height):
            found = "{}x{}".format(*source.size)
            message = (
                f"the {name} image claims {details.width}x{details.height} pixels, not {found}"
            )
            raise ImageError(message)
        yield source


def _decode(source: Image.Image, details: ImageDetails) -> Image.Image:
    """The pixels, turned upright, as gray or RGB, with alpha if there is any."""
    return turn(normalize(source, details), details.orientation)
