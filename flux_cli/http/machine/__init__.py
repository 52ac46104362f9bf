"""What this machine says about reaching the network: its proxies, and whom it trusts."""
