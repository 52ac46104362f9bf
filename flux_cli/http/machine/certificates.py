"""Whom TLS connections trust: what variables name, else the store of the system, else certifi.

Reading certificates takes long, so it is done when the first https URL comes.
"""

from __future__ import annotations

import contextlib
import os
import re
import ssl
import sys

from flux_cli.core.text import decode_text, variable_text
from flux_cli.http.errors import certificates_error

# A file and a folder may both be named, as in OpenSSL. The others count if neither is.
OPENSSL_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
OTHER_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# The store of the system where OpenSSL was built to look elsewhere, as in Conda's Python.
STORES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Gentoo, NixOS
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine, BSD
)
HASHED_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]+")  # how OpenSSL finds a certificate in a folder
CERTIFICATE_NAMES = (".pem", ".crt", ".cer")
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def tls_context(platform: str = sys.platform, stores: tuple[str, ...] = STORES) -> ssl.SSLContext:
    """The TLS settings. Raises ConfigError for certificates that cannot be read.

    `stores` are the files in which the system may keep whom it trusts.
    """
    named = _named_places()
    if named:
        context = empty_context()
        for variable, place in named:
            _load(context, variable, place)
    elif platform in ("darwin", "win32"):
        import truststore  # asks the system, whose store is not a file

        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        context = _with_system_store(stores)
    context.set_alpn_protocols(["http/1.1"])
    return context


def trusted_places(platform: str = sys.platform, stores: tuple[str, ...] = STORES) -> list[str]:
    """Where the certificates of `tls_context` come from, for people."""
    if named := _named_places():
        return [f"{place} ({variable})" for variable, place in named]
    if platform in ("darwin", "win32"):
        return ["the store of the system"]
    if _is_empty(_only_system_store(stores)):
        import certifi

        return [certifi.where()]
    defaults = ssl.get_default_verify_paths()
    places = (defaults.cafile, next(filter(os.path.isfile, stores), ""), defaults.capath)
    return [place for place in places if place][:1]


def _named_places() -> list[tuple[str, str]]:
    """The variables that name certificates, and the file or folder that each names."""
    for variables in (OPENSSL_VARIABLES, *((name,) for name in OTHER_VARIABLES)):
        found = [(name, variable_text(os.environ, name)) for name in variables]
        if named := [pair for pair in found if pair[1]]:
            return named
    return []


def empty_context() -> ssl.SSLContext:
    """Settings that trust nobody yet, and verify everything.

    Python 3.13 refuses authorities that leave out what RFC 5280 asks for, as those of many
    companies do; curl and browsers accept them. As for curl, an intermediate may be trusted.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if log := variable_text(os.environ, "SSLKEYLOGFILE"):
        context.keylog_filename = log
    return context


def _with_system_store(stores: tuple[str, ...]) -> ssl.SSLContext:
    """Settings that trust the authorities of the system, or certifi's if it has none."""
    context = _only_system_store(stores)
    if _is_empty(context):
        import certifi

        context.load_verify_locations(cafile=certifi.where())
    return context


def _only_system_store(stores: tuple[str, ...]) -> ssl.SSLContext:
    context = empty_context()
    defaults = ssl.get_default_verify_paths()
    context.set_default_verify_paths()
    known = os.path.realpath(defaults.cafile or "")
    store = next(filter(os.path.isfile, stores), "")
    if store and os.path.realpath(store) != known:
        with contextlib.suppress(OSError):  # not readable, or empty
            context.load_verify_locations(cafile=store)
    return context


def _is_empty(context: ssl.SSLContext) -> bool:
    """Whether nobody is trusted, neither in files that were read nor in the system's folder."""
    folder = ssl.get_default_verify_paths().capath or ""
    return not context.cert_store_stats()["x509"] and not _has_hashed_names(folder)


def _load(context: ssl.SSLContext, variable: str, place: str) -> None:
    """Trust the certificates of a file, or of one or more folders. Raises ConfigError."""
    try:
        if variable == "SSL_CERT_DIR":
            folders = place.split(os.pathsep)
            for folder in list(filter(os.path.isdir, folders)) or folders:
                _load_folder(context, folder)
        elif os.path.isdir(place):
            _load_folder(context, place)
        else:
            _load_file(context, place)
    except (OSError, ValueError) as fault:
        raise certificates_error(variable, place, fault) from fault


def _load_folder(context: ssl.SSLContext, folder: str) -> None:
    """Trust a folder: as OpenSSL finds certificates in it, else every file with certificates."""
    if _has_hashed_names(folder):
        context.load_verify_locations(capath=folder)
        return
    loaded = 0
    for name in sorted(os.listdir(folder)):
        if name.lower().endswith(CERTIFICATE_NAMES):
            with contextlib.suppress(ssl.SSLError):  # one without certificates, or not in PEM
                _load_file(context, os.path.join(folder, name))
                loaded += 1
    if not loaded:
        raise ValueError("there is no certificate in it")


def _load_file(context: ssl.SSLContext, path: str) -> None:
    """Trust a file in PEM, which may begin with a byte order mark or be in UTF-16."""
    with open(path, "rb") as file:
        start = file.read(2)
        if start[:1] not in (b"\xef", b"\xff", b"\xfe"):
            context.load_verify_locations(cafile=path)
            return
        text = decode_text(start + file.read())
    context.load_verify_locations(cadata="\n".join(PEM.findall(text)))


def _has_hashed_names(folder: str) -> bool:
    try:
        return any(map(HASHED_NAME.fullmatch, os.listdir(folder)))
    except OSError:
        return False
