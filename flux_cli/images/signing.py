"""Signs content credentials (C2PA) with the user's certificate, by the optional c2pa-python."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from types import ModuleType

from flux_cli.core.errors import ConfigError, ImageError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.text import Secret
from flux_cli.disk.pipes import read_file
from flux_cli.images.formats import FORMATS
from flux_cli.images.metadata.record import BY_MODEL, SOURCE_TYPES, Record

MAX_BYTES = 1 << 20  # a certificate chain is a few pages of text
ALGORITHMS = ("es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519")
ONE_PIXEL = bytes.fromhex(  # a PNG to try a signature on
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c6360"
    "00000002000148afa4710000000049454e44ae426082"
)
MISSING = "signing needs c2pa-python, which is not installed"


class Identity(NamedTuple):
    """A signer: certificates in PEM, the signer's own first, and its private key."""

    chain: bytes
    key: Secret
    algorithm: str


def load_identity(certificates: str, key: str, algorithm: str = "es256") -> Identity:
    """Read the certificate and the key from their files, and try them on a one-pixel image.

    Raises ConfigError if one is missing or unusable, or if others can read the key file.
    """
    if algorithm not in ALGORITHMS:
        raise ConfigError(f"signing algorithm {algorithm!r} is not one of {', '.join(ALGORITHMS)}")
    chain = _read(certificates, private=False)
    if b"-----BEGIN CERTIFICATE-----" not in chain:
        raise ConfigError(f"{certificates} has no certificate in PEM form")
    text = _read(key, private=True).decode("ascii", "replace")
    if "PRIVATE KEY-----" not in text:
        raise ConfigError(f"{key} has no private key in PEM form")
    identity = Identity(chain, Secret(text), algorithm)
    try:
        sign(ONE_PIXEL, "png", Record(source_type=BY_MODEL), identity)
    except ImageError as fault:
        hint = f"openssl pkcs8 -topk8 -nocrypt -in {key}" if "PKCS#8" in str(fault) else ""
        message = f"{certificates} cannot sign images: {fault.__cause__}"
        raise ConfigError(message, hint=hint) from fault
    return identity


def sign(data: bytes, file_format: str, record: Record, identity: Identity) -> bytes:
    """Add a signed manifest of how the image was made. Raises ImageError.

    All other metadata must be in the image already, because the signature covers every byte.
    """
    c2pa = _library()
    signed = io.BytesIO()
    mime = FORMATS[file_format].mime
    try:
        key = identity.key.reveal().encode()
        info = c2pa.C2paSignerInfo(identity.algorithm, identity.chain, key, None)
        # A thumbnail would show the same, and make a small image a hundred times as large.
        context = c2pa.Context.from_dict({"builder": {"thumbnail": {"enabled": False}}})
        builder = c2pa.Builder(manifest(record, mime), context)
        builder.sign(c2pa.Signer.from_info(info), mime, io.BytesIO(data), signed)
    except c2pa.C2paError as fault:
        raise ImageError(f"the image cannot be signed: {fault}") from fault
    return signed.getvalue()


def manifest(record: Record, mime: str) -> dict[str, Json]:
    """The statement to sign: that the image was made, by which tool, and the type of its source."""
    name, _, version = record.tool.partition(" ")
    made: dict[str, Json] = {
        "action": "c2pa.created",
        "digitalSourceType": SOURCE_TYPES + record.source_type,
    }
    if record.model:
        made["softwareAgent"] = {"name": record.model}
    if record.created:
        made["when"] = record.created
    return {
        "claim_generator_info": [{"name": name or "flux", "version": version or "0"}],
        "format": mime,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [made]}}],
    }


def _library() -> ModuleType:
    try:
        import c2pa
    except ImportError as fault:
        raise ConfigError(MISSING, hint="pip install 'flux-image-cli[c2pa]'") from fault
    library: ModuleType = c2pa
    return library


def _read(path: str, *, private: bool) -> bytes:
    def check(status: os.stat_result) -> None:
        mode = stat.S_IMODE(status.st_mode)
        if private and os.name == "posix" and mode & 0o077:
            message = f"{path} can be read by others (mode {mode:04o})"
            raise ConfigError(message, hint=f"chmod 600 {path}")

    try:
        return read_file(Path(os.path.expanduser(path)), MAX_BYTES, check)  # noqa: PTH111 - it never fails
    except OSError as fault:
        raise ConfigError(f"{path} cannot be read: {fault.strerror}") from fault
