"""What leads to images and back: color, scale, crop, encoding."""
