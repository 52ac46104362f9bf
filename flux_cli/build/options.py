"""The options of `flux build` as typed, grouped by subject like those in `core/options.py`."""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple
from flux_cli.core.options import Reporting


class Mode(NamedTuple):
    """What to do with which manifests. Without a mode, the images are built."""

    manifests: list[str] | None = None
    plan: bool = False
    check: bool = False
    html: bool = False
    init: bool = False


class Selection(NamedTuple):
    """Which assets, by patterns of their names."""

    only: list[str] | None = None
    exclude: list[str] | None = None


class Limits(NamedTuple):
    """What a build may cost."""

    max_cost: str | None = None
    yes: bool = False
    partial: bool = False


class Access(NamedTuple):
    """Where requests are sent, how many at once, and how that is shown and logged."""

    provider: str | None = None
    base_url: str | None = None
    no_key: bool = False
    offline: bool = False
    concurrency: str | None = None
    timeout: str | None = None
    retries: str | None = None
    progress: str | None = None
    log_file: str | None = None


class Decisions(NamedTuple):
    """What a person decides about single assets and files."""

    reroll: list[str] | None = None
    adopt: list[str] | None = None
    pick: list[str] | None = None
    overwrite: bool = False
    prune: bool = False
    prune_originals: bool = False


class Review(NamedTuple):
    """Where people review the images."""

    report: str | None = None


class BuildOptions(NamedTuple):
    """All options of `flux build`."""

    mode: Mode = Mode()
    selection: Selection = Selection()
    limits: Limits = Limits()
    access: Access = Access()
    decisions: Decisions = Decisions()
    review: Review = Review()
    reporting: Reporting = Reporting()
