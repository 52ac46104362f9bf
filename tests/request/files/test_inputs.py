"""Prompts and images from files and pipes: read whole or refused; nothing waits forever."""

import io
import os
import shlex
from hashlib import sha256

import pytest
from PIL import Image, ImageCms
from sample_images import IMAGES

from flux_cli.core.errors import UsageError
from flux_cli.core.model import Param
from flux_cli.core.options import GenerateOptions, Parameters
from flux_cli.core.request import Attachment
from flux_cli.core.values import check_value
from flux_cli.http.datauri import decode_data_uri
from flux_cli.request.command_line import read_parameters
from flux_cli.request.command_line import read_prompt as read_argument
from flux_cli.request.files.inputs import (
    MAX_ATTACHMENT,
    MAX_IMAGE,
    MAX_PROMPT,
    attach,
    attachment,
    read_image,
    read_prompt,
    read_value,
)

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX's files")


def drawn(file_format, size=(9, 7)):
    stream = io.BytesIO()
    Image.new("RGB", size, "teal").save(stream, file_format)
    return stream.getvalue()


def test_a_file_and_standard_input_are_read_whole(work):
    (work / "x.png").write_bytes(IMAGES["png"])
    assert read_image("x.png", None) == IMAGES["png"]
    assert read_image("-", io.BytesIO(IMAGES["png"])) == IMAGES["png"]


def test_what_is_no_image_is_refused_with_the_formats_as_hint(work):
    (work / "x.txt").write_text("text")
    with pytest.raises(UsageError, match=r"x\.txt is not an image that flux can read") as raised:
        read_image("x.txt", None)
    assert "png, jpeg" in raised.value.hint


@pytest.mark.parametrize("path", ["missing.png", "x\0y", "", "x" * 5000, "."])
def test_names_of_nothing_are_refused(path):
    with pytest.raises(UsageError):
        read_image(path, None)


def test_a_named_pipe_is_refused_and_not_waited_for(work):
    os.mkfifo(work / "pipe.png")
    with pytest.raises(UsageError, match="is not a file"):
        read_image("pipe.png", None)


def test_a_file_larger_than_any_image_is_refused(work):
    with (work / "x.png").open("wb") as file:
        file.truncate(MAX_IMAGE + 1)
    with pytest.raises(UsageError, match="larger than 256 MiB"):
        read_image("x.png", None)


def test_a_closed_standard_input_is_said():
    with pytest.raises(UsageError, match="closed"):
        read_image("-", None)


@pytest.mark.parametrize(
    ("file_format", "mime"),
    [("png", "image/png"), ("jpeg", "image/jpeg"), ("gif", "image/gif"), ("webp", "image/webp")],
)
def test_a_local_image_is_attached_as_what_it_is_not_as_what_it_is_called(file_format, mime, work):
    data = drawn(file_format)
    (work / "image.dat").write_bytes(data)
    attached = attach("image.dat")
    assert isinstance(attached, Attachment)
    assert attached.asked == "image.dat"
    assert attached.uri.startswith(f"data:{mime};base64,")
    assert decode_data_uri(attached.uri, 1 << 20) == data


def photograph(file_format, orientation=1):
    """An image of two colors with a place, a maker and a color profile."""
    image = Image.new("RGB", (32, 16), "navy")
    image.paste("red", (0, 0, 16, 16))
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Acme", orientation
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 0.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    stream = io.BytesIO()
    image.save(stream, file_format, exif=exif, icc_profile=profile, quality=95, lossless=True)
    return stream.getvalue(), profile


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("file_format", ["jpeg", "png", "webp"])
def test_an_image_is_sent_upright_and_without_the_place_where_it_was_taken(
    file_format, orientation, work
):
    data, profile = photograph(file_format, orientation)
    (work / "photo.dat").write_bytes(data)
    attached = attach("photo.dat")
    assert attached.digest == sha256(data).hexdigest()
    sent = decode_data_uri(attached.uri, 1 << 20)
    assert b"Acme" not in sent
    with Image.open(io.BytesIO(sent)) as image:
        assert dict(image.getexif()) == {}
        assert image.info["icc_profile"] == profile
        assert image.format == file_format.upper()
        assert image.size == ((32, 16) if orientation == 1 else (16, 32))
        top_right = (image.width - 2, 1)
        red, _, blue = image.convert("RGB").getpixel(top_right)
    assert (red > blue) == (orientation == 6)


def test_an_image_that_was_public_already_is_sent_as_it_is():
    data, _ = photograph("jpeg", 6)
    attached = attachment("https://example.org/a.jpg", data, is_public=True)
    assert decode_data_uri(attached.uri, 1 << 20) == data
    assert attached.digest == ""


@pytest.mark.parametrize(
    "value",
    ["http://a/b.png", "https://a/b.png", "data:image/png;base64,AAAA", 5, None, True, ["x"]],
)
def test_addresses_and_what_is_no_text_stay_as_they_are(value):
    assert attach(value) is value


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: None, "cannot be read: No such file"),
        (lambda path: path.mkdir(), "cannot be read"),
        (lambda path: path.touch(), "it begins with nothing"),
        (lambda path: path.write_bytes(b"<html>"), "not an image"),
        (lambda path: path.write_bytes(drawn("avif")), "is avif"),
        (lambda path: path.write_bytes(drawn("png")[:-50]), "not whole"),
        (lambda path: path.write_bytes(drawn("pcx")), "not an image"),
    ],
    ids=["absent", "folder", "empty", "HTML", "AVIF", "truncated", "BMP"],
)
def test_what_is_no_usable_image_is_refused_before_anything_is_paid(make, message, work):
    make(work / "fox.png")
    with pytest.raises(UsageError) as raised:
        attach("fox.png")
    assert "image_prompt 'fox.png'" in raised.value.message
    assert message in raised.value.message
    assert raised.value.hint


