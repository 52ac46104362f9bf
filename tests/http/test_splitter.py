"""Long base64 texts go into files, however an answer is written, cut into parts or cut short."""

import base64
import itertools
import json
import os
import random
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flux_cli.core.errors import ImageError
from flux_cli.http.replies import BLOB, MARK
from flux_cli.http.splitter import LONG, Splitter
from flux_cli.http.spool import Spool

MORE = LONG * 3 // 4 + 1  # bytes whose base64 is long


def noise(count: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(count)


def escaped(text: str, how: str) -> str:
    """The same text as another JSON writer spells it, without the quotes."""
    plain = json.dumps(text)[1:-1]
    if how == "slashes":
        return plain.replace("/", "\\/")
    if how == "plus signs":
        return plain.replace("+", "\\u002B").replace("=", "\\u003d").replace("/", "\\u002f")
    return plain


PREFIXES = ["", "data:image/png;base64,", "data:;base64,", "data:image/jpeg;charset=x;BASE64,"]
IMAGES = st.fixed_dictionaries(
    {
        "data": st.builds(noise, st.integers(MORE, MORE + 9000), st.integers(0, 2**32)),
        "prefix": st.sampled_from(PREFIXES),
        "safe": st.booleans(),
        "padded": st.booleans(),
        "fold": st.sampled_from([0, 64, 76, 1001]),
        "how": st.sampled_from(["plainly", "slashes", "plus signs"]),
    }
)
ODD_IMAGE = {
    "data": noise(MORE, 1),
    "prefix": "",
    "safe": False,
    "padded": True,
    "fold": 76,
    "how": "plus signs",
}
CUTS = st.lists(st.integers(0, 2**20), max_size=40)
SMALL = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def written(image: dict) -> str:
    text = (base64.urlsafe_b64encode if image["safe"] else base64.b64encode)(image["data"]).decode()
    text = text if image["padded"] else text.rstrip("=")
    if fold := image["fold"]:
        text = "\r\n".join(text[at : at + fold] for at in range(0, len(text), fold))
    return escaped(image["prefix"] + text, image["how"])


def split(document: bytes, cuts: list[int], folder: Path, limit: int = 1 << 30) -> Splitter:
    splitter = Splitter(Spool(folder).open_new, limit)
    places = sorted({0, len(document), *(cut % (len(document) + 1) for cut in cuts)})
    for begin, end in itertools.pairwise(places):
        splitter.feed(document[begin:end])
    splitter.close()
    return splitter


def feed(splitter: Splitter, document: bytes, size: int) -> None:
    for at in range(0, len(document), size):
        splitter.feed(document[at : at + size])


def replaced(value, folder: Path, found: list[bytes]):
    """The document with a number for each image. Appends the bytes of its files to `found`."""
    if isinstance(value, str) and value.startswith(MARK):
        found.append((folder / value.removeprefix(MARK)).read_bytes())
        return f"image {len(found)}"
    if isinstance(value, list):
        return [replaced(part, folder, found) for part in value]
    if isinstance(value, dict):
        return {key: replaced(part, folder, found) for key, part in value.items()}
    return value


@given(st.lists(IMAGES, min_size=1, max_size=3), SMALL, CUTS)
@example([ODD_IMAGE], "\\", [])
def test_any_document_in_any_parts_is_the_same_with_its_images_in_files(
    tmp_path_factory, images, rest, cuts
):
    folder = tmp_path_factory.mktemp("spool")
    items = ", ".join(f'{{"b64_json": "{written(image)}"}}' for image in images)
    escaped_rest, raw_rest = json.dumps(rest), json.dumps(rest, ensure_ascii=False)
    document = f'{{"rest": {escaped_rest}, "data": [{items}], "more": {raw_rest}}}'
    splitter = split(document.encode("utf-8", "surrogatepass"), cuts, folder)
    found: list[bytes] = []
    read = replaced(json.loads(bytes(splitter.kept)), folder, found)
    assert found == [image["data"] for image in images]
    items = [{"b64_json": f"image {place}"} for place in range(1, len(images) + 1)]
    assert read == {"rest": json.loads(json.dumps(rest)), "data": items, "more": read["more"]}
    assert len(list(folder.iterdir())) == len(images)
    assert len(splitter.kept) < len(json.dumps(rest)) * 2 + 100 * len(images) + 200


@given(st.integers(0, 2**32), st.integers(0, LONG))
def test_every_single_byte_is_a_place_to_cut(tmp_path_factory, seed, where):
    """Escapes, quotes and padding come in two parts."""
    folder = tmp_path_factory.mktemp("spool")
    data = noise(MORE + seed % 3, seed)
    text = escaped(base64.encodebytes(data).decode(), "plus signs")
    document = f'{{"a\\\\": "\\"", "b64_json": "{text}", "z": "\\\\"}}'.encode()
    splitter = split(
        document, [*range(where, where + 200), *range(len(document) - 40, len(document))], folder
    )
    found: list[bytes] = []
    read = replaced(json.loads(bytes(splitter.kept)), folder, found)
    assert (found, read) == ([data], {"a\\": '"', "b64_json": "image 1", "z": "\\"})


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50),
    st.lists(st.integers(0, 2**20)),
)
def test_long_words_that_are_no_base64_stay_in_the_text(tmp_path_factory, words, cuts):
    text = f"{words} é " * (LONG // len(words) + 1)
    folder = tmp_path_factory.mktemp("spool")
    for spelled in (json.dumps({"prompt": text}), json.dumps({"prompt": text}, ensure_ascii=False)):
        splitter = split(spelled.encode(), cuts, folder)
        assert json.loads(bytes(splitter.kept)) == {"prompt": text}
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("tail", ["!", "é", "\\u00e9", "\\\\", "A", "=A"])
@pytest.mark.parametrize("step", [999, 1 << 20])
def test_what_turns_out_to_be_no_base64_is_kept_as_the_text_it_was(tmp_path, tail, step):
    """It may be most of an image that was paid for. A text that arrives at once stays in place."""
    text = base64.b64encode(noise(3 * LONG, 1)).decode() + tail
    splitter = split(f'{{"b64_json": "{text}"}}'.encode(), [*range(0, 9 * LONG, step)], tmp_path)
    kept = json.loads(bytes(splitter.kept))["b64_json"]
    if kept.startswith(MARK):
        (file,) = tmp_path.iterdir()
        assert file.name == kept.removeprefix(MARK)
        assert file.read_text() in (text, json.loads(f'"{text}"'))
    else:
        assert (kept, list(tmp_path.iterdir())) == (json.loads(f'"{text}"'), [])


def test_a_text_that_is_too_long_to_be_restored_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr("flux_cli.http.splitter.MAX_RESTORED", 2 * LONG)
    text = base64.b64encode(noise(3 * LONG, 1)).decode() + "!"
    splitter = split(f'{{"b64_json": "{text}"}}'.encode(), [LONG], tmp_path)
    assert json.loads(bytes(splitter.kept)) == {"b64_json": MARK}
    assert list(tmp_path.iterdir()) == []


@given(st.integers(0, 2**20))
def test_an_answer_whose_connection_breaks_leaves_no_files(tmp_path_factory, place):
    folder = tmp_path_factory.mktemp("spool")
    text = base64.b64encode(noise(MORE, 1)).decode()
    document = f'[{{"b64_json": "{text}"}}, {{"b64_json": "{text}"}}]'.encode()
    splitter = Splitter(Spool(folder).open_new, 1 << 30)
    splitter.feed(document[: place % (2 * len(text))])
    splitter.drop()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("left", [1, 2, 3, 4])
def test_of_an_answer_that_ends_inside_a_text_everything_is_kept(tmp_path, left):
    """The server, not the connection, ended it: it is all that comes of what was paid."""
    text = base64.b64encode(noise(2 * MORE, 1))[:-left]
    splitter = split(b'{"b64_json": "' + text, [LONG], tmp_path)
    (file,) = tmp_path.iterdir()
    assert bytes(splitter.kept) == f'{{"b64_json": "{BLOB}{file.name}'.encode()
    assert file.read_bytes() == text


@pytest.mark.parametrize("parts", [1000, 1 << 20])
def test_an_image_over_the_limit_ends_the_answer_and_leaves_no_file(tmp_path, parts):
    document = b'{"b64_json": "' + base64.b64encode(noise(500_000, 1)) + b'"}'
    splitter = Splitter(Spool(tmp_path).open_new, 200_000)
    with pytest.raises(ImageError, match="larger than"):
        feed(splitter, document, parts)
    splitter.drop()
    assert list(tmp_path.iterdir()) == []


def test_memory_holds_a_part_of_the_image_and_never_the_whole(tmp_path):
    text = base64.b64encode(noise(3 << 18, 1)) * 32
    splitter = Splitter(Spool(tmp_path).open_new, 1 << 30)
    tracemalloc.start()
    try:
        splitter.feed(b'{"b64_json": "')
        for at in range(0, len(text), LONG):
            splitter.feed(text[at : at + LONG])
        splitter.feed(b'"}')
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    splitter.close()
    assert [path.stat().st_size for path in tmp_path.iterdir()] == [24 << 20]
    assert peak < 2 << 20


def test_names_of_files_are_nobodys_to_choose(tmp_path):
    """A server that names a file of its own finds none."""
    spool = Spool(tmp_path)
    (tmp_path / "image.png").touch()
    outside = os.path.relpath("/etc/passwd", tmp_path)
    assert [spool.find(name) for name in ("image.png", outside, "", ".", "none")] == [None] * 5
    Path(spool.new()).touch()
    assert len({spool.new() for _ in range(100)}) == 100


def test_a_file_that_is_not_needed_any_more_is_written_over_under_another_name(tmp_path):
    """Shorter or longer, nothing of what was in it stays; and the old name leads nowhere."""
    spool = Spool(tmp_path)
    for data in (b"x" * 100_000, b"short", b"y" * 200_000, b""):
        path = Path(spool.keep(data))
        assert [one.name for one in tmp_path.iterdir()] == [path.name]
        assert path.read_bytes() == data
        spool.release(str(path))
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_a_released_file_that_somebody_removed_is_no_loss(tmp_path):
    spool = Spool(tmp_path)
    first = spool.keep(b"a")
    spool.release(first)
    Path(first).unlink()
    second = Path(spool.keep(b"bc"))
    assert second.read_bytes() == b"bc"
    spool.close()
    assert [path.name for path in tmp_path.iterdir()] == [second.name]


def test_base64_decodes_over_what_was_there(tmp_path):
    spool = Spool(tmp_path)
    spool.release(spool.keep(b"z" * 300_000))
    splitter = Splitter(spool.open_new, 1 << 30)
    splitter.feed(b'"' + base64.b64encode(b"q" * 90_000) + b'"')
    splitter.close()
    (path,) = tmp_path.iterdir()
    assert path.read_bytes() == b"q" * 90_000
