"""Reads the existing files of a run, and compares them with what it would save in their place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flux_cli.core.errors import ImageError, OutputError
from flux_cli.core.lite import NamedTuple
from flux_cli.disk.links import DANGLING, is_dangling
from flux_cli.images.formats import FOREIGN
from flux_cli.images.metadata.record import from_document, parse_json
from flux_cli.request.files.comparison import Difference, compare_file, compare_records
from flux_cli.runs.saving.delivery import sidecar_name
from flux_cli.runs.saving.existing import Found, FoundRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flux_cli.images.metadata.record import Record
    from flux_cli.images.names import Name
    from flux_cli.runs.saving.delivery import Delivery, ExpectedFile

POINTER = b"version https://git-lfs.github.com/spec/"  # begins what Git LFS leaves for a file


class Comparison(NamedTuple):
    """What existing files are compared with: the record that new ones would get."""

    asked: Record
    delivery: Delivery

    def find(
        self, number: int, name: Name, seed: int | None, expected: Iterable[ExpectedFile]
    ) -> FoundRequest:
        """Look at the existing files of one request. `seed`: None if the user named none.

        Raises UsageError for a file that cannot be read, OutputError for one that Git LFS holds.
        """
        asked = self.asked._replace(seed=seed)
        images: list[Found] = []
        sidecars: list[Found] = []
        missing = 0
        for file in expected:
            candidates = file.name.candidates(None)
            paths = [path for path in candidates if os.path.isfile(path) or is_dangling(path)]
            found = [self._look(path, name, asked, file) for path in paths]
            missing += not found
            is_sidecar = self._is_sidecar(file, name)
            (sidecars if is_sidecar else images).extend(_best(found))
        return FoundRequest(number, tuple(images), tuple(sidecars), is_whole=not missing)

    def _is_sidecar(self, file: ExpectedFile, name: Name) -> bool:
        return self.delivery.sidecar and file.name == sidecar_name(name)

    def _look(self, path: str, name: Name, asked: Record, file: ExpectedFile) -> Found:
        from flux_cli.request.files.inputs import read_output

        if is_dangling(path):
            return Found(path, None, Difference("missing", f"is {DANGLING}"))
        data = read_output(path)
        if data.startswith(POINTER):
            message = f"{path} is a pointer of Git LFS, not the image"
            raise OutputError(message, hint="get the images: git lfs pull")
        if self._is_sidecar(file, name):
            record = _read_sidecar(data)
            return Found(path, record, record and compare_records(record, asked))
        return self._look_at_image(path, data, name, asked, file)

    def _look_at_image(
        self, path: str, data: bytes, name: Name, asked: Record, file: ExpectedFile
    ) -> Found:
        from flux_cli.images.pixels.wholeness import examine

        if not data:
            return Found(path, None, Difference("damaged", "is empty"))
        try:
            image, sound, *_ = examine(data)
        except ImageError as error:
            return Found(path, None, Difference("damaged", f"is damaged: {error.message}"))
        record = None if image.format in FOREIGN else _read_record(sound)
        record = record or _beside(name)
        difference = file.output and compare_file(image, file.output, self.delivery.finish)
        return Found(path, record, difference or (record and compare_records(record, asked)))


def _best(found: Sequence[Found]) -> Sequence[Found]:
    """Of files that differ in the suffix alone, the one that is kept; all, if none is."""
    return next(([file] for file in found if not file.difference), found)


def _read_record(sound: bytes) -> Record | None:
    """The record that flux wrote into an image; None if there is none to compare."""
    from flux_cli.images.metadata.read import read_metadata

    try:
        reading = read_metadata(sound)
    except ImageError:  # the metadata is damaged, not the pixels
        return None
    is_ours = reading.source == "flux" and reading.record.is_comparable
    return reading.record if is_ours else None


def _beside(name: Name) -> Record | None:
    """The record in the sidecar of an image that has none itself."""
    from flux_cli.request.files.inputs import read_output

    path = sidecar_name(name).path("json")
    return _read_sidecar(read_output(path)) if os.path.isfile(path) else None


def _read_sidecar(data: bytes) -> Record | None:
    record = from_document(parse_json(data.decode("utf-8", "replace")))
    return record if record and record.is_comparable else None
