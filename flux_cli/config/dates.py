"""The time that is written into image files, beside them, and into their names.

`SOURCE_DATE_EPOCH` replaces the clock, as reproducible-builds.org describes it. Journals and logs
always use the clock: they tell when something happened.
"""

from __future__ import annotations

import os
import time

from flux_cli.core.errors import ConfigError
from flux_cli.core.text import variable_text
from flux_cli.core.values import shorten

VARIABLE = "SOURCE_DATE_EPOCH"
LATEST = 253_402_300_799  # seconds; the last of the year 9999


def timestamp() -> str:
    """The time to write into files: UTC in ISO 8601. Raises ConfigError for a bad variable."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_chosen_seconds()))


def time_of_names() -> time.struct_time:
    """The time for file names: local, or UTC if the variable is set. Raises ConfigError."""
    seconds = _chosen_seconds()
    return time.localtime() if seconds is None else time.gmtime(seconds)


def _chosen_seconds() -> int | None:
    """The seconds since 1970 that the variable names; None without it."""
    text = variable_text(os.environ, VARIABLE)
    if not text:
        return None
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(LATEST))
    if not is_number or int(text) > LATEST:
        message = f"{VARIABLE} must be a number of seconds since 1970, not {shorten(text)!r}"
        raise ConfigError(message, hint="set it to what `date +%s` prints, or unset it")
    return int(text)
