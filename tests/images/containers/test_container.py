"""What a format need not be able to do: its images still go everywhere that others go."""

import pytest

from flux_cli.images.containers.container import Colors, Container
from flux_cli.images.containers.registry import CONTAINERS, inspect, sniff
from flux_cli.images.details import read_details
from flux_cli.images.formats import FORMATS
from flux_cli.images.metadata.credentials import has_credentials
from flux_cli.images.metadata.read import read_metadata
from flux_cli.images.metadata.record import Record
from flux_cli.images.metadata.write import write_record

BARE = b"BARE" + bytes(12)


@pytest.fixture
def bare(monkeypatch):
    """A format whose module knows nothing but its first bytes and its size."""
    container = Container(matches=lambda data: data.startswith(b"BARE"), check=lambda _data: (6, 4))
    monkeypatch.setitem(FORMATS, "bare", FORMATS["png"])
    monkeypatch.setitem(CONTAINERS, "bare", container)
    return BARE


def test_a_format_without_metadata_is_known_and_measured(bare):
    assert sniff(bare) == "bare"
    assert inspect(bare) == ("bare", 6, 4, 16, True, "")


def test_a_format_without_metadata_says_so_and_its_image_stays_as_it_is(bare):
    written = write_record(bare, Record(prompt="a fox"))
    assert (written.is_written, written.pieces) == (False, (bare,))
    assert written.reason == "flux cannot write metadata into bare"


def test_a_format_without_metadata_has_an_empty_record_and_no_credentials(bare):
    reading = read_metadata(bare)
    assert (reading.record, reading.source, reading.fields) == (Record(), "", {})
    assert not has_credentials(bare)


def test_details_of_a_format_without_colors_leave_them_open(bare):
    details = read_details(bare)
    assert (details.format, details.width, details.height, details.size) == ("bare", 6, 4, 16)
    assert (details.colors, details.color_space, details.orientation) == (Colors(), "", 1)
