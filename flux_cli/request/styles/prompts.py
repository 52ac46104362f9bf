"""Puts the texts of styles and presets around prompts. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flux_cli.core.options import Preset


def join_texts(texts: Iterable[str]) -> str:
    """A prompt and the texts around it, without those that are empty."""
    return ", ".join(filter(None, texts))


def with_affixes(prompt: str, preset: Preset) -> str:
    """A prompt with the texts of a preset. An empty prompt stays empty."""
    if not prompt.strip():
        return prompt
    return join_texts((preset.prefix.strip(), prompt.strip(), preset.suffix.strip()))


def with_missing_affixes(prompt: str, preset: Preset) -> str:
    """The prompt of an image's record with those texts of a preset that it does not have yet."""
    if prompt.startswith(preset.prefix.strip()):
        preset = preset._replace(prefix="")
    if prompt.endswith(preset.suffix.strip()):
        preset = preset._replace(suffix="")
    return with_affixes(prompt, preset)
