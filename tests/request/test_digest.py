"""The digest of a resolved request: what decides the image changes it, and nothing else does."""

from hashlib import sha256

import pytest

from flux_cli.catalog.find import find_model, read_servers
from flux_cli.core.request import Attachment, Request
from flux_cli.http.datauri import data_uri
from flux_cli.request.digest import digest_of_json, resolved_digest
from flux_cli.request.resolve import resolve

MODEL = "flux1.1-pro-ultra"
CAT = Attachment("cat.png", data_uri(b"cat", "image/png"))


def digest(prompt="a fox", model=MODEL, route=None, provider=None, **parameters):
    found = find_model(model, ())
    dialect = found.dialects[provider] if provider and found else None
    return resolved_digest(resolve(Request(model, parameters, prompt, route), found, dialect))


def test_the_digests_of_a_release_never_change():
    """Or every image that was made before would be generated, and paid for, again."""
    assert digest_of_json({}) == "67d6291b301412df"
    assert digest() == "8b9bc76a0e3da268"
    assert digest(size="16:9", raw=True, safety_tolerance="2") == "ed0b07151ec36e78"
    assert digest(image_prompt=CAT) == "54dadc44de5e592c"
    assert digest(model="other", size="512x512") == "f3fef353357b7cde"


SAME = {
    "ratio or size": ({"size": "16:9"}, {"aspect_ratio": "16:9"}),
    "two sizes, one published size": ({"size": "1200x630"}, {"size": "1280x672"}),
    "text or number": ({"safety_tolerance": "2"}, {"safety_tolerance": 2}),
    "seed": ({}, {"seed": "7"}),
    "count": ({}, {"n": "3"}),
    "format": ({}, {"output_format": "png"}),
    "quality": ({}, {"output_compression": "50"}),
    "transfer": ({}, {"response_format": "b64_json", "sync_mode": True}),
    "alias": ({}, {"model": "flux-pro-1.1-ultra"}),
    "route": ({}, {"route": "fal"}),
    "route before the name": ({}, {"model": f"fal/{MODEL}"}),
    "route of an unknown model": ({"model": "other"}, {"model": "other", "route": "fal"}),
    "provider": ({"size": "16:9"}, {"size": "16:9", "provider": "bfl"}),
    "bytes that are sent": (
        {"image_prompt": CAT},
        {
            "image_prompt": Attachment(
                "cat.png", data_uri(b"bare", "image/png"), sha256(b"cat").hexdigest()
            )
        },
    ),
    "name of a file": ({"image_prompt": CAT}, {"image_prompt": CAT._replace(asked="dog.png")}),
    "a URL that was downloaded": (
        {"image_prompt": "https://example.org/a.png"},
        {"image_prompt": CAT._replace(asked="https://example.org/a.png")},
    ),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_the_same_image_has_the_same_digest(one, other):
    assert digest(**one) == digest(**other)


OTHER = {
    "prompt": {"prompt": "a fix"},
    "model": {"model": "flux1.1-pro"},
    "unknown model": {"model": "other"},
    "size": {"size": "1:1"},
    "the default, written": {"size": "16:9"},
    "parameter": {"raw": True},
    "its value": {"raw": False},
    "unknown parameter": {"steps": "30"},
    "reference": {"image_prompt": CAT},
    "other reference": {"image_prompt": Attachment("cat.png", data_uri(b"other", "image/png"))},
    "URL": {"image_prompt": "https://example.org/a.png"},
    "other URL": {"image_prompt": "https://example.org/b.png"},
    "data URI": {"image_prompt": "data:image/png,%41"},
    "broken data URI": {"image_prompt": "data:image/png"},
}


def test_what_changes_the_image_changes_the_digest():
    digests = [digest(), *(digest(**one) for one in OTHER.values())]
    assert len(set(digests)) == len(digests)


def test_the_size_of_an_unknown_model_is_what_is_sent():
    assert digest(model="other", size="512x512") != digest(model="other", size="513x512")
    assert digest(model="other", size="16:9") == digest(model="other", aspect_ratio="16:9")


def test_every_provider_gives_the_same_digest():
    model = find_model(MODEL, ())
    requests = {"size": "21:9", "seed": "7"}
    digests = {digest(provider=name, **requests) for name in model.dialects}
    request = Request(MODEL, requests, "a fox")
    for dialect in read_servers().values():
        if all(name in dialect.fields for name in requests):
            digests.add(resolved_digest(resolve(request, model, dialect)))
    assert digests == {digest(**requests)}
