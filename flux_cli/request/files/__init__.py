"""What a command line takes from files: prompts, images, and the record of an image."""
