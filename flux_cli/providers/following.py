"""Follows an unfinished task of a server until its image is there."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

from flux_cli.core.errors import FluxError, ProviderError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.outcome import ImageSource, Reply
from flux_cli.http.replies import BILLED_HINT, is_good
from flux_cli.http.trust import host_and_port
from flux_cli.providers.missing import UnreadableError, no_image_error
from flux_cli.providers.reading.bodies import read_body
from flux_cli.providers.reading.finder import find_images
from flux_cli.providers.reading.tasks import Task, find_task, states_of, status_word, usual_address

if TYPE_CHECKING:
    from flux_cli.http.client import Http

POLL_SECONDS = 2.0
ACCEPTED = 202
UNSEEN, MOST_UNSEEN = (404,), 2  # a task that has just begun may not be known everywhere yet


class TaskEnd(NamedTuple):
    """The answer with the images of a task, and the id of the task."""

    reply: Reply
    identity: str


async def follow_task(reply: Reply, body: Json, source: ImageSource, http: Http) -> TaskEnd | None:
    """Poll the task that an answer describes until its images are there; None if it is no task.

    The key goes only where it may go. Raises UnreadableError, which names the task, if it cannot
    be followed, and the FluxError of a task that failed.
    """
    task = find_task(reply, body)
    if task is None:
        return None
    url = urljoin(f"{source.base}/", task.address or usual_address(task))
    reader = _TaskReader(task, url, reply, source)
    end: Reply | FluxError
    try:
        end = await http.poll(url, source.auth, reader.read, POLL_SECONDS, until=reply.until)
    except ProviderError as error:  # the key may not go there
        raise reader.lost_error(error.message) from error
    if isinstance(end, Reply):
        return TaskEnd(end, task.identity)
    raise end


class _TaskReader:
    """Reads the states of a task until it has ended."""

    def __init__(self, task: Task, url: str, reply: Reply, source: ImageSource) -> None:
        self._identity, self._host = task.identity, host_and_port(url)
        self._reply, self._auth = reply, source.auth
        self._sent, self._is_fresh = source.sent, source.is_fresh
        self._unseen = 0  # answers that did not know the task

    def read(self, answer: Reply) -> Reply | FluxError | None:
        """The answer with the images, or why there are none; None while the task is running."""
        if answer.status == ACCEPTED:
            return None
        if self._is_fresh and answer.status in UNSEEN and self._unseen < MOST_UNSEEN:
            self._unseen += 1
            return None
        if not is_good(answer):
            return self.lost_error(f"{self._host} answered HTTP {answer.status}")
        body = read_body(answer.data)
        states = states_of(body)
        is_over = "done" in states or not states
        if is_over and find_images(body, self._sent):
            return answer
        if not states and status_word(body):  # in a word of its own: it may be running
            return None
        if not states:
            return self.lost_error(f"{self._host} does not say how far it is")
        state = states[-1]
        if state == "running":  # images may be previews, or those of the request
            return None
        name = f"task {self._identity}"
        problem = f"{name} failed" if state == "failed" else f"{name} has no image"
        return self._ended_error(answer, body, problem, has_failed=state == "failed")

    def _ended_error(
        self, answer: Reply, body: Json, problem: str, *, has_failed: bool
    ) -> FluxError:
        """The error for a task that has ended without an image."""
        answer = answer._replace(texts=self._reply.texts)
        error = no_image_error(answer, body, self._auth, request_id=self._identity, problem=problem)
        if has_failed and isinstance(error, UnreadableError):  # nothing is left to read
            error = ProviderError(error.message, hint=BILLED_HINT, status=answer.status)
            error.request_id = self._identity
        error.billed = True
        return error

    def lost_error(self, why: str) -> FluxError:
        """The error for a task that cannot be followed. Its id leads to the image."""
        name = f"task {self._identity}" if self._identity else "a task"
        message = f"the provider answered with {name}, which flux cannot follow: {why}"
        return UnreadableError(message, self._reply, self._identity)
