"""What a file that is made anew takes over of the metadata of its image, and what it loses.

`carried` reads it, `cargo` packs it for a format, and `prompts` leaves prompts out of bytes.
"""
