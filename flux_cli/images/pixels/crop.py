"""Chooses where to crop: at a fixed place, where the detail is, or where something draws the eye.

A crop to another shape cuts in one direction only. Each method scores every position of the window.
Of all positions nearly as good as the best, the middle one is used, so that the subject does not
touch an edge.
"""

from itertools import accumulate

from PIL import Image, ImageChops, ImageFilter, ImageMath, ImageStat

from flux_cli.images.outputs import PLACES, Box, find_place, place

SAMPLE = 192  # pixels of the longer side of the image that is scored
BLUR = 3  # pixels; anything finer is detail
SKIN = 64  # weight of a pixel with the hue of skin, of 255; wood and sand have that hue too
EDGE_LOSS = 0.4  # share of its score that a window at an edge loses: subjects are in the middle
SAME = 0.97  # share of the best score that counts as equally good


def find_box(image: Image.Image, window: tuple[float, float], focus: str) -> Box:
    """The box of a window in an image, in pixels, placed by `focus`; see `finish.parse_focus`."""
    at_place = find_place(focus, window, image.size)
    if at_place or window == image.size:
        return place(window, image.size, at_place or PLACES["center"])
    shares = window[0] / image.width, window[1] / image.height
    axis = 0 if shares[0] < shares[1] else 1
    scale = min(1.0, SAMPLE / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = image.convert("RGB").resize(size, Image.Resampling.BOX)
    length = max(1, round(size[axis] * shares[axis]))
    score = _interest if focus == "attention" else _entropy
    at = _middle(score(small, axis, length))
    return place(window, image.size, (at, 0.5) if axis == 0 else (0.5, at))


def _entropy(image: Image.Image, axis: int, length: int) -> list[float]:
    """The Shannon entropy of the fine detail in each window; a smooth sky has almost none."""
    detail, entropies = _detail(image), []
    for start in range(image.size[axis] - length + 1):
        end = start + length
        box = (start, 0, end, image.height) if axis == 0 else (0, start, image.width, end)
        entropies.append(detail.crop(box).entropy())
    return entropies


def _interest(image: Image.Image, axis: int, length: int) -> list[float]:
    """The sum of what draws the eye in each window: unusual hues, detail, hues of skin."""
    _, blue, red = image.filter(ImageFilter.GaussianBlur(BLUR)).convert("YCbCr").split()
    planes = [_from_mean(blue), _from_mean(red), _detail(image), _skin(image)]
    squares = [float(level**2) for level in range(256)]  # rare values count more than common ones
    weighed = {str(number): plane.point(squares, "F") for number, plane in enumerate(planes)}
    marks = ImageMath.lambda_eval(lambda args: sum(args[name] for name in weighed), **weighed)
    size = (image.width, 1) if axis == 0 else (1, image.height)
    row = marks.resize(size, Image.Resampling.BOX)
    sums = [0.0, *accumulate(memoryview(row.tobytes()).cast("f"))]
    inside = [end - start for start, end in zip(sums, sums[length:], strict=False)]
    room = max(1, len(inside) - 1)
    return [score * (1 - EDGE_LOSS * abs(2 * at / room - 1)) for at, score in enumerate(inside)]


def _from_mean(plane: Image.Image) -> Image.Image:
    """How far each pixel is from the mean."""
    mean = round(ImageStat.Stat(plane).mean[0])
    return ImageChops.difference(plane, Image.new("L", plane.size, mean))


def _detail(image: Image.Image) -> Image.Image:
    gray = image.convert("L")
    return ImageChops.difference(gray, gray.filter(ImageFilter.GaussianBlur(BLUR)))


def _skin(image: Image.Image) -> Image.Image:
    """Bright where hue, saturation and light are those of skin, of any people."""
    hue, saturation, light = image.convert("HSV").split()
    hue = hue.point(lambda level: SKIN * (level < 28 or level > 248))
    saturation = saturation.point(lambda level: 255 * (45 < level < 175))
    light = light.point(lambda level: 255 * (level > 50))
    return ImageChops.multiply(ImageChops.multiply(hue, saturation), light)


def _middle(scores: list[float]) -> float:
    """The position of the best window, 0 to 1: the middle of its equally good neighbors."""
    best = max(scores)
    first = last = scores.index(best)
    while first > 0 and scores[first - 1] >= SAME * best:
        first -= 1
    while last < len(scores) - 1 and scores[last + 1] >= SAME * best:
        last += 1
    return (first + last) / 2 / (len(scores) - 1) if len(scores) > 1 else 0.5
