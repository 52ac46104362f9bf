"""Generators for files made from the app and the catalog: one function per file."""
