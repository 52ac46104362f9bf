"""Ends for scans of a JPEG that may be cut: noise that shows where pixels are missing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flux_cli.images.containers.container import Mending
from flux_cli.images.containers.parts import Edit, Part, start_of_padding

RESTARTS = tuple(bytes((0xFF, mark)) for mark in range(0xD0, 0xD8))
# What to end a scan with that was cut. If pixels are missing, it shows, because data that begins
# with other bits means other pixels. All eight beginnings of three bits are here.
NOISE = tuple(bytes((bits << 5 | 0x15, 0x92, 0x6D, 0x3C)) * 8 for bits in range(8))
SCAN = 0xDA
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # markers of frame headers
PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
COEFFICIENTS = 64  # of a block
MOST_CHANNELS = 4
MOST_SCANS = 1000  # that are looked at; a progressive JPEG has about ten
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")


def fill_scans(data: bytes, scans: Sequence[Part], changes: Sequence[Edit]) -> Mending:
    """The changes, and in addition all kinds of noise behind the data of the scans."""
    if not scans:
        return Mending([changes])
    versions: list[list[Edit]] = []
    shorter: list[list[Edit]] = []
    for noise in NOISE:
        fillings: list[Edit] = []
        early_fillings: list[Edit] = []
        for scan in scans:
            end = _end_of_pixels(data, scan)
            filling = _filling(data, scan.stop, end, noise)
            fillings.append(Edit(end, scan.end, filling))
            is_long = data[end - 2 : end - 1] == b"\xff"  # FF00 is one byte of data
            early = max(scan.stop, end - 1 - is_long)
            early_fillings.append(Edit(early, scan.end, filling))
        versions.append([*fillings, *changes])
        shorter.append([*early_fillings, *changes])
    return Mending(versions, shorter)


def _filling(data: bytes, start: int, end: int, noise: bytes) -> bytes:
    """Noise, and the next sixteen restarts with noise behind each: decoders wait for the next one.

    `start` to `end` is the data of the scan.
    """
    first = 0
    for found in _RESTART.finditer(data, start, end):
        first = data[found.start() + 1] - 0xD0 + 1
    restarts = [RESTARTS[(first + number) % 8] for number in range(16)]
    return noise + noise.join(restarts) + noise


def _end_of_pixels(data: bytes, scan: Part) -> int:
    """Where the data of a scan ends that may be cut: before half a mark, a restart, and padding."""
    end = start_of_padding(data, scan.stop, scan.end)
    if end < scan.end and data[end - 1 : end + 1] == b"\xff\0":
        end += 1  # one byte of data
    if data[end - 1 : end] == b"\xff":
        end -= 1
    elif _RESTART.match(data, end - 2, end):
        end -= 2
    return max(scan.stop, end)


def has_all_scans(data: bytes, parts: Sequence[Part]) -> bool:
    """Whether there is a scan for each channel, and for all its coefficients to the last bit."""
    frame = next((part for part in parts if part.kind[0] in FRAMES), None)
    if frame is None:
        return False
    is_progressive = frame.kind[0] in PROGRESSIVE
    channels = data[frame.body + 6 : frame.stop : 3][:MOST_CHANNELS]
    missing = {(channel, place) for channel in channels for place in range(COEFFICIENTS)}
    scans = [part for part in parts if part.kind[0] == SCAN]
    for part in scans[:MOST_SCANS]:
        count = min(data[part.body], MOST_CHANNELS)
        first, last, bits = data[part.stop - 3 : part.stop]
        if not is_progressive:
            first, last, bits = 0, COEFFICIENTS - 1, 0
        if bits & 15 == 0:
            for channel in data[part.body + 1 : part.body + 1 + 2 * count : 2]:
                missing -= {(channel, place) for place in range(first, last + 1)}
    return not missing
