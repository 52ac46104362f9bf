"""The records of runs on disk, so that no paid image is lost."""
