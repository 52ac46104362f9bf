"""A gateway on the loopback that speaks the dialect format of Lumenfall, and misbehaves when a test says so.

A script has one answer for each POST, and the last one repeats:

    gateway.answers(status(429, retry_after="1"), image())

An answer is a Reply, or a function from the request to an answer. Every request is recorded in `gateway.requests`.
"""

import base64
import functools
import json
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple, Self, TypeAlias
from urllib.parse import parse_qs, urlsplit

from e2e.drawings import drawn

PREFIX = "/openai/v1"
HISTORY = "/v1/requests"
PATIENCE = 30.0  # seconds after which a server that waits for a test stops waiting
NONE: Mapping[str, Any] = MappingProxyType({})


class Asked(NamedTuple):
    """One request as it arrived: header names in lower case, the body parsed."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: dict[str, Any]


class Reply(NamedTuple):
    """One answer. `missing` bytes are promised and never sent; `raw` is written to the socket in place of HTTP."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = NONE
    missing: int = 0
    raw: bytes | None = None
    media: Mapping[str, tuple["Reply", ...]] = NONE  # what GET finds from now on, by path


Answer: TypeAlias = Reply | Callable[[Asked], "Answer"]

hang_up = Reply(raw=b"")  # takes the request, closes the connection


def words(
    body: bytes | str | dict[str, Any],
    kind: str = "application/json",
    code: int = 200,
    **headers: str,
) -> Reply:
    """An answer of any body: text, bytes, or an object that is sent as JSON. `retry_after="1"` is a header."""
    data = (
        json.dumps(body).encode()
        if isinstance(body, dict)
        else body.encode()
        if isinstance(body, str)
        else body
    )
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return Reply(code, data, {"Content-Type": kind, **named})


def status(number: int, code: str = "", message: str = "not this time", **headers: str) -> Reply:
    """An error in the gateway's envelope."""
    return words(
        {"error": {"message": message, "type": "any", "code": code}}, code=number, **headers
    )


def redirect(target: str, number: int = 302) -> Reply:
    return Reply(number, b"", {"Location": target})


def image(
    data: bytes | None = None,
    *,
    name: str = "{id}.jpg",
    first: tuple[Reply, ...] = (),
    **metadata: object,
) -> Answer:
    """A good answer, with an image of the size and format asked, as a URL or base64 as asked.

    `data` replaces the image, `name` its name under /media/, and GET gives `first` before it gives the image.
    """

    def answer(asked: Asked) -> Reply:
        made = data if data is not None else drawn(asked.body)
        facts = {
            "model": asked.body.get("model"),
            "provider": "fal",
            "cost": 0.06,
            "cost_currency": "USD",
            **metadata,
        }
        if asked.body.get("response_format") == "b64_json":
            return words(
                {
                    "created": 1,
                    "data": [{"b64_json": base64.b64encode(made).decode()}],
                    "metadata": facts,
                },
                x_lumenfall_request_id="req_1",
            )
        path = "/media/" + name.format(id=f"{asked.body.get('seed', 0)}-{id(asked)}")
        items = [{"url": f"http://{asked.headers['host']}{path}", "revised_prompt": "revised"}]
        reply = words(
            {"created": 1, "data": items, "metadata": facts}, x_lumenfall_request_id="req_1"
        )
        return reply._replace(media={path: (*first, words(made, "image/jpeg"))})

    return answer


def together(count: int, then: Answer | None = None) -> Answer:
    """Answers only once `count` requests are waiting at the same time; 418 if they never are."""
    barrier, after = threading.Barrier(count, timeout=PATIENCE), then or image()

    def answer(_asked: Asked) -> Answer:
        try:
            barrier.wait()
        except threading.BrokenBarrierError:
            return status(418, message=f"{count} requests never came together")
        return after

    return answer


def held(until: threading.Event, then: Answer | None = None) -> Answer:
    """Answers only once the event is set."""

    def answer(_asked: Asked) -> Answer:
        until.wait(PATIENCE)
        return then or image()

    return answer


