"""From received images to finished files."""
