"""flux: images from a text prompt, on the command line."""

__version__ = "0.1.0"
