"""Bodies with images on their way: through proxies, and to servers that do not read them whole."""

import base64

import pytest
from fakes.messages import message, reply
from fakes.providers import fal_request
from fakes.proxy import FixedAnswer, Proxy
from fakes.server import Server
from faults.certificates import authority
from PIL import Image
from sample_images import encoded, image_bytes

FAR = "http://far.example"
# By where the images are in the body: the provider, and a model that takes them there.
PLACES = {"form": ("openai", "gpt-image-2"), "inside": ("fal", "flux.2-pro")}
NOISE = image_bytes(Image.effect_noise((1600, 1600), 90), compress_level=0)  # for many packets


@pytest.fixture(params=PLACES)
def place(request):
    return request.param


@pytest.fixture
def send(flux, environment, place, work):
    """Run `flux edit` with a large image and a small one, without a key."""
    (work / "noise.png").write_bytes(NOISE)
    (work / "fox.jpg").write_bytes(encoded("jpeg", size=(400, 300)))
    provider, model = PLACES[place]

    def run(base, **variables):
        where = ("--provider", provider, "--base-url", base, "-m", model, "--no-key")
        line = ("edit", "noise.png", "fox.jpg", "x", *where, "--retries", "0", "--json")
        return flux(*line, env=environment | variables)

    return run


def images_of(request):
    """The images in the body of a request, wherever they are."""
    if request.is_form:
        return [part.data for part in request.files]
    return [base64.b64decode(uri.partition(",")[2]) for uri in request.json["image_urls"]]


def check_whole(server, work):
    (request,) = server.paid
    assert int(request.headers["content-length"]) == len(request.body)
    assert images_of(request) == [NOISE, (work / "fox.jpg").read_bytes()]


def drawing(place, server):
    """Let a server answer as the provider of a place does."""
    if place == "inside":
        server.on("POST", fal_request())
        return
    data = base64.b64encode(encoded("png")).decode()
    server.on("POST", lambda _request: reply({"data": [{"b64_json": data}]}))


def test_images_arrive_whole_through_a_proxy_that_passes_them_on(send, place, work):
    """Such a proxy gets the request itself: its server is the proxy here."""
    with Server() as server:
        drawing(place, server)
        result = send(FAR, http_proxy=server.origin)
        assert result.code == 0, result.err
        check_whole(server, work)


def test_images_arrive_whole_through_a_tunnel(send, place, work):
    authority_file = str(authority().write(work.parent / "authority.pem"))
    with Server(tls=authority().contexts["good"]) as server, Proxy(server) as proxy:
        drawing(place, server)
        result = send(server.origin, https_proxy=proxy.origin, SSL_CERT_FILE=authority_file)
        assert result.code == 0, result.err
        assert f"127.0.0.1:{server.port}" in proxy.hosts
        check_whole(server, work)


REFUSAL = b'{"error": {"message": "not this time", "code": "", "type": "any"}}'
# What is answered after the first bytes of the body, and what it is: code, exit code, billed.
EARLY = {
    "401": (message(REFUSAL, 401), ("auth", 4, False)),
    "413": (message(REFUSAL, 413), ("validation", 1, False)),
    "nothing": (b"", ("network", 1, True)),
}


def outcome_of(result):
    (error,) = result.json["errors"]
    return error["code"], result.code, error["may_have_been_billed"]


@pytest.mark.parametrize(("answer", "expected"), EARLY.values(), ids=EARLY)
def test_a_server_that_hangs_up_while_images_are_sent_is_understood(send, answer, expected):
    """It closes with most of the body unread, so that the next write fails."""
    with FixedAnswer(answer) as server:
        assert outcome_of(send(f"http://127.0.0.1:{server.port}")) == expected


@pytest.mark.parametrize(("answer", "expected"), EARLY.values(), ids=EARLY)
def test_a_proxy_that_answers_while_images_are_sent_is_understood(send, answer, expected):
    with FixedAnswer(answer, lingers=True) as proxy:
        result = send(FAR, http_proxy=f"http://127.0.0.1:{proxy.port}")
        assert outcome_of(result) == expected
