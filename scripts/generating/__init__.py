"""What is made from the app and the catalogue at development time: one function a file, each returning its text."""
