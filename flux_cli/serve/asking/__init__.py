"""What clients ask for, and who may ask."""
