"""Providers: what is sent to each of them, and how their answers are read."""
