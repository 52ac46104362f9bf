"""What a spelling is."""

from typing import NamedTuple


class Spelling(NamedTuple):
    """One option on the command line. The flags are separated by blanks."""

    flags: str
    metavar: str  # the placeholder of its value; "" for a switch
    help: str
