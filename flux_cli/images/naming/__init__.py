"""Names of files that come from text."""
