"""What a gateway's schema says about a request: notes and a price, never a refusal."""

import pytest

from flux_cli.catalog.gateway.notes import explain
from flux_cli.catalog.gateway.reading import read_schema
from flux_cli.core.request import Request
from flux_cli.request.resolve import resolve

DAY = "2026-12-01"
SCHEMA = read_schema(
    {
        "parameters": {
            "resolution": {"type": "enum", "values": ["1K", "2K"]},
            "guidance": {"type": "float", "minimum": 1, "maximum": 10},
            "steps": {"type": "integer", "values": [4, 8]},
            "fast": {"type": "boolean"},
            "style": {"type": "string"},
            "anything": {},
            "colors": {"values": [str(number) for number in range(20)]},
            "reference": {"type": "file"},
        },
        "price": {
            "components": [
                {"type": "output", "metric": "image", "unit_price": 0.04},
                {"type": "input", "metric": "image", "unit_price": 0.01},
            ]
        },
    }
)


def explained(route=None, schema=SCHEMA, *, is_old=False, **given):
    request = Request("new", given, "a fox", route=route, named=tuple(given))
    resolved = resolve(request, None)
    after = explain(resolved, schema, DAY, is_old=is_old)
    assert (after.parameters, after.sent_model) == (resolved.parameters, resolved.sent_model)
    return after


def note_on(name, value):
    resolved = explained(**{name: value})
    return next(note for note in resolved.notes if note.parameter == name)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("resolution", "8K", "only 1K, 2K"),
        ("steps", 5, "only 4, 8"),
        ("guidance", 0.5, "1 as the smallest value"),
        ("guidance", 11, "10 as the largest value"),
        ("guidance", "much", "the type float"),
        ("guidance", True, "the type float"),
        ("fast", 1, "the type boolean"),
        ("style", 7, "the type string"),
        ("colors", "99", "only 0, 1, 2, 3, 4, 5, 6, 7 and 12 more"),
    ],
)
def test_a_value_that_the_gateway_does_not_list_is_a_warning(name, value, reason):
    note = note_on(name, value)
    assert note.warning
    assert note.reason == f"the gateway's schema of {DAY} has {reason}: sent unchecked"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("resolution", "2K"), ("resolution", "2k"), ("steps", 8), ("steps", 8.0)),
        *(("guidance", 1), ("guidance", 9.5), ("fast", True), ("style", "x")),
        *(("anything", 7), ("anything", [1]), ("resolution", ["8K"]), ("style", None)),
    ],
)
def test_a_value_that_it_lists_or_may_take_is_none(name, value):
    note = note_on(name, value)
    assert not note.warning
    assert note.reason == f"as in the gateway's schema of {DAY}: sent unchecked"


def test_an_unknown_name_is_a_warning_with_the_closest_one():
    note = note_on("guidence", 3)
    assert note.warning
    assert note.reason == (
        f"not in the gateway's schema of {DAY}: sent unchecked; did you mean guidance?"
    )


def test_without_parameters_nothing_is_compared():
    schema = SCHEMA._replace(parameters={})
    resolved = explained(schema=schema, guidence=3)
    assert [note.warning for note in resolved.notes] == [True, False, False]  # model and price


def test_the_note_on_the_model_names_the_day_and_the_way_to_renew():
    (note, *_) = explained().notes
    assert note.reason == (
        "not in the catalog: parameters are sent unchecked, and sizes as given; "
        f"compared with the gateway's schema of {DAY}"
    )


def test_the_price_has_a_note_with_the_day():
    resolved = explained()
    (note,) = [note for note in resolved.notes if note.parameter == "price"]
    assert (note.used, note.warning) == ("0.04 USD per image", False)
    assert note.reason == f"by the gateway's schema of {DAY}, which flux does not check"
    assert (resolved.unit_price_usd, resolved.price_day) == (0.04, DAY)


@pytest.mark.parametrize(
    "given",
    [{"route": "fal"}, {"image_prompt": "https://e.org/x"}, {"reference": "https://e.org/x"}],
    ids=str,
)
def test_a_route_or_an_input_image_leaves_the_price_open(given):
    resolved = explained(**given)
    assert (resolved.unit_price_usd, resolved.price_day) == (None, "")


def test_a_known_price_stays():
    resolved = resolve(Request("new", {}, "a fox"), None)._replace(unit_price_usd=0.5)
    after = explain(resolved, SCHEMA, DAY, is_old=True)
    assert (after.unit_price_usd, after.price_day) == (0.5, "")
    assert "renew it: flux models new --refresh" in after.notes[0].reason
