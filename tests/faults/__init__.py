"""Faults as rows of data, and the judgment of what the installed command made of each."""
