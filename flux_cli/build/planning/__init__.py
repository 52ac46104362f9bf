"""Planning: compares manifest, lock and disk, and says what to do for each asset, and why."""
