"""`flux schema` describes what `--json` prints. The JSON of every other test is checked as well."""

import json

import documents
import jsonschema
import pytest

pytestmark = pytest.mark.slow

LINES = {
    "sizes": (["sizes"], ["sizes", "7:1", "4K"], ["sizes", "banana"]),
    "models": (["models"], ["models", "flux1.1-pro"], ["models", "nope"]),
    "resolve": (
        ["resolve"],
        ["resolve", "a fox", "-n", "3", "--seed", "7", "-f", "avif"],
        ["resolve", "a", "b"],
    ),
    "providers": (["providers"], ["providers", "bfl"], ["providers", "nope"]),
    "config": (["config"],),
    "generate": (
        ["generate", "a fox", "--offline", "-n", "2", "-o", "fox-{index}.png", "-s", "1:1"],
        ["generate", "a fox", "--offline", "-o", "fox-1.png", "-s", "1:1", "--skip-existing"],
        ["generate", "a fox", "--dry-run"],
        ["generate"],
        ["generate", "a fox"],
    ),
}


@pytest.mark.parametrize(("name", "lines"), LINES.items(), ids=LINES)
def test_what_a_command_prints_is_what_its_schema_says(flux, name, lines):
    for line in lines:
        documents.check(json.loads(flux(*line, "--json").out), name)


def test_a_run_that_was_paid_for_and_one_that_failed_are_described(generate, gateway):
    from fakes.gateway import image, status

    gateway.answers(image(), status(422))
    result = generate("a fox", "-n", "2", "--retries", "0", "--json")
    documents.check(json.loads(result.out), "generate")
    assert result.code == 3


def test_a_run_that_failed_as_a_whole_is_described_for_those_who_read_the_schema_as_it_is(
    generate, gateway
):
    from fakes.gateway import status

    gateway.answers(status(422))
    result = generate("a fox", "--retries", "0", "--json")
    documents.check(json.loads(result.out), "generate")
    assert result.code == 1


def test_the_schema_can_refuse():
    """A key that is missing, one that is new, and a value of another type are each found."""
    table = {"schema": 1, "model": "x", "asked": None, "reason": None, "sizes": []}
    table |= {"matches": [], "free_sizes": {}}
    documents.check(table, "sizes")
    for wrong in (
        {**table, "model": 3},
        {**table, "more": 1},
        {k: v for k, v in table.items() if k != "asked"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            documents.check(wrong, "sizes")


def test_the_schema_is_printed_whole_and_command_by_command(flux):
    whole = json.loads(flux("schema").out)
    jsonschema.Draft202012Validator.check_schema(whole)
    assert {"generate", "resolve", "sizes", "models", "providers", "config"} <= set(whole["$defs"])
    assert json.loads(flux("schema", "resolve").out)["$ref"] == "#/$defs/resolve"
    wrong = flux("schema", "resolv")
    assert (wrong.code, wrong.out, "did you mean resolve?" in wrong.err) == (2, "", True)
