"""The rows of a lock: what was built for each asset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.core.lite import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from flux_cli.core.model import Json

    Facts: TypeAlias = Mapping[str, Json]


NO_DIGEST = "0" * 16  # of a request that no journal describes, or that is not resolved yet
STALE = "00000000"  # the digest of a file of an earlier image, which is to be made again


class File(NamedTuple):
    """One file that was made: how, and what it is."""

    output: str  # the digest of how it is made
    sha256: str
    bytes: int
    width: int | None = None  # in pixels; None for a file that is no image
    height: int | None = None


class Original(NamedTuple):
    """The image exactly as the provider returned it."""

    sha256: str
    bytes: int
    width: int
    height: int
    format: str

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.sha256}.{self.format}"


IN_FLIGHT = "in flight"  # the code of a request whose answer nobody has seen
ARRIVED = "not saved"  # the code of a request whose image was paid for, and is not here yet


class Trouble(NamedTuple):
    """A request that must not be repeated: refused, or with an unclear outcome."""

    request: str  # the digest
    run: str
    number: int
    code: str


class Row(NamedTuple):
    """What was built for one asset. Without `generated`, nothing was."""

    request: str
    resolved: str
    requested: Facts = {}  # noqa: RUF012 - never changed
    generated: Facts = {}  # noqa: RUF012 - never changed
    original: Original | None = None
    files: Mapping[str, File] = {}
    take: int = 1  # counts requests after --reroll
    adopted: bool = False  # a person accepted the files
    placeholder: bool = False  # the image is an offline sketch
    refused: Trouble | None = None
    unclear: Trouble | None = None
    pick: int = 0  # the candidate of which the files are made; 0 until a person picks one

    @property
    def is_made(self) -> bool:
        """Whether there is an image, however it came about."""
        return bool(self.files or self.original)
