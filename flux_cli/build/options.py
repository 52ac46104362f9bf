"""The options of `flux build` as typed, grouped by subject like those in `core/options.py`."""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple
from flux_cli.core.options import Reporting


class Mode(NamedTuple):
    """What to do with which manifests. Without a mode, the images are built."""

    manifests: list[str] | None = None
    plan: bool = False
    check: bool = False


class Selection(NamedTuple):
    """Which assets, by patterns of their names."""

    only: list[str] | None = None
    exclude: list[str] | None = None


class Limits(NamedTuple):
    """What a build may cost, and where it sends its requests."""

    max_cost: str | None = None
    provider: str | None = None
    base_url: str | None = None
    offline: bool = False


class BuildOptions(NamedTuple):
    """All options of `flux build`."""

    mode: Mode = Mode()
    selection: Selection = Selection()
    limits: Limits = Limits()
    reporting: Reporting = Reporting()
