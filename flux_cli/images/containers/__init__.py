"""Containers: the file structure of each format. One module per format; each walks a file once."""
