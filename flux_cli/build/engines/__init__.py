"""Engines that run the parts of a build on several machines."""
