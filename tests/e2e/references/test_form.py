"""Images as input at servers with `/images/edits`: forms, read by Python's own parser."""

import io
import json
import subprocess
from hashlib import sha256

import pytest
from fakes.gateway import image, status
from fakes.messages import reply
from PIL import Image
from sample_images import encoded

MODEL = ("-m", "flux.2-pro")
SIZE = (320, 240)
UPRIGHT_BY = {  # EXIF orientation: how Pillow turns the stored pixels upright
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
GPS = 0x8825


PHOTOS = ("fox.png", "snow.jpg", "moon.webp")


@pytest.fixture(autouse=True)
def photos(work):
    """Three images of the same size in the working folder."""
    for name, file_format in zip(PHOTOS, ("png", "jpeg", "webp"), strict=True):
        (work / name).write_bytes(encoded(file_format, size=SIZE))


def opened(data):
    return Image.open(io.BytesIO(data))


def test_an_image_is_a_file_of_a_form(generate, gateway):
    result = generate("make it night", "--image", "fox.png", *MODEL, "--seed", "7", "-o", "a.png")
    assert result.code == 0
    (request,) = gateway.paid
    assert request.path == "/openai/v1/images/edits"
    assert request.json == {
        "model": "flux.2-pro",
        "prompt": "make it night",
        "size": "auto",
        "seed": 7,
        "output_format": "png",
    }
    (sent,) = request.files
    assert (sent.name, sent.file_name, sent.mime) == ("image", "image-1.png", "image/png")
    assert opened(sent.data).size == SIZE


def test_several_images_keep_their_order_and_are_sent_twice_if_named_twice(generate, gateway):
    words = [word for name in (*PHOTOS, "fox.png") for word in ("--image", name)]
    assert generate("image 1 in image 2", *words, *MODEL, "-n", "2").code == 0
    assert len(gateway.paid) == 2
    for request in gateway.paid:
        assert [part.name for part in request.files] == ["image[]"] * 4
        formats = [opened(part.data).format for part in request.files]
        assert formats == ["PNG", "JPEG", "WEBP", "PNG"]
        suffixes = [part.file_name for part in request.files]
        assert suffixes == ["image-1.png", "image-2.jpg", "image-3.webp", "image-4.png"]
        assert len(request.form) == len({part.name for part in request.form}) + 3


@pytest.mark.parametrize("field", ["image", "image[]"])
def test_the_name_of_the_field_can_be_forced(generate, gateway, field):
    env = {"FLUX_IMAGE_FIELD": field}
    assert generate("x", "--image", "fox.png", "--image", "snow.jpg", *MODEL, env=env).code == 0
    assert generate("x", "--image", "fox.png", *MODEL, env=env).code == 0
    names = [[part.name for part in request.files] for request in gateway.paid]
    assert names == [[field, field], [field]]


@pytest.mark.parametrize("orientation", UPRIGHT_BY)
def test_photos_arrive_upright_and_say_nothing_about_where_they_were_taken(
    generate, gateway, work, orientation
):
    stored = opened(encoded("png", size=SIZE))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[GPS] = {1: "N", 2: (52.0, 31.0, 12.0)}
    stored.save(work / "photo.jpg", exif=exif, quality=95)
    assert generate("x", "--image", "photo.jpg", *MODEL).code == 0
    (sent,) = gateway.paid[0].files
    seen = opened(sent.data)
    assert not seen.getexif()
    assert b"Exif" not in sent.data
    expected = opened((work / "photo.jpg").read_bytes())
    turn = UPRIGHT_BY[orientation]
    upright = expected.transpose(turn) if turn is not None else expected
    assert seen.size == upright.size
    difference = max(
        abs(one - other)
        for place in ((5, 5), (upright.width - 6, 5), (5, upright.height - 6))
        for one, other in zip(seen.getpixel(place), upright.getpixel(place), strict=True)
    )
    assert difference < 20


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("empty.png", b"", "empty"),
        ("cut.jpg", encoded("jpeg", size=SIZE)[:-2000], "damaged"),
        ("text.png", b"this is no image", "not an image"),
        ("page.pdf", b"%PDF-1.7 ...", "not an image"),
    ],
)
def test_what_is_no_whole_image_costs_nothing(generate, gateway, work, name, data, words):
    (work / name).write_bytes(data)
    result = generate("x", "--image", name, *MODEL)
    assert result.code == 2
    assert name in result.err
    assert words in result.err or "not" in result.err
    assert gateway.requests == []


def test_too_many_images_cost_nothing_and_the_hint_names_a_model(generate, gateway):
    five = ["--image", "fox.png"] * 5
    result = generate("x", *five, "-m", "flux.2-klein-4b")
    assert result.code == 2
    assert "at most 4 images as input, not 5" in result.err
    assert "-m flux.2-pro" in result.err
    result = generate("x", "--image", "fox.png")
    assert result.code == 2
    assert "flux1.1-pro-ultra at lumenfall takes no images as input" in result.err
    assert gateway.requests == []


