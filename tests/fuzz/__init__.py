"""Fuzzers over every parser: the same targets for hypothesis (in the suite) and for atheris."""
