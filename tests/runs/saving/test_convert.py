"""Converting several images on several threads, and what an interrupt leaves of it."""

import os
import signal
import threading
from pathlib import Path

import pytest
from sample_images import IMAGES

from flux_cli.images.destination import read_destination
from flux_cli.images.files import Folder
from flux_cli.images.finish import Finish
from flux_cli.runs.saving.conversion import convert_all
from flux_cli.runs.saving.convert import plan

WAIT = 20.0  # seconds, where a tenth of one is enough


@pytest.fixture
def photos(work) -> list[str]:
    names = [f"{number}.png" for number in range(4)]
    for name in names:
        (work / name).write_bytes(IMAGES["png"])
    return names


def planned(sources: list[str], *formats: str):
    finish = Finish(formats=formats)
    return plan(
        sources, read_destination(None, formats), finish, overwrite=False, skip_existing=False
    )[0]


class SlowFolder:
    """Saves into a folder. While the first file is being written, the process gets signals."""

    def __init__(self, *signals: int) -> None:
        self._folder, self._signals = Folder(overwrite=False), signals
        self._lock, self.is_writing = threading.Lock(), False
        self.started, self.done = 0, 0

    def save(self, name, image, extra=0, *, fresh=False):
        with self._lock:
            self.started += 1
            is_first = self.started == 1
        if is_first:
            part = Path(".flux-slow")
            part.write_bytes(b"half")
            for number in self._signals:
                os.kill(os.getpid(), number)
                threading.Event().wait(0.2)
            part.unlink()
        path = self._folder.save(name, image, extra, fresh=fresh)
        with self._lock:
            self.done += 1
        return path


INTERRUPTS = [
    [signal.SIGINT],
    [signal.SIGINT, signal.SIGINT, signal.SIGINT],
    [signal.SIGTERM],
    [signal.SIGHUP, signal.SIGINT],
]


@pytest.mark.parametrize("signals", INTERRUPTS, ids=["ctrl-c", "impatient", "term", "hang-up"])
def test_an_interrupt_waits_for_files_that_are_being_written_and_lists_them(work, photos, signals):
    sink, events = SlowFolder(*signals), []
    results = convert_all(planned(photos, "webp", "jpeg"), sink, 1, events.append)
    shown = sorted(event.path for event in events if event.kind == "saved")
    assert sink.done == sink.started < 8
    listed = sorted(saved.path for result in results for saved in result.saved)
    assert shown == listed
    assert listed == sorted(path.name for path in work.iterdir() if path.name not in photos)
    assert [error.code for result in results for error in result.errors] == ["interrupted"] * 4
    assert results[0].errors[0].message == "interrupted: 4 of 4 images were not converted"
    threads = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    for thread in threads:
        thread.join(0.5)
    assert sink.done == sink.started == len(listed)  # no file is saved after the list was made


class LastSignal(SlowFolder):
    """Saves into a folder. While the last file is being written, the process gets a signal."""

    def save(self, name, image, extra=0, *, fresh=False):
        path = super().save(name, image, extra, fresh=fresh)
        if self.done == 4:
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait(0.2)
        return path


def test_an_interrupt_after_the_last_file_leaves_nothing_undone(photos):
    results = convert_all(planned(photos, "webp"), LastSignal(), workers=1)
    assert [result.errors for result in results] == [()] * 4
    assert [len(result.saved) for result in results] == [1] * 4


def test_signals_mean_again_what_they_meant_before(photos):
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    convert_all(planned(photos, "webp"), SlowFolder(signal.SIGINT), workers=1)
    assert [signal.getsignal(number) for number in numbers] == before


def test_results_keep_the_order_of_the_sources(photos):
    results = convert_all(planned(photos, "jpeg", "webp"), Folder(overwrite=False), workers=3)
    assert [result.source for result in results] == photos
    for number, result in enumerate(results):
        assert [saved.path for saved in result.saved] == [f"{number}.jpg", f"{number}.webp"]


class FullFolder(SlowFolder):
    """Has no memory for the first image."""

    def save(self, name, image, extra=0, *, fresh=False):
        if name.path("").startswith("0"):
            raise ImportError("libx.so: failed to map segment from shared object")
        return super().save(name, image, extra, fresh=fresh)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_image_for_which_there_is_no_memory_stops_no_other(photos, workers):
    results = convert_all(planned(photos, "webp"), FullFolder(), workers=workers)
    assert [next((error.code for error in result.errors), None) for result in results] == [
        "resources", None, None, None,
    ]  # fmt: skip
    assert results[0].errors[0].message == "0.png: not enough memory"
    assert [one.path for result in results for one in result.saved] == [
        "1.webp", "2.webp", "3.webp",
    ]  # fmt: skip
