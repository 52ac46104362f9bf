"""What may be spent, and what a person must confirm, decided with numbers alone."""

import pytest

from flux_cli.core.errors import BudgetError
from flux_cli.runs.spending.limits import (
    Bill,
    bill_of,
    check_limit,
    reason_to_confirm,
    unconfirmed,
)

MIXED = Bill(30, 0.6, unpriced=20)


@pytest.mark.parametrize(
    ("bill", "text"),
    [
        (bill_of([(20, 0.06)]), "20 images at 0.06 USD cost 1.20 USD"),
        (bill_of([(1, 0.06)]), "1 image at 0.06 USD costs 0.06 USD"),
        (bill_of([(10_000, 0.06)]), "10,000 images at 0.06 USD cost 600.00 USD"),
        (bill_of([(30, None)]), "30 images of unknown price"),
        (Bill(30, 1.5), "30 images cost 1.50 USD"),
        (MIXED, "30 images cost 0.60 USD, and the price of 20 is unknown"),
    ],
)
def test_a_bill_says_what_it_is_for(bill, text):
    assert str(bill) == text


@pytest.mark.parametrize(
    ("bill", "limit", "accepts_unknown", "said"),
    [
        (bill_of([(20, 0.06)]), None, False, ""),
        (bill_of([(20, 0.06)]), 1.2, False, ""),
        (bill_of([(3, 0.1)]), 0.3, False, ""),  # 0.30000000000000004
        (bill_of([(20, 0.06)]), 1.19, False, "over the limit of 1.19 USD"),
        (bill_of([(20, 0.06)]), 1.19, True, "over the limit of 1.19 USD"),
        (bill_of([(20, None)]), 100, False, "the price is unknown"),
        (bill_of([(20, None)]), 100, True, ""),
        (bill_of([(20, None)]), None, False, ""),
        (bill_of([(0, None)]), 0, False, ""),
        (bill_of([(0, 0.06)]), 0, False, ""),
        (MIXED, 0.6, True, ""),
        (MIXED, 0.6, False, "the price is unknown"),
        (MIXED, 0.5, True, "over the limit of 0.50 USD"),
    ],
)
def test_a_limit_holds_for_what_is_known(bill, limit, accepts_unknown, said):
    if not said:
        check_limit(bill, limit, accepts_unknown=accepts_unknown)
        return
    with pytest.raises(BudgetError, match=said):
        check_limit(bill, limit, accepts_unknown=accepts_unknown)


def test_the_error_says_why_the_price_is_unknown():
    with pytest.raises(BudgetError, match=r"unknown \(no estimate: 502\), and the limit is 1.00"):
        check_limit(bill_of([(1, None)]), 1, accepts_unknown=False, reason="no estimate: 502")


@pytest.mark.parametrize(
    ("bill", "is_limited", "is_remote", "asks"),
    [
        (bill_of([(83, 0.06)]), False, True, False),  # 4.98
        (bill_of([(84, 0.06)]), False, True, True),
        (bill_of([(84, 0.06)]), False, False, True),  # a known price is paid wherever the server is
        (bill_of([(84, 0.06)]), True, True, False),
        (bill_of([(50, 0.1)]), False, True, False),  # exactly 5
        (bill_of([(20, None)]), False, True, False),
        (bill_of([(21, None)]), False, True, True),
        (bill_of([(21, None)]), False, False, False),
        (bill_of([(0, None)]), False, True, False),
        (Bill(100, 4.0, unpriced=21), False, True, True),
        (Bill(100, 5.1, unpriced=1), False, True, True),
        (Bill(100, 5.1, unpriced=1), True, True, False),
    ],
)
def test_large_and_unknown_bills_are_confirmed(bill, is_limited, is_remote, asks):
    reason = reason_to_confirm(bill, 5.0, is_limited=is_limited, is_remote=is_remote)
    assert bool(reason) is asks
    assert not asks or reason.startswith(str(bill))


@pytest.mark.parametrize(
    ("bill", "hint"),
    [
        (bill_of([(84, 0.06)]), "add --max-cost 5.04 to allow that much, or --yes"),
        (bill_of([(1001, 0.005)]), "add --max-cost 5.01 to allow that much, or --yes"),  # 5.005
        (bill_of([(30, None)]), "add --yes; --max-cost USD limits the cost"),
    ],
)
def test_the_hint_names_both_options_with_an_amount_that_is_enough(bill, hint):
    assert unconfirmed(bill, "why").hint == hint
    assert unconfirmed(bill, "why").exit_code == 2
