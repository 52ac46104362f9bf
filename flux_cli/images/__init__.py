"""Image files: formats, names, outputs, containers, metadata and pixels."""
