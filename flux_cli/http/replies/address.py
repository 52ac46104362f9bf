"""Which base URL was meant, where a server does not know the path of a request."""

from __future__ import annotations

import re

# The path that is added to the base URL of OpenAI-compatible servers
ENDPOINT = "/images/generations"
# Whole endpoints that people paste in place of the base URL
ENDPOINTS = r"/(images|images/(generations|edits|variations)|(chat/)?completions|responses|models)$"
VERSION = r"/v\d+(beta\d*|alpha\d*)?(/|$)|/deployments/"  # the latter is Azure's
USUAL_END = "/v1"
GATEWAY_END = "/openai/v1"


def base_of(url: str) -> str:
    """The base URL of a request to an OpenAI-compatible server; "" for other protocols."""
    path = url.partition("?")[0]
    return path.removesuffix(ENDPOINT) if path.endswith(ENDPOINT) else ""


def likely_base(base: str, *, is_gateway: bool = False) -> str:
    """The base URL that was probably meant; "" if this one looks right."""
    found = re.sub(ENDPOINTS, "", base.rstrip("/"))
    found = re.sub(r"(/v\d+)(?:/v\d+)+$", r"\1", found)
    if is_gateway and not found.endswith(GATEWAY_END):
        found = re.sub(r"(/openai)?(/v\d+)?$", "", found) + GATEWAY_END
    if not re.search(VERSION, found.partition("://")[2]):
        found += USUAL_END
    return "" if found == base else found
