"""What is answered: images, documents, refusals, and the page."""
