"""Settings, keys, and the folders they lie in."""
