"""Large images at Replicate: uploaded once for a run, before anything is paid for."""

import io
import json
import shutil
import signal
import subprocess
from hashlib import sha256

import pytest
from fakes.gateway import status
from fakes.messages import redirect, reply
from fakes.providers import KEY, replicate_prediction
from fakes.server import Server, hang_up
from fakes.steps import hold
from PIL import Image
from sample_images import encoded

FILES = "POST /v1/files"
LARGE, OTHER, SMALL = "large.png", "other.png", "small.png"


def noise(seed):
    """A PNG whose data URI is larger than 256 kB."""
    pixels = Image.effect_noise((600, 600), 90).rotate(90 * seed)
    stream = io.BytesIO()
    pixels.save(stream, "PNG")
    return stream.getvalue()


def uploaded(request):
    """What Replicate answers to an upload. The name of the file is that of its bytes."""
    (file,) = request.files
    name = sha256(file.data).hexdigest()[:12]
    url = f"{{origin}}/v1/files/{name}"
    expires = "2027-01-01T00:00:00.000Z"
    return reply({"id": name, "urls": {"get": url}, "expires_at": expires}, 201)


@pytest.fixture
def server():
    with Server() as server:
        server.on("POST", replicate_prediction())
        server.on(FILES, uploaded)
        yield server


@pytest.fixture(autouse=True)
def images(work):
    for seed, name in enumerate((LARGE, OTHER)):
        (work / name).write_bytes(noise(seed))
    (work / SMALL).write_bytes(encoded("png", size=(300, 300)))


@pytest.fixture
def line(server):
    base = f"{server.origin}/v1"
    return ["generate", "x", "--provider", "replicate", "--base-url", base, "-m", "flux.2-pro"]


@pytest.fixture
def env(environment):
    return environment | {"REPLICATE_API_TOKEN": KEY}


@pytest.fixture
def edit(flux, line, env):
    def run(*words):
        result = flux(*line, *words, env=env)
        assert KEY not in result.out + result.err
        assert "Traceback" not in result.err
        return result

    return run


def uploads(server):
    return [one for one in server.requests if one.path == "/v1/files"]


def sent_images(server):
    return [post["input"]["input_images"] for post in server.posts]


def test_only_large_images_are_uploaded_once_for_all_requests(edit, server, work):
    words = [word for name in (LARGE, SMALL, OTHER, LARGE) for word in ("--image", name)]
    result = edit(*words, "-n", "4")
    assert result.code == 0, result.err
    files = [request.files for request in uploads(server)]
    assert [[part.name for part in parts] for parts in files] == [["content"], ["content"]]
    pixels = [Image.open(io.BytesIO(parts[0].data)).tobytes() for parts in files]
    assert pixels == [Image.open(work / name).tobytes() for name in (LARGE, OTHER)]
    kinds = {(parts[0].file_name, parts[0].mime) for parts in files}
    assert kinds == {("image-1.png", "image/png")}
    assert len(server.paid) == 4
    large, other = (
        f"{server.origin}/v1/files/{sha256(parts[0].data).hexdigest()[:12]}" for parts in files
    )
    for sent in sent_images(server):
        assert (sent[0], sent[2], sent[3]) == (large, other, large)
        assert sent[1].startswith("data:image/png;base64,")
    paths = [request.path for request in server.requests if request.method == "POST"]
    assert paths[:2] == ["/v1/files"] * 2
    assert {request.headers["authorization"] for request in uploads(server)} == {f"Bearer {KEY}"}


