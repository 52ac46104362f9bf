"""`flux serve`."""
