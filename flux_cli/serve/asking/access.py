"""Who may ask: the key, the name of the host, and web pages of other origins. Pure."""

from __future__ import annotations

import re
from hmac import compare_digest
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from flux_cli.core.auth import is_loopback
from flux_cli.core.errors import UsageError
from flux_cli.serve.answering.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from flux_cli.core.text import Secret

ANYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - all addresses of this machine
OWN_PAGE = ("same-origin", "none")
BEARER = "bearer "
KEY_VARIABLE = "FLUX_SERVE_KEY"
HOST = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?", re.ASCII)


class Access(NamedTuple):
    """What the server was told about its clients. `host` is the address it listens at."""

    host: str
    key: Secret | None = None
    cors: Collection[str] = ()

    def check_host(self, headers: Mapping[str, str]) -> None:
        """Raise Refusal for a Host that is not this server.

        A web page could name the address of this machine as its own (DNS rebinding).
        """
        name = _host_name(headers.get("host", ""))
        if name is None:
            raise Refusal(400, "the Host header is not valid", code="invalid_host")
        is_known = is_loopback(name) or name == self.host.lower()
        if is_known or (self.key is not None and not is_loopback(self.host)):
            return
        message = f"this server does not answer for {name!r}; use http://{self.host}"
        raise Refusal(403, message, code="unknown_host")

    def check_page(self, headers: Mapping[str, str], origin: str) -> None:
        """Raise Refusal for a request that a web page of another origin sends."""
        asked = headers.get("origin")
        if asked is not None and (asked == origin or asked in self.cors):
            return
        site = headers.get("sec-fetch-site", "none").lower()
        if asked is None and site in OWN_PAGE:
            return
        message = f"web pages of {asked or 'other sites'} may not use this server"
        message += "; flux serve --cors ORIGIN allows one"
        raise Refusal(403, message, code="foreign_origin")

    def check_key(self, headers: Mapping[str, str]) -> None:
        """Raise Refusal without the key, if the server has one."""
        if self.key is None:
            return
        given = bearer(headers)
        if not given:
            message = "no key given: send Authorization: Bearer KEY, with the key of flux serve"
            raise Refusal(401, message, kind="authentication_error", code="missing_api_key")
        if not compare_digest(given.encode("latin-1", "replace"), self.key.reveal().encode()):
            message = f"the key is not the one of this server ({KEY_VARIABLE} or --key-file)"
            raise Refusal(401, message, kind="authentication_error", code="invalid_api_key")

    def cors_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers that let a listed web page read the answer."""
        asked = headers.get("origin", "")
        if asked not in self.cors:
            return {}
        return {"access-control-allow-origin": asked, "vary": "origin"}


def check_origin(text: str) -> str:
    """An origin that --cors names. Raises UsageError for anything else, such as `*`."""
    origin = text.rstrip("/").lower()
    try:
        parts = urlsplit(origin)
        is_origin = (
            parts.scheme in ("http", "https") and origin == f"{parts.scheme}://{parts.netloc}"
        )
    except ValueError:
        is_origin = False
    if not is_origin or "@" in origin or "*" in origin:
        hint = "for example --cors http://localhost:3000"
        raise UsageError(f"--cors {text!r} is not an origin", hint=hint)
    return origin


def bearer(headers: Mapping[str, str]) -> str:
    """The key of a request, which may have blanks in it; "" without one."""
    text = headers.get("authorization", "")
    return text[len(BEARER) :].strip() if text[: len(BEARER)].lower() == BEARER else ""


def _host_name(host: str) -> str | None:
    """The name in a Host header, in lower case; None if it is not valid."""
    if not HOST.fullmatch(host):
        return None
    try:
        parts = urlsplit(f"http://{host}")
        _ = parts.port  # raises ValueError for a port that is none
    except ValueError:
        return None
    return parts.hostname