def test_an_upload_is_free_so_that_it_is_sent_again(edit, server):
    server.on(FILES, hang_up, status(500), status(429, retry_after="0"), uploaded)
    result = edit("--image", LARGE, "--retries", "3")
    assert result.code == 0, result.err
    bodies = [request.files[0].data for request in uploads(server)]
    assert len(bodies) == 4
    assert len(set(bodies)) == 1
    assert len(server.paid) == 1


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (status(401, "UNAUTHENTICATED", "wrong key"), 4, "wrong key"),
        (status(413), 1, "413"),
        (hang_up, 1, "connection"),
        (redirect("https://elsewhere.example/files"), 1, "redirects"),
        (reply({"id": "abc"}, 201), 1, "no URL"),
        (reply({"urls": {"get": "file:///etc/passwd"}}, 201), 1, "no URL"),
        (reply("<html>", 200, content_type="text/html"), 1, "no URL"),
        (reply(encoded("png"), 200, content_type="image/png"), 1, "no URL"),
    ],
    ids=["key", "large", "broken", "redirect", "no-url", "other-url", "page", "image"],
)
def test_a_failed_upload_is_not_billed_and_nothing_is_requested(
    flux, env, edit, server, answer, code, words
):
    server.on(FILES, answer)
    result = edit("--image", LARGE, "-n", "2", "--retries", "0", "--json")
    assert result.code == code, result.err
    errors = json.loads(result.out)["errors"]
    assert words in " ".join(error["message"] for error in errors)
    assert "image 'large.png' was not uploaded, nothing was billed: " in errors[0]["message"]
    assert not any(error["may_have_been_billed"] for error in errors)
    assert "hint: " in result.err
    assert len(uploads(server)) == 1  # the others would fail the same way
    assert server.paid == []
    assert "recover" not in result.err
    assert flux("recover", "--json", env=env).json["runs"] == []


def test_what_is_shown_before_says_that_images_are_uploaded(flux, line, env, server):
    images = ("--image", LARGE, "--image", SMALL)
    resolved = flux("resolve", *line[1:], *images, "--json", env=env).json
    large, small = resolved["sends"][0]["body"]["input"]["input_images"]
    assert (large.endswith("image/png, uploaded before>"), "data URI" in small) == (True, True)
    assert "uploaded before" in flux("resolve", *line[1:], *images, env=env).out
    assert "uploaded before" in flux(*line, *images, "--dry-run", env=env).out
    assert server.requests == []


def test_an_image_is_known_by_its_bytes_not_by_its_url(edit, env, server, work):
    env["FLUX_METADATA"] = "full"
    words = ("--image", LARGE, "-o", "edited.png", "--seed", "7")
    assert edit(*words).code == 0
    assert edit(*words, "--skip-existing").code == 0
    assert len(server.paid) == len(uploads(server)) == 1
    (work / LARGE).write_bytes(noise(2))
    assert edit(*words, "--update").code == 0
    assert len(server.paid) == len(uploads(server)) == 2


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_curl_uploads_what_flux_uploads(flux, line, env, server, shell):
    if not shutil.which("curl"):
        pytest.skip("no curl on PATH")
    words = [*line[1:], "--image", LARGE, "--image", SMALL, "--seed", "7", "-n", "2"]
    words[0] = 'a $HOME of `id` \\ "quotes"'
    command = flux("resolve", *words, "--curl", env=env).out
    assert KEY not in command
    subprocess.run([shell], input=command.encode(), env=env, check=True, timeout=60)
    by_curl = server.posts
    assert (len(uploads(server)), len(server.paid)) == (1, 2)
    assert flux("generate", *words, env=env).code == 0
    assert sorted(map(str, server.posts[2:])) == sorted(map(str, by_curl))
    server.on(FILES, status(413))
    done = subprocess.run([shell], input=command.encode(), env=env, check=False, timeout=60)
    assert (done.returncode != 0, len(server.paid)) == (True, 4)


def test_ctrl_c_during_an_upload_costs_nothing(command, line, env, server):
    server.on(FILES, (hold,))
    words = [command, *line, "--image", LARGE, "-n", "2", "--json"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, env=env, stdout=pipe, stderr=pipe, text=True) as flux:
        while not uploads(server):
            assert flux.poll() is None
            signal.sigtimedwait([], 0.01)
        flux.send_signal(signal.SIGINT)
        out, err = flux.communicate(timeout=20)
    assert flux.returncode == 130, err
    assert not any(error["may_have_been_billed"] for error in json.loads(out)["errors"])
    assert server.paid == []


def test_the_uploaded_image_is_not_taken_for_the_result(edit, server, work):
    """Neither by its URL nor by its bytes."""
    before = {path.name for path in work.iterdir()}

    def echo(request):
        url = request.json["input"]["input_images"][0]
        server.serves(url.removeprefix(server.origin), reply(uploads(server)[0].files[0].data))
        return replicate_prediction(image=url)(request)

    server.on("POST", echo)
    assert edit("--image", LARGE).code == 1

    def copied(request):
        url = server.serves("/copy.png", reply(uploads(server)[0].files[0].data))
        return replicate_prediction(image=url)(request)

    server.on("POST", copied)
    result = edit("--image", LARGE)
    assert result.code == 1
    assert "repeats an image of the request" in result.err
    assert {path.name for path in work.iterdir()} == before
