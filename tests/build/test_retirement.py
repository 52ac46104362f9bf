"""Warnings of models that end: from 90 days before, and afterward."""

import pytest

from flux_cli.build.planning.retirement import retirement_note

TODAY = "2026-12-02"


@pytest.mark.parametrize(
    ("day", "note"),
    [
        ("", ""),
        ("soon", ""),
        ("2027-03-03", ""),
        ("2027-03-02", "m retires on 2027-03-02"),
        ("2026-12-02", "m retires on 2026-12-02"),
        ("2026-12-01", "m retired on 2026-12-01"),
    ],
)
def test_a_model_that_ends_is_named_in_time(day, note):
    assert retirement_note("m", day, TODAY) == note
