"""Made by scripts/generate from the Typer app: change that, not this. `main.py` reads plain lines by it."""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple
from flux_cli.core.options import ConvertOptions, GenerateOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Line(NamedTuple):
    """How the line of one command is read."""

    argument: str  # the field of words without a dash
    flags: dict[str, tuple[str, bool | None]]  # flag -> its field, and what a switch says (None: it takes a value)
    repeatable: tuple[str, ...]  # fields that may be given several times
    defaults: dict[str, Any]  # of every field
    options: type[Any] | None  # the noun that the command takes as `options`
    own: tuple[str, ...]  # fields that it takes on their own


LINES = {
    'generate': Line('prompt', {'--size': ('size', None), '-s': ('size', None), '--aspect-ratio': ('aspect_ratio', None), '-a': ('aspect_ratio',
None), '--resolution': ('resolution', None), '-r': ('resolution', None), '--model': ('model', None), '-m': ('model',
None), '--route': ('route', None), '-n': ('n', None), '--n': ('n', None), '--seed': ('seed', None), '--raw': ('raw',
True), '--enhance-prompt': ('enhance_prompt', True), '--image-prompt': ('image_prompt', None),
'--image-prompt-strength': ('image_prompt_strength', None), '--safety-tolerance': ('safety_tolerance', None),
'--response-format': ('response_format', None), '--sync-mode': ('sync_mode', True), '--like': ('like', None),
'--param': ('param', None), '-p': ('param', None), '--output': ('output', None), '-o': ('output', None),
'--output-format': ('output_format', None), '--format': ('output_format', None), '-f': ('output_format', None),
'--output-compression': ('output_compression', None), '--quality': ('output_compression', None), '-q':
('output_compression', None), '--overwrite': ('overwrite', True), '--skip-existing': ('skip_existing', True),
'--json': ('as_json', True), '--preview': ('preview', True), '--sheet': ('sheet', True), '--sheet-output':
('sheet_output', None), '--concurrency': ('concurrency', None), '--timeout': ('timeout', None), '--retries':
('retries', None), '--dry-run': ('dry_run', True), '--max-cost': ('max_cost', None), '--yes': ('yes', True), '-y':
('yes', True), '--quiet': ('quiet', True), '--verbose': ('verbose', True), '-v': ('verbose', True), '--progress':
('progress', None), '--log-file': ('log_file', None), '--provider': ('provider', None), '--base-url': ('base_url',
None), '--no-key': ('no_key', True), '--offline': ('offline', True), '--no-badge': ('no_badge', True), '--fit':
('fit', None), '--focus': ('focus', None), '--upscale': ('upscale', True), '--width': ('width', None),
'--max-bytes': ('max_bytes', None), '--lossless': ('lossless', True), '--effort': ('effort', None),
'--keep-original': ('keep_original', True), '--html': ('html', True), '--no-metadata': ('no_metadata', True),
'--no-prompt-metadata': ('no_prompt_metadata', True), '--sidecar': ('sidecar', True), '--no-raw': ('raw', False),
'--no-enhance-prompt': ('enhance_prompt', False), '--no-sync-mode': ('sync_mode', False), '--no-preview':
('preview', False)}, ('prompt', 'param', 'output_format', 'width'), {'prompt': None, 'size': None, 'aspect_ratio': None, 'resolution': None, 'model': None, 'route': None, 'n': None,
'seed': None, 'raw': None, 'enhance_prompt': None, 'image_prompt': None, 'image_prompt_strength': None,
'safety_tolerance': None, 'response_format': None, 'sync_mode': None, 'like': None, 'param': None, 'output': None,
'output_format': None, 'output_compression': None, 'overwrite': False, 'skip_existing': False, 'as_json': False,
'preview': None, 'sheet': False, 'sheet_output': None, 'concurrency': None, 'timeout': None, 'retries': None,
'dry_run': False, 'max_cost': None, 'yes': False, 'quiet': False, 'verbose': False, 'progress': None, 'log_file':
None, 'provider': None, 'base_url': None, 'no_key': False, 'offline': False, 'no_badge': False, 'fit': None,
'focus': None, 'upscale': False, 'width': None, 'max_bytes': None, 'lossless': False, 'effort': None,
'keep_original': False, 'html': False, 'no_metadata': False, 'no_prompt_metadata': False, 'sidecar': False}, GenerateOptions, ()),
    'resolve': Line('prompt', {'--size': ('size', None), '-s': ('size', None), '--aspect-ratio': ('aspect_ratio', None), '-a': ('aspect_ratio',
None), '--resolution': ('resolution', None), '-r': ('resolution', None), '--model': ('model', None), '-m': ('model',
None), '--route': ('route', None), '-n': ('n', None), '--n': ('n', None), '--seed': ('seed', None), '--raw': ('raw',
True), '--enhance-prompt': ('enhance_prompt', True), '--image-prompt': ('image_prompt', None),
'--image-prompt-strength': ('image_prompt_strength', None), '--safety-tolerance': ('safety_tolerance', None),
'--response-format': ('response_format', None), '--sync-mode': ('sync_mode', True), '--like': ('like', None),
'--param': ('param', None), '-p': ('param', None), '--output': ('output', None), '-o': ('output', None),
'--output-format': ('output_format', None), '--format': ('output_format', None), '-f': ('output_format', None),
'--output-compression': ('output_compression', None), '--quality': ('output_compression', None), '-q':
('output_compression', None), '--overwrite': ('overwrite', True), '--skip-existing': ('skip_existing', True),
'--json': ('as_json', True), '--preview': ('preview', True), '--sheet': ('sheet', True), '--sheet-output':
('sheet_output', None), '--concurrency': ('concurrency', None), '--timeout': ('timeout', None), '--retries':
('retries', None), '--dry-run': ('dry_run', True), '--max-cost': ('max_cost', None), '--yes': ('yes', True), '-y':
('yes', True), '--quiet': ('quiet', True), '--verbose': ('verbose', True), '-v': ('verbose', True), '--progress':
('progress', None), '--log-file': ('log_file', None), '--provider': ('provider', None), '--base-url': ('base_url',
None), '--no-key': ('no_key', True), '--offline': ('offline', True), '--no-badge': ('no_badge', True), '--fit':
('fit', None), '--focus': ('focus', None), '--upscale': ('upscale', True), '--width': ('width', None),
'--max-bytes': ('max_bytes', None), '--lossless': ('lossless', True), '--effort': ('effort', None),
'--keep-original': ('keep_original', True), '--html': ('html', True), '--no-metadata': ('no_metadata', True),
'--no-prompt-metadata': ('no_prompt_metadata', True), '--sidecar': ('sidecar', True), '--curl': ('curl', True),
'--no-raw': ('raw', False), '--no-enhance-prompt': ('enhance_prompt', False), '--no-sync-mode': ('sync_mode',
False), '--no-preview': ('preview', False)}, ('prompt', 'param', 'output_format', 'width'), {'prompt': None, 'size': None, 'aspect_ratio': None, 'resolution': None, 'model': None, 'route': None, 'n': None,
'seed': None, 'raw': None, 'enhance_prompt': None, 'image_prompt': None, 'image_prompt_strength': None,
'safety_tolerance': None, 'response_format': None, 'sync_mode': None, 'like': None, 'param': None, 'output': None,
'output_format': None, 'output_compression': None, 'overwrite': False, 'skip_existing': False, 'as_json': False,
'preview': None, 'sheet': False, 'sheet_output': None, 'concurrency': None, 'timeout': None, 'retries': None,
'dry_run': False, 'max_cost': None, 'yes': False, 'quiet': False, 'verbose': False, 'progress': None, 'log_file':
None, 'provider': None, 'base_url': None, 'no_key': False, 'offline': False, 'no_badge': False, 'fit': None,
'focus': None, 'upscale': False, 'width': None, 'max_bytes': None, 'lossless': False, 'effort': None,
'keep_original': False, 'html': False, 'no_metadata': False, 'no_prompt_metadata': False, 'sidecar': False, 'curl':
False}, GenerateOptions, ('curl',)),
    'convert': Line('files', {'--size': ('size', None), '-s': ('size', None), '--output': ('output', None), '-o': ('output', None),
'--output-format': ('output_format', None), '--format': ('output_format', None), '-f': ('output_format', None),
'--output-compression': ('output_compression', None), '--quality': ('output_compression', None), '-q':
('output_compression', None), '--overwrite': ('overwrite', True), '--skip-existing': ('skip_existing', True),
'--json': ('as_json', True), '--quiet': ('quiet', True), '--verbose': ('verbose', True), '-v': ('verbose', True),
'--fit': ('fit', None), '--focus': ('focus', None), '--upscale': ('upscale', True), '--width': ('width', None),
'--max-bytes': ('max_bytes', None), '--lossless': ('lossless', True), '--effort': ('effort', None),
'--keep-original': ('keep_original', True), '--html': ('html', True), '--alt': ('alt', None)}, ('files', 'output_format', 'width'), {'files': None, 'size': None, 'output': None, 'output_format': None, 'output_compression': None, 'overwrite': False,
'skip_existing': False, 'as_json': False, 'quiet': False, 'verbose': False, 'fit': None, 'focus': None, 'upscale':
False, 'width': None, 'max_bytes': None, 'lossless': False, 'effort': None, 'keep_original': False, 'html': False,
'alt': None}, ConvertOptions, ()),
    'show': Line('files', {'--json': ('as_json', True)}, ('files',), {'files': None, 'as_json': False}, None, ('files', 'as_json')),
    'runs': Line('run', {'--json': ('as_json', True)}, (), {'run': None, 'as_json': False}, None, ('run', 'as_json')),
    'recover': Line('run', {'--json': ('as_json', True), '--verbose': ('verbose', True), '-v': ('verbose', True)}, (), {'run': None, 'as_json': False, 'verbose': False}, None, ('run', 'as_json', 'verbose')),
    'sizes': Line('shape', {'--model': ('model', None), '-m': ('model', None), '--json': ('as_json', True), '--plain': ('plain', True)}, ('shape',), {'shape': None, 'model': None, 'as_json': False, 'plain': False}, None, ('shape', 'model', 'as_json', 'plain')),
    'models': Line('name', {'--json': ('as_json', True)}, (), {'name': None, 'as_json': False}, None, ('name', 'as_json')),
}
