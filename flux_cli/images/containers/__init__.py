"""Containers: how the files of each format are built. One module per format, one walk over its parts."""
