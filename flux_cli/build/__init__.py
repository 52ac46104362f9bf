"""Keeps a set of images in sync with a manifest: what `flux build` reads, compares and plans."""
