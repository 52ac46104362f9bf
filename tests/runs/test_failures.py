"""What a failed call means for the calls after it, and for recovering it."""

import pytest

from flux_cli.core.errors import (
    AuthError,
    DiskError,
    ImageError,
    ModerationError,
    NetworkError,
    NotFoundError,
    PaymentError,
    ProviderError,
    RateError,
    ValidationError,
)
from flux_cli.runs.failures import decisive, error_of, is_expired, is_final, stops_run

STOPPING = [AuthError("a"), PaymentError("a"), DiskError("a"), ModerationError("a", status=403)]
OTHERS = [ModerationError("a", status=400), ProviderError("a"), RateError("a"), NetworkError("a")]


def test_what_would_fail_every_call_stops_the_run():
    assert [stops_run(error) for error in STOPPING] == [True] * 4
    assert [stops_run(error) for error in OTHERS] == [False] * 4


@pytest.mark.parametrize(
    ("error", "expired"),
    [
        (NotFoundError("a"), True),
        (NetworkError("a", status=410), True),
        (NetworkError("a", status=502), False),
        (NetworkError("a"), False),
        (ProviderError("a", status=404), False),
    ],
)
def test_an_address_that_is_gone_counts_as_expired(error, expired):
    assert is_expired(error) is expired


def test_a_refusal_is_final_and_trouble_of_a_server_is_not():
    assert is_final(ValidationError("a", status=422), is_recovery=False)
    assert not is_final(ProviderError("a", status=503), is_recovery=False)


def test_only_a_recovery_gives_up_what_has_expired():
    assert is_final(NotFoundError("a"), is_recovery=True)
    assert not is_final(NotFoundError("a"), is_recovery=False)


def test_an_image_that_is_not_whole_is_never_the_end():
    """Its bytes are kept, and it may have an address."""
    assert not is_final(ImageError("a"), is_recovery=False)
    assert not is_final(ImageError("a"), is_recovery=True)


SCARCE = [
    MemoryError(),
    RuntimeError("can't start new thread"),
    OSError(12, "Cannot allocate memory"),
    ImportError("_avif.so: failed to map segment from shared object"),
    ImportError("_webp.so: cannot allocate memory in static TLS block"),
    ImportError("DLL load failed: The paging file is too small for this operation to complete."),
]


@pytest.mark.parametrize("fault", SCARCE)
def test_a_machine_without_resources_is_not_called_a_full_disk(fault):
    error = error_of(fault)
    assert (error.code, error.exit_code, stops_run(error)) == ("resources", 1, True)


@pytest.mark.parametrize("fault", [MemoryError(), DiskError("full", billed=True), KeyError("a")])
def test_a_sketch_that_fails_is_never_called_billed(fault):
    assert not error_of(fault, hosted=False).billed


@pytest.mark.parametrize("fault", [ImportError("No module named 'x'"), OSError(2, "a"), KeyError()])
def test_other_failures_are_no_lack_of_resources(fault):
    assert error_of(fault).code == "error"


def test_one_image_that_can_still_be_fetched_keeps_the_whole_answer():
    final, open_, other = ProviderError("no URL"), DiskError("full"), NetworkError("a")
    assert decisive([final, open_, other], is_recovery=False) is open_
    assert decisive([final, ProviderError("b")], is_recovery=False) is final
    expired = NetworkError("gone", status=404)
    assert decisive([expired, other], is_recovery=True) is other
    assert decisive([expired, other], is_recovery=False) is expired
