"""From a run to a record and back: `--like` sends what the first run sent, and the line wins."""

import itertools
import json

import pytest
from sample_images import IMAGES

from flux_cli.catalog.find import find_model
from flux_cli.core.outcome import Facts
from flux_cli.core.request import Attachment, Request
from flux_cli.core.values import QuotedText
from flux_cli.images.finish import Finish
from flux_cli.images.metadata.read import Reading, read_metadata
from flux_cli.images.metadata.record import (
    BY_ALGORITHM,
    BY_MODEL,
    Record,
    document,
    from_document,
    record_of_run,
    sidecar_document,
    without_prompt,
)
from flux_cli.images.metadata.write import write_record
from flux_cli.request.files.like import reuse_reading
from flux_cli.request.plan import plan
from flux_cli.request.resolve import resolve
from flux_cli.request.styles.origins import mark_origin
from flux_cli.runs.saving import delivery

MODEL = find_model("flux1.1-pro-ultra", ())
NOTHING = Facts()


def run(prompt, parameters, model="flux1.1-pro-ultra"):
    resolved = resolve(Request(model, parameters, prompt), MODEL)
    return resolved, plan(resolved).calls[0]


def recorded(resolved, call, facts, provider, *, hosted):
    """The whole record of one image."""
    known = record_of_run(resolved, "", provider, hosted=hosted, created="", tool="")
    return delivery.record_of_image(delivery.Delivery(Finish(), known), call, facts)


def image(prompt="a fox", facts=NOTHING, hosted=True, **parameters):
    """An image of a run, with the run's record in it."""
    resolved, call = run(prompt, parameters)
    record = recorded(resolved, call, facts, "lumenfall", hosted=hosted)
    return call, b"".join(write_record(IMAGES["png"], record).pieces)


LINES = [
    {},
    {"size": "16:9", "seed": "7"},
    {"size": "1920x1080", "raw": True, "safety_tolerance": "3"},
    {"aspect_ratio": "4:3", "resolution": "2K", "seed": "0"},
    {"raw": False, "enhance_prompt": True, "guidance": 3.5},
    {"image_prompt_strength": "0.25", "output_format": "webp", "n": "3"},
]


@pytest.mark.parametrize(
    "value", ["5", "true", "null", '{"a": 1}', "x" * 500, 5, 0.5, True, [1, "a"], {"a": {"b": 1}}]
)
def test_parameters_no_catalog_knows_come_back_in_their_type_and_whole(value):
    call, data = image(style=QuotedText(value) if isinstance(value, str) else value)
    assert call.body["style"] == value
    reuse = reuse_reading(read_metadata(data), "x.png", {})
    assert run(reuse.prompt, reuse.parameters)[1].body["style"] == value


@pytest.mark.parametrize("line", LINES, ids=str)
def test_a_run_like_an_image_sends_what_made_it(line):
    call, data = image("ein Füchslein 🦊", **line)
    reuse = reuse_reading(read_metadata(data), "x.png", {})
    again = run(reuse.prompt, reuse.parameters, reuse.model)[1]
    del_format = {name: value for name, value in call.body.items() if name != "output_format"}
    assert again.body == del_format
    assert reuse.notes == ()


@pytest.mark.parametrize(("asked", "line"), list(itertools.product(LINES[1:], repeat=2)), ids=str)
def test_what_the_line_says_wins(asked, line):
    reuse = reuse_reading(read_metadata(image(**asked)[1]), "x.png", line)
    assert not reuse.parameters.keys() & line.keys()
    together = run("x", {**reuse.parameters, **line})[0]
    alone = run("x", line)[0]
    if line.keys() & {"size", "aspect_ratio"}:
        assert together.size.aspect_ratio == alone.size.aspect_ratio
    if "seed" in line:
        assert together.seed == alone.seed


