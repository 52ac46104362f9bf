"""What stands in for the world: one fake server, the dialects of providers it can speak, and a proxy."""
