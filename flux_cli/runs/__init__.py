"""A run and its money: check, send, finish, save, journal, report."""
