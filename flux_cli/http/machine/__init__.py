"""What this machine says about reaching the network: its proxies, and whom it trusts."""

import os
import sys


def may_name_proxies() -> bool:
    """Whether the environment, or the settings of the system, may name proxies.

    Where they cannot, `proxies` need not be imported: few runs use any.
    """
    if sys.platform != "linux":
        return True
    return any(name.lower().endswith("_proxy") for name in os.environ)
