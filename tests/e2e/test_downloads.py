"""Images that are paid for: fetched until they are whole, and never paid for twice."""

import base64
from pathlib import Path

import pytest
from fakes.gateway import image, status
from fakes.images import look, pixels_as
from fakes.messages import redirect, reply
from fakes.server import hang_up

pytestmark = pytest.mark.slow

JPEG = pixels_as("jpeg")
WHOLE = reply(JPEG, content_type="image/jpeg")
TOO_SHORT = reply(JPEG, content_type="image/jpeg", content_length=str(len(JPEG) + 10))

ONCE = {
    "503": status(503),
    "404": status(404),
    "403": status(403),
    "closed": hang_up,
    "cut": reply(JPEG[:5000], content_type="image/jpeg", content_length=str(len(JPEG))),
    "bytes missing at the end": reply(JPEG[:-100], content_type="image/jpeg"),
    "HTML with status 200": reply("<html>not yet</html>", content_type="text/html"),
    "nothing": reply(b"", content_type="image/jpeg"),
}


@pytest.mark.parametrize("trouble", ONCE.values(), ids=ONCE)
def test_a_download_that_fails_once_is_repeated_on_its_own(generate, gateway, trouble):
    gateway.answers(image(JPEG, first=(trouble,)))
    result = generate("a fox", "-o", "fox.jpg")
    assert (result.code, result.lines) == (0, ["fox.jpg"])
    assert Path("fox.jpg").read_bytes() == JPEG
    assert (len(gateway.posts), len(gateway.fetched)) == (1, 2)


FOR_GOOD = {
    "404": (status(404), "network", "404"),
    "closed": (hang_up, "network", "127.0.0.1"),
    "cut by the server's own wrong bytes": (
        reply(JPEG[:-100], content_type="image/jpeg"),
        "image",
        "not whole",
    ),
    "cut against its Content-Length": (TOO_SHORT, "network", "127.0.0.1"),
    "HTML under an image's type": (
        reply("<html></html>", content_type="image/png"),
        "image",
        "not an image",
    ),
    "another kind of image": (
        reply(b"XYZ1 and more", content_type="image/xyz"),
        "image",
        "not an image",
    ),
    "nothing": (reply(b"", content_type="image/png"), "image", "not an image"),
}


