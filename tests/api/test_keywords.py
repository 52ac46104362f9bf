"""The keyword arguments are the options of `flux generate`, and are checked as they are."""

import enum
import inspect
from pathlib import Path

import pytest

import flux_cli
from flux_cli.api.keywords import Options, read_options
from flux_cli.cli.spellings.generate import SPELLINGS
from flux_cli.core.options import GenerateOptions, fields_of

# Options of `flux generate` that are no keywords, and why.
LEFT_OUT = {
    "prompt": "an argument",
    "param": "params",
    "prompts": "a program reads its own files, and calls `generate` for each prompt",
    "var": "a program fills in texts itself",
    **dict.fromkeys(("as_json", "html", "preview", "quiet", "verbose", "progress"), "output"),
    **dict.fromkeys(("dry_run", "estimate"), "`resolve` says what would be sent"),
    "log_file": "the result says what happened",
    **dict.fromkeys(("sheet", "sheet_output"), "for people to look at"),
}
EXAMPLES = {  # a value of each keyword that is no switch, and what is typed for it
    "model": ("flux.2-pro", ["flux.2-pro"]),
    "seed": ([1, 5], ["1", "5"]),
    "image": (Path("a.png"), ["a.png"]),
    "image_prompt_strength": (0.5, "0.5"),
    "output": (Path("out/a.png"), "out/a.png"),
    "output_format": (("avif", "webp"), ["avif", "webp"]),
    "width": (range(320, 322), ["320", "321"]),
    "max_bytes": (200_000, "200000"),
    "max_cost": (1e-05, "1e-05"),
    "n": (3, "3"),
    "like": ("a.png", "a.png"),
    "overwrite": (True, True),
    "raw": (False, False),
}


def keywords() -> set[str]:
    return set(Options.__annotations__)


def test_every_option_is_a_keyword_or_is_left_out_for_a_reason():
    assert keywords() - {"params"} == fields_of(GenerateOptions).keys() - LEFT_OUT.keys()


def test_keywords_are_named_like_the_long_options():
    for name in keywords() - {"params"}:
        flags = SPELLINGS[name].flags.replace("/", " ").split()
        assert f"--{name.replace('_', '-')}" in flags


def test_the_public_names_are_documented_and_exist():
    for name in flux_cli.__all__:
        assert inspect.getdoc(getattr(flux_cli, name)), name
    with pytest.raises(AttributeError, match="no attribute 'core_options'"):
        flux_cli.core_options  # noqa: B018


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_value_becomes_what_would_be_typed(name):
    given, typed = EXAMPLES[name]
    options = read_options("generate", "a fox", {name: given})
    (found,) = [group._asdict()[name] for group in options if name in getattr(group, "_fields", ())]
    assert found == typed


def test_none_is_not_given():
    given = dict.fromkeys(keywords())
    assert read_options("f", None, given) == read_options("f", None, {})


def test_parameters_keep_their_types_and_name_no_files():
    given = {"a": "1", "b": "@secret.txt", "c": 2.5, "d": [1, {"x": None}], "e": True, "f": "é\n"}
    resolution = flux_cli.resolve("a fox", model="unheard-of", params=given)
    assert resolution.body.items() >= given.items()


class Tier(enum.Enum):
    ONE = "1K"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sise": "1:1"}, r"resolve\(\) got an unexpected keyword argument 'sise'; did you mean"),
        ({"prompts": "a.txt"}, r"unexpected keyword argument 'prompts'"),
        ({"n": True}, "n cannot be True"),
        ({"n": [1]}, r"n cannot be \[1\]"),
        ({"seed": [None]}, "seed cannot be None"),
        ({"resolution": Tier.ONE}, "resolution cannot be"),
        ({"output": b"a.png"}, "output cannot be"),
        ({"overwrite": "no"}, "overwrite must be True or False, not 'no'"),
        ({"raw": 1}, "raw must be True or False"),
        ({"params": {"a": Tier.ONE}}, "Tier is not a JSON type"),
        ({"params": {1: 2}}, "names must be text"),
    ],
)
def test_a_wrong_type_is_a_type_error(given, message):
    with pytest.raises(TypeError, match=message):
        flux_cli.resolve("a fox", **given)


def test_a_prompt_is_text():
    with pytest.raises(TypeError, match="prompt must be text, not list"):
        flux_cli.resolve(["a fox"])


@pytest.mark.parametrize(
    "given",
    [
        {"n": 0},
        {"size": "banana"},
        {"max_cost": float("nan")},
        {"timeout": -1},
        {"size": "1:1", "params": {"size": "1:1"}},
        {"params": {"prompt": "a cat"}},
        {"params": {"a=b": 1}},
        {"seed": 7, "no_seed": True},
        {"image": "missing.png"},
        {"output": "-"},
        {"image": ["-"]},
        {"like": "-"},
    ],
    ids=str,
)
def test_an_invalid_value_is_a_usage_error(given):
    with pytest.raises(flux_cli.UsageError):
        flux_cli.resolve("a fox", **given)
