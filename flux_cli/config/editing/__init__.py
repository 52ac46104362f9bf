"""Changes to the user's own files, one line at a time."""
