"""What a manifest names as a reference image, and how that counts: by its bytes, or by its URL.

The parameters of a request and the lock say `refs/palette.png sha256:3b1f…` and
`asset:hero sha256:77ab…`, so that a plan can say which of them has changed. Names and paths are in
no digest. As long as nobody knows the original of an asset, `asset:hero` stands alone, and the
request is equal to no other.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flux_cli.core.request import ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flux_cli.core.model import Json

IMAGE, MASK, PROMPT = "image", "mask", "image_prompt"
KEYS = (IMAGE, MASK, PROMPT)  # the keys whose values may be the original of another asset
SENT = (IMAGE, MASK)  # those that are sent as `--image` and `--mask` are
ASSET = "asset:"
DIGEST = "sha256:"
DESCRIBED = re.compile(rf"(.+) {DIGEST}([0-9a-f]{{64}})", re.DOTALL)


def asset_of(source: str) -> str:
    """The name of the asset whose original a source is; "" for a file or a URL."""
    return source.removeprefix(ASSET) if source.startswith(ASSET) else ""


def is_address(source: str) -> bool:
    """Whether a source is a URL."""
    return source.startswith(ADDRESSES)


def described(source: str, digest: str) -> str:
    """A source with the SHA-256 of its bytes; without one, the source alone."""
    return f"{source} {DIGEST}{digest}" if digest else source


def source_in(text: str) -> str:
    """The source in a text of `described`."""
    found = None if is_address(text) else DESCRIBED.fullmatch(text)
    return found[1] if found else text


def digest_in(text: str) -> str:
    """The SHA-256 in a text of `described`, or in one that is a digest alone; "" without one."""
    if is_address(text):
        return ""
    if text.startswith(DIGEST):
        return text.removeprefix(DIGEST)
    found = DESCRIBED.fullmatch(text)
    return found[2] if found else ""


def counted(value: Json) -> Json:
    """What of a value of `described` counts in a digest; of a list, in its order."""
    if isinstance(value, list):
        return [counted(one) for one in value]
    digest = digest_in(str(value))
    return DIGEST + digest if digest else value


def with_originals(value: Json, originals: Mapping[str, str]) -> Json:
    """A value of `described` with the SHA-256 of the originals of assets, by name."""
    if isinstance(value, list):
        return [with_originals(one, originals) for one in value]
    source = source_in(str(value))
    name = asset_of(source)
    return described(source, originals.get(name, "")) if name else value


def name_of(source: str) -> str:
    """The name of an image for people: that of the file, or of the asset."""
    if is_address(source):
        source = source.partition("?")[0].rstrip("/")
    return asset_of(source) or source.rpartition("/")[2]


def recorded(value: Json) -> Json:
    """A value of `described` as the record in a file says it: by name and SHA-256."""
    if isinstance(value, list):
        return [recorded(one) for one in value]
    text = str(value)
    digest = digest_in(text)
    identity: dict[str, Json] = {"name": name_of(source_in(text))}
    return identity | ({"sha256": digest} if digest else {})


def change_text(old: Json, new: Json) -> str:
    """What is different about the references of a key; "" if that cannot be said in words."""
    before, after = (_digests(value) for value in (old, new))
    if before is None or after is None:
        return ""
    parts = [_difference(source, before, after) for source in before | after]
    found = "; ".join(filter(None, parts))
    return found or "references: another order"


def _difference(source: str, before: Mapping[str, str], after: Mapping[str, str]) -> str:
    name = asset_of(source)
    shown = f"reference {name or source}"
    if source not in before:
        return f"{shown}: added"
    if source not in after:
        return f"{shown}: removed"
    if before[source] == after[source]:
        return ""
    return f"{shown}: new original" if name else f"{shown}: the file changed"


def _digests(value: Json) -> dict[str, str] | None:
    """The digests in a value by source; None for a digest without its source."""
    texts = [] if value is None else value
    if not isinstance(texts, list):
        texts = [texts]
    found = {source_in(str(text)): digest_in(str(text)) for text in texts}
    if any(source.startswith(DIGEST) for source in found):
        return None
    return found


def needed(values: Iterable[str]) -> tuple[str, ...]:
    """The names of the assets among sources, each once."""
    return tuple(dict.fromkeys(filter(None, map(asset_of, values))))