class Gateway:
    """A server in a thread, for as long as the `with` block lasts."""

    def __init__(self) -> None:
        self.requests: list[Asked] = []
        self.most_at_once = 0
        self.estimate: Answer = lambda asked: words(
            {
                "estimated": True,
                "provider": "fal",
                "total_cost_micros": 60_000 * asked.body.get("n", 1),
                "currency": "USD",
            }
        )
        self.history: list[
            dict[str, Any]
        ] = []  # every POST, the oldest first, as GET /v1/requests tells it
        self.keeps = True  # whether the history has what was answered, too
        self.page = 100  # requests on one page of it, at most
        self._script: list[Answer] = [image()]
        self._media: dict[str, list[Reply]] = {}
        self._now = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), functools.partial(_Handler, self))
        self._server.daemon_threads, self._server.block_on_close = True, False
        self._server.handle_error = lambda *_: (
            None
        )  # a client that has gone is no fault of the server
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.url = self.origin + PREFIX

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answers(self, *script: Answer) -> None:
        """One answer for each POST, in order of arrival; the last one repeats."""
        self._script = list(script)

    def serves(self, path: str, *replies: Reply) -> str:
        """Answer GETs of a path, one reply each, the last one again and again. Returns the address."""
        self._media[path] = list(replies)
        return self.origin + path

    @property
    def posts(self) -> list[dict[str, Any]]:
        """The bodies of all POSTs that would have been paid for."""
        return [asked.body for asked in self.requests if asked.method == "POST" and not asked.query]

    @property
    def fetched(self) -> list[str]:
        """The paths of all GETs."""
        return [asked.path for asked in self.requests if asked.method == "GET"]

    def reply(self, asked: Asked) -> Reply:
        """What the script says to one request, however long that takes."""
        with self._lock:
            self.requests.append(asked)
            answer = self._next(asked)
            entry = self._noted(asked)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        while callable(answer) and not isinstance(answer, Reply):
            answer = answer(asked)
        with self._lock:
            self._now -= 1
            self._media |= {path: list(replies) for path, replies in answer.media.items()}
            entry |= _ended(answer)
        return answer

    def _next(self, asked: Asked) -> Answer:
        if asked.method == "POST" and asked.query:
            return self.estimate
        if (
            asked.method == "GET"
            and asked.path.startswith(HISTORY)
            and asked.path not in self._media
        ):
            return (
                self._listed(asked)
                if asked.path == HISTORY
                else self._told(asked.path.rpartition("/")[2])
            )
        script = (
            self._script if asked.method == "POST" else self._media.get(asked.path, [status(404)])
        )
        return script.pop(0) if len(script) > 1 else script[0]

    def _noted(self, asked: Asked) -> dict[str, Any]:
        """A line of the history for a POST; its trace is the one in the W3C header."""
        trace = asked.headers.get("traceparent", "-").split("-")[1]
        entry = {"id": f"req_h{len(self.history)}", "object": "request", "status": "processing", "cost": None,
                 "trace_id": trace, "created_at": _iso(time.time())}  # fmt: skip
        if asked.method == "POST" and not asked.query:
            self.history.append(entry)
        return entry

    def _listed(self, asked: Asked) -> Reply:
        """One page, the newest first, and the address of the next one."""
        query = {name: values[0] for name, values in parse_qs(asked.query).items()}
        since, start = query.get("created_after", ""), int(query.get("starting_after", 0))
        limit = min(int(query.get("limit", 20)), self.page)
        found = [entry for entry in reversed(self.history) if entry["created_at"] > since]
        rows = [{key: value for key, value in entry.items() if key != "answer"} for entry in found]
        more = f"{HISTORY}?limit={limit}&created_after={since}&starting_after={start + limit}"
        following = f"http://{asked.headers['host']}{more}" if start + limit < len(rows) else None
        return words(
            {"object": "list", "data": rows[start : start + limit], "next_page_url": following}
        )

    def _told(self, name: str) -> Reply:
        entry = next((entry for entry in self.history if entry["id"] == name), None)
        if entry is None:
            return status(404)
        answer = {"response": {"body": entry["answer"]}} if self.keeps and "answer" in entry else {}
        return words({key: value for key, value in entry.items() if key != "answer"} | answer)


def _ended(answer: Reply) -> dict[str, Any]:
    """What the history says of a request once it is answered."""
    if answer.status != 200 or answer.raw is not None:
        return {"status": "rejected" if answer.status < 500 else "upstream_failure"}
    try:
        return {"status": "completed", "cost": 0.06, "answer": json.loads(answer.body)}
    except (ValueError, RecursionError):
        return {"status": "completed", "cost": 0.06}


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class _Server(ThreadingHTTPServer):
    request_queue_size = (
        512  # connections that wait to be taken: hundreds of calls may come at once
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, gateway: Gateway, *connection: Any) -> None:
        self._gateway = gateway
        super().__init__(*connection)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def do_GET(self) -> None:
        self._answer({})

    def _answer(self, body: dict[str, Any]) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self._gateway.reply(Asked(self.command, parts.path, parts.query, headers, body))
        self.close_connection = reply.raw is not None or reply.missing > 0
        if reply.raw is not None:
            self.wfile.write(reply.raw)
            return
        self.send_response(reply.status)
        for name, value in {
            **reply.headers,
            "Content-Length": str(len(reply.body) + reply.missing),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        """The requests are in the list."""
