"""`--like` with an image that was made from other images."""

from hashlib import sha256

import pytest
from sample_images import encoded

from flux_cli.images.metadata.record import Record
from flux_cli.images.metadata.write import write_record

SIZE = (320, 240)
FULL = {"FLUX_METADATA": "full"}


@pytest.fixture
def made(generate, work):
    """`out/a.png`, made from `fox.png` and `snow.jpg`."""
    (work / "fox.png").write_bytes(encoded("png", size=SIZE))
    (work / "snow.jpg").write_bytes(encoded("jpeg", size=SIZE))
    (work / "out").mkdir()
    words = ("--image", "fox.png", "--image", "snow.jpg", "-m", "flux.2-pro", "-o", "out/a.png")
    assert generate("image 1 in image 2", *words, env=FULL).code == 0
    return "out/a.png"


def sent_files(gateway, place=-1):
    return [sha256(part.data).hexdigest() for part in gateway.paid[place].files]


@pytest.mark.parametrize("folder", [".", "out"])
def test_the_images_are_found_here_or_beside_it(generate, gateway, work, made, folder):
    for name in ("fox.png", "snow.jpg"):
        (work / name).rename(work / folder / name)
    result = generate("--like", made, "-o", "b.png")
    assert result.code == 0
    assert sent_files(gateway, 0) == sent_files(gateway, 1)
    assert gateway.posts[0]["prompt"] == gateway.posts[1]["prompt"]


def test_a_file_of_that_name_with_other_bytes_is_not_it(generate, gateway, work, made):
    digest = sha256((work / "fox.png").read_bytes()).hexdigest()
    (work / "fox.png").write_bytes(encoded("png", "L", size=SIZE))
    result = generate("--like", made, "-o", "b.png")
    assert result.code == 2
    assert "fox.png" in result.err
    assert digest[:12] in result.err
    assert "--image FILE" in result.err
    assert len(gateway.paid) == 1


def test_images_that_are_given_replace_those_of_the_record(generate, gateway, work, made):
    (work / "fox.png").unlink()
    result = generate("--like", made, "--image", "snow.jpg", "-o", "b.png")
    assert result.code == 0
    assert len(gateway.paid[1].files) == 1


@pytest.mark.parametrize(
    "recorded",
    ["fox.png", [7], [{"name": 7}], [{"name": "../fox.png", "sha256": "a"}], {"name": "x"}, [{}]],
)
def test_a_strangers_record_decides_no_path(flux, work, recorded):
    record = Record(model="flux.2-pro", prompt="x", parameters={"image": recorded})
    pieces = write_record(encoded("png", size=SIZE), record).pieces
    (work / "odd.png").write_bytes(b"".join(pieces))
    result = flux("resolve", "--like", "odd.png")
    assert "Traceback" not in result.err
    assert result.code in (0, 2)
