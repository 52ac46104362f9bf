"""Looks by name: the keys of styles in manifests and of presets, and what presets say."""
