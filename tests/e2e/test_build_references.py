"""`flux build` with reference images: order, bytes, reasons, failures, and what is never sent."""

import json
import signal
import threading

import pytest
from fakes.gateway import held, image, status
from sample_images import encoded

from e2e.builder import Builder

MANIFEST = """
[defaults]
model = "flux.2-pro"
output = "{name}.png"
width = [64]
[assets.night]
prompt = "the same fox at night"
image = ["refs/palette.png", "asset:hero"]
size = "16:9"
[assets.hero]
prompt = "a fox"
"""


@pytest.fixture
def builder(command, keyed, gateway, work):
    made = Builder(command, keyed, gateway, work)
    (work / "flux-build.toml").write_text(MANIFEST)
    (work / "refs").mkdir()
    (work / "refs" / "palette.png").write_bytes(encoded("png", size=(64, 64)))
    return made


def original(work, name):
    row = json.loads((work / "flux-build.lock").read_text())["assets"][name]["original"]
    return (work / ".flux" / "originals" / f"{row['sha256']}.{row['format']}").read_bytes()


def replace(work, old, new):
    path = work / "flux-build.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_23_a_reference_is_requested_first_and_sent(builder, gateway, work):
    code, posts, out, err = builder.run()
    assert (code, posts) == (0, 2), out + err
    first, second = gateway.paid
    assert first.path.endswith("/generations")
    assert [part.name for part in second.files] == ["image[]", "image[]"]
    sent = second.files[1].data
    assert sent[-64:] == original(work, "hero")[-64:]
    images = builder.rows()["night"]["requested"]["image"]
    assert [text.split(" sha256:")[0] for text in images] == ["refs/palette.png", "asset:hero"]
    assert builder.run("--yes")[:2] == (0, 0)
    assert builder.run("--check")[0] == 0

    replace(work, "a fox", "a red fox")
    _, posts, out, _ = builder.run("--plan")
    assert posts == 0
    assert "reference hero: new original" in out
    assert "2 requests" in out
    assert builder.run("--yes")[:2] == (0, 1)  # the same bytes came: nothing changed for the other
    assert builder.run("--check")[0] == 0
    replace(work, "a red fox", "a blue fox")
    gateway.answers(image(data=encoded("png", size=(96, 96))), image())
    assert builder.run("--yes")[:2] == (0, 2)
    assert builder.run("--check")[0] == 0

    replace(work, "assets.hero", "assets.fox")
    replace(work, "asset:hero", "asset:fox")
    assert builder.run("--yes")[:2] == (0, 0)
    (work / "fox-64.png").write_bytes(b"edited")
    assert builder.run("--yes")[:2] == (3, 0)
    assert builder.run("--only", "night")[:2] == (0, 0)
    assert builder.run("--reroll", "fox", "--overwrite")[:2] == (0, 2)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('prompt = "a fox"', 'prompt = "a fox"\nimage = "asset:night"', "night -> hero -> night"),
        ("asset:hero", "asset:her", "did you mean hero?"),
        ("refs/palette.png", "hero-64.png", 'write "asset:hero"'),
        ("refs/palette.png", "../palette.png", "leaves the folder"),
        ("flux.2-pro", "flux1.1-pro-ultra", "takes no images as input"),
        ("flux.2-pro", "flux-kontext-pro", "takes at most one image as input, not 2"),
    ],
)
def test_23_what_cannot_be_sent_is_refused_first(builder, work, old, new, said):
    replace(work, old, new)
    code, posts, _, err = builder.run("--yes")
    assert (code, posts) == (2, 0), err
    assert said in err
    assert "\nhint: " in err


def test_nothing_is_sent_of_an_asset_whose_reference_failed(builder, gateway):
    gateway.answers(status(400, message="invalid prompt"))
    code, posts, _, err = builder.run("--yes")
    assert (code, posts) == (3, 1), err
    assert "waits for hero: it was not made" in err
    assert builder.run("--only", "night", "--plan")[0] == 0
    code, posts, _, err = builder.run("--only", "night")
    assert (code, posts) == (3, 0), err
    assert "waits for hero" in err


def test_a_build_that_is_killed_between_stages_goes_on(builder, gateway):
    release = threading.Event()
    gateway.answers(image(), held(release, image()))
    code, _ = builder.stop(signal.SIGKILL, lambda: len(gateway.paid) == 2)
    release.set()
    assert code == -signal.SIGKILL
    code, posts, out, err = builder.run("--yes")
    assert (code, posts) == (3, 0), out + err
    assert builder.rows()["night"]["unclear"]
    assert builder.rows()["hero"]["original"]
    assert builder.run("--reroll", "night")[:2] == (0, 1)


def test_placeholders_are_drawn_from_placeholders_and_never_sent(builder, gateway, work):
    assert builder.run("--offline")[:2] == (0, 0)
    sketch = original(work, "hero")
    assert builder.run("--only", "night")[:2] == (3, 0)
    assert builder.run("--yes")[:2] == (0, 2)
    assert original(work, "hero") != sketch
    assert gateway.paid[1].files[1].data[-64:] == original(work, "hero")[-64:]
    assert builder.run("--check")[0] == 0
