"""Shards: parts of one build that several machines make without talking to each other."""
