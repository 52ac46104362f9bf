"""Made by scripts/generate from the Typer app: change that, not this.

The commands of which the front door can read a line (a module each), which of the names of their values are parameters
of a model, and which say how files are made.
"""

COMMANDS = ('generate', 'resolve', 'convert', 'show', 'runs', 'recover', 'sizes', 'models')
PARAMETERS = ('size',
 'aspect_ratio',
 'resolution',
 'n',
 'seed',
 'raw',
 'enhance_prompt',
 'image_prompt',
 'image_prompt_strength',
 'safety_tolerance',
 'response_format',
 'sync_mode',
 'output_compression')
FINISHING = ('fit', 'focus', 'upscale', 'width', 'max_bytes', 'lossless', 'effort', 'keep_original', 'html')
