"""Makes ICC profiles for color spaces that a container names by numbers.

Pixels keep their values, and every format with profiles keeps their colors. Sources: ICC.1:2022
(7.2 header, 10.6 curv, 10.18 para), ITU-T H.273 (8.1 primaries, 8.2 transfers), ITU-R BT.2100 (PQ,
HLG), BT.2408 (the white of SDR in HDR).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TypeAlias

from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers.container import HDR, Colors, color_space

Vector: TypeAlias = tuple[float, float, float]
Matrix: TypeAlias = tuple[Vector, Vector, Vector]

D65, C, E, THEATER = (0.3127, 0.3290), (0.310, 0.316), (1 / 3, 1 / 3), (0.314, 0.351)
BT709 = (*D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
# By their numbers in H.273: x and y of white, red, green and blue.
PRIMARIES = {
    1: BT709,
    4: (*C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    7: (*D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    8: (*C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    10: (*E, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
    11: (*THEATER, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0, 17: 2.6}  # by transfer; all others are shown like sRGB
SAME = 0.005  # differences of primaries and exponents that nobody sees
D50: Vector = (0.9642, 1.0, 0.8249)  # the white of profiles
BRADFORD: Matrix = (
    (0.8951, 0.2664, -0.1614),
    (-0.7502, 1.7135, 0.0367),
    (0.0389, -0.0685, 1.0296),
)
STEPS = 4096  # of a curve that no formula of ICC describes
SDR_WHITE = 203  # candelas per square meter; brighter light is cut
HLG_WHITE = 0.75  # the value of that light in HLG
GAMMA_HLG = 1.2  # from the light of the scene to that of a screen with 1,000 cd/m²


class Space(NamedTuple):
    """A color space: its name, its primaries as in PRIMARIES, and its curve as an ICC element."""

    name: str
    chroma: tuple[float, ...]
    curve: bytes


def profile_of(colors: Colors) -> bytes:
    """The profile for what a container says about colors; empty for sRGB and what is unknown.

    That of an HDR image cuts what is brighter than white, so it only serves to convert pixels.
    """
    space = _by_codes(*colors.codes) if colors.codes else _by_numbers(colors)
    if space is None:
        return b""
    try:
        return _profile(space)
    except ZeroDivisionError:  # primaries that are none
        return b""


def _by_codes(primaries: int, transfer: int) -> Space | None:
    chroma = PRIMARIES.get(primaries, BT709)
    name = color_space(primaries, transfer) or f"primaries {primaries}, transfer {transfer}"
    if transfer in HDR:
        return Space(name, chroma, _table(_pq if HDR[transfer] == "PQ" else _hlg))
    if transfer in GAMMAS:
        return Space(name, chroma, _power(GAMMAS[transfer]))
    return Space(name, chroma, _srgb()) if chroma != BT709 else None


def _by_numbers(colors: Colors) -> Space | None:
    """The space of a PNG with gAMA or cHRM, unless it is sRGB as far as anybody can see."""
    chroma, gamma = colors.chroma or BT709, colors.gamma or None  # 0 says nothing
    if not 0.1 <= (gamma or 1) <= 10 or not all(0 <= part <= 1 for part in chroma):
        return None
    is_srgb = gamma is None or abs(gamma - 1 / 2.2) < SAME
    if is_srgb and all(abs(a - b) < SAME for a, b in zip(chroma, BT709, strict=True)):
        return None
    curve = _srgb() if gamma is None else _power(1 / gamma)
    return Space("PNG gAMA and cHRM", chroma, curve)


def _pq(value: float) -> float:
    """Light of a PQ value, 1 for the white of SDR."""
    power = value ** (1 / 78.84375)
    light = max(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
    return float(10_000 * light ** (1 / 0.1593017578125) / SDR_WHITE)


def _hlg(value: float) -> float:
    """Light of an HLG value on a screen, 1 for the white of SDR."""
    return float((_hlg_scene(value) / _hlg_scene(HLG_WHITE)) ** GAMMA_HLG)


def _hlg_scene(value: float) -> float:
    from math import exp

    if value <= 0.5:
        return value * value / 3
    return (exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12


def _table(light: Callable[[float], float]) -> bytes:
    values = [round(65_535 * min(1.0, light(step / (STEPS - 1)))) for step in range(STEPS)]
    return struct.pack(f">4s4xI{STEPS}H", b"curv", STEPS, *values)


def _power(exponent: float) -> bytes:
    return struct.pack(">4s4xHxx", b"para", 0) + _fixed(exponent)


def _srgb() -> bytes:
    parts = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    return struct.pack(">4s4xHxx", b"para", 3) + _fixed(*parts)


def _profile(space: Space) -> bytes:
    """A display profile, version 4.3. Raises ZeroDivisionError for primaries that span nothing."""
    red, green, blue = _columns(_to_d50(space.chroma))
    tags = {
        b"desc": _text(space.name),
        b"cprt": _text("No copyright"),
        b"wtpt": _xyz(D50),
        b"rXYZ": _xyz(red),
        b"gXYZ": _xyz(green),
        b"bXYZ": _xyz(blue),
        b"rTRC": space.curve,
        b"gTRC": space.curve,
        b"bTRC": space.curve,
    }
    start = 128 + 4 + 12 * len(tags)
    table, body, places = struct.pack(">I", len(tags)), b"", dict[bytes, int]()
    for name, content in tags.items():
        if content not in places:
            places[content] = start + len(body)
            body += content + bytes(-len(content) % 4)
        table += name + struct.pack(">II", places[content], len(content))
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"", 0x04300000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp").ljust(44, b"\0")
    return head + _fixed(*D50).ljust(60, b"\0") + table + body


def _to_d50(chroma: Sequence[float]) -> Matrix:
    """From linear RGB to XYZ, adapted from the white of the space to that of profiles."""
    white, *primaries = (_light(*chroma[at : at + 2]) for at in (0, 2, 4, 6))
    matrix = _columns((primaries[0], primaries[1], primaries[2]))
    scales = _apply(_inverse(matrix), white)
    matrix = _scaled(matrix, scales)
    cones, wanted = _apply(BRADFORD, white), _apply(BRADFORD, D50)
    ratios = wanted[0] / cones[0], wanted[1] / cones[1], wanted[2] / cones[2]
    adapted = _times(_scaled(_inverse(BRADFORD), ratios), BRADFORD)
    return _times(adapted, matrix)


def _light(x: float, y: float) -> Vector:
    """XYZ of a color with the luminance 1."""
    return x / y if y else x / 1e-6, 1.0, (1 - x - y) / (y or 1e-6)


def _apply(matrix: Matrix, vector: Sequence[float]) -> Vector:
    first, second, third = (sum(map(float.__mul__, row, vector)) for row in matrix)
    return first, second, third


def _columns(matrix: Matrix) -> Matrix:
    """The transposed matrix."""
    first, second, third = zip(*matrix, strict=True)
    return first, second, third


def _scaled(matrix: Matrix, factors: Vector) -> Matrix:
    """The matrix with its columns multiplied by three factors."""
    first, second, third = (tuple(map(float.__mul__, row, factors)) for row in matrix)
    return first, second, third  # type: ignore[return-value] # rows of three


def _times(one: Matrix, other: Matrix) -> Matrix:
    first, second, third = (_apply(one, column) for column in _columns(other))
    return _columns((first, second, third))


def _inverse(matrix: Matrix) -> Matrix:
    """The inverse by cofactors. Raises ZeroDivisionError for a singular matrix."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    cofactors = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    size = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0]
    return _scaled(cofactors, (1 / size, 1 / size, 1 / size))


def _fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65_536) for value in values))


def _xyz(vector: Vector) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*vector)


def _text(text: str) -> bytes:
    body = text.encode("utf-16-be")
    return struct.pack(">4s4xII4sII", b"mluc", 1, 12, b"enUS", len(body), 28) + body
