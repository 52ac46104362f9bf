"""Where to crop when the image itself should say: where most happens, or what draws the eye.

A crop to another shape cuts in one direction only: each method gives every place of the window a score, and the middle
of the places that are as good as the best is taken, so that the subject does not stick to an edge.
"""

from itertools import accumulate

from PIL import Image, ImageChops, ImageFilter, ImageMath, ImageStat

from flux_cli.images.outputs import PLACES, Box, place

SAMPLE = 192  # pixels of the longer side that are looked at
BLUR = 3  # pixels; what is finer than that is detail
SKIN = 64  # what a pixel with the hue of skin counts, of 255: wood and sand have it too
LEAN = 0.4  # of its marks a window at an end loses: most subjects are near the middle
SAME = 0.97  # of the best score counts as good as it


def find_box(image: Image.Image, window: tuple[float, float], focus: str) -> Box:
    """The box of a window in an image, by the focus asked for."""
    if focus in PLACES or window == image.size:
        return place(window, image.size, PLACES.get(focus, PLACES["center"]))
    shares = window[0] / image.width, window[1] / image.height
    axis = 0 if shares[0] < shares[1] else 1
    scale = min(1.0, SAMPLE / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = image.convert("RGB").resize(size, Image.Resampling.BOX)
    length = max(1, round(size[axis] * shares[axis]))
    at = _middle(_interest(small, axis, length) if focus == "attention" else _entropy(small, axis, length))
    return place(window, image.size, (at, 0.5) if axis == 0 else (0.5, at))


def _entropy(image: Image.Image, axis: int, length: int) -> list[float]:
    """Shannon's entropy of the fine detail in each window: smooth sky has none, however many tones it shows."""
    detail, (width, height) = _detail(image), image.size
    boxes = [
        (start, 0, start + length, height) if axis == 0 else (0, start, width, start + length)
        for start in range(image.size[axis] - length + 1)
    ]
    return [detail.crop(box).entropy() for box in boxes]


def _interest(image: Image.Image, axis: int, length: int) -> list[float]:
    """Sum of what draws the eye in each window: hues unlike the image's mean, detail, the hues of skin."""
    hues = image.filter(ImageFilter.GaussianBlur(BLUR)).convert("YCbCr").split()[1:]
    unlike = [ImageChops.difference(hue, Image.new("L", hue.size, round(ImageStat.Stat(hue).mean[0]))) for hue in hues]
    planes = [*unlike, _detail(image), _skin(image)]
    squares = [float(level * level) for level in range(256)]  # what stands out counts more than what is everywhere
    weighed = {str(number): plane.point(squares, "F") for number, plane in enumerate(planes)}
    marks = ImageMath.lambda_eval(lambda args: sum(args[name] for name in weighed), **weighed)
    row = marks.resize((image.width, 1) if axis == 0 else (1, image.height), Image.Resampling.BOX)
    sums = [0.0, *accumulate(memoryview(row.tobytes()).cast("f"))]
    inside = [end - start for start, end in zip(sums, sums[length:], strict=False)]
    room = max(1, len(inside) - 1)
    return [score * (1 - LEAN * abs(2 * at / room - 1)) for at, score in enumerate(inside)]


def _detail(image: Image.Image) -> Image.Image:
    gray = image.convert("L")
    return ImageChops.difference(gray, gray.filter(ImageFilter.GaussianBlur(BLUR)))


def _skin(image: Image.Image) -> Image.Image:
    """Bright where hue, saturation and light are those of skin, of any people."""
    hue, saturation, light = image.convert("HSV").split()
    hue = hue.point(lambda level: SKIN * (level < 28 or level > 248))
    saturation = saturation.point(lambda level: 255 * (45 < level < 175))
    return ImageChops.multiply(ImageChops.multiply(hue, saturation), light.point(lambda level: 255 * (level > 50)))


def _middle(scores: list[float]) -> float:
    """The place of the best window as a share of the room it has: the middle of its neighbors that are as good."""
    best = max(scores)
    first = last = scores.index(best)
    while first > 0 and scores[first - 1] >= SAME * best:
        first -= 1
    while last < len(scores) - 1 and scores[last + 1] >= SAME * best:
        last += 1
    return (first + last) / 2 / (len(scores) - 1) if len(scores) > 1 else 0.5
