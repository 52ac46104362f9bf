"""Making the files of one image, and saving them while an interrupt may come."""

import pytest
from sample_images import IMAGES

from flux_cli.core.errors import ImageError
from flux_cli.core.image import ImageFile
from flux_cli.core.outcome import Facts
from flux_cli.images.files import Folder
from flux_cli.images.finish import Finish
from flux_cli.images.metadata.read import read_metadata
from flux_cli.images.metadata.record import SIGNED, Record
from flux_cli.images.metadata.write import write_record
from flux_cli.images.names import fixed
from flux_cli.images.outputs import outputs
from flux_cli.images.pixels.render import measure
from flux_cli.images.pixels.wholeness import examine
from flux_cli.runs.saving.finish import (
    FinishedFile,
    PlannedFile,
    SavedFiles,
    describe_reduction,
    make_files,
)
from flux_cli.runs.saving.provenance import Provenance, find_provenance, measure_provenance

FOX = Record(prompt="a red fox", model="flux1.1-pro-ultra", tool="flux 0.1.0", seed=7)
MARKED = b"".join(write_record(IMAGES["png"], FOX).pieces)
C2PA = b"JP\0\1\0\0\0\1\0\0\0\x40jumb\0\0\0\x1ejumdc2pa" + bytes(16)
SIGNED_JPEG = (
    IMAGES["jpeg"][:2] + b"\xff\xeb" + (2 + len(C2PA)).to_bytes(2) + C2PA + IMAGES["jpeg"][2:]
)


def made(data: bytes, provenance: Provenance, *formats: str, **wanted) -> list[FinishedFile]:
    finish = Finish(formats=formats, **wanted)
    planned = [PlannedFile(fixed("a"), output) for output in outputs(finish, measure(data))]
    return list(make_files(data, planned, provenance))


def found(data: bytes) -> Provenance:
    return find_provenance(examine(data))


def bytes_of(file: FinishedFile) -> bytes:
    return b"".join(file.image.parts)


@pytest.mark.parametrize("file_format", ["jpeg", "webp", "avif", "gif"])
def test_a_record_is_carried_along_into_another_format(file_format):
    (file,) = made(MARKED, found(MARKED), file_format)
    assert read_metadata(bytes_of(file)).record == FOX
    assert file.remarks == ()


def test_a_copy_of_the_same_bytes_stays_the_same():
    (file,) = made(MARKED, found(MARKED), "png")
    assert bytes_of(file) == MARKED


def test_an_image_without_a_record_of_flux_gets_none():
    (file,) = made(IMAGES["png"], found(IMAGES["png"]), "webp")
    assert read_metadata(bytes_of(file)).source == ""


def test_a_record_that_is_carried_along_gives_way_to_a_size_limit():
    plain = made(MARKED, Provenance(), "webp")[0].image.size
    (file,) = made(MARKED, found(MARKED), "webp", max_bytes=plain + 10)
    assert file.image.size <= plain + 10
    assert read_metadata(bytes_of(file)).source == ""


def test_a_new_record_is_written_into_copies_of_the_same_bytes_too():
    (file,) = made(IMAGES["png"], Provenance(FOX, is_embedded=True), "png")
    assert file.image.as_received
    assert read_metadata(bytes_of(file)).record == FOX


def test_a_lost_signature_is_remarked_and_a_kept_one_too():
    png, jpeg = made(SIGNED_JPEG, Provenance(FOX, is_embedded=True), "png", "jpeg")
    (note,) = png.remarks
    assert "its signed content credentials (C2PA)" in note
    assert jpeg.remarks == (SIGNED,)
    assert bytes_of(jpeg) == SIGNED_JPEG


def test_bytes_that_are_not_whole_are_an_error():
    with pytest.raises(ImageError):
        list(make_files(IMAGES["png"][:-20], [], Provenance()))


def test_a_record_adds_its_own_size_and_a_margin():
    assert measure_provenance(Provenance(FOX)) == 0
    (file,) = made(IMAGES["png"], Provenance(FOX, is_embedded=True), "png")
    added = file.image.size - len(IMAGES["png"])
    assert added <= measure_provenance(Provenance(FOX, is_embedded=True)) <= added + 1100


def test_saved_files_are_listed_with_what_is_known_of_them(work):
    files = SavedFiles(Folder(overwrite=False), Facts(seed=7))
    image = ImageFile(IMAGES["png"], "png", 67, 43, as_received=True)
    assert files.save(FinishedFile(fixed("a.png"), image, remarks=("odd",)))
    assert [(saved.path, saved.size, saved.facts.seed) for saved in files.images] == [
        ("a.png", len(IMAGES["png"]), 7)
    ]
    assert files.remarks == ["odd"]
    assert (work / "a.png").read_bytes() == IMAGES["png"]


def test_once_closed_nothing_is_saved_but_the_image_as_received(work):
    files = SavedFiles(Folder(overwrite=True))
    file = FinishedFile(fixed("a.png"), ImageFile(IMAGES["png"], "png", 67, 43, as_received=True))
    (work / "a.png").write_bytes(b"mine")
    assert files.close() is False
    files.save_sidecar(file._replace(name=fixed("a.json")))
    assert (files.save(file), files.images) == (False, [])
    assert files.save_as_received(file, 0) == "a-2.png"
    assert sorted(path.name for path in work.iterdir()) == ["a-2.png", "a.png"]
    assert (work / "a.png").read_bytes() == b"mine"


def test_closing_tells_whether_a_file_is_being_written():
    class Closing:
        def save(self, *_, **__):
            self.is_writing = files.close()
            return "a.png"

    sink = Closing()
    files = SavedFiles(sink)
    file = FinishedFile(fixed("a.png"), ImageFile(b"", "png", 1, 1, as_received=True))
    assert files.save(file)
    assert sink.is_writing
    assert not files.save(file)
    assert len(files.images) == 1


def test_a_reduced_quality_is_described_with_its_limit():
    (file,) = made(IMAGES["jpeg"], Provenance(), "jpeg", max_bytes=600)
    files = SavedFiles(Folder(overwrite=False))
    files.save(file)
    (saved,) = files.images
    assert saved.is_reduced
    text = f"a: quality reduced to {saved.quality} to fit 600 bytes"
    assert describe_reduction(saved, 600) == text
    assert describe_reduction(saved._replace(is_reduced=False), 600) == ""
