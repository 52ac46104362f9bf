"""What is made from the app and the catalog at development time: one function a file, each returning its text."""
