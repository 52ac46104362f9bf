"""Writes a record in the form of AUTOMATIC1111, which most tools read. `tools` reads it."""

import json
import re

from flux_cli.images.metadata.record import Record

_OURS = r"(?:^|[,\n] ?)Version: flux[\w.+ -]{0,51}$"


def parameters_text(record: Record, pixels: str) -> str:
    """The record in the form of AUTOMATIC1111: the prompt, then one line of names and values."""
    lines = [record.prompt] if record.prompt else []
    if record.negative_prompt:
        lines.append(f"Negative prompt: {record.negative_prompt}")
    known = {
        "Steps": record.parameters.get("steps"),
        "Seed": record.seed,
        "Size": pixels,
        "Model": record.model,
    }
    pairs = []
    for name, value in known.items():
        if value not in (None, ""):
            pairs.append(f"{name}: {_quote(str(value))}")
    version = record.tool if re.fullmatch(r"flux [\w.+-]{1,50}", record.tool) else "flux"
    pairs.append(f"Version: {version}")
    return "\n".join([*lines, ", ".join(pairs)])


def is_ours(text: str) -> bool:
    """Whether flux wrote these parameters."""
    return bool(re.search(_OURS, text[-200:]))


def _quote(value: str) -> str:
    if re.search(r'[,:\n"]', value):
        return json.dumps(value, ensure_ascii=False)
    return value
