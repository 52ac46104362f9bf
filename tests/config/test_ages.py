"""Ages such as 30d become seconds, and nothing else does."""

import pytest

from flux_cli.config.ages import parse_age


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45m", 2700.0), ("12h", 43_200.0), ("30d", 2_592_000.0), ("2W", 1_209_600.0), ("0d", 0.0)],
)
def test_an_age_is_a_number_and_a_unit(text, seconds):
    assert parse_age(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "30", "-1d", "1.5d", "३d", "1 d", "1y", "9" * 400 + "d"])
def test_anything_else_is_no_age(text):
    assert parse_age(text) is None
