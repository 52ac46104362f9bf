"""Uploads large images before a request, where a provider takes these only by their URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from flux_cli.core.errors import FluxError, NotSentError
from flux_cli.core.uploads import Upload, replace_images, uploaded_images

if TYPE_CHECKING:
    from flux_cli.core.outcome import Reply
    from flux_cli.core.request import Post
    from flux_cli.core.uploads import Body, Part
    from flux_cli.http.client import Http
    from flux_cli.providers.rows import Provider

HINT = "run the same command again, or give the URL of the image"


@runtime_checkable
class Uploader(Protocol):
    """A provider that marks large images of its requests with `mark_large`."""

    def upload(self, image: Upload) -> Post:
        """The HTTP request that uploads an image. It costs nothing. Pure."""

    def address(self, reply: Reply) -> str:
        """The URL of an image in the good reply to its upload. Raises a FluxError without one."""


def mark_large(body: Body, most: int) -> Body:
    """A body whose images are uploaded before if they would take more than `most` bytes of it."""

    def mark(image: Upload) -> Upload:
        return image.uploaded() if image.size > most else image

    return replace_images(body, mark)


async def upload_images(post: Post, provider: Provider, http: Http) -> Post:
    """A request as it is sent: with URLs in the places of images that are uploaded before.

    Each image is uploaded once for all requests of a run. Raises a FluxError that says that nothing
    was billed.
    """
    if not isinstance(provider, Uploader):
        return post
    urls: dict[str, str] = {}
    for image in uploaded_images(post.body):
        urls[image.content.digest] = await _upload(image, provider, http)

    def url_of(image: Upload) -> Part:
        return urls.get(image.content.digest, image)

    return post._replace(body=replace_images(post.body, url_of))


async def _upload(image: Upload, provider: Uploader, http: Http) -> str:
    try:
        return provider.address(await http.upload(provider.upload(image), image.content.digest))
    except NotSentError:
        raise
    except FluxError as error:
        error.message = (
            f"image {image.name!r} was not uploaded, nothing was billed: {error.message}"
        )
        error.hint = error.hint or HINT
        raise
