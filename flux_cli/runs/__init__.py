"""A run from start to end: check, send, finish, save, journal, report."""
