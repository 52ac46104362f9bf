"""The containers of image formats: what bytes are, and whether they are whole."""
