"""`flux show` and `--like` as people run them: good and bad files, and a safe terminal."""

import json
from pathlib import Path

import pytest
from PIL import PngImagePlugin
from sample_images import IMAGES, encoded

from flux_cli.images.metadata.record import BY_MODEL, Record
from flux_cli.images.metadata.write import write_record

FOX = Record(
    model="flux1.1-pro-ultra",
    provider="lumenfall",
    prompt="a red fox\nin the snow 🦊",
    seed=7,
    size="16:9",
    parameters={"raw": True},
    created="2026-01-02T03:04:05Z",
    tool="flux 0.1.0",
    source_type=BY_MODEL,
)


def put(path, name="png", record=FOX):
    data = IMAGES[name]
    Path(path).write_bytes(b"".join(write_record(data, record).pieces) if record else data)
    return path


def rows(result):
    return dict(
        line.strip().split(maxsplit=1) for line in result.lines[1:] if line.startswith("  ")
    )


@pytest.mark.parametrize("name", ["png", "jpeg", "gif", "webp lossy", "avif"])
def test_what_an_image_is_and_how_it_was_made(flux, name):
    path = put(f"fox.{name.split()[0]}", name)
    result = flux("show", path)
    said = rows(result)
    assert (result.code, result.err, result.lines[0]) == (0, "", path)
    assert said["image"].startswith(f"{name.split()[0]} 67x43, ")
    assert said["prompt"] == "a red fox in the snow 🦊"
    assert (said["model"], said["seed"], said["raw"]) == ("flux1.1-pro-ultra", "7", "true")
    [file] = flux("show", path, "--json").json["files"]
    assert file["made"] == {
        "model": "flux1.1-pro-ultra", "provider": "lumenfall", "prompt": FOX.prompt, "seed": 7,
        "size": "16:9", "parameters": {"raw": True}, "created": FOX.created, "tool": "flux 0.1.0",
        "source_type": BY_MODEL,
    }  # fmt: skip
    assert (file["width"], file["height"], file["bytes"]) == (67, 43, Path(path).stat().st_size)
    assert (file["written_by"], file["c2pa"], file["animated"]) == ("flux", False, False)


def test_an_image_that_says_nothing(flux):
    put("plain.png", record=None)
    assert "the file does not say how it was made" in flux("show", "plain.png").out
    [file] = flux("show", "plain.png", "--json").json["files"]
    assert (file["made"], file["written_by"], file["fields"]) == (None, None, {})


def test_standard_input(flux):
    result = flux("show", "-", "--json", input=Path(put("fox.png")).read_bytes())
    assert result.json["files"][0]["made"]["seed"] == 7
    assert flux("show", "-").code == 2  # empty


def test_good_files_are_shown_and_bad_ones_named(flux):
    put("fox.png")
    Path("cut.png").write_bytes(Path("fox.png").read_bytes()[:-50])  # the last ones hold no pixels
    Path("text.png").write_text("no image")
    Path("empty.png").touch()
    Path("folder.png").mkdir()
    bad = ("cut.png", "text.png", "empty.png", "folder.png", "missing.png")
    result = flux("show", *bad, "fox.png", "fox.png")
    assert result.code == 3
    assert result.out.count("a red fox") == 2
    assert all(name in result.err for name in bad)
    assert "Traceback" not in result.err
    document = flux("show", *bad, "fox.png", "--json").json
    assert [error["path"] for error in document["errors"]] == list(bad)
    assert [error["code"] for error in document["errors"]] == ["image", *["usage"] * 4]
    assert [file["path"] for file in document["files"]] == ["fox.png"]


@pytest.mark.parametrize(
    ("names", "code"), [(["missing.png"], 2), (["cut.png"], 1), (["cut.png", "missing.png"], 1)]
)
def test_the_exit_code_when_nothing_could_be_shown(flux, names, code):
    Path("cut.png").write_bytes(IMAGES["png"][:-50])  # the last ones hold no pixels
    result = flux("show", *names)
    assert (result.code, result.out) == (code, "")


def test_no_files_is_a_wrong_command_line(flux):
    assert flux("show").code == 2


EVIL = "\x1b]0;owned\x07\x1b[31mred\x9b31m\x7f\u202edesrever\r\nnext"


