"""What leads to pictures and back: colour, scale, crop, encoding."""
