"""Encodes images as escape sequences for terminals: kitty, iTerm2, sixel, half blocks."""

import base64
import re
from collections.abc import Sequence

ESC = "\x1b"
ST = f"{ESC}\\"
CHUNK = 4096  # characters of base64 per piece in kitty's protocol
BAND = 6  # rows of pixels in one row of sixels
EMPTY = 63  # the sixel with no pixel set; set pixels add 1, 2, 4 ... 32
END = f"{ST}{ESC}[0m"  # ends an image that was interrupted
Color = tuple[int, int, int]

_RUN = re.compile(rb"(.)\1{3,}", re.DOTALL)  # counting shorter runs would not save anything


def kitty(png: bytes, columns: int) -> str:
    """A PNG in kitty's graphics protocol, scaled to `columns` cells.

    q=2: the terminal sends no answer. m=1: more pieces follow.
    Source: https://sw.kovidgoyal.net/kitty/graphics-protocol/
    """
    text = base64.b64encode(png).decode()
    sequences = []
    for start in range(0, len(text), CHUNK):
        keys = "q=2" if start else f"a=T,f=100,q=2,c={columns}"
        end = start + CHUNK
        more = 1 if end < len(text) else 0
        sequences.append(f"{ESC}_G{keys},m={more};{text[start:end]}{ST}")
    return "".join(sequences)


def iterm(file: bytes, columns: int, rows: int) -> str:
    """An image file in iTerm2's inline protocol, inside `columns` × `rows` cells.

    Source: https://iterm2.com/documentation-images.html
    """
    settings = f"inline=1;size={len(file)};width={columns};height={rows};preserveAspectRatio=1"
    return f"{ESC}]1337;File={settings}:{base64.b64encode(file).decode()}\a"


def sixel(pixels: bytes, width: int, palette: Sequence[Color]) -> str:
    """Pixels as sixels. One byte per pixel is its palette index.

    A band is six rows. It is drawn once per color, with repeated sixels counted.

    Source: VT330/VT340 Programmer Reference Manual, volume 2, chapter 14.
    """
    rows = [pixels[start : start + width] for start in range(0, len(pixels), width)]
    bands = (_band(rows[top : top + BAND], width) for top in range(0, len(rows), BAND))
    colors = "".join(f"#{index};2;{_percent(color)}" for index, color in enumerate(palette))
    return f'{ESC}Pq"1;1;{width};{len(rows)}{colors}{"-".join(bands)}{ST}'


def _percent(color: Color) -> str:
    return ";".join(str(round(part * 100 / 255)) for part in color)


def _band(rows: Sequence[bytes], width: int) -> str:
    """Up to six rows, drawn once per color. `$` goes back to the left edge."""
    used = sorted(set().union(*rows))
    return "$".join(f"#{color}{_places(rows, color, width)}" for color in used)


def _places(rows: Sequence[bytes], color: int, width: int) -> str:
    """One sixel per column: a bit per row where the color is, the top row as the lowest bit."""
    only = bytes(color) + b"\1" + bytes(255 - color)
    bits = 0
    for number, row in enumerate(rows):
        if color in row:
            bits |= int.from_bytes(row.translate(only)) << number
    sixels = bits.to_bytes(width).translate(_LIFTED).rstrip(bytes([EMPTY]))
    return _RUN.sub(lambda run: b"!%d%c" % (len(run[0]), run[0][0]), sixels).decode()


def half_blocks(pixels: bytes, width: int, *, numbered: bool = False) -> str:
    """Lines of `▀`: the upper pixel of each cell is its foreground, the lower one its background.

    A pixel is three bytes, or if `numbered` one: the number of one of the terminal's 256 colors.
    The number of rows must be even.
    """
    if numbered:
        codes = [f"5;{number}" for number in pixels]
    else:
        colors = zip(pixels[::3], pixels[1::3], pixels[2::3], strict=True)
        codes = [f"2;{red};{green};{blue}" for red, green, blue in colors]
    rows = [codes[start : start + width] for start in range(0, len(codes), width)]
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return "\n".join(_line(upper, lower) for upper, lower in pairs)


def _line(upper: Sequence[str], lower: Sequence[str]) -> str:
    """One line of cells. Colors are written only where they change."""
    line, foreground, background = "", "", ""
    for above, below in zip(upper, lower, strict=True):
        changed = []
        if above != foreground:
            changed.append(f"38;{above}")
        if below != background:
            changed.append(f"48;{below}")
        line += f"{ESC}[{';'.join(changed)}m▀" if changed else "▀"
        foreground, background = above, below
    return f"{line}{ESC}[0m"


_LIFTED = bytes((EMPTY + bits) % 256 for bits in range(256))
