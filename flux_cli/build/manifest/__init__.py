"""The manifest: its keys, its strict reader, and its expansion into assets."""
