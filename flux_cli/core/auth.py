"""A key, and where it may be sent."""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.text import Secret


class Auth(NamedTuple):
    """A key, how it is sent, and the only places it may be sent to.

    These are the configured URL and, over https, the provider's own hosts.
    """

    key: Secret
    variable: str  # the environment variable of the key, for hints
    base: str
    header: str  # this and the next come from the provider's row
    prefix: str
    hosts: tuple[str, ...] = ()  # "api.bfl.ai", or "*.bfl.ai" for every name below it
    page: str = ""  # where people get keys and add credit, for hints
