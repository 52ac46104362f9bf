"""No bytes at all make a parser fail in any way but a FluxError, or think for ever."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.seeds import SEEDS
from fuzz.targets import TARGETS

TRIES = settings(max_examples=150)


def mutated(name: str) -> st.SearchStrategy[bytes]:
    """Noise, and what the parser is meant to read with pieces cut out, doubled and replaced."""
    cuts = st.tuples(
        st.sampled_from(SEEDS[name]),
        st.floats(0, 1),
        st.floats(0, 1),
        st.binary(max_size=8),
        st.booleans(),
    )

    def mutate(cut: tuple[bytes, float, float, bytes, bool]) -> bytes:
        seed, first, second, piece, double = cut
        start, end = sorted((int(first * len(seed)), int(second * len(seed))))
        return seed[:start] + piece + (seed[start:end] * 2 if double else b"") + seed[end:]

    return st.binary(max_size=200) | cuts.map(mutate) | cuts.map(mutate)


@pytest.mark.parametrize("name", TARGETS)
def test_no_bytes_break_a_parser(name):
    target = TARGETS[name]
    for seed in SEEDS[name]:
        target(seed)

    @given(mutated(name))
    @TRIES
    def tried(data: bytes) -> None:
        target(data)

    tried()


def test_every_target_has_seeds():
    assert SEEDS.keys() == TARGETS.keys()
