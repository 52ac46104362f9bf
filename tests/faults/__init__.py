"""Faults as rows of data, a server that plays them, and the judgment of what the installed command made of each."""
