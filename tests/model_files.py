"""A small model file, to which tests add what they are about."""

from pathlib import Path

HEAD = """
id = "small"
name = "Small"
vendor = "Somebody"
summary = "A model"
default_size = "1024x1024"
"""
ONE_SIZE = 'sizes = [{ size = "1024x1024", aspect_ratio = "1:1", resolution = "1K" }]\n'


def write_model(folder: Path, text: str | bytes, name: str = "small") -> Path:
    """Write a model file, and return its path."""
    path = folder / f"{name}.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
