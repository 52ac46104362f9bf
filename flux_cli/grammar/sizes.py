"""Made by scripts/generate from the Typer app: change that, not this.

The argument; the options (the name of the value, and what a flag says; None: the next word does); which values may be
said again; what holds where nothing is said; the groups of values the command's function takes, and single ones.
"""

ROW = ('shape',
 {'--model': ('model', None), '-m': ('model', None), '--json': ('as_json', True), '--plain': ('plain', True)},
 ('shape',),
 {'shape': None, 'model': None, 'as_json': False, 'plain': False},
 (),
 ('shape', 'model', 'as_json', 'plain'))
