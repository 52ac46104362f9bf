"""Pixels: decodes, crops, scales and encodes images.

`render` makes the outputs of an image; `color`, `crop`, `resize` and `encoding` are its steps.
`mask` makes the masks of requests, and `thumbnails` small copies for people to look at. Only this
folder and the offline painter import Pillow.
"""
