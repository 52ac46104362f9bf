"""Progress of a run: as plain lines, moving on a terminal, and in a log file."""
