"""From a checked run to its report: its journal, its job, and how a program waits for it."""
