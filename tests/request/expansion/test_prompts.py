"""Lines of `--prompts` and values of `--var`, whatever they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from flux_cli.core.errors import UsageError
from flux_cli.core.options import Parameters
from flux_cli.request.expansion.prompts import read_rows, with_row
from flux_cli.request.expansion.variables import read_variables


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("fox,owl", ["fox", "owl"]),
        (" fox , owl ", ["fox", "owl"]),
        ('"red, blue",green', ["red, blue", "green"]),
        ('a "quoted" word', ['a "quoted" word']),
        ("7", ["7"]),
        ("a=b", ["a=b"]),
        ("@file", ["@file"]),
    ],
)
def test_values_are_read_as_csv(text, values):
    assert read_variables([f"x={text}"]) == {"x": values}


@given(some.text(max_size=30))
def test_any_value_is_read_or_refused(text):
    try:
        values = read_variables([f"x={text}"])["x"]
    except UsageError as error:
        assert error.hint  # noqa: PT017 - not always raised
    else:
        assert all(value == value.strip() != "" for value in values)


@given(some.text(max_size=60), some.sampled_from(["list.txt", "list.jsonl"]))
def test_any_file_is_read_or_refused_with_its_name(text, path):
    try:
        rows = read_rows(text, path, "{sku}.png")
    except UsageError as error:
        assert path in error.message  # noqa: PT017 - not always raised
    else:
        assert all(row.prompt and row.prompt.strip() == row.prompt for row in rows)


def test_a_file_is_what_its_name_or_its_first_line_says():
    line = '{"prompt": "a fox", "seed": 7}'
    (row,) = read_rows(f"\n{line}\n", "list.txt", "")
    assert (row.prompt, row.place, row.parameters) == ("a fox", "list.txt, line 2", {"seed": 7})
    assert [one.prompt for one in read_rows("{fox}\n{ x", "list.txt", "")] == ["{fox}", "{ x"]
    with pytest.raises(UsageError, match="line 1: not valid JSON"):
        read_rows("{fox}", "list.jsonl", "")


def test_a_key_is_a_field_of_the_output_a_parameter_or_both():
    line = '{"prompt": "a", "sku": 7, "size": "1:1", "steps": 3, "seed": 5}'
    (row,) = read_rows(line, "list", "{sku}-{size}-{seed:03}")
    assert row.values == {"sku": "7", "size": "1:1"}
    assert row.parameters == {"size": "1:1", "steps": 3, "seed": 5}


def test_the_parameters_of_a_line_win():
    typed = Parameters(size="16:9", seed=["1"], param=["steps=3", "safety-checker=true"])
    own = {"seed": [4, 5], "raw": True, "safety_checker": "@file", "size": "1:1"}
    assert with_row(typed, own, "line 1") == Parameters(
        size="1:1", seed=["4", "5"], raw=True, param=["steps=3", 'safety_checker="@file"']
    )
