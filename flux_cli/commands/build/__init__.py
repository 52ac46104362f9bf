"""`flux build`: connects manifests, locks, plans and runs."""
