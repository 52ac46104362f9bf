"""The Python interface: what `import flux_cli` offers. Everything else in the package is private.

It never prints, asks, or ends the process. docs/python.md describes it.
"""
