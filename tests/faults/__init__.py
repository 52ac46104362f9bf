"""Faults as rows of data, a server that plays them, and the judgement of what the installed command made of each."""
