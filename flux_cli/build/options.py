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
    merge: bool = False  # the parts of shards


class Selection(NamedTuple):
    """Which assets, by patterns of their names."""

    only: list[str] | None = None
    exclude: list[str] | None = None


class Machines(NamedTuple):
    """How a build is divided among machines, and what they share."""

    shard: str | None = None
    store: str | None = None
    ledger: str | None = None  # of JSON lines, in place of a lock
    on: str | None = None  # the engine that runs it


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


class Images(NamedTuple):
    """Keys of all assets in a file of JSON lines. With a manifest, they are refused."""

    model: str | None = None
    route: str | None = None
    size: str | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    raw: bool | None = None
    enhance_prompt: bool | None = None
    image_prompt: str | None = None
    image_prompt_strength: str | None = None
    safety_tolerance: str | None = None
    background: str | None = None
    output: str | None = None
    output_format: list[str] | None = None
    output_compression: str | None = None
    fit: str | None = None
    focus: str | None = None
    pad_color: str | None = None
    upscale: bool = False
    width: list[str] | None = None
    max_bytes: str | None = None
    lossless: bool = False
    effort: str | None = None
    no_metadata: bool = False
    no_prompt_metadata: bool = False
    sidecar: bool = False

    @property
    def given(self) -> dict[str, str | bool | list[str]]:
        """The options that were typed."""
        items = self._asdict().items()
        return {name: value for name, value in items if value is not None and value is not False}


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
    machines: Machines = Machines()
    images: Images = Images()
    review: Review = Review()
    reporting: Reporting = Reporting()
