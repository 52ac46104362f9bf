"""Settings, keys, and the folders they are in."""
