"""How providers spell a value: other names, types and units for the same idea."""

import pytest

from flux_cli.core.errors import UsageError
from flux_cli.core.model import Dialect, Field
from flux_cli.request.dialect import explain_field, translate

WIRE = Dialect("bfl", "path", None, ("png",), (), None, {})
URI = "data:image/png;base64,AAAA"
AS_JPG = Field("converted", "output_format", values={"jpeg": "jpg"})
AS_URL = Field("renamed", "image_url")
AS_INTEGER = Field("converted", "safety_tolerance", "integer")
AS_SIDES = Field("converted", "size", "sides")


@pytest.mark.parametrize(
    ("field", "value", "sent"),
    [
        (Field("passthrough", "raw"), True, {"raw": True}),
        (Field("renamed", "prompt_upsampling"), False, {"prompt_upsampling": False}),
        (Field("emulated"), "url", {}),
        (Field("converted", "safety_tolerance", "integer"), "6", {"safety_tolerance": 6}),
        (Field("passthrough", "safety_tolerance", "text"), 6, {"safety_tolerance": "6"}),
        (AS_JPG, "jpeg", {"output_format": "jpg"}),
        (AS_JPG, "png", {"output_format": "png"}),
        (Field("converted", "image_prompt", "base64"), URI, {"image_prompt": "AAAA"}),
        (Field("converted", "aspect_ratio", "aspect_ratio"), "16:9", {"aspect_ratio": "16:9"}),
        (Field("converted", "size", "size"), "1365x768", {"size": "1365x768"}),
        (Field("converted", "size", "size"), "1:1", {"size": "1024x1024"}),
        (Field("converted", "size", "size"), "16:9", {"size": "1360x768"}),
        (Field("converted", "size", "size"), "9:16", {"size": "768x1360"}),
        (Field("converted", "size", "sides"), "1365x768", {"width": 1365, "height": 768}),
        (Field("converted", "size", "sides"), "3:2", {"width": 1248, "height": 832}),
    ],
)
def test_one_parameter_becomes_the_fields_the_provider_knows(field, value, sent):
    assert translate(field, value) == sent
    for made, expected in zip(translate(field, value).values(), sent.values(), strict=True):
        assert type(made) is type(expected)


@pytest.mark.parametrize("ratio", ["16:9", "9:21", "1.91:1", "3:1", "1:3", "100:1", "1:100"])
def test_sides_of_a_shape_are_about_a_megapixel_in_steps_of_sixteen(ratio):
    sent = translate(Field("converted", "size", "sides"), ratio)
    assert sent["width"] % 16 == sent["height"] % 16 == 0
    assert sent["width"] * sent["height"] == pytest.approx(1024**2, rel=0.1)


@pytest.mark.parametrize("value", ["", "data:image/png,AAAA", "AAAA", "data:image/png;base64"])
def test_a_provider_that_takes_images_themselves_gets_nothing_else(value):
    with pytest.raises(UsageError, match="image_prompt: this provider takes the image itself"):
        translate(Field("converted", "image_prompt", "base64"), value)


@pytest.mark.parametrize("value", ["", "wide", "0x0", "1e9x2"])
def test_what_is_no_size_is_refused(value):
    with pytest.raises(UsageError):
        translate(Field("converted", "size", "sides"), value)


@pytest.mark.parametrize(
    ("field", "value", "used", "behavior", "reason"),
    [
        (Field("passthrough", "raw"), True, True, "passthrough", "sent as given"),
        (AS_URL, "https://a", "https://a", "renamed", "bfl calls it image_url"),
        (AS_INTEGER, "6", 6, "converted", "sent as safety_tolerance 6"),
        (AS_SIDES, "1:1", "width 1024, height 1024", "converted", "sent as width 1024"),
        (Field("emulated", reason="only PNG"), "url", "url", "emulated", "only PNG"),
        (Field("emulated"), "url", "url", "emulated", "done by flux"),
        (Field("converted", "prompt", "prompt_tag"), 7, 7, "converted", "sent inside the prompt"),
        (Field("passthrough", "x", reason="a trap"), 1, 1, "passthrough", "a trap"),
    ],
)
def test_every_spelling_leaves_a_note(field, value, used, behavior, reason):
    note = explain_field(WIRE, "x", "asked", field, value)
    assert (note.parameter, note.asked, note.used, note.behavior) == ("x", "asked", used, behavior)
    assert note.reason.startswith(reason)


def test_a_note_never_holds_a_whole_image():
    note = explain_field(WIRE, "image_prompt", "fox.png", AS_URL, URI + "A" * 10_000)
    assert len(str(note.used)) < 100
    assert len(note.reason) < 200
