"""Reads the reference images of assets as `--image` and `--mask` are read, each once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.build.disk import ORIGINALS, place
from flux_cli.build.references import sources
from flux_cli.build.resolution import stand_in
from flux_cli.core.errors import UsageError
from flux_cli.core.model import References
from flux_cli.request.references.reading import read_mask, read_references, take
from flux_cli.request.references.taken import check_limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.config.load import Settings
    from flux_cli.core.model import Dialect, Model
    from flux_cli.core.request import Reference, Request

    Download = Callable[[str], bytes]

ONE = References(most=1)  # limits are checked for each model


class ReferenceImages:
    """The images of one build, read and checked. `download` fetches URLs where that is needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.download: Download | None = None  # None: nothing may be sent yet
        self._read: dict[tuple[str, bool], Reference] = {}

    def attach(
        self,
        request: Request,
        asset: Asset,
        root: str,
        model: Model | None,
        dialect: Dialect | None,
    ) -> Request:
        """The request with the images of an asset, as far as they are there.

        The original of another asset that has none yet stays without content. Raises UsageError
        for what the model does not take, and for images that cannot be read.
        """
        if not request.references:
            return request
        given = asset.settings.parameters
        images = given[sources.IMAGE]
        texts = images if isinstance(images, list) else []
        taken, where = take(
            request, len(texts), self._settings, model, dialect, has_mask=bool(request.mask)
        )
        references = tuple(self._image(str(text), root, taken, where) for text in texts)
        mask = request.mask
        if mask and mask.digest and references[0].width:
            path = path_of(str(given[sources.MASK]), root)
            mask, _ = read_mask(path, references[0])
            mask = _renamed(mask, str(given[sources.MASK]))
        return request._replace(references=references, mask=mask, taken=taken)

    def _image(self, text: str, root: str, taken: References, where: str) -> Reference:
        """One image, within the limits of the model."""
        source = sources.source_in(text)
        is_url = sources.is_address(source)
        if not (is_url or sources.digest_in(text)):
            return stand_in(text)
        path = source if is_url else path_of(text, root)
        key = path, bool(taken.takes_urls or self.download is None)
        if key not in self._read:
            limits = ONE._replace(takes_urls=taken.takes_urls)
            self._read[key] = read_references([path], limits, where, self.download)[0][0]
        reference = self._read[key]
        if reference.width:
            check_limits(reference, taken, where)
        return reference if is_url else _renamed(reference, text)


def path_of(text: str, root: str) -> str:
    """The path of a file of the manifest, or of the original of an asset."""
    source = sources.source_in(text)
    if not sources.asset_of(source):
        return str(Path(root, source)) if source != "-" else str(Path(root).resolve() / source)
    digest = sources.digest_in(text)
    found = sorted(Path(place(ORIGINALS, root)).glob(f"{digest}.*"))
    if not found:
        message = f"the original of {sources.asset_of(source)} is not available"
        raise UsageError(message, hint="restore it from a backup")
    return str(found[0])


def _renamed(reference: Reference, text: str) -> Reference:
    """A reference under the name in the manifest. Raises UsageError if it has other bytes."""
    source = sources.source_in(text)
    if reference.digest != sources.digest_in(text):
        raise UsageError(f"{source} has changed while it was read", hint="build again")
    return reference._replace(asked=source, name=sources.name_of(source))