def test_notes_say_what_came_from_the_image():
    reuse = reuse_reading(
        read_metadata(image(size="16:9", seed="7", raw=True)[1]), "x.png", {"seed": "8"}
    )
    resolved = run("a fox", {**reuse.parameters, "seed": "8"})[0]
    taken = {"prompt": reuse.prompt, "model": reuse.model, **reuse.parameters}
    notes = {note.parameter: note for note in mark_origin(resolved.notes, taken, "as in x.png")}
    assert notes["prompt"].reason == notes["model"].reason == "as in x.png"
    assert notes["size"].reason.endswith("; as in x.png")
    assert notes["raw"].reason.endswith("; as in x.png")
    assert "x.png" not in notes["seed"].reason


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image_prompt", Attachment("guide.png", "data:image/png;base64,AAAA")),
        ("image_prompt", "https://example.org/x.png"),
        ("image_prompt", "http://127.0.0.1:8000/secret.png"),
        ("webhook_url", "https://example.org/hook"),
        ("hooks", [{"to": "ftp://example.org"}]),
    ],
)
def test_files_and_addresses_that_an_image_names_are_not_followed_but_said(name, value):
    resolved, call = run("a fox", {name: value})
    record = recorded(resolved, call, Facts(), "lumenfall", hosted=True)
    reuse = reuse_reading(Reading(record, "flux", {}, False, ()), "x.png", {})
    [note] = reuse.notes
    assert reuse.parameters == {}
    assert (note.parameter, note.warning, note.used) == (name, True, None)
    assert note.asked == record.parameters[name] != ""
    assert (
        reuse_reading(Reading(record, "flux", {}, False, ()), "x.png", {name: "mine"}).notes == ()
    )


def test_of_other_programs_only_prompt_seed_and_size_are_reuse_reading():
    record = Record(
        "sdxl",
        prompt="a cat",
        seed=5,
        size="512x768",
        parameters={"Steps": "20"},
        source_type=BY_MODEL,
    )
    reuse = reuse_reading(Reading(record, "AUTOMATIC1111", {}, False, ()), "x.png", {})
    assert reuse == ("a cat", None, {"size": "512x768", "seed": 5}, (), (), None)


def test_what_the_server_says_it_used_is_what_is_recorded():
    facts = Facts(request_id="r1", provider="fal", seed=99, revised_prompt="a red fox")
    record = read_metadata(image(facts=facts, seed="7")[1]).record
    assert (record.seed, record.upstream, record.request_id) == (99, "fal", "r1")
    assert (record.prompt, record.revised_prompt, record.source_type) == (
        "a fox",
        "a red fox",
        BY_MODEL,
    )


def test_a_sketch_does_not_claim_the_model_and_names_its_kind_of_source():
    record = read_metadata(image(hosted=False)[1]).record
    assert (record.model, record.source_type) == ("", BY_ALGORITHM)


def test_a_sidecar_holds_the_record_and_the_address_of_its_source_type():
    record = read_metadata(image(seed="7")[1]).record
    said = json.loads(json.dumps(sidecar_document(record)))
    assert (
        said["digital_source_type"]
        == "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    )
    assert from_document(said) == record
    assert "digital_source_type" not in sidecar_document(Record(prompt="x"))


@pytest.mark.parametrize("said", [None, 7, "x", [], {}, {"schema": 2}, {"schema": "1"}])
def test_other_documents_are_no_record(said):
    assert from_document(said) is None


def test_values_of_a_wrong_type_are_left_out():
    odd = {
        "schema": 1,
        "prompt": 7,
        "seed": "7",
        "parameters": [],
        "model": None,
        "extra": "x",
        "size": "1:1",
    }
    assert from_document(odd) == Record(size="1:1")
    assert from_document({"schema": 1, "seed": True}) == Record()


def test_without_the_prompt_nothing_of_its_words_is_left():
    record = Record(
        model="m",
        prompt="secret",
        revised_prompt="secret",
        negative_prompt="secret",
        seed=1,
        parameters={
            "image_prompt": "secret.png",
            "enhance_prompt": True,
            "image_prompt_strength": 0.5,
            "raw": True,
        },
    )
    bare = without_prompt(record)
    assert "secret" not in json.dumps(document(bare))
    assert bare.parameters == {"enhance_prompt": True, "image_prompt_strength": 0.5, "raw": True}
    for data in (IMAGES["png"], IMAGES["gif"], IMAGES["jpeg"]):
        assert b"secret" not in b"".join(write_record(data, bare).pieces)