@pytest.mark.parametrize("way", ["record", "parameters", "profile", "name"])
def test_other_people_s_control_characters_never_reach_the_terminal(flux, way):
    if way == "record":
        put(
            "x.png",
            record=FOX._replace(
                prompt=EVIL, model=EVIL, size=EVIL, parameters={EVIL: EVIL}, tool=EVIL
            ),
        )
    elif way == "parameters":
        text = f"{EVIL}\nSteps: 20, Seed: 5, Size: 5x5, Model: {EVIL.replace(chr(10), '')}"
        Path("x.png").write_bytes(encoded("jpeg", comment=text.encode()))
    elif way == "profile":
        Path("x.png").write_bytes(encoded("jpeg", xmp=b"<a>\x1b[31m</a>"))
    else:
        put("x.png")
        Path("x\x1b[31m\x9b.png").write_bytes(Path("x.png").read_bytes())
    name = "x\x1b[31m\x9b.png" if way == "name" else "x.png"
    for words in ((name,), (name, "--json"), (name + "x",)):
        result = flux("show", *words)
        assert [
            char for char in result.out + result.err if not char.isprintable() and char != "\n"
        ] == []
    if way == "record":
        assert flux("show", "x.png", "--json").json["files"][0]["made"]["prompt"] == EVIL


# --- --like ---------------------------------------------------------------------------------------


def sent(result):
    return result.json["sends"][0]["body"]


def test_like_asks_again_for_what_was_asked_and_the_notes_say_so(flux):
    put("fox.webp", "webp lossy")
    result = flux("resolve", "--like", "fox.webp", "--json")
    assert sent(result) == {
        "model": "flux1.1-pro-ultra", "prompt": FOX.prompt, "size": "1365x768", "raw": True,
        "seed": 7,
    }  # fmt: skip
    reasons = {note["parameter"]: note["reason"] for note in result.json["notes"]}
    assert all("as in fox.webp" in reasons[name] for name in ("prompt", "size", "seed", "raw"))


def test_options_on_the_line_win(flux):
    put("fox.png")
    body = sent(
        flux(
            "resolve",
            "a cat",
            "--like",
            "fox.png",
            "-a",
            "1:1",
            "--seed",
            "8",
            "--no-raw",
            "--json",
        )
    )
    assert body == {
        "model": "flux1.1-pro-ultra",
        "prompt": "a cat",
        "size": "1024x1024",
        "raw": False,
        "seed": 8,
    }
    body = sent(flux("resolve", "--like", "fox.png", "-m", "flux1.1-pro", "--json"))
    assert body["model"] == "flux1.1-pro"


def test_generate_takes_like_too(generate, gateway):
    put("fox.png")
    assert generate("a cat", "--like", "fox.png").code == 0
    [post] = gateway.posts
    assert (post["prompt"], post["seed"], post["raw"], post["size"]) == (
        "a cat",
        7,
        True,
        "1365x768",
    )


@pytest.mark.parametrize("path", ["missing.png", "text.png", "cut.png", "plain.png", "."])
def test_an_image_that_says_nothing_stops_the_run_before_anything_is_sent(generate, gateway, path):
    Path("text.png").write_text("no image")
    Path("cut.png").write_bytes(IMAGES["png"][:-50])  # the last ones hold no pixels
    put("plain.png", record=None)
    result = generate("a fox", "--like", path)
    assert (result.code, result.out, gateway.requests) == (2, "", [])
    assert path in result.err


def test_a_caption_is_no_prompt_to_pay_for(generate, gateway):
    Path("dog.jpg").write_bytes(encoded("jpeg", comment=b"my dog"))
    assert generate("a fox", "--like", "dog.jpg").code == 2
    assert gateway.requests == []


def test_json_of_show_is_one_document_even_when_all_fails(flux):
    document = json.loads(flux("show", "missing.png", "--json").out)
    assert (document["files"], len(document["errors"])) == ([], 1)


def test_like_never_takes_a_prompt_that_is_a_guess(flux):
    graph = {
        "3": {"class_type": "KSampler", "inputs": {"seed": 7, "positive": ["6", 0]}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["8", 0], "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["4", 1]}},
        "8": {"class_type": "OllamaGenerate", "inputs": {"prompt": "describe", "model": "m"}},
    }
    info = PngImagePlugin.PngInfo()
    info.add_text("prompt", json.dumps(graph))
    Path("guess.png").write_bytes(encoded("png", pnginfo=info))
    assert flux("generate", "--like", "guess.png", "--dry-run").code == 2  # there is no prompt
    assert sent(flux("resolve", "a fox", "--like", "guess.png", "--json"))["seed"] == 7


def test_text_that_is_not_understood_is_named(flux):
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", '{"x": 1}')
    Path("odd.png").write_bytes(encoded("png", pnginfo=info))
    assert "flux does not understand the text in parameters" in flux("show", "odd.png").out
    assert "flux cannot read from the image" in flux("resolve", "--like", "odd.png").err
