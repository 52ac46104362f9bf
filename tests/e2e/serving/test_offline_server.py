"""What every client gets from `flux serve --offline`."""

import base64
import io
import json
import socket
import subprocess
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from PIL import Image
from sample_images import encoded

pytestmark = pytest.mark.slow  # starts a server


def error_of(answer):
    assert answer.headers["content-type"] == "application/json"
    return answer.json()["error"]


def test_an_answer_has_a_url_and_the_image_itself(offline):
    answer = offline.generate()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"].startswith("req_")
    body = answer.json()
    assert isinstance(body["created"], int)
    assert body["output_format"] == "jpeg"
    assert body["usage"]["total_tokens"] == 0
    (one,) = body["data"]
    data = base64.b64decode(one["b64_json"], validate=True)
    assert Image.open(io.BytesIO(data)).size == (256, 256)
    assert one["url"].startswith(f"{offline.origin}/images/")
    assert one["url"].endswith(".jpg")
    image = httpx.get(one["url"])
    assert (image.headers["content-type"], image.content) == ("image/jpeg", data)
    head = httpx.head(one["url"])
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(data)))


@pytest.mark.parametrize(
    ("fields", "keys"),
    [
        ({"response_format": "url"}, {"url"}),
        ({"response_format": "b64_json"}, {"b64_json"}),
        ({"model": "gpt-image-1"}, {"b64_json"}),
    ],
)
def test_a_client_gets_the_keys_that_it_reads(offline, fields, keys):
    (one,) = offline.generate(**fields).json()["data"]
    assert one.keys() - {"seed", "revised_prompt"} == keys


def test_several_images_of_a_format_and_a_shape(offline):
    body = offline.generate(n=2, size="320x180", output_format="webp", seed=7).json()
    assert body["output_format"] == "webp"
    images = [Image.open(io.BytesIO(base64.b64decode(one["b64_json"]))) for one in body["data"]]
    assert [image.format for image in images] == ["WEBP", "WEBP"]
    assert images[0].width > images[0].height
    assert images[0].tobytes() != images[1].tobytes()


@pytest.mark.parametrize("model", [None, "", "gpt-image-1", "dall-e-3", "anything/at-all"])
def test_any_model_is_drawn_also_without_a_prompt(offline, model):
    assert offline.generate("", model=model, response_format="url").status_code == 200


def test_a_prompt_is_only_a_prompt(offline):
    """No prompt makes the server read a file or standard input."""
    for prompt in ("@/etc/passwd", "-", "@-", "--help", "{a}"):
        assert offline.generate(prompt, response_format="url").status_code == 200


def test_server_sent_events_end_with_the_image(offline):
    answer = offline.generate(stream=True, partial_images=2)
    assert answer.headers["content-type"].startswith("text/event-stream")
    (event,) = answer.text.strip().split("\n\n")
    kind, data = event.split("\n")
    assert kind == "event: image_generation.completed"
    body = json.loads(data.removeprefix("data: "))
    assert body["type"] == "image_generation.completed"
    assert base64.b64decode(body["b64_json"])[:2] == b"\xff\xd8"


def test_an_edit_takes_a_form(offline):
    files = [("image[]", ("a fox.png", encoded("png"), "image/png"))]
    form = {"prompt": "make it night", "model": "flux.2-pro", "n": "1"}
    answer = httpx.post(f"{offline.url}/images/edits", data=form, files=files, timeout=60)
    assert answer.status_code == 200, answer.text
    streamed = {**form, "stream": "true"}
    answer = httpx.post(f"{offline.url}/images/edits", data=streamed, files=files, timeout=60)
    assert answer.text.startswith("event: image_edit.completed")


@pytest.mark.parametrize(
    ("files", "status", "word"),
    [
        ([], 400, "image"),
        ([("image", ("x.png", b"no image", "image/png"))], 400, "x.png"),
        ([("image", (None, "/etc/passwd"))], 400, "URL"),
        ([("image", (None, "http://127.0.0.1:9/a.png"))], 400, "download"),
    ],
)
def test_an_edit_without_a_good_image_is_refused(offline, files, status, word):
    files = [("prompt", (None, "make it night")), ("model", (None, "flux.2-pro")), *files]
    answer = httpx.post(f"{offline.url}/images/edits", files=files)
    assert answer.status_code == status
    assert word in error_of(answer)["message"]
    assert "/tmp" not in answer.text


ROOT = Path(__file__).parents[3]
PAGES = [(ROOT / name).read_text() for name in ("README.md", "docs/serve.md")]
CURL = [
    line
    for page in PAGES
    for line in page.replace("\\\n", " ").splitlines()
    if line.startswith("curl http://127.0.0.1:8765")
]


