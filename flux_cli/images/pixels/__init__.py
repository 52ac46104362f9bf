"""Pixels: decodes, crops, scales and encodes images.

`render` makes the outputs of an image; `color`, `crop`, `resize`, `palette` and `encode` are its
steps. `thumbnails` makes small copies for people to look at. Only this folder and the offline
painter import Pillow.
"""
