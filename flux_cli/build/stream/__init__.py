"""Builds from JSON lines: any number of assets in constant memory, recorded in a ledger."""
