"""The catalog: models and kinds of servers as data, and the code that reads them."""