def test_a_mask_marks_by_transparency_whatever_it_looked_like(flux, gateway, environment, work):
    env = environment | {"FLUX_API_KEY": "sk-any", "FLUX_BASE_URL": gateway.url}
    white = Image.new("L", SIZE, 0)
    white.paste(255, (10, 10, 50, 50))
    white.save(work / "mask.png")
    line = ["generate", "x", "--image", "fox.png", "--mask", "mask.png", "-m", "gpt-image-2"]
    result = flux(*line, env=env)
    assert result.code == 0
    assert "transparent" in flux("resolve", *line[1:], env=env).out
    request = gateway.paid[0]
    assert [part.name for part in request.files] == ["image", "mask"]
    mask = opened(request.files[1].data)
    assert (mask.format, mask.size, mask.mode) == ("PNG", SIZE, "RGBA")
    assert mask.getpixel((20, 20))[3] == 0
    assert mask.getpixel((100, 100))[3] == 255
    Image.new("RGB", SIZE, "black").save(work / "mask.png")
    refused = flux(*line, env=env)
    assert refused.code == 2
    assert "marks nothing" in refused.err
    white.resize((100, 100)).save(work / "mask.png")
    refused = flux(*line, env=env)
    assert refused.code == 2
    assert "100x100" in refused.err
    assert "--size 320x240" in refused.err
    assert len(gateway.paid) == 1


def test_a_url_is_downloaded_without_the_key_where_only_files_are_taken(generate, gateway):
    url = gateway.serves("/photo.png", reply(encoded("png", size=SIZE), content_type="image/png"))
    assert generate("x", "--image", url, *MODEL).code == 0
    (fetch,) = [one for one in gateway.requests if one.path == "/photo.png"]
    assert "authorization" not in fetch.headers
    assert opened(gateway.paid[0].files[0].data).size == SIZE
    gateway.serves("/photo.png", status(404))
    result = generate("x", "--image", url, *MODEL)
    assert result.code == 2
    assert "cannot download the image" in result.err
    assert len(gateway.paid) == 1


def test_standard_input_is_an_image_once(generate, gateway):
    data = encoded("png", size=SIZE)
    assert generate("x", "--image", "-", *MODEL, input=data).code == 0
    assert opened(gateway.paid[0].files[0].data).size == SIZE
    result = generate("-", "--image", "-", *MODEL, input=data)
    assert result.code == 2
    result = generate("x", "--image", "-", "--image", "-", *MODEL, input=data)
    assert result.code == 2
    assert len(gateway.paid) == 1


def test_a_typed_shape_is_sent_in_place_of_that_of_the_image(generate, gateway):
    assert generate("x", "--image", "fox.png", *MODEL, "-a", "16:9").code == 0
    assert generate("x", "--image", "fox.png", *MODEL, "--size", "auto").code == 0
    assert [post["size"] for post in gateway.posts] == ["1365x768", "auto"]


def test_an_image_of_another_shape_than_the_first_is_told(generate, gateway):
    gateway.answers(image(encoded("jpeg", size=(640, 200))))
    result = generate("x", "--image", "fox.png", *MODEL)
    assert "640x200" in result.err
    assert "fox.png" in result.err


def test_a_busy_gateway_gets_the_images_again(generate, gateway):
    gateway.answers(status(429, retry_after="0"), image())
    assert generate("x", "--image", "fox.png", *MODEL).code == 0
    first, second = gateway.requests[:2]
    assert first.files[0].data == second.files[0].data


def test_a_refusal_before_the_images_are_sent_is_the_answer(generate, gateway, work):
    Image.effect_noise((3000, 3000), 90).save(work / "large.png", compress_level=0)
    gateway.answers(status(401, "AUTHENTICATION_FAILED", "wrong key"))
    result = generate("x", "--image", "large.png", *MODEL)
    assert result.code == 4


def test_files_say_what_they_were_made_from_and_never_where_it_was(flux, generate, work):
    folder = work / "secret-place"
    folder.mkdir()
    path = folder / "fox.png"
    path.write_bytes((work / "fox.png").read_bytes())
    env = {"FLUX_METADATA": "full"}
    assert generate("x", "--image", str(path), *MODEL, "-o", "a.png", env=env).code == 0
    data = (work / "a.png").read_bytes()
    digest = sha256(path.read_bytes()).hexdigest()
    assert digest.encode() in data
    assert b"secret-place" not in data
    document = json.loads(flux("show", "a.png", "--json").out)
    assert document["files"][0]["made"]["parameters"]["image"] == [
        {"name": "fox.png", "sha256": digest}
    ]
    assert "fox.png" in flux("show", "a.png").out


