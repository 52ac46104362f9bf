"""OpenAI's own client, which test_openai_client.py starts in its environment.

stdin has `base_url`, `key`, and a list of `requests`: the parameters of each, with the names of
files in `image` and `mask` if there are images as input. stdout gets a list of
what the client makes of each answer: the fields of its images and the fields that it does not know,
or the name of the error with its status and code.
"""

import json
import sys
from pathlib import Path

import openai
from openai.types import ImagesResponse


def main() -> None:
    said = json.load(sys.stdin)
    client = openai.OpenAI(base_url=said["base_url"], api_key=said["key"], max_retries=0)
    json.dump([outcome(client, parameters) for parameters in said["requests"]], sys.stdout)


def outcome(client, parameters):
    images = client.images.with_raw_response
    files = {name: opened(parameters[name]) for name in ("image", "mask") if name in parameters}
    draw = images.edit if files else images.generate
    try:
        answer = draw(**parameters | files)
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code]
    read = ImagesResponse.model_validate_json(answer.http_response.text, strict=True)
    images = [image.model_dump(exclude_none=True) for image in read.data]
    return {"images": images, "unknown": sorted(unknown_fields(read))}


def opened(names):
    """The files of these names, as the client takes them: one, or a list."""
    return [opened(name) for name in names] if isinstance(names, list) else Path(names)


def unknown_fields(model) -> set[str]:
    """The names of fields, here and below, that OpenAI's types do not have."""
    names = set(model.model_extra)
    for value in vars(model).values():
        for part in value if isinstance(value, list) else [value]:
            names |= unknown_fields(part) if isinstance(part, openai.BaseModel) else set()
    return names


main()
