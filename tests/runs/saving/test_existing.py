"""Which existing files a run keeps, after a first and a second look."""

from flux_cli.images.metadata.record import Record
from flux_cli.runs.saving.existing import Found, FoundRequest, keep_existing

RECORD = Record()


def found(number, *paths, is_whole):
    return FoundRequest(number, tuple(Found(path, RECORD) for path in paths), (), is_whole)


def test_the_second_look_decides_on_requests_that_are_not_complete():
    whole, half = found(1, "1.png", is_whole=True), found(2, "2.webp", is_whole=False)
    first = keep_existing([whole, half])
    assert first.files == {"1.png", "2.webp"}
    later = first.renewed(keep_existing([found(2, is_whole=False)]))  # 2.webp has vanished
    assert (later.files, later.by_call, later.complete) == ({"1.png"}, {1: ("1.png",)}, {1})


def test_the_second_look_finds_what_another_run_has_made_meanwhile():
    first = keep_existing([found(1, "1.png", is_whole=True)])
    later = first.renewed(keep_existing([found(2, "2.png", is_whole=True)]))
    assert (later.files, later.complete) == ({"1.png", "2.png"}, {1, 2})
