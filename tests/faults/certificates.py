"""Certificates of every kind, from an authority of our own. Each process makes its own."""

import datetime as dt
import functools
import ssl
from pathlib import Path
from typing import NamedTuple

import trustme

PUBLIC = ("api.lumenfall.ai", "media.lumenfall.ai")
# Names that nobody may vouch for in public. They are in the certificate, so that only flux's own
# care stands between a reply and these addresses.
PRIVATE = (
    "localhost", "127.0.0.1", "::1", "0.0.0.0", "::", "10.0.0.1", "172.16.0.1", "192.168.0.1",
    "100.64.0.1", "169.254.169.254", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "::ffff:7f00:1",
    "64:ff9b::7f00:1", "2002:7f00:1::",
)  # fmt: skip


class Authority(NamedTuple):
    """One authority, and the contexts of servers by the kind of their certificate."""

    ca: trustme.CA
    contexts: dict[str, ssl.SSLContext]

    def write(self, path: Path) -> Path:
        """The authority's certificate as a file for SSL_CERT_FILE."""
        self.ca.cert_pem.write_to_path(path)
        return path


@functools.cache
def authority() -> Authority:
    ca, stranger = trustme.CA(), trustme.CA()
    now = dt.datetime.now(dt.UTC)
    yesterday, last_year = now - dt.timedelta(days=1), now - dt.timedelta(days=365)
    tomorrow, next_year = now + dt.timedelta(days=1), now + dt.timedelta(days=365)
    certificates = {
        "good": ca.issue_cert("localhost", "127.0.0.1", *PUBLIC),
        "public": ca.issue_cert(*PUBLIC, *PRIVATE),
        "wrong host": ca.issue_cert("example.org"),
        "expired": ca.issue_cert("127.0.0.1", not_before=last_year, not_after=yesterday),
        "not yet valid": ca.issue_cert("127.0.0.1", not_before=tomorrow, not_after=next_year),
        "unknown authority": stranger.issue_cert("127.0.0.1"),
        "for known clients": ca.issue_cert("127.0.0.1"),
    }
    contexts = {}
    for name, certificate in certificates.items():
        contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(contexts[name])
    ca.configure_trust(contexts["for known clients"])
    contexts["for known clients"].verify_mode = ssl.CERT_REQUIRED
    return Authority(ca, contexts)
