"""`flux config` and the commands below it."""
