"""Images as input: which are taken, how they are read and sent, and the size that follows them."""