@pytest.mark.parametrize("line", CURL)
def test_the_requests_of_the_docs_work(offline, line):
    here = line.replace("http://127.0.0.1:8765", offline.origin)
    done = subprocess.run(["sh", "-c", here], capture_output=True, check=True)
    (one,) = json.loads(done.stdout)["data"]
    assert httpx.get(one["url"]).status_code == 200


def test_models_are_listed_and_found(offline):
    models = httpx.get(f"{offline.url}/models").json()
    names = [model["id"] for model in models["data"]]
    assert "flux1.1-pro-ultra" in names
    one = httpx.get(f"{offline.url}/models/flux1.1-pro-ultra").json()
    assert one in models["data"]
    assert (one["object"], one["sizes"][0].count("x")) == ("model", 1)
    answer = httpx.get(f"{offline.url}/models/nothing/like-it")
    assert (answer.status_code, error_of(answer)["code"]) == (404, "model_not_found")


def test_a_dry_run_has_a_price(offline):
    url = f"{offline.url}/images/generations?dryRun=true"
    body = httpx.post(url, json={"prompt": "a fox", "n": 3}).json()
    assert (body["estimated"], body["currency"]) == (True, "USD")
    assert body["components"][0]["quantity"] == 3
    assert "data" not in body


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/responses"),
        ("POST", "/v1/images/variations"),
        ("GET", "/v1/images/generations"),
        ("DELETE", "/v1/models"),
        ("GET", "/images/../../../etc/passwd"),
        ("GET", "/images/%2e%2e%2f%2e%2e%2fetc%2fpasswd"),
        ("GET", "/page.html"),
        ("GET", "/v1"),
    ],
)
def test_anything_else_is_said_not_to_be_there(offline, method, path):
    answer = httpx.request(method, offline.origin + path)
    assert answer.status_code in (404, 405)
    assert error_of(answer)["code"] == "unknown_url"


def test_both_prefixes_are_one(offline):
    answer = httpx.get(f"{offline.origin}/openai/v1/models")
    assert answer.json() == httpx.get(f"{offline.url}/models").json()
    assert httpx.get(f"{offline.origin}/healthz").status_code == 200


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", "application/x-www-form-urlencoded", 415),
        (b"{}", None, 415),
        (b"{", "application/json", 400),
        (b"[" * 5000, "application/json; charset=utf-8", 400),
        (b'{"prompt": "a fox", "size": "banana"}', "application/json", 400),
        (b'{"prompt": "a fox", "image_prompt": "/etc/passwd"}', "application/json", 400),
    ],
)
def test_a_bad_body_is_refused_in_one_sentence(offline, content, kind, status):
    headers = {"content-type": kind} if kind else {}
    url = f"{offline.url}/images/generations"
    answer = httpx.post(url, content=content, headers=headers)
    assert answer.status_code == status
    assert answer.headers["x-should-retry"] == "false"
    assert "root:" not in answer.text
    assert error_of(answer)["message"]


def test_a_body_that_is_too_large_is_refused_once_it_is_sent(offline):
    body = b"[" + b" " * (60 << 20) + b"]"
    headers = {"content-type": "application/json"}
    answer = httpx.post(f"{offline.url}/images/generations", content=body, headers=headers)
    assert (answer.status_code, error_of(answer)["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 403),
        ({"host": "evil.example:80@127.0.0.1"}, 400),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_others_web_pages_get_nothing(offline, headers, status):
    answer = httpx.get(f"{offline.url}/models", headers=headers)
    assert answer.status_code == status
    assert "evil.example/" not in answer.text
    assert "access-control-allow-origin" not in answer.headers


def test_a_preflight_is_answered_without_leave(offline):
    headers = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    answer = httpx.options(f"{offline.url}/images/generations", headers=headers)
    assert answer.status_code == 204
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("prompt", "status"),
    [("flux:error:429", 429), ("flux:error:moderation", 422), ("flux:error:402", 402)],
)
def test_errors_come_on_demand(offline, prompt, status):
    answer = offline.generate(prompt)
    assert answer.status_code == status
    assert error_of(answer)["message"].endswith("(on demand)")


def test_many_requests_at_once(offline):
    def one(number):
        answer = offline.generate(f"fox {number}", response_format="url")
        return answer.json()["data"][0]["url"]

    with ThreadPoolExecutor(24) as pool:
        urls = list(pool.map(one, range(24)))
    assert len(set(urls)) == 24


def test_an_upload_waits_for_leave_to_continue(offline):
    """`Expect: 100-continue`, as curl sends with large files."""
    place = urllib.parse.urlsplit(offline.url)
    body = json.dumps({"prompt": "a fox", "model": "sketch", "size": "256x256"}).encode()
    head = (
        f"POST /v1/images/generations HTTP/1.1\r\nHost: {place.netloc}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Expect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")
        connection.sendall(body)
        assert connection.recv(12) == b"HTTP/1.1 200"
