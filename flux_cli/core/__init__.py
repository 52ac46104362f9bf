"""The pure core: everything that decides. Standard library only; no I/O, clock, environment or randomness."""
