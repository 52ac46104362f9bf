"""Stores in memory: what objects, claims and outputs do."""

import sys

import pytest

from flux_cli.build.execution.guard import described
from flux_cli.build.lock.rows import Original, Row, Trouble
from flux_cli.build.stores.outputs import StoredFolder
from flux_cli.build.stores.store import open_store
from flux_cli.build.stores.texts import LARGEST, Claim, claim_text, read_claim, row_text
from flux_cli.core.errors import ConfigError, DiskError, NetworkError
from flux_cli.core.image import ImageFile
from flux_cli.images.names import fixed

REQUEST = "0123456789abcdef"
ORIGINAL = Original("a" * 64, 3, 1, 1, "png")
MADE = Row(REQUEST, REQUEST, original=ORIGINAL)


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    address = {"memory": "memory://", "file": f"file://{tmp_path}/store"}[request.param]
    return open_store(address, "--store")


def test_an_object_is_put_read_listed_and_deleted(store):
    assert store.get("claims/a", 9) is None
    assert store.size("claims/a") is None
    store.put("claims/a", b"one")
    assert store.get("claims/a", 9).data == b"one"
    assert store.get("claims/a", 2).data is None  # larger than was allowed
    assert store.size("claims/a") == 3
    store.put("other/b", b"")
    assert list(store.list("claims")) == [("claims/a", 3)]
    store.delete("claims/a")
    store.delete("claims/a")
    assert store.size("claims/a") is None


def test_only_the_first_puts_what_is_absent(store):
    assert store.put_if_absent("a", b"one")
    assert not store.put_if_absent("a", b"two")
    assert store.get("a", 9).data == b"one"


def test_only_the_known_object_is_replaced(store):
    store.put("a", b"one")
    known = store.get("a", 9)
    assert store.replace("a", b"two!", known)
    assert not store.replace("a", b"three", known)
    assert store.get("a", 9).data == b"two!"
    store.delete("a")
    assert not store.replace("a", b"three", known)


def write(store, data, known=None, **more):
    """Write img/a.webp, which is known as a file with these bytes."""
    place = f"{store.address}/img/a.webp"
    files = {place: described(image_of(known))} if known else {}
    folder = StoredFolder(store, files, lambda *_: None, overwrite=more.pop("overwrite", False))
    return folder.save(fixed(place), image_of(data), **more)


def image_of(data):
    return ImageFile(data, "webp", 1, 1, as_received=True)


def test_an_output_is_never_overwritten_unless_told_to(store):
    place = write(store, b"one")
    assert write(store, b"one") == place  # a restarted machine
    with pytest.raises(DiskError, match="is not what a build has written"):
        write(store, b"two")
    assert store.get("img/a.webp", 9).data == b"one"
    write(store, b"two", overwrite=True)
    assert store.get("img/a.webp", 9).data == b"two"


def test_an_output_that_a_build_has_written_is_replaced_and_an_edited_one_is_not(store):
    write(store, b"one")
    write(store, b"two", known=b"one")
    assert store.get("img/a.webp", 9).data == b"two"
    with pytest.raises(DiskError):
        write(store, b"three", known=b"one")
    with pytest.raises(DiskError):
        write(store, b"three", known=b"a longer one")


def test_further_images_of_one_request_get_free_names(store):
    write(store, b"one")
    places = [write(store, data, extra=1) for data in (b"two", b"three")]
    assert [place.rpartition("/")[2] for place in places] == ["a-2.webp", "a-3.webp"]
    assert write(store, b"four", fresh=True).endswith("/a-4.webp")
    assert store.get("img/a.webp", 9).data == b"one"


def test_failures_name_the_object_and_nothing_that_the_store_said(tmp_path):
    (tmp_path / "claims").write_text("in the way")
    store = open_store(f"file://{tmp_path}", "--store")
    with pytest.raises(NetworkError) as raised:
        store.put_if_absent("claims/a", b"")
    assert raised.value.message.startswith("cannot write claims/a in file://")
    assert not raised.value.billed
    with pytest.raises(ConfigError, match="FLUX_STORE cannot be opened"):
        open_store("az://container", "FLUX_STORE")  # without an account


def test_a_claim_says_who_requests_and_then_what_came_of_it():
    text = claim_text("20261201-101502-4f3a1c", 7, "2026-12-01T10:15:02Z", "f" * 32)
    assert read_claim(text, REQUEST) == Claim("20261201-101502-4f3a1c", 7)
    assert read_claim(row_text("a", MADE), REQUEST) == Claim("", 0, MADE)
    refused = Row(REQUEST, REQUEST, refused=Trouble(REQUEST, "run", 1, "moderation"))
    assert read_claim(row_text("a", refused), REQUEST).row == refused


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"",
        b"\xff",
        b"[" * 100_000,
        b"[]",
        b" " * (LARGEST + 1),
        b'{"run": 1, "number": 1}',
        b'{"run": "r", "number": true}',
        b'{"run": "r", "number": -1}',
        row_text("a", MADE._replace(request="f" * 16)),  # of another request
        row_text("a", Row(REQUEST, REQUEST)),  # with nothing made
        row_text("a", MADE).replace(b"png", b"../x"),
    ],
)
def test_anything_else_is_a_claim_of_an_unknown_run(data):
    assert read_claim(data, REQUEST) == Claim()


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ConfigError) as raised:
        open_store("memory://", "--store")
    assert raised.value.hint == "pip install 'flux-image-cli[store]'"
