"""Images that can no longer be read when they are sent."""

import asyncio
import errno
import os

import pytest
from fakes.server import Server

from flux_cli.core.request import FORM, INSIDE, Post
from flux_cli.core.uploads import BASE64, DATA_URI, FILE, SourceError, Upload
from flux_cli.http.client import Http


class Failing:
    """Content whose second half cannot be read."""

    size, digest = 1 << 20, "0" * 64

    def read(self, start, count):
        if start + count > self.size // 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return bytes(count)


async def send(way, origin, place, encoding):
    post = Post(
        f"{origin}/v1/images", {"image": Upload(Failing(), "", "a.png", "image/png", encoding)}
    )
    post = post._replace(uploads=place)
    async with Http(timeout=20, retries=2, folder=None) as http:
        await (http.post(post) if way == "post" else http.upload(post, "0"))


@pytest.mark.parametrize("way", ["post", "upload"])
@pytest.mark.parametrize(
    ("place", "encoding"), [(INSIDE, BASE64), (INSIDE, DATA_URI), (FORM, FILE)]
)
def test_what_happened_is_said_and_nothing_is_sent_whole(way, place, encoding):
    with Server() as server:
        with pytest.raises(SourceError) as caught:
            asyncio.run(send(way, server.origin, place, encoding))
        assert caught.value.message == "cannot read a.png again to send it: Input/output error"
        assert "nothing was billed" in caught.value.hint
        assert not caught.value.billed
        assert server.requests == []
