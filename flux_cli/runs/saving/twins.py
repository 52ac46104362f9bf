"""Finds images of a run that arrived with the same bytes.

Some servers repeat their seed, and answer every request with the same image.
"""

from __future__ import annotations

from hashlib import blake2b

SHOWN = 3  # paths in a remark
END = 1 << 14  # bytes


def fingerprint(data: bytes) -> bytes:
    """A short value that equal images share, and others do not.

    Of a large image, its size, beginning and end are enough: hashing all of it would take longer
    than saving it.
    """
    ends = data if len(data) <= 2 * END else data[:END] + data[-END:]
    return blake2b(b"%d:%b" % (len(data), ends), digest_size=16).digest()


class Twins:
    """The images of one run, by their bytes."""

    def __init__(self) -> None:
        self._paths: dict[bytes, list[tuple[int, str]]] = {}

    def add(self, mark: bytes, number: int, path: str) -> None:
        """Note that a request made the image with this fingerprint, which was saved in a file."""
        self._paths.setdefault(mark, []).append((number, path))

    @property
    def remarks(self) -> tuple[str, ...]:
        """One sentence for each group of images that are the same, in the order of requests."""
        groups = (sorted(made) for made in self._paths.values() if len(made) > 1)
        return tuple(map(_describe, groups))


def _describe(made: list[tuple[int, str]]) -> str:
    paths = [path for _, path in made]
    named, more = ", ".join(paths[:SHOWN]), len(paths) - SHOWN
    rest = f" and {more} more" if more > 0 else ""
    return f"{len(paths)} images are identical, byte for byte: {named}{rest}"
