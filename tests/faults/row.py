"""A row of the matrix: one fault, and how flux must respond."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from fakes.images import pixels_as
from fakes.messages import Reply, message, reply
from fakes.server import Answer, Step

KEY = "lmnfl_canary.Sup3rS3cretV4lue"
JPEG = pixels_as("jpeg", 64, 36)
PNG = pixels_as("png", 45, 41)
IMAGE: Answer = (message(JPEG, content_type="image/jpeg"),)
NONE: Mapping[str, Any] = MappingProxyType({})


def found(url: str = "{origin}/p", **more: Any) -> dict[str, Any]:
    """The body of a good reply that names the address of an image."""
    return {"created": 1, "data": [{"url": url}], "metadata": {"cost": 0.06}, **more}


def good(url: str = "{origin}/p", **more: Any) -> Reply:
    return reply(found(url, **more), x_lumenfall_request_id="req_1")


class Row(NamedTuple):
    """One fault. Defaults: one POST, a good reply, a good image, exit code 1, and an unclear bill.

    `posts` is the number of POSTs, or a range of allowed numbers. `kept` counts images in the
    state folder.
    """

    name: str
    does: str
    post: tuple[Answer, ...] = ((good(),),)
    get: Mapping[str, tuple[Answer, ...]] = MappingProxyType({"/p": (IMAGE,)})
    command: tuple[str, ...] = ("generate", "a fox", "--seed", "7")
    line: tuple[str, ...] = ()
    code: int | tuple[int, ...] = 1
    files: int | range | None = 0  # None: one for every POST, here or in the state folder
    kept: int | range = 0
    posts: int | range = 1
    says: tuple[str, ...] = ()  # regular expressions that stderr must match, ignoring case
    billed: bool | None = True  # whether stderr says that it may have been billed; None: either
    provider: str = "lumenfall"
    greet: tuple[Step, ...] = ()  # in place of reading a request
    tls: str = ""  # the kind of certificate; "" is plain HTTP
    base: str = ""  # a base URL other than the server's
    proxy: bytes = b""  # what the proxy answers instead of opening a tunnel
    public: bool = (
        False  # the gateway is api.lumenfall.ai, behind a proxy that leads every host to the server
    )
    env: Mapping[str, str] = NONE
    wrap: tuple[str, ...] = ()  # a shell script that runs the command as "$@"
    before: Callable[[Path], object] | None = None  # prepares the folder
    memory: int = 256  # MB of memory that the process may use
    needs: str = ""  # a program, device or permission that the row requires


def can_be_proxied(row: Row) -> bool:
    """Whether the row means the same through a proxy. Some name a proxy or an address."""
    return not (row.public or row.base or any("proxy" in name.lower() for name in row.env))


def fine(name: str, does: str, **more: Any) -> Row:
    """A fault that flux must survive: the image is saved, exit 0, no word about an unclear bill."""
    return Row(name, does, **{"code": 0, "files": 1, "billed": False, **more})


def refused(name: str, does: str, **more: Any) -> Row:
    """A fault after which nothing was made, and nothing can have been billed."""
    return Row(name, does, **{"billed": False, **more})
