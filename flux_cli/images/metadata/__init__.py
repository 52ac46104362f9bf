"""Metadata about how an image was made: written without re-encoding, and read back.

`record` holds what is known about an image. `xmp`, `exif` and `tools` are the forms in which flux
and other programs write it. `read` and `write` work with every format; the modules in `containers`
know where the metadata of their format is.
"""
