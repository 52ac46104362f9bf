"""What the commands do: parsed values in; text, files, and an exit code out.

`main` or Typer parses the command line. `sizes`, `models`, `resolve` and the modules they share
(`request`, `config`, `catalog`) do not import `typing`, `json` or `pathlib`, so that a lookup takes
little longer than starting Python. tests/test_architecture.py checks this.
"""
