"""What stands in for the world: one fake server, dialects of providers, and a proxy."""