def test_an_image_over_the_limit_is_refused(work):
    with (work / "big.png").open("wb") as file:
        file.truncate(MAX_ATTACHMENT + 1)
    with pytest.raises(UsageError, match="larger than 20 MiB"):
        attach("big.png")


@pytest.mark.parametrize("path", ["", "a\x00b", "\ud800", "x" * 5000])
def test_hostile_paths_are_refused(path):
    with pytest.raises(UsageError, match="cannot be read"):
        attach(path)


@posix
def test_devices_are_no_images():
    with pytest.raises(UsageError, match="is not a file"):
        attach("/dev/zero")
    with pytest.raises(UsageError, match="is not a file"):
        read_prompt("@/dev/zero", None)


def stdin(data):
    return io.TextIOWrapper(
        io.BytesIO(data), encoding="ascii"
    )  # whatever the terminal's encoding is


@pytest.mark.parametrize("word", ["a red fox", "@", "", "-x", "--", "me@example.org", "雪"])
def test_a_prompt_is_the_word_itself(word):
    assert read_prompt(word, None) == word


@pytest.mark.parametrize(
    ("data", "prompt"),
    [
        (b"a red fox\n", "a red fox"),
        (b"  two\nlines \r\n", "two\nlines"),
        ("雪の狐".encode(), "雪の狐"),
        (b"\xef\xbb\xbfbehind a byte order mark", "behind a byte order mark"),
        ("in snow, ☃\r\n".encode("utf-16"), "in snow, ☃"),  # as `>` of PowerShell writes it
        (b"\xfe\xff" + "in snow".encode("utf-16-be"), "in snow"),
        ("in snow".encode("utf-32"), "in snow"),
        (b"", ""),
        (b"x" * MAX_PROMPT, "x" * MAX_PROMPT),
    ],
    ids=lambda value: repr(value[:12]),
)
def test_a_prompt_may_come_from_standard_input_or_a_file(data, prompt, work):
    assert read_prompt("-", stdin(data)) == prompt
    for path in ("prompt.txt", "p"):
        (work / path).write_bytes(data)
        assert read_prompt(f"@{path}", None) == prompt


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"fox \xff\xfe", "not valid UTF-8"),
        (b"\xff\xfef", "not valid UTF-8"),
        (b"x" * (MAX_PROMPT + 1), "than"),
    ],
    ids=["bytes", "half of UTF-16", "too long"],
)
def test_a_prompt_that_is_no_text_or_endless_is_refused(data, message, work):
    (work / "prompt.txt").write_bytes(data)
    for word, stream in (("-", stdin(data)), ("@prompt.txt", None)):
        with pytest.raises(UsageError, match=message):
            read_prompt(word, stream)


def test_a_prompt_file_that_is_not_there_is_refused_with_its_name():
    with pytest.raises(UsageError, match=r"prompt file 'absent\.txt' cannot be read") as raised:
        read_prompt("@absent.txt", None)
    assert raised.value.hint == 'for a prompt that begins with @, double it: "@@absent.txt"'


@pytest.mark.parametrize("prompt", ["@alice at the beach", '@bob\'s $5 "cat"', "@雪 `id`"])
def test_the_hint_for_a_prompt_that_begins_with_an_at_sign_may_be_pasted(prompt):
    with pytest.raises(UsageError) as raised:
        read_prompt(prompt, None)
    (word,) = shlex.split(raised.value.hint.partition("double it: ")[2])
    assert read_argument(word) == prompt


def test_a_closed_standard_input_is_refused():
    with pytest.raises(UsageError, match="standard input is closed"):
        read_prompt("-", None)


# --- -p KEY=@FILE


def given(*pairs):
    return read_parameters(GenerateOptions(parameters=Parameters(param=list(pairs))))


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"a": [1, 2.5]}\n', {"a": [1, 2.5]}),
        (b"7\r\n", 7),
        (b'"7"', "7"),
        (b"plain text\n", "plain text"),
        (b"\xef\xbb\xbf[true]", [True]),
        ("[null]".encode("utf-16"), [None]),
    ],
)
def test_a_parameter_may_come_from_a_file(content, value, work):
    (work / "value.json").write_bytes(content)
    assert given("colors=@value.json", "x=1") == {"colors": value, "x": 1}
    assert read_value("colors", "-", stdin(content)) == value


def test_an_image_becomes_a_data_uri_of_its_true_kind(work):
    (work / "mask.jpg").write_bytes(drawn("PNG"))
    (found,) = given("mask=@mask.jpg").values()
    assert found.asked == "@mask.jpg"
    assert decode_data_uri(found.uri, MAX_IMAGE) == drawn("PNG")
    assert found.uri.startswith("data:image/png;")
    with pytest.raises(UsageError, match="seed must be of the type integer"):
        check_value(Param("seed", "integer", "passthrough", ""), found)


def test_two_signs_are_one_sign():
    assert given("handle=@@fox", "sign=@", "mail=me@x.org") == {
        "handle": "@fox",
        "sign": "@",
        "mail": "me@x.org",
    }


def test_a_file_of_a_parameter_that_cannot_be_read_is_refused_with_its_name(work):
    with pytest.raises(UsageError, match=r"the file 'absent' of mask cannot be read") as raised:
        given("mask=@absent")
    assert "-p mask=@@absent" in raised.value.hint
    (work / "binary").write_bytes(b"\xff\x00\x80")
    with pytest.raises(UsageError, match="neither an image nor text"):
        given("mask=@binary")
    (work / "cut.png").write_bytes(drawn("PNG")[:-20])
    with pytest.raises(UsageError, match=r"^mask '@cut\.png'"):
        given("mask=@cut.png")
