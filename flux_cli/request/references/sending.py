"""Writes references into the body of a request, as the provider takes them. Pure."""

from __future__ import annotations

from flux_cli.core.request import FORM, INSIDE
from flux_cli.core.uploads import FILE, Upload
from flux_cli.images.formats import FORMATS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import References
    from flux_cli.core.request import Reference, Request
    from flux_cli.core.uploads import Body, Part


def write(request: Request, taken: References, *, follows: bool) -> Body:
    """The fields with the references, with their mask if there is one, and for their shape.

    Empty if they are not sent.
    """
    if not taken.spelling:
        return {}
    images = [_image(one, taken) for one in request.references]
    fields: dict[str, Part] = _fields(images, taken)
    if request.mask:
        fields[taken.mask] = _image(request.mask, taken)
    if follows:
        fields |= taken.follow
    return fields


def place(taken: References) -> str:
    """Where the images are sent: FORM or INSIDE; "" if they are not."""
    if not taken.spelling:
        return ""
    return FORM if taken.spelling in ("files", "repeated") else INSIDE


def _fields(images: list[Part], taken: References) -> dict[str, Part]:
    field = taken.field
    if taken.spelling == "files":
        return {field: images[0]} if len(images) == 1 else {f"{field}[]": images}
    if taken.spelling in ("list", "repeated"):
        return {field: images}
    if taken.spelling == "single":
        return {field: images[0]}
    names = [field, *(f"{field}_{number}" for number in range(2, len(images) + 1))]
    return dict(zip(names, images, strict=True))


def _image(reference: Reference, taken: References) -> Part:
    """An image as it is sent: its bytes, or its URL where the provider reads that itself."""
    if reference.content is None:
        is_read = taken.takes_urls
        return reference.asked if is_read else f"<the image at {reference.asked}>"
    encoding = FILE if place(taken) == FORM else taken.encoding
    mime = FORMATS[reference.format].mime
    return Upload(reference.content, reference.asked, reference.name, mime, encoding)
