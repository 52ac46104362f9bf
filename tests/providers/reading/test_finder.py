"""Images are found in answers of every shape that servers have, and nothing else is taken for one."""

import base64
import json

import pytest
from fakes.images import pixels_as
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.http.replies import MARK
from flux_cli.images.digests import sent_digests
from flux_cli.providers.reading.finder import MAX_PARTS, find_images

PNG = base64.b64encode(pixels_as("png", 16, 16)).decode()
JPEG = base64.b64encode(pixels_as("jpeg", 16, 16)).decode()
AVIF = base64.b64encode(pixels_as("avif", 16, 16)).decode()
URL, OTHER = "https://cdn.example/p", "https://cdn.example/q"
BLOB = f"{MARK}0123456789abcdef"


def inline(text: str) -> str:
    return f"data:;base64,{text}"


def sources(body: object) -> list[tuple[str, ...]]:
    return [found.sources for found in find_images(body)]


ONE = {
    "OpenAI, a URL": ({"data": [{"url": URL}]}, URL),
    "OpenAI, base64": ({"data": [{"b64_json": PNG}]}, inline(PNG)),
    "A1111": ({"images": [PNG], "parameters": {}, "info": "{}"}, inline(PNG)),
    "a text in place of the list": ({"images": PNG}, inline(PNG)),
    "an object in place of the list": ({"data": {"url": URL}}, URL),
    "a list of texts as data": ({"data": [JPEG]}, inline(JPEG)),
    "a list at the top": ([{"url": URL}], URL),
    "a text at the top": (PNG, inline(PNG)),
    "image": ({"image": AVIF}, inline(AVIF)),
    "image with a prefix": ({"image": f"data:image/png;base64,{PNG}"}, f"data:image/png;base64,{PNG}"),
    "image_url": ({"image_url": URL}, URL),
    "image_urls": ({"image_urls": [URL]}, URL),
    "capitals": ({"Data": {"imageUrl": URL}}, URL),
    "a URL in a list": ({"data": [{"url": [URL]}]}, URL),
    "Stability": ({"artifacts": [{"base64": PNG, "seed": 1, "finishReason": "SUCCESS"}]}, inline(PNG)),
    "Cloudflare": ({"result": {"image": JPEG}, "success": True, "errors": []}, inline(JPEG)),
    "Replicate": ({"output": URL}, URL),
    "Replicate, a list": ({"output": [URL]}, URL),
    "Vertex": ({"predictions": [{"mimeType": "image/png", "bytesBase64Encoded": PNG}]}, inline(PNG)),
    "Gemini": ({"candidates": [{"content": {"parts": [{"text": "Here"}, {"inlineData": {"mimeType": "image/png", "data": PNG}}]}}]}, inline(PNG)),
    "OpenRouter": ({"choices": [{"message": {"content": "Here", "images": [{"type": "image_url", "image_url": {"url": URL}}]}}]}, URL),
    "APIMart": ({"code": 200, "data": {"id": "t", "status": "completed", "result": {"images": [{"url": [URL], "expires_at": 1}]}}}, URL),
    "EvoLink": ({"id": "t", "status": "completed", "results": [URL]}, URL),
    "Qianfan": ({"data": {"task_result": {"images": [{"index": 0, "url": URL}]}}}, URL),
    "DashScope": ({"output": {"results": [{"url": URL}], "task_status": "SUCCEEDED"}}, URL),
    "MiniMax": ({"data": {"image_urls": [URL]}, "base_resp": {"status_code": 0}}, URL),
    "Volcengine": ({"data": {"binary_data_base64": [PNG]}}, inline(PNG)),
    "a path": ({"output": "/files/a.png"}, "/files/a.png"),
    "a path that begins with no slash": ({"images": ["files/a.png?x=1"]}, "files/a.png?x=1"),
    "a path that looks like base64": ({"data": [{"url": "/9j/a.jpg"}]}, "/9j/a.jpg"),
    "base64 that looks like a path": ({"data": [{"url": JPEG}]}, inline(JPEG)),
    "an address under the name of base64": ({"data": [{"b64_json": URL}]}, URL),
    "a file": ({"anything": {"at": {"all": BLOB}}}, BLOB),
    "base64 under an unknown name": ({"anything": [{"at_all": PNG}]}, inline(PNG)),
    "a URL of an image under an unknown name": ({"anything": "https://cdn.example/a.png?x=1"}, "https://cdn.example/a.png?x=1"),
    "the same image in two unknown places": ({"anything": BLOB, "other": {"thing": BLOB}}, BLOB),
    "beside other things": ({"input": {"image": URL}, "user": {"avatar": OTHER}, "data": [None, 3, {}, {"url": URL}]}, URL),
    "empty places before it": ({"data": [], "images": None, "output": [URL]}, URL),
    "a failed one before it": ({"data": [{"status": "failed", "url": OTHER}, {"status": "ok", "url": URL}]}, URL),
    "one of several providers": ({"a": {"status": "fail", "image": JPEG}, "b": {"status": "success", "image": PNG}}, inline(PNG)),
    "failed attempts": ({"attempts": [{"status": "timeout"}], "data": [{"url": URL}]}, URL),
    "smaller ones beside it": ({"urls": {"thumb": f"{OTHER}.png", "small": f"{OTHER}-s.png", "full": f"{URL}.png"}}, f"{URL}.png"),
    "a thumbnail with an address": ({"image": {"thumbnail_url": f"{OTHER}.png", "original_url": f"{URL}.png"}}, f"{URL}.png"),
    "a preview beside it": ({"preview": f"{OTHER}.png", "full": f"{URL}.png"}, f"{URL}.png"),
    "a logo beside it": ({"provider": {"logo_url": f"{OTHER}.png"}, "picture_link": f"{URL}.png"}, f"{URL}.png"),
    "Markdown": ({"choices": [{"message": {"content": f"Here: ![a fox]({URL})"}}]}, URL),
    "JSON in a text": ({"data": {"resultJson": json.dumps({"resultUrls": [URL]})}}, URL),
    "error is empty": ({"error": None, "image": PNG}, inline(PNG)),
}  # fmt: skip


