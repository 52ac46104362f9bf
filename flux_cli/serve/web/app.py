"""The routes of the server, and what each does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from flux_cli.serve.answering import answers
from flux_cli.serve.answering.refusals import Refusal, unknown_url
from flux_cli.serve.asking import uploads
from flux_cli.serve.asking.asked import read_asked, read_body
from flux_cli.serve.asking.gate import Gate
from flux_cli.serve.pictures import mime_of
from flux_cli.serve.web.delivery import NO_STORE, answer, json_response, origin_of
from flux_cli.serve.web.forms import read_form

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from flux_cli.core.model import Json
    from flux_cli.serve.service import Service

Handler = Callable[["Service", Request], Awaitable[Response]]

PREFIXES = ("/v1", "/openai/v1")
PAGE = Path(__file__).parents[1] / "page"


def make_app(service: Service) -> ASGIApp:
    """The application of the server."""
    api: list[tuple[str, str, Handler]] = [
        ("POST", "/images/generations", _generate),
        ("POST", "/images/edits", _edit),
        ("GET", "/models", _models),
        ("GET", "/models/{name:path}", _model),
    ]
    rows = [(method, prefix + path, work) for prefix in PREFIXES for method, path, work in api]
    rows += [
        ("GET", "/images/{name}", _image),
        ("GET", "/healthz", _health),
        ("GET", "/", _page),
        ("GET", "/{name}", _page_file),
    ]
    routes = [Route(path, partial(work, service), methods=[method]) for method, path, work in rows]
    app = Starlette(
        routes=routes,
        exception_handlers={Refusal: _refuse, HTTPException: _refuse_http},
    )
    return Gate(app, service)


async def _generate(service: Service, request: Request) -> Response:
    _expect_type(request, "application/json")
    data = await request.body()
    asked = read_asked(read_body(data))
    return await answer(service, request, asked, sha256(data).hexdigest(), lambda: None)


async def _edit(service: Service, request: Request) -> Response:
    _expect_type(request, "multipart/form-data")
    folder = await asyncio.to_thread(uploads.new_folder)
    try:
        asked, digest = await read_form(request, folder)
    except BaseException:
        uploads.remove(folder)
        raise
    return await answer(service, request, asked, digest, partial(uploads.remove, folder))


def _expect_type(request: Request, expected: str) -> None:
    """Raise Refusal for a body of another type, such as that of the form of a web page."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != expected:
        message = f"the body is {given or 'of no type'}; send Content-Type: {expected}"
        raise Refusal(415, message, code="unsupported_media_type")


async def _models(service: Service, _request: Request) -> Response:
    models: list[Json] = [answers.model_document(model) for model in service.models()]
    return json_response({"object": "list", "data": models})


async def _model(service: Service, request: Request) -> Response:
    return json_response(answers.model_document(service.model(request.path_params["name"])))


async def _image(service: Service, request: Request) -> Response:
    name = request.path_params["name"]
    path = service.pictures.find(name)
    if path is None:
        raise unknown_url(request.method, request.url.path)
    headers = {
        "cache-control": "private, max-age=3600, immutable",
        "cross-origin-resource-policy": "cross-origin",  # an application shows it on its own page
    }
    return FileResponse(path, media_type=mime_of(name), headers=headers)


async def _health(_service: Service, _request: Request) -> Response:
    return Response("ok\n", media_type="text/plain", headers=NO_STORE)


async def _page(service: Service, request: Request) -> Response:
    html = await asyncio.to_thread(service.page, origin_of(request))
    return Response(html, media_type="text/html", headers=NO_STORE)


async def _page_file(_service: Service, request: Request) -> Response:
    types = {"page.css": "text/css", "page.js": "text/javascript"}
    name = request.path_params["name"]
    if name not in types:
        raise unknown_url(request.method, request.url.path)
    return FileResponse(PAGE / name, media_type=types[name], headers={"cache-control": "no-cache"})


async def _refuse(_request: Request, fault: Exception) -> Response:
    assert isinstance(fault, Refusal)  # noqa: S101 - registered for it
    body = answers.json_bytes(fault.document())
    return Response(body, fault.status, fault.headers, media_type="application/json")


async def _refuse_http(request: Request, fault: Exception) -> Response:
    """The answer for what Starlette refuses: an unknown path, or a form that it cannot read."""
    assert isinstance(fault, HTTPException)  # noqa: S101 - registered for it
    if fault.status_code in (404, 405):
        return await _refuse(request, unknown_url(request.method, request.url.path))
    return await _refuse(request, Refusal(fault.status_code, fault.detail, code="invalid_form"))
