"""Requests to a server of flux, as people paste them: for curl, Python and Node."""

from __future__ import annotations

import json
from shlex import quote
from typing import NamedTuple

from flux_cli.serve.asking.access import KEY_VARIABLE

PROMPT = "a lighthouse by the sea"
NO_KEY = json.dumps("none")  # the clients of OpenAI want one all the same


class Snippet(NamedTuple):
    """One example. `needs` is what to install for it; "": nothing."""

    name: str
    language: str
    needs: str
    code: str


def snippets(base_url: str, model: str, *, has_key: bool) -> tuple[Snippet, ...]:
    """The same request in three languages. `base_url` ends in `/v1`."""
    return (
        Snippet("curl", "curl", "", curl(base_url, model, has_key=has_key)),
        Snippet(
            "python", "Python", "pip install openai", _python(base_url, model, has_key=has_key)
        ),
        Snippet("node", "Node", "npm install openai", _node(base_url, model, has_key=has_key)),
    )


def curl(base_url: str, model: str, *, has_key: bool) -> str:
    """The request for curl. It asks for the URL: a terminal shows no image."""
    body = json.dumps({"model": model, "prompt": PROMPT, "response_format": "url"})
    lines = [f"curl {quote(f'{base_url}/images/generations')}"]
    if has_key:
        lines.append(f'-H "Authorization: Bearer ${KEY_VARIABLE}"')
    lines += ["-H 'Content-Type: application/json'", f"-d {quote(body)}"]
    return " \\\n  ".join(lines)


def _python(base_url: str, model: str, *, has_key: bool) -> str:
    key = f'os.environ["{KEY_VARIABLE}"]' if has_key else NO_KEY
    first = "import os\n\n" if has_key else ""
    return f"""{first}from openai import OpenAI

client = OpenAI(base_url={json.dumps(base_url)}, api_key={key})
answer = client.images.generate(
    model={json.dumps(model)},
    prompt={json.dumps(PROMPT)},
    response_format="url",
)
print(answer.data[0].url)"""


def _node(base_url: str, model: str, *, has_key: bool) -> str:
    key = f"process.env.{KEY_VARIABLE}" if has_key else NO_KEY
    return f"""import OpenAI from "openai";

const client = new OpenAI({{ baseURL: {json.dumps(base_url)}, apiKey: {key} }});
const answer = await client.images.generate({{
  model: {json.dumps(model)},
  prompt: {json.dumps(PROMPT)},
  response_format: "url",
}});
console.log(answer.data[0].url);"""
