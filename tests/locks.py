"""Rows of a lock in tests, by hand and from hypothesis."""

from hypothesis import strategies as st

from flux_cli.build.lock.rows import File, Original, Row, Trouble


def hexadecimal(digits):
    return st.text("0123456789abcdef", min_size=digits, max_size=digits)


words = st.text(max_size=12)
numbers = st.integers(0, 10**9)
values = words | numbers | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
facts = st.dictionaries(words, values | st.lists(values, max_size=2), max_size=4)
files = st.builds(
    File, hexadecimal(8), hexadecimal(64), numbers, st.none() | numbers, st.none() | numbers
)
paths = st.from_regex(r"[a-z]{1,4}(/[a-z0-9-]{1,4}){0,2}\.(png|webp)", fullmatch=True)
troubles = st.none() | st.builds(Trouble, hexadecimal(16), words, numbers, words)
originals = st.none() | st.builds(
    Original, hexadecimal(64), numbers, numbers, numbers, st.sampled_from(["png", "jpeg"])
)
rows = st.builds(
    Row,
    hexadecimal(16),
    hexadecimal(16),
    facts,
    facts,
    originals,
    st.dictionaries(paths, files, max_size=3),
    st.integers(1, 9),
    st.booleans(),
    st.booleans(),
    troubles,
    troubles,
)
locks = st.dictionaries(st.text(max_size=8), rows, max_size=4)


def row(number=0, paths=("a.png",), **more):
    """A row that differs from those with other numbers."""
    digit = f"{number:x}"[-1]
    made = {path: File(digit * 8, digit * 64, 100 + number, 64, 64) for path in paths}
    requested = {"model": "m", "prompt": f"cat {number}"}
    original = Original(digit * 64, 1000 + number, 64, 64, "png")
    values = {"requested": requested, "original": original, "files": made, **more}
    return Row(digit * 16, digit * 16, **values)
