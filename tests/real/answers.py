"""What an upstream answers: images and errors in OpenAI's words."""

import base64

from fakes.images import pixels_as
from fakes.messages import Reply, Request, reply
from sample_images import opened

NAME = "/drawn.png"
PNG = pixels_as("png", 64, 64)
USAGE = {
    "input_tokens": 5,
    "input_tokens_details": {"text_tokens": 5, "image_tokens": 0},
    "output_tokens": 7,
    "total_tokens": 12,
}


def drawn(request: Request) -> Reply:
    """An image in base64, or as a URL if that is what is asked for."""
    body = request.json
    item = {"b64_json": base64.b64encode(image_of(body)).decode()}
    if body.get("response_format") == "url":
        item = {"url": f"{{origin}}{NAME}", "revised_prompt": "a red fox, revised"}
    return reply({"created": 1, "data": body.get("n", 1) * [item], "usage": USAGE})


def image_of(body: dict[str, object]) -> bytes:
    """A small image in the format of a request."""
    file_format = str(body.get("output_format", "png"))
    return pixels_as(file_format, 64, 64)


TEXTS = {"model", "prompt", "size", "quality", "background", "output_format", "n", "user"}
IMAGES = ({"image"}, {"image[]"})  # one name for all of them: of one image, and of several


def edited(request: Request) -> Reply:
    """An image, if OpenAI would take the form: each image once, as a file of a known type."""
    if not request.is_form:
        return refused(400, "invalid_content_type", f"not a form: {request.body[:80]!r}")
    names = [part.name for part in request.files]
    images = {*names} - {"mask"}
    unknown = {*request.json} - TEXTS
    if unknown or images not in IMAGES or names.count("mask") > 1 or names.count("image") > 1:
        return refused(400, "unknown_parameter", f"{sorted(request.json)} and the files {names}")
    for part in request.files:
        if part.mime != f"image/{opened(part.data).format}".lower():
            return refused(400, "invalid_image", f"{part.file_name} is not {part.mime}")
    return drawn(request)


def refused(status: int, code: str | None, message: str, **headers: str) -> Reply:
    """An error as OpenAI says it."""
    error = {"message": message, "type": "any", "param": None, "code": code}
    return reply({"error": error}, status, **headers)
