"""Encodes pixels as files of every format."""
