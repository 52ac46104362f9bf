"""JSON is what the standard library would write."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.lite import json_text

FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.sampled_from((None, 1, 2, 4)))
def test_json_is_written_as_the_standard_library_writes_it(value, indent):
    assert json_text(value, indent) == json.dumps(value, indent=indent, ensure_ascii=False)


@pytest.mark.parametrize("text", ["\x00\x1f\x7f\u2028\ud800", 'a"b\\c/d', "\b\f\n\r\t", "雪🦊"])
def test_every_odd_character_is_escaped_as_the_standard_library_does(text):
    assert json_text({text: (text,)}) == json.dumps({text: [text]}, ensure_ascii=False)


def test_what_json_cannot_say_is_a_mistake():
    with pytest.raises(TypeError):
        json_text({"a": {1, 2}})
