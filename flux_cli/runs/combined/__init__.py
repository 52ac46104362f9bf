"""Runs of several parts: several models, prompts, or values. Runs of one part load none of it."""
