"""Pixels: decode images, crop, scale and encode them. The owner of Pillow, beside the painter.

`render` makes files of an image; `color`, `crop`, `resize`, `palette` and `encode` are its steps.
`thumbnails` makes small copies for people to look at.
"""
