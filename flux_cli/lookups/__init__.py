"""What `sizes`, `models` and `resolve` answer, as text: the same whether the front door or Typer was asked.

Nothing here is paid, sent or drawn. These modules and all they load stay free of `typing`, `json`, `pathlib` and
everything heavier: a lookup costs little more than starting Python. tests/test_architecture.py watches.
"""
