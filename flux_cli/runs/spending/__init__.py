"""The money of a run: what may be spent, what must be confirmed, and what the gateway asks."""
