"""Carries out a plan: requests, files made from originals, moves, and what is deleted."""
