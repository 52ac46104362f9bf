"""The keys of manifests and presets as one table, for readers, JSON Schema and documentation.

The options of `generate` that describe the image or its files are keys under their own names: a new
field of `core/options.py` becomes a key without a change here.
"""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple
from flux_cli.core.options import Finish, Metadata, Output, Parameters

# Groups of options about the image and its files, and what in them is about something else: how an
# image is received, what a run does with existing files, and what a command prints.
GROUPS = (Parameters, Output, Finish, Metadata)
NOT_KEYS = frozenset((
    "response_format", "sync_mode", "overwrite", "skip_existing", "keep_original", "html",
))  # fmt: skip
# The kind of value by the type of the option's field; every other option is a scalar.
KINDS = {"list[str] | None": "list", "bool": "switch", "bool | None": "switch"}


class Key(NamedTuple):
    """One key: its kind of value, and help unless an option has it.

    Kinds: `text`; `texts`, one or a list; `scalar`, text or a number; `switch`, true or false;
    `list`, a scalar or a list of them; `table`, any JSON by name; `section`, keys of the manifest
    by name; `axes`, lists of scalars by name; `tables`, a list of tables of scalars.
    """

    kind: str
    help: str = ""


# Options that mean something else on the command line: several seeds, and the full image beside
# its widths.
OWN_KEYS = {
    "param": Key("table", "Any other parameters, by name; a string @FILE reads a file"),
    "seed": Key("scalar", "Seed for a reproducible image; with n, seeds count up"),
    "output": Key(
        "text", "File template, such as img/{name}.{avif,webp}; the suffix selects the format"
    ),
    "width": Key("list", "Write NAME-WIDTH.EXT in place of the full image; [] for the full image"),
}


def _option_keys() -> dict[str, Key]:
    """The keys that are options, in the order of the options."""
    found = {"model": Key("scalar"), "route": Key("scalar"), "output": OWN_KEYS["output"]}
    for group in GROUPS:
        for field, annotation in group.__annotations__.items():
            if field not in NOT_KEYS:
                kind = KINDS.get(annotation, "scalar")
                found[field] = OWN_KEYS.get(field, Key(kind))
    return found


OPTIONS = _option_keys()
ASSET: dict[str, Key] = {
    "prompt": Key("text", "The prompt, or @FILE to read it from a UTF-8 file"),
    "style": Key("list", "Name of a style, or a list of names; [] for none"),
    "image": Key("texts", "Reference images: files, URLs, or asset:NAME; after those of styles"),
    "mask": Key("text", "Only change what is transparent in this image; a file, or asset:NAME"),
    **OPTIONS,
    "candidates": Key("scalar", "Images to pick one of, from 2 to 50; seeds count up"),
    "frozen": Key("switch", "Once generated, never request the image again"),
    "alt": Key("text", "Alternative text for --html and --report"),
}
GROUP: dict[str, Key] = {
    "rows": Key("text", "A CSV or JSONL file: one asset per row"),
    "matrix": Key("axes", "Axes with values: one asset per combination"),
    "exclude": Key("tables", "Combinations to leave out"),
    "name": Key("text", "Template of the assets' names, required with rows or matrix"),
}
STYLE: dict[str, Key] = {
    "prompt_prefix": Key("text", "Text before the prompt; several styles add up"),
    "prompt_suffix": Key("text", "Text after the prompt; several styles add up"),
}
TOP: dict[str, Key] = {
    "max_cost": Key("scalar", "The most that one build may cost, in USD"),
    "lock_prompts": Key("switch", "false keeps prompts out of the lock"),
    "originals": Key("switch", "false keeps no originals: later variants need new requests"),
    "vars": Key("section", "Values for {field} in templates"),
    "defaults": Key("section", "Keys for all assets"),
    "styles": Key("section", "Keys for the assets that name the style"),
    "assets": Key("section", "The assets, by name"),
}
DEFAULTS_KEYS = ASSET
STYLE_KEYS = {name: key for name, key in ASSET.items() if name != "style"} | STYLE
ASSET_KEYS = ASSET | GROUP

# Words that people try first, and the key they mean.
HABITS = {
    "quality": "output_compression",
    "format": "output_format",
    "formats": "output_format",
    "styles": "style",
    "widths": "width",
}
# What would decide where requests and keys go. Only the user's own settings decide that.
ACCESS = frozenset((
    "provider", "providers", "base_url", "url", "endpoint", "api_key", "key", "token", "no_key",
))  # fmt: skip