@pytest.mark.parametrize(("body", "source"), ONE.values(), ids=ONE)
def test_the_image_of_an_answer_is_found_wherever_it_is(body, source):
    assert sources(body) == [(source,)]


SEVERAL = {
    "addresses": ({"image_urls": [URL, OTHER]}, [(URL,), (OTHER,)]),
    "the same one twice": ({"images": [{"url": URL}, {"url": URL}]}, [(URL,), (URL,)]),
    "two ways to one image": ({"data": [{"url": URL, "b64_json": PNG}]}, [(inline(PNG), URL)]),
    "two addresses of one image": ({"data": [{"url": URL, "image_url": OTHER}]}, [(URL, OTHER)]),
    "base64 beside a list": ({"data": [{"url": [URL], "b64_json": PNG}]}, [(inline(PNG), URL)]),
    "two lists of the same images": ({"data": [{"url": URL}], "images": [OTHER]}, [(URL,)]),
    "an image under two names": (
        {"b": {"image": PNG, "image_resource_url": f"{URL}.png"}},
        [(inline(PNG), f"{URL}.png")],
    ),
    "an image beside a result": ({"image": JPEG, "output": PNG}, [(inline(PNG), inline(JPEG))]),
    "an image that may repeat the request": (
        {"data": [{"image": OTHER, "url": URL}]},
        [(URL, OTHER)],
    ),
    "mixed": ({"data": [{"url": URL}, JPEG]}, [(URL,), (inline(JPEG),)]),
}


@pytest.mark.parametrize(("body", "expected"), SEVERAL.values(), ids=SEVERAL)
def test_images_keep_their_order_and_their_other_places(body, expected):
    assert sources(body) == expected


NONE = {
    "nothing": None,
    "a number": 5,
    "a word": "image",
    "an empty object": {},
    "words": {"data": "x", "images": ["none yet"], "image": "a red fox", "output": ""},
    "empty texts": {"data": [{"url": "", "b64_json": ""}]},
    "numbers": {"data": [{"url": 5}], "images": [1, True]},
    "a task": {"data": [{"task_id": "t", "status": "submitted"}]},
    "addresses of a job": {"id": "j", "urls": {"get": URL, "cancel": OTHER}, "status_url": URL},
    "an echo of the request": {"input": {"image": URL}, "request": {"image_prompt": BLOB}},
    **{f"the request in {name}": {"images": [], name: {"image": PNG}} for name in ("payload", "config", "meta", "args")},
    **{name: {name: PNG} for name in ("source_image", "inputImage", "control_image", "reference_images", "init_image_b64", "mask-url")},
    "a preview of a task": {"status": "processing", "image": PNG, "future_links": [f"{URL}.png"]},
    "an image of a failure": {"status": "success", "data": {"status": "failed", "image_url": URL}},
    "prompts": {"revised_prompt": BLOB, "prompt": f"{URL}.png"},
    "what the model says": {"choices": [{"message": {"content": "/imagine is not supported"}}]},
    "an address in a message": {"message": "https://docs.example/errors"},
}  # fmt: skip


@pytest.mark.parametrize("body", NONE.values(), ids=NONE)
def test_what_is_no_image_is_not_taken_for_one(body):
    assert sources(body) == []


@pytest.mark.parametrize("sent", [URL, PNG, f"data:image/png;base64,{PNG}"])
def test_an_image_of_the_request_is_no_result(sent):
    echo = URL if sent == URL else PNG
    left_out = sent_digests({"prompt": "a fox", "images": [sent]})
    assert find_images({"data": [{"url": echo}]}, left_out) == []
    (found,) = find_images({"data": [{"url": echo}], "images": [JPEG]}, left_out)
    assert found.sources == (inline(JPEG),)


def test_what_is_beside_an_image_comes_with_it():
    (found,) = find_images({"data": [{"url": URL, "seed": 7, "revised_prompt": "red"}]})
    assert (found.fields["seed"], found.fields["revised_prompt"]) == (7, "red")
    (found,) = find_images({"images": [PNG], "seed": 8})
    assert found.fields["seed"] == 8


def test_the_search_is_limited_in_depth_and_number():
    deep: object = {"url": URL}
    for _ in range(100):
        deep = {"data": deep}
    assert sources(deep) == []
    assert sources({"data": [{}] * MAX_PARTS + [{"url": URL}]}) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([URL, PNG]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "url", "x", "b64_json", "image"]), inner)
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_answer_can_be_searched(body):
    for found in find_images(body):
        assert found.sources
        assert all(found.sources)
    assert find_images(json.loads(json.dumps(body))) == find_images(body)
