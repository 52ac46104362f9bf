"""Turns command-line options into requests to a provider. Nothing is sent here."""
