"""The tree of failures: stable codes for JSON, exit codes for shells, and hints."""

import re

import pytest

from flux_cli.core import errors
from flux_cli.core.errors import (
    AuthError,
    FluxError,
    Interrupted,
    NotSentError,
    RateError,
    UsageError,
    common_exit_code,
    did_you_mean,
)

TABLE = re.findall(r"^[ │├└─]*(\w+) +(\d+)  (\w+)", errors.__doc__, re.MULTILINE)


def every_class(root=FluxError):
    return {root, *(found for child in root.__subclasses__() for found in every_class(child))}


def test_the_tree_in_the_module_s_docstring_is_complete():
    classes = {kind.__name__ for kind in every_class() if kind.__module__ == errors.__name__}
    assert {name for name, _, _ in TABLE} == classes


@pytest.mark.parametrize(("name", "exit_code", "code"), TABLE)
def test_each_class_has_the_codes_the_docstring_promises(name, exit_code, code):
    kind = getattr(errors, name)
    assert (kind.exit_code, kind.code) == (int(exit_code), code)


def test_no_two_classes_share_a_code():
    assert len({code for _, _, code in TABLE}) == len(TABLE)


@pytest.mark.parametrize(
    ("name", "exit_code"),
    [
        ("UsageError", 2),
        ("ConfigError", 2),
        ("AuthError", 4),
        ("PaymentError", 4),
        ("ModerationError", 5),
        ("ProviderError", 1),
        ("NetworkError", 1),
        ("DeadlineError", 1),
        ("DiskError", 1),
        ("Interrupted", 130),
    ],
)
def test_exit_codes_are_those_of_the_house(name, exit_code):
    assert getattr(errors, name).exit_code == exit_code


def test_wrong_words_wrong_files_and_wrong_settings_are_all_usage_errors():
    for name in ("ConfigError", "CatalogError", "OutputError", "BudgetError"):
        assert issubclass(getattr(errors, name), UsageError)


def test_a_failure_says_what_happened_and_nothing_was_billed_unless_said():
    plain = FluxError("no such thing")
    assert str(plain) == plain.message == "no such thing"
    assert (plain.hint, plain.billed, plain.status, plain.request_id) == ("", False, None, "")


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("rwa", ("raw", "seed"), "did you mean raw?"),
        ("RAW", ("raw", "seed"), "did you mean raw?"),
        ("xyzzy", ("raw", "seed"), ""),
        ("", ("raw",), ""),
        ("raw", (), ""),
    ],
)
def test_a_near_miss_is_recognized_and_a_far_one_left_alone(word, known, hint):
    assert did_you_mean(word, known) == hint


AUTH, RATE, HELD = AuthError("no key"), RateError("too many"), NotSentError("held back")


@pytest.mark.parametrize(
    ("errors", "some", "code"),
    [
        ([], True, 0),
        ([], False, 0),
        ([RATE], True, 3),
        ([AUTH, AUTH], False, 4),
        ([AUTH, RATE], False, 1),
        ([AUTH, HELD], False, 4),
        ([HELD], False, 1),
        ([AUTH, Interrupted("stop")], True, 130),
    ],
)
def test_several_failures_share_one_exit_code(errors, some, code):
    assert common_exit_code(errors, some_succeeded=some) == code
