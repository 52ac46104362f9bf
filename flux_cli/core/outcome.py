"""What comes back from a request, in this order: Reply, ImageSource, Facts and Media,
SavedImage, Outcome.
"""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from flux_cli.core.auth import Auth
    from flux_cli.core.errors import FluxError
    from flux_cli.core.request import Call, Resolved


class Stop(NamedTuple):
    """How to ask a provider to stop a job. `identity` names the job in messages."""

    method: str
    url: str
    identity: str


class Reply(NamedTuple):
    """An HTTP answer with header names in lower case.

    Long base64 texts were moved from `data` into files while they arrived. `http.replies.MARK` and
    the name of the file stand for each of them. If its end may be missing, `broken` says why, as a
    sentence.
    """

    status: int
    headers: dict[str, str]
    data: bytes
    asked: int = 1  # images that the request asked for
    until: float | None = None  # when the images must be made, in seconds of the event loop
    texts: tuple[str, ...] = ()  # of the request, which the answer may quote
    broken: str = ""
    sent: frozenset[str] = frozenset()  # digests of the images that the request had


class ImageSource(NamedTuple):
    """The answer that names images: who gave it, and what its images may cost in time.

    `base` is the URL of the provider, to which image URLs may be relative. The key in `auth` goes
    only to that server. `asked` images were requested, which must arrive `until`, in seconds of the
    loop. If the answer `is_fresh`, its images may take seconds to appear. `advice` is what to type
    if they cannot be fetched, `base_hint` if the answer is a web page. `sent` are digests of the
    images of the request, which are never results.
    """

    base: str
    auth: Auth | None = None
    request_id: str = ""
    asked: int = 1
    until: float | None = None
    is_fresh: bool = False
    advice: str = ""
    base_hint: str = ""
    sent: frozenset[str] = frozenset()


class Facts(NamedTuple):
    """What a reply says about an image. Empty or None: the provider did not say."""

    request_id: str = ""
    provider: str = ""
    cost_usd: float | None = None
    seed: int | None = None
    revised_prompt: str = ""
    undrawn: tuple[str, ...] = ()  # words an offline sketch has no motif for


class Media(NamedTuple):
    """One image as received from a provider, in a file, before anything was done to it.

    An image that was made but did not arrive has no `file`: `lost` says why.
    """

    file: str
    facts: Facts
    lost: FluxError | None = None


def media_of(arrived: str | FluxError, facts: Facts) -> Media:
    """One image of an answer: in a file, or lost."""
    return Media(arrived, facts) if isinstance(arrived, str) else Media("", facts, arrived)


class SavedImage(NamedTuple):
    """One image file that was written to disk, or to standard output (`path` is "-").

    It does not hold the bytes: a run may make thousands. Width and height are 0 if they are
    unknown, which happens only in formats that flux does not make.
    """

    path: str
    format: str
    width: int
    height: int
    size: int  # bytes
    as_received: bool  # False: decoded and encoded by flux
    facts: Facts = Facts()
    quality: int | None = None  # of a lossy file that flux encoded
    is_reduced: bool = False  # the quality is lower than requested, to fit --max-bytes
    label: str = ""  # tells a variant from the image itself: its width, or "original"
    received: tuple[int, int] = (0, 0)  # pixels of the image as the server sent it; 0: unknown

    @property
    def pixels(self) -> str:
        """The size in pixels, such as "1024x768"; "" if it is unknown."""
        return f"{self.width}x{self.height}" if self.width else ""


class Outcome(NamedTuple):
    """What became of one call: saved files, or an error, or both, or neither."""

    call: Call
    saved: tuple[SavedImage, ...] = ()
    error: FluxError | None = None
    kept: tuple[str, ...] = ()  # files that already existed and were not changed
    seconds: float = 0.0
    cost_usd: float | None = None  # reported for the call; the facts of saved files have their own
    resolved: Resolved | None = None  # what was asked for, if that differs within the run
    key: str = ""  # what the caller calls the task
    has_image: bool = False  # one has arrived, even if no file was to be made of it

    @property
    def was_there(self) -> bool:
        """Whether all files already existed, so that nothing was sent."""
        return bool(self.kept) and not self.saved and not self.error


class Event(NamedTuple):
    """One step of one call, for progress displays and logs. `detail` is for people."""

    kind: Literal["begun", "sent", "waiting", "received", "saved", "skipped", "failed"]
    number: int
    detail: str = ""
    seconds: float = 0.0
    path: str = ""
    size: int = 0  # bytes
    cost_usd: float | None = None  # of the call; `received` has it, and the first `saved` again
    request_id: str = ""
    status: int | None = None  # of a failure: the HTTP status, and the stable code
    code: str = ""
    key: str = ""  # what the caller calls the task
