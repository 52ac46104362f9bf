"""A gateway's schema of a model: every shape of reply that is likely is read, and none harms."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.catalog.gateway.parameters import MAX_VALUES, NAME_LENGTH
from flux_cli.catalog.gateway.reading import MAX_PARAMETERS, read_schema
from flux_cli.catalog.gateway.schema import Component, document_of
from flux_cli.core.text import plain

SEED = {"type": "integer", "default": 7}
NAMED_SEED = {"name": "seed", **SEED}
# Each says that there is a parameter `seed` of the type integer.
SHAPES = {
    "a map": {"parameters": {"seed": SEED}},
    "a list": {"parameters": [NAMED_SEED]},
    "a list with ids": {"parameters": [{"id": "seed", **SEED}]},
    "a list alone": [NAMED_SEED],
    "a list of maps": {"parameters": [{"seed": SEED}]},
    "another name": {"params": [NAMED_SEED]},
    "a map of groups": {"parameters": {"core": {"seed": SEED}, "media": {"image": {}}}},
    "a map of lists": {"parameters": {"core": [NAMED_SEED], "media": [{"name": "image"}]}},
    "a list of groups": {"parameters": [{"name": "core", "parameters": [NAMED_SEED]}]},
    "groups in groups": {"parameters": {"all": {"core": {"seed": SEED}}}},
    "deeper": {"object": "model", "data": {"schema": {"parameters": {"seed": SEED}}}},
    "in a list": {"data": [{"id": "new-model", "parameters": {"seed": SEED}}]},
    "JSON Schema": {"schema": {"type": "object", "properties": {"seed": SEED}}},
    "as for functions": {"parameters": {"type": "object", "properties": {"seed": SEED}}},
    "a schema without a name": {"schema": {"seed": SEED}},
    "modes": {"modes": {"text-to-image": {"parameters": {"seed": SEED}}, "edit": {}}},
    "two modes": {"t2i": {"parameters": {"seed": SEED}}, "edit": {"parameters": {"image": {}}}},
    "a schema inside": {"parameters": [{"name": "seed", "schema": SEED}]},
    "types": {"parameters": {"seed": {"type": ["null", "integer"], "default": 7}}},
    "any of": {"parameters": {"seed": {"anyOf": [{"type": "null"}, SEED]}}},
}  # fmt: skip


@pytest.mark.parametrize("document", SHAPES.values(), ids=SHAPES)
def test_every_shape_has_its_parameters(document):
    schema = read_schema(document)
    seed = schema.parameters["seed"]
    assert (seed.kind, seed.default) == ("integer", 7)
    assert schema.parameters.keys() <= {"seed", "image"}


def test_everything_but_the_name_is_optional():
    for document in ({"parameters": ["size"]}, {"parameters": {"size": {}}}):
        assert [*read_schema(document).parameters] == ["size"]
    for spec in (None, 7, True, [], {}, {"type": 7}, {"type": None}, {"values": "x"}):
        assert read_schema({"parameters": {"size": spec}}).parameters["size"].kind == ""
    assert read_schema({"parameters": {"size": "vector"}}).parameters["size"].kind == "vector"


@pytest.mark.parametrize(
    "spec",
    [
        {"values": ["1K", "2K"]},
        {"enum": ["1K", "2K"]},
        {"allowedValues": ["1K", "2K"]},
        {"choices": {"1K": "small", "2K": "large"}},
        {"options": [{"value": "1K"}, {"value": "2K"}]},
        {"values": [{"name": "1K"}, {"name": "2K"}, None, []]},
        {"schema": {"enum": ["1K", "2K"]}},
        {"anyOf": [{"type": "string", "enum": ["1K", "2K"]}, {"type": "null"}]},
        ["1K", "2K"],
    ],
)
def test_values_are_read_in_every_form(spec):
    assert read_schema({"parameters": {"size": spec}}).parameters["size"].values == ("1K", "2K")


def test_of_alternatives_only_the_types_are_known():
    """One of them may allow what another does not."""
    presets, pixels = {"type": "string", "enum": ["square"]}, {"type": "object"}
    spec = {"anyOf": [presets, pixels, {"type": "null"}], "default": "square"}
    param = read_schema({"parameters": {"size": spec}}).parameters["size"]
    assert (param.kind, param.values, param.default) == ("string or object", (), "square")


def test_modes_may_be_a_map():
    spec = {"modes": {"text-to-image": True, "image-edit": False}}
    assert read_schema({"parameters": {"x": spec}}).parameters["x"].modes == ("text-to-image",)


def test_values_that_are_not_whole_are_left_out():
    """Else a note would say that a value is wrong that the gateway lists."""
    for values in (list(range(MAX_VALUES + 1)), ["x" * 500], ["\x1b[31m"]):
        schema = read_schema({"parameters": {"size": {"values": values}}})
        assert schema.parameters["size"].values == ()


def test_limits_and_marks_are_read():
    spec = {"min": 1, "max": 2.5, "required": True, "modes": ["edit"], "about": "How\nmuch"}
    param = read_schema({"parameters": {"x": spec}}).parameters["x"]
    assert (param.minimum, param.maximum, param.required) == (1, 2.5, True)
    assert (param.modes, param.help) == (("edit",), "How much")
    table = {"type": "object", "properties": {"x": {}, "y": {}}, "required": ["x"]}
    found = read_schema({"input_schema": table}).parameters
    assert (found["x"].required, found["y"].required) == (True, False)


def test_the_outermost_parameters_count():
    """Those of the upstreams have other names."""
    document = {
        "parameters": {"seed": SEED},
        "upstreams": [{"parameters": {"random_seed": SEED}}],
    }
    assert [*read_schema(document).parameters] == ["seed"]


@pytest.mark.parametrize("key", ["max_input_images", "maxInputImages", "Max-Inputs"])
def test_the_most_input_images_are_read(key):
    for value, most in {9: 9, 0: 0, -1: None, True: None, 5000: None, "9": None}.items():
        document = {"parameters": ["x"], "limits": {key: value}}
        assert read_schema(document).max_input_images == (most if value is not True else None)


def test_prices_are_read_at_any_depth():
    parts = [
        {"type": "Output", "metric": "megapixel", "unit_price": "0.015"},
        {"type": "input", "metric": "image", "unitPrice": 0.01},
        {"type": 7, "unit_price": "free"},
        {"type": "output"},
        "0.04",
    ]
    schema = read_schema({"data": {"pricing": {"currency": "EUR", "components": parts}}})
    assert schema.components == (
        Component("output", "megapixel", 0.015),
        Component("input", "image", 0.01),
        Component("", "", None),
    )
    assert (schema.currency, schema.parameters) == ("EUR", {})


@pytest.mark.parametrize("document", [None, 7, "x", [], {}, [1], {"data": [{"id": "x"}]}, [[[]]]])
def test_what_says_nothing_is_no_schema(document):
    assert read_schema(document) is None


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
WORDS = (
    "parameters", "properties", "schema", "name", "type", "values", "enum", "default", "minimum",
    "components", "unit_price", "metric", "currency", "items", "anyOf", "required", "price",
    "max_input_images", "\x1b[31m", "::error::", "\ud800", "x" * 100,
)  # fmt: skip
KEYS = st.sampled_from(WORDS) | st.text(max_size=4)
DOCUMENTS = st.recursive(
    SCALARS | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=25,
)


@given(DOCUMENTS)
def test_any_reply_gives_a_schema_that_can_be_shown_saved_and_read_again(document):
    schema = read_schema({"parameters": document, "data": document})
    if schema is None:
        return
    text = json.dumps(document_of(schema), allow_nan=False, ensure_ascii=False)
    assert text.isprintable()
    again = read_schema(json.loads(text))
    assert again is not None
    assert again == schema
    for param in schema.parameters.values():
        assert plain(param.name, NAME_LENGTH) == param.name


def test_endless_replies_are_cut():
    many = {"parameters": {f"p{number}": {} for number in range(10_000)}}
    assert len(read_schema(many).parameters) == MAX_PARAMETERS
    deep: object = {"parameters": {"x": {}}}
    for _ in range(900):
        deep = {"data": deep}
    assert read_schema(deep) is None
    big = read_schema({"parameters": {"x": {"minimum": 10**299, "default": -(10**299)}}})
    assert (big.parameters["x"].minimum, big.parameters["x"].default) == (None, None)
