"""Made by scripts/generate from servers.toml: change that, not this."""

from flux_cli.core.model import Dialect, Field

SERVERS = {
    'compatible': Dialect('compatible', '', None, ('png', 'jpeg', 'gif', 'webp', 'avif'), (), None, {}),
    'openai': Dialect('openai', '', None, ('png', 'jpeg', 'webp'), (), None, {
        'seed': Field('unsupported', reason="OpenAI's image models have no seed"),
        'aspect_ratio': Field('converted', name='size', spelling='size'),
        'resolution': Field('unsupported', reason='use --size with pixels'),
        'response_format': Field('emulated', reason='not accepted there; flux reads both forms'),
        'output_format': Field('passthrough', name='output_format'),
        'output_compression': Field('passthrough', name='output_compression'),
        'raw': Field('unsupported', reason='only FLUX models have it'),
        'enhance_prompt': Field('unsupported', reason='only FLUX models have it'),
        'image_prompt': Field('unsupported', reason='only FLUX models have it'),
        'image_prompt_strength': Field('unsupported', reason='only FLUX models have it'),
        'safety_tolerance': Field('unsupported', reason='only FLUX models have it'),
        'sync_mode': Field('unsupported', reason='only FLUX models have it'),
    }),
    'localai': Dialect('localai', '', None, ('png',), (), None, {
        'seed': Field('unsupported', reason='LocalAI has no seed for images'),
        'aspect_ratio': Field('converted', name='size', spelling='size'),
        'resolution': Field('unsupported', reason='use --size with pixels'),
        'output_format': Field('emulated', reason='always PNG there'),
        'output_compression': Field('emulated'),
    }),
    'sdcpp': Dialect('sdcpp', '', None, ('png', 'jpeg', 'webp'), (), None, {
        'seed': Field('converted', name='prompt', spelling='prompt_tag'),
        'aspect_ratio': Field('converted', name='size', spelling='size'),
        'resolution': Field('unsupported', reason='use --size with pixels'),
        'response_format': Field('emulated', reason='always base64 there'),
        'output_format': Field('passthrough', name='output_format'),
        'output_compression': Field('passthrough', name='output_compression'),
    }),
    'together': Dialect('together', '', None, ('jpeg', 'png'), (), None, {
        'size': Field('converted', name='size', spelling='sides'),
        'aspect_ratio': Field('converted', name='aspect_ratio', spelling='sides'),
        'resolution': Field('unsupported', reason='use --size with pixels'),
        'response_format': Field('converted', name='response_format', values={
            'b64_json': 'base64',
        }),
        'output_format': Field('passthrough', name='output_format'),
        'output_compression': Field('emulated'),
    }),
    'vllm': Dialect('vllm', '', None, ('png',), (), None, {
        'aspect_ratio': Field('converted', name='size', spelling='size'),
        'resolution': Field('unsupported', reason='use --size with pixels'),
        'response_format': Field('converted', name='response_format', values={
            'url': 'b64_json',
        }, reason='base64 only there'),
        'output_format': Field('emulated', reason='always PNG there'),
        'output_compression': Field('emulated'),
    }),
    'sglang': Dialect('sglang', '', None, ('png', 'jpeg', 'webp'), (), None, {
        'seed': Field('passthrough', name='seed', reason='the server would use the same seed for every image', required=True),
        'aspect_ratio': Field('converted', name='size', spelling='size'),
        'resolution': Field('unsupported', reason='use --size with pixels'),
        'output_format': Field('passthrough', name='output_format'),
        'output_compression': Field('emulated'),
    }),
}
