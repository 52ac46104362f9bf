"""The options of `flux convert` as typed, grouped by subject like those in `core/options.py`."""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple
from flux_cli.core.options import Finish, Output, Reporting


class Conversion(NamedTuple):
    """Options that only `flux convert` has."""

    files: list[str] | None = None
    size: str | None = None
    output: str | None = None
    output_compression: str | None = None
    alt: str | None = None
    no_metadata: bool = False
    no_prompt_metadata: bool = False


class ConvertOptions(NamedTuple):
    """All options of `flux convert`."""

    conversion: Conversion = Conversion()
    output: Output = Output()
    finish: Finish = Finish()
    reporting: Reporting = Reporting()
