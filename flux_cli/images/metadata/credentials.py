"""Recognizes signed content credentials (C2PA), which any change to an image would break."""

from __future__ import annotations

from flux_cli.images.containers.container import Block
from flux_cli.images.containers.registry import read_blocks, sniff
from flux_cli.images.metadata import xmp
from flux_cli.images.metadata.xmp_scan import REMOTE, XmpError


def has_credentials(data: bytes) -> bool:
    """Whether an image contains signed content credentials (C2PA) or their address.

    Such an image must not be changed, because the signature covers every byte. False for damaged
    images and unknown formats.
    """
    name = sniff(data)
    if name is None:
        return False
    try:
        return any(_is_credential(block) for block in read_blocks(name, data))
    except (ValueError, IndexError):
        return False


def _is_credential(block: Block) -> bool:
    if block.kind == "c2pa":
        return True
    if block.kind != "xmp" or b"provenance" not in block.data:
        return False
    try:
        return REMOTE in xmp.properties(block.data)
    except XmpError:
        return False