def test_an_estimate_sends_the_same_form(flux, keyed, gateway):
    gateway.answers(reply({"total_cost_micros": 45000, "currency": "USD"}))
    line = ["generate", "x", "--image", "fox.png", *MODEL, "--dry-run", "--estimate"]
    result = flux(*line, env=keyed)
    assert result.code == 0
    assert "0.045 USD" in result.out
    (request,) = gateway.requests
    assert request.path == "/openai/v1/images/edits"
    assert request.query == "dryRun=true"
    assert request.files[0].name == "image"
    assert gateway.paid == []


def test_another_image_is_another_request(generate, gateway, work):
    line = ("x", "--image", "fox.png", *MODEL, "-o", "a.png")
    env = {"FLUX_METADATA": "full"}
    assert generate(*line, env=env).code == 0
    assert generate(*line, "--skip-existing", env=env).code == 0
    assert len(gateway.paid) == 1
    (work / "fox.png").write_bytes(encoded("png", "L", size=SIZE))
    result = generate(*line, "--skip-existing", env=env)
    assert result.code == 2
    assert "another image" in result.err
    assert len(gateway.paid) == 1


def test_a_sketch_ignores_images_and_says_so(flux, work):
    result = flux("generate", "x", "--offline", "--image", "fox.png", *MODEL, "-o", "a.png")
    assert result.code == 0
    assert "uses only the prompt" in result.err
    first = (work / "a.png").read_bytes()
    flux("generate", "x", "--offline", "--image", "snow.jpg", *MODEL, "-o", "b.png")
    assert (work / "b.png").read_bytes() != first


def test_a_curl_command_sends_the_same_fields(flux, keyed, gateway):
    line = ("x & y", "--image", "fox.png", "--image", "snow.jpg", *MODEL, "--seed", "7")
    command = flux("resolve", *line, "--curl", env=keyed).out
    subprocess.run(["bash", "-c", command], env=keyed, check=True, capture_output=True, timeout=60)
    flux("generate", *line, env=keyed)
    by_curl, by_flux = gateway.paid
    assert by_curl.path == by_flux.path
    assert by_curl.json == by_flux.json
    assert [part.name for part in by_curl.files] == [part.name for part in by_flux.files]
    assert [part.mime for part in by_curl.files] == [part.mime for part in by_flux.files]
    assert by_curl.files[0].data == by_flux.files[0].data
    refused = flux("resolve", "x", "--image", "-", *MODEL, "--curl", input=encoded("png"))
    assert (refused.code, "Traceback" in refused.err) == (2, False)
    inside = flux("resolve", *line, "--provider", "fal", "--curl")
    assert '"image_urls": ["data:image/png;base64,' in inside.out


@pytest.mark.parametrize(
    "name", ["a;b.png", "a,b.png", 'a"b.png', "a\\b.png", 'a\\";b.png', " a.png"]
)
def test_curl_takes_files_with_any_name(flux, keyed, gateway, work, name):
    (work / "fox.png").rename(work / name)
    command = flux("resolve", "x", "--image", name, *MODEL, "--curl", env=keyed).out
    subprocess.run(["sh", "-c", command], env=keyed, check=True, capture_output=True, timeout=60)
    (sent,) = gateway.paid[0].files
    assert (sent.data, sent.mime) == ((work / name).read_bytes(), "image/png")


def test_a_note_says_which_files_curl_sends_otherwise(flux, keyed, work):
    exif = Image.Exif()
    exif[0x0112] = 6
    opened(encoded("png", size=SIZE)).save(work / "turned.jpg", exif=exif)
    exif[0x0112] = 1
    exif[GPS] = {1: "N", 2: (52.0, 31.0, 12.0)}
    opened(encoded("png", size=SIZE)).save(work / "place.jpg", exif=exif)
    (work / "small.avif").write_bytes(encoded("avif", size=SIZE))
    changed = ("turned.jpg", "place.jpg", "small.avif")
    words = [word for name in (*PHOTOS, *changed, "turned.jpg") for word in ("--image", name)]
    noted = flux("resolve", "x", *words, *MODEL, "-n", "2", "--curl", env=keyed)
    assert noted.code == 0
    said = (
        "flux: note: curl sends these files as they are: turned.jpg, place.jpg, small.avif; flux "
    )
    assert noted.err.count(said) == 1
    unchanged = [word for name in PHOTOS for word in ("--image", name)]
    assert "note: curl" not in flux("resolve", "x", *unchanged, *MODEL, "--curl", env=keyed).err
    inside = flux("resolve", "x", *words, *MODEL, "--provider", "fal", "--curl", env=keyed)
    assert (inside.code, "note: curl" in inside.err) == (0, False)
