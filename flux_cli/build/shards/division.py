"""Divides a build: which assets a shard makes, what it may spend, how much it may send at once.

Every shard computes the same from the same manifest and lock, so nothing is coordinated. Names
alone decide, so that an asset stays where it is when others come and go. The largest shard has more
assets than the mean by a factor of 1.08 (200 assets in 4 shards), 1.30 (200 in 10), 1.08 (10,000 in
16), or 1.21 (10,000 in 100).
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from flux_cli.core.lite import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flux_cli.build.manifest.expansion import Asset

BITS = 256  # of a digest


class Shard(NamedTuple):
    """One of several parts of a build, counted from 1."""

    number: int
    shards: int

    @property
    def text(self) -> str:
        """As it is typed."""
        return f"{self.number}/{self.shards}"


class Part(NamedTuple):
    """What requests are expected to cost: those of one shard, and those of all together."""

    own_usd: float
    all_usd: float
    is_known: bool = True  # whether every price is


def shard_of(name: str, count: int) -> int:
    """The shard of a name, counted from 1."""
    digest = sha256(name.encode("utf-8", "surrogatepass")).digest()
    return (count * int.from_bytes(digest) >> BITS) + 1


def group_names(names: Iterable[str], links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The smallest name among all that are linked with a name, by name."""
    groups = {name: name for name in names}
    for one, other in links:
        first, second = sorted((_smallest(one, groups), _smallest(other, groups)))
        groups[second] = first
    return {name: _smallest(name, groups) for name in groups}


def links(assets: Mapping[str, Asset]) -> Iterator[tuple[str, str]]:
    """Pairs of assets that one shard must make: one needs the other, or both share one image."""
    found: dict[str, str] = {}
    for name, asset in assets.items():
        if asset.of:
            yield name, asset.of
        for needed in asset.settings.needs:
            yield name, needed
        if asset.seed is not None:
            yield name, found.setdefault(asset.request, name)


def manifest_digest(assets: Mapping[str, Asset]) -> str:
    """A digest of what a manifest says: of the requests and files, not of their order."""
    facts = sorted(
        f"{name}\n{asset.request}\n{sorted(asset.files.items())}" for name, asset in assets.items()
    )
    return digest_of("\n".join(facts))


def digest_of(text: str) -> str:
    """The digest of a text, as a lock writes them."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _smallest(name: str, groups: dict[str, str]) -> str:
    """The name at the end of a chain, which gets shorter on the way."""
    while groups[name] != name:
        groups[name] = groups[groups[name]]
        name = groups[name]
    return name


def in_shard(name: str, shard: Shard, groups: Mapping[str, str]) -> bool:
    """Whether a name belongs to a shard. One without a group stands for itself."""
    return shard_of(groups.get(name, name), shard.shards) == shard.number


def share_of_limit(limit: float, shard: Shard, part: Part) -> float:
    """What a shard may spend, in USD: in proportion to its cost, equal if that is not known."""
    if part.is_known and part.all_usd:
        return limit * (part.own_usd / part.all_usd)
    return limit / shard.shards


def share_of_rate(total: int, shard: Shard) -> int:
    """How many of so many requests at once a shard may have: 24 over 10 are 3 (four times) or 2."""
    each, rest = divmod(total, shard.shards)
    return each + (shard.number <= rest)
