"""What a part of a ledger says was spent since its last mark."""

import os

import pytest

from flux_cli.build.lock.rows import CLAIMED, IN_FLIGHT, Row, Trouble
from flux_cli.build.stream.index import Index
from flux_cli.build.stream.ledger import Writer, mark_of
from flux_cli.build.stream.spending import Spending, read_spending
from flux_cli.core.errors import ManifestError

PART = "1-of-2.jsonl"


def row(day=1, cost=0.06, **more):
    time = f"2026-01-{day:02}T00:00:00Z"
    generated = {"run": f"run-{day}", "time": time, "cost_usd": cost}
    return Row("0" * 16, "1" * 16, generated=generated, **more)


def unclear(code=IN_FLIGHT):
    return Row("0" * 16, "1" * 16, unclear=Trouble("0" * 16, "run-1", 1, code))


@pytest.fixture
def ledger(tmp_path):
    return str(tmp_path / "ledger")


def write(ledger, *several, mark=""):
    with Writer(ledger, PART) as writer:
        for rows in several:
            writer.add(rows)
        if mark:
            writer.mark(mark)


def test_images_are_counted_once_and_rerolled_ones_as_often_as_they_were_paid_for(ledger):
    assert read_spending(ledger, PART) == Spending()
    write(ledger, {"a": row(1), "b": row(1)}, {"a": row(2)}, {"a": row(2, take=2)})
    assert read_spending(ledger, PART) == Spending(pytest.approx(0.18), 0)


def test_what_is_before_a_mark_does_not_count_even_if_its_row_is_written_again(ledger):
    write(ledger, {"a": row(1), "b": row(2)}, mark="2026-01-03T00:00:00Z")
    assert read_spending(ledger, PART) == Spending()
    write(ledger, {"a": row(1, take=2), "c": row(4, cost=0.5)})
    assert read_spending(ledger, PART) == Spending(0.5, 0)


def test_unclear_requests_and_unknown_costs_count_as_the_highest_price(ledger):
    write(ledger, {"a": row(1, cost=None), "b": unclear(), "c": unclear(CLAIMED), "d": row(1)})
    spending = read_spending(ledger, PART)
    assert spending == Spending(0.06, 2)
    assert spending.most((0.04, 0.1)) == pytest.approx(0.26)
    assert spending.most(()) == 0.06
    write(ledger, {"b": row(1)})  # its own run has brought it after all
    assert read_spending(ledger, PART) == Spending(pytest.approx(0.12), 1)


def test_an_unclear_request_counts_even_if_it_was_sent_again(ledger):
    write(ledger, {"a": unclear()}, {"a": row(2)})
    assert read_spending(ledger, PART) == Spending(0.06, 1)


def test_an_old_unclear_request_does_not_count_again(ledger):
    write(ledger, {"a": unclear()}, mark="2026-01-03T00:00:00Z")
    write(ledger, {"a": unclear()._replace(take=2)})
    assert read_spending(ledger, PART) == Spending()


def test_clocks_do_not_matter(ledger):
    write(ledger, {"a": row(5)}, mark="2026-01-06T00:00:00Z")
    write(ledger, {"b": row(1)})  # of a machine whose clock is slow
    assert read_spending(ledger, PART) == Spending(0.06, 0)


def test_a_mark_is_written_once_and_is_no_row(ledger, tmp_path):
    write(ledger, mark="2026-01-03T00:00:00Z")
    path = os.path.join(ledger, PART)
    assert os.path.getsize(path) == 0  # nothing to end
    write(ledger, {"a": row(1)}, mark="2026-01-03T00:00:00Z")
    size = os.path.getsize(path)
    write(ledger, mark="2026-01-04T00:00:00Z")
    assert os.path.getsize(path) == size
    with Index(ledger, str(tmp_path / "cache"), PART) as index:
        assert index.row("a") == row(1)


@pytest.mark.parametrize("end", [b"\0" * 40 + b"\n", mark_of("2026-01-05T00:00:00Z")[:-9]])
def test_a_mark_that_was_cut_short_is_none(ledger, end):
    write(ledger, {"a": row(1)})
    with open(os.path.join(ledger, PART), "ab") as file:
        file.write(end)
    assert read_spending(ledger, PART) == Spending(0.06, 0)
    write(ledger, {"b": row(1)})
    assert read_spending(ledger, PART) == Spending(0.12, 0)


@pytest.mark.parametrize(
    ("row", "spending"),
    [
        ('{"unclear": {"code": [], "number": [], "run": {}}}', Spending(0, 1)),
        ('{"unclear": 7, "generated": []}', Spending()),
        ('{"generated": {"run": [1], "cost_usd": "x"}}', Spending(0, 1)),
    ],
)
def test_rows_with_odd_values_are_counted_with_caution(ledger, row, spending):
    os.makedirs(ledger)
    with open(os.path.join(ledger, PART), "w") as file:
        file.write(f'{{"schema": 1, "assets": {{"a": {row}}}}}\n')
    assert read_spending(ledger, PART) == spending


def test_a_row_that_is_none_is_an_error(ledger):
    os.makedirs(ledger)
    with open(os.path.join(ledger, PART), "w") as file:
        file.write('{"schema": 1, "assets": {"a": 7}}\n')
    with pytest.raises(ManifestError, match="damaged: 7 is not an object"):
        read_spending(ledger, PART)
