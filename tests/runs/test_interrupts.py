"""A signal is remembered until the process ends, whatever it interrupts."""

import signal

import pytest

from flux_cli.runs import interrupts


@pytest.fixture
def installed():
    numbers = [getattr(signal, name) for name in interrupts.NAMES]
    before = {number: signal.getsignal(number) for number in numbers}
    interrupts.install()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("installed")
def test_a_signal_that_ends_a_contact_sheet_or_a_preview_is_not_forgotten():
    interrupts.defer()
    assert not interrupts.has_come()
    with pytest.raises(KeyboardInterrupt), interrupts.interrupt_once():
        signal.raise_signal(signal.SIGTERM)
    assert interrupts.has_come()
    signal.raise_signal(signal.SIGTERM)  # only noted, as before
