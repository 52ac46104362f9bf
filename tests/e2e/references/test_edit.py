"""`flux edit IMAGE "PROMPT"`: the request of `flux generate --image`, saved beside the image."""

import pytest
from sample_images import encoded

SIZE = (320, 240)


@pytest.fixture
def edit(flux, keyed, work):
    (work / "photos").mkdir()
    for name in ("fox.jpg", "snow.jpg"):
        (work / "photos" / name).write_bytes(encoded("jpeg", size=SIZE))

    def run(*words, env=None, **more):
        return flux("edit", *words, env=keyed | (env or {}), **more)

    return run


def test_an_edit_is_saved_beside_its_image(edit, generate, gateway):
    result = edit("photos/fox.jpg", "make it night", "--seed", "7")
    assert result.code == 0
    assert result.lines == ["photos/fox-7.jpg"]
    line = ("--image", "photos/fox.jpg", "-m", "flux.2-pro", "--seed", "7")
    assert generate("make it night", *line).code == 0
    one, other = gateway.paid
    assert one.path == "/openai/v1/images/edits"
    assert one.json == other.json
    assert one.files[0].data == other.files[0].data


def test_several_images_and_results(edit, gateway):
    result = edit("photos/fox.jpg", "photos/snow.jpg", "both", "-n", "2", "--seed", "7")
    assert result.lines == ["photos/fox-7.jpg", "photos/fox-8.jpg"]
    assert [part.name for part in gateway.paid[0].files] == ["image[]", "image[]"]


@pytest.mark.parametrize("more", [(), ("--overwrite",)])
def test_the_image_itself_is_never_replaced(edit, gateway, work, more):
    before = (work / "photos" / "fox.jpg").read_bytes()
    result = edit("photos/fox.jpg", "make it night", "-o", "photos/../photos/fox.jpg", *more)
    assert result.code == 2
    assert "would replace photos/fox.jpg" in result.err
    assert (work / "photos" / "fox.jpg").read_bytes() == before
    assert gateway.requests == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), 'flux edit photo.jpg "make it night"'),
        (("photos/fox.jpg",), "takes an image and a prompt"),
        (("make it night", "photos/fox.jpg"), "the image is first"),
        (
            ("photos/fox.jpg", "make", "it", "night"),
            'quote the prompt: flux edit photos/fox.jpg "make it night"',
        ),
        (("photos/fox.jpg", "x", "-m", "flux1.1-pro-ultra"), "-m flux.2-pro"),
        (("photos/fox.jpg", " "), "the prompt is empty"),
    ],
)
def test_mistakes_cost_nothing_and_say_what_to_type(edit, gateway, words, said):
    result = edit(*words)
    assert result.code == 2
    assert said in result.err
    assert gateway.requests == []


def test_a_configured_model_that_takes_images_is_used(edit, gateway):
    assert edit("photos/fox.jpg", "x", env={"FLUX_MODEL": "flux.2-max"}).code == 0
    assert edit("photos/fox.jpg", "x", env={"FLUX_MODEL": "flux1.1-pro"}).code == 0
    assert [post["model"] for post in gateway.posts] == ["flux.2-max", "flux.2-pro"]


def test_a_configured_output_is_used(edit, work):
    (work / "out").mkdir()
    result = edit("photos/fox.jpg", "make it night", "--seed", "7", env={"FLUX_OUTPUT": "out/"})
    assert result.lines == ["out/make-it-night-7.jpg"]


def test_names_with_braces_and_images_without_a_name(edit, gateway, work):
    (work / "photos" / "{seed}.jpg").write_bytes(encoded("jpeg", size=SIZE))
    assert edit("photos/{seed}.jpg", "x", "--seed", "7").lines == ["photos/{seed}-7.jpg"]
    data = encoded("jpeg", size=SIZE)
    assert edit("-", "make it night", "--seed", "7", input=data).lines == ["make-it-night-7.jpg"]
    assert len(gateway.paid) == 2


def test_two_sketches_have_two_names(edit):
    first = edit("photos/fox.jpg", "x", "--offline")
    second = edit("photos/fox.jpg", "x", "--offline")
    assert first.code == second.code == 0
    assert first.out != second.out
