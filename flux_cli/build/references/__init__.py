"""Reference images of assets: files, URLs, and the originals of other assets."""
