"""What an upstream answers: images and errors in OpenAI's words."""

import base64

from fakes.images import pixels_as
from fakes.messages import Reply, Request, reply

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


def refused(status: int, code: str | None, message: str, **headers: str) -> Reply:
    """An error as OpenAI says it."""
    error = {"message": message, "type": "any", "param": None, "code": code}
    return reply({"error": error}, status, **headers)
