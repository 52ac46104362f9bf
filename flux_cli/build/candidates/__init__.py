"""Candidates: several originals for one asset, of which a person picks one."""
