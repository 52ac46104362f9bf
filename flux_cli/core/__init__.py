"""Data and functions that every part of flux uses.

Standard library only; no I/O, clock, environment or randomness.
"""
