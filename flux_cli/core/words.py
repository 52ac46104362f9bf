"""The closed sets of words in model files and settings, as types; a reader checks against their `get_args`."""

from typing import Literal

Kind = Literal["string", "integer", "number", "boolean", "image"]
Support = Literal["passthrough", "renamed", "converted", "emulated"]
Handling = Literal["passthrough", "renamed", "converted", "emulated", "unsupported"]
Spelling = Literal["", "text", "integer", "base64", "size", "sides", "aspect_ratio", "prompt_tag"]
ProtocolName = Literal["openai", "bfl", "fal", "replicate"]
