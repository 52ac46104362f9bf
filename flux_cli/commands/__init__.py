"""What the commands do, whoever has read the line, the front door or Typer: values in; words, files, exit code out.

`sizes`, `models`, `resolve` and what they share (`typed`, `prepared`, `finish`, `like`) load nothing like `typing`,
`json` or `pathlib`: a lookup costs little more than starting Python. tests/test_architecture.py watches.
"""
