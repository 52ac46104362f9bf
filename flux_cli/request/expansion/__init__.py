"""Expands what describes several requests into each of them: rows, axes, and text with fields.

Command lines and the manifests of `flux build` use the same functions.
"""
