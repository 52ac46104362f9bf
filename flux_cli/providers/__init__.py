"""Dialect protocols: what is sent to a provider, and how its answers are read."""
