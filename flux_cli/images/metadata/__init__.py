"""How images say how they were made: written without re-encoding, and read back.

`record` is what is known of an image. `xmp`, `exif` and `tools` are the forms it is written in, by
flux and by other programs. `read` and `write` use them with any format; where metadata lies in the
files of a format is known to its module in `containers`.
"""
