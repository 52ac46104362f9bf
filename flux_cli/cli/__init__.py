"""What can be typed: the Typer app and its options."""
