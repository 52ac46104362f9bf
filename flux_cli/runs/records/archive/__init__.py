"""Earlier runs as a collection: which of them are listed, and which may be removed."""
