"""The lock: the committed record of what was built."""