@pytest.mark.parametrize(("trouble", "code", "said"), FOR_GOOD.values(), ids=FOR_GOOD)
def test_a_download_that_fails_for_good_names_the_address_and_pays_once(
    generate, gateway, trouble, code, said
):
    address = gateway.serves("/media/lost.jpg", trouble)
    gateway.answers(reply({"data": [{"url": address}]}))
    result = generate("a fox", "-o", "fox.jpg", "--retries", "1", "--json")
    error = result.json["errors"][0]
    tries = 5 if said == "404" else 2  # such an image may only be late
    assert (result.code, len(gateway.posts), len(gateway.fetched)) == (1, 1, tries)
    assert (error["code"], error["may_have_been_billed"]) == (code, True)
    assert said in error["message"]
    assert address in result.err
    assert ("may still be available" in result.err) == (said != "404")
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "wanted", "way"),
    [
        ("jpeg", "jpeg", "url"), ("jpeg", "png", "b64_json"), ("png", "png", "b64_json"),
        ("png", "webp", "url"), ("gif", "gif", "url"), ("webp", "webp", "b64_json"),
        ("avif", "avif", "url"), ("avif", "jpeg", "b64_json"),
    ],
)  # fmt: skip
def test_a_truncated_image_is_never_saved(generate, gateway, kind, wanted, way):
    whole = pixels_as(kind, 300, 200)
    gateway.answers(image(whole[: len(whole) * 2 // 3]))
    result = generate("a fox", "-f", wanted, "--response-format", way, "--retries", "0")
    assert (result.code, len(gateway.posts)) == (1, 1)
    assert f"the {kind} image is not whole" in result.err
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("number", [301, 303, 308])
def test_media_redirects_are_followed_without_the_key(generate, gateway, other, number):
    last = other.serves("/b/c.jpg", WHOLE)
    other.serves("/a", redirect("b/c.jpg", number))
    address = gateway.serves("/start", redirect(f"{other.origin}/a", number))
    gateway.answers(reply({"data": [{"url": address}]}))
    assert generate("a fox", "-o", "fox.jpg").code == 0
    assert last.endswith(other.fetched[-1])
    followed = [*gateway.requests[1:], *other.requests]
    assert all("authorization" not in request.headers for request in followed)


def test_a_redirect_loop_ends(generate, gateway):
    gateway.answers(reply({"data": [{"url": gateway.serves("/round", redirect("/round"))}]}))
    result = generate("a fox", "--retries", "0")
    assert (result.code, len(gateway.posts)) == (1, 1)
    assert "302" in result.err


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://user:word@127.0.0.1/x"]
)
def test_a_redirect_to_an_address_nobody_can_mean_is_refused(generate, gateway, target):
    gateway.answers(reply({"data": [{"url": gateway.serves("/start", redirect(target))}]}))
    result = generate("a fox", "--retries", "0")
    assert (result.code, len(gateway.posts)) == (1, 1)
    assert "cannot be trusted" in result.err


B64 = base64.b64encode(pixels_as("png", 45, 41)).decode()
assert B64.endswith("=")  # else nothing is proved about padding
FOLDED = "\n".join(B64[at : at + 76] for at in range(0, len(B64), 76))
SHAPES = {
    "images[] in place of data[]": {"images": [{"url": "/media/p"}]},
    "relative to the host": {"data": [{"url": "/media/p"}]},
    "relative to the base": {"data": [{"url": "media/p"}]},
    "a data URI as address": {"data": [{"url": f"data:image/png;base64,{B64}"}]},
    "a data URI in another spelling": {
        "data": [{"url": f"data:image/png;charset=utf-8;BASE64,{B64}"}]
    },
    "base64": {"data": [{"b64_json": B64}]},
    "base64 with a prefix": {"data": [{"b64_json": f"data:image/png;base64,{B64}"}]},
    "base64 in lines": {"data": [{"b64_json": FOLDED}]},
    "base64 in lines of Windows": {"data": [{"b64_json": FOLDED.replace("\n", "\r\n")}]},
    "base64 without padding": {"data": [{"b64_json": B64.rstrip("=")}]},
    "base64 with prefix, lines and no padding": {
        "data": [{"b64_json": "data:image/png;base64," + FOLDED.rstrip("=")}],
    },
    "both: the bytes at hand are taken": {"data": [{"url": "/nowhere", "b64_json": B64}]},
    "an empty one beside": {"data": [{"url": "", "b64_json": B64}]},
    "a null error": {"error": None, "data": [{"b64_json": B64}]},
    "odd things beside": {
        "created": "now",
        "metadata": "none",
        "data": [None, 3, {"b64_json": B64, "seed": "x"}],
    },
}


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES)
def test_an_image_is_found_however_it_is_wrapped(generate, gateway, body):
    for path in ("/media/p", "/openai/v1/media/p"):
        gateway.serves(
            path, reply(pixels_as("png", 45, 41), content_type="application/octet-stream")
        )
    gateway.answers(reply(body))
    result = generate("a fox", "-o", "fox.png")
    assert (result.code, result.err.count("error")) == (0, 0)
    assert Path("fox.png").read_bytes() == pixels_as("png", 45, 41)


def test_one_bad_image_of_two_in_an_answer_keeps_the_good_one(generate, gateway):
    gateway.answers(reply({"data": [{"b64_json": "AAAA"}, {"b64_json": B64}]}))
    result = generate("a fox", "-o", "fox.png", "--json")
    assert [look(file["path"]) for file in result.json["files"]] == [("png", (45, 41))]
    assert result.code == 3


def test_media_types_are_not_believed(generate, gateway):
    gateway.answers(image(pixels_as("webp", 30, 20), name="{id}.png"))
    assert generate("a fox", "--seed", "1").lines == ["a-fox-1.webp"]


def test_an_image_without_a_length_is_read_to_its_end(generate, gateway):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nConnection: close\r\n\r\n"
    address = gateway.serves("/stream", (head + JPEG,))
    gateway.answers(reply({"data": [{"url": address}]}))
    assert generate("a fox", "-o", "fox.jpg").code == 0
    assert Path("fox.jpg").read_bytes() == JPEG
