"""Providers: the requests that are sent to each of them, and how their answers are read."""
