"""Shared stores: originals and claims of several machines, and outputs at addresses."""
