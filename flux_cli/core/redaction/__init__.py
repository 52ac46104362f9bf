"""Finds keys in texts in which nobody can rule them out at a glance."""
