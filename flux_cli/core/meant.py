"""What people say in place of a size, and what to type for it: the hint below the error, never a guess that is paid."""

import re

from flux_cli.core.ratio import SMALLEST

WORDS = {
    "square": "1:1",
    "landscape": "3:2",
    "portrait": "2:3",
    "wide": "16:9",
    "widescreen": "16:9",
    "ultrawide": "21:9",
    "vertical": "9:16",
    "hd": "1280x720",
    "720p": "1280x720",
    "fullhd": "1920x1080",
    "fhd": "1920x1080",
    "1080p": "1920x1080",
    "qhd": "2560x1440",
    "1440p": "2560x1440",
    "uhd": "3840x2160",
    "2160p": "3840x2160",
    "4k": "3840x2160",
    "8k": "7680x4320",
}
NUMBERS = re.compile(r"(\d{1,5})(?:px)?(?:\s*(?:by|to|x|[\s,;_-])\s*(\d{1,5})(?:px)?)?", re.ASCII | re.IGNORECASE)
SCALE = re.compile(r"\d+(?:\.\d+)?\s*(?:k|mp?)", re.ASCII | re.IGNORECASE)
ALONE = 100  # pixels; a smaller number that stands alone is no side of an image


def hint(text: str, parameter: str) -> str:
    """What to type next for a text that is no size."""
    meant = WORDS.get("".join(filter(str.isalnum, text.lower()))) or _numbers(text.strip())
    if meant:
        option = "--size " if "x" in meant and parameter != "size" else ""
        return f"did you mean {option}{meant}?"
    if SCALE.fullmatch(text.strip()):
        scale = text.strip().replace(" ", "")
        return f"give a shape such as 16:9; a scale is no shape: flux generate takes it as --resolution {scale}"
    return "write pixels as 1920x1080 or a shape as 16:9"


def _numbers(text: str) -> str:
    """`16-9` -> `16:9`, `1920 1080` -> `1920x1080`, `1024` -> `1024x1024`; "" for anything else."""
    found = NUMBERS.fullmatch(text)
    width, height = (int(side or found[1]) for side in found.groups()) if found else (0, 0)
    if min(width, height) >= (SMALLEST if found and found[2] else ALONE):
        return f"{width}x{height}"
    return f"{width}:{height}" if width and height and found and found[2] else ""
