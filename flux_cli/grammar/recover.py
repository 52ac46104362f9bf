"""Made by scripts/generate from the Typer app: change that, not this.

The argument; the options (the name of the value, and what a flag says; None: the next word does); which values may be
said again; what holds where nothing is said; the groups of values the command's function takes, and single ones.
"""

ROW = ('run',
 {'--json': ('as_json', True), '--verbose': ('verbose', True), '-v': ('verbose', True)},
 (),
 {'run': None, 'as_json': False, 'verbose': False},
 (),
 ('run', 'as_json', 'verbose'))
