"""Faults below and in HTTP: connections, certificates, framing, lengths, encodings, time."""

import gzip
import zlib

from faults.row import JPEG, Row, fine, found, good, refused
from faults.server import Answer, Talk, cut, forever, hello, hold, message, pause, reply, reset

SLOW = ("--timeout", "1")  # the deadline of rows in which nothing more comes
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GOOD = b'{"data": [{"url": "{origin}/p"}]}'
BILL = r"request list|may have been billed"


def _bomb(times: int, around: bytes) -> bytes:
    """`times` MiB of blanks behind `around` as gzip: the same compressed MiB again and again, and no end."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = packer.compress(around) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + times * (packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH))


BOMB = _bomb(600, b'{"data": [{"url": "')
TWICE = gzip.compress(BOMB)


def whole(talk: Talk) -> bytes:
    """A good reply, every byte of it."""
    return message(talk.server.filled(GOOD))


def headed(*lines: bytes) -> Answer:
    """A good reply with more lines in its head."""

    def step(talk: Talk) -> bytes:
        return whole(talk).replace(b"\r\n", b"\r\n" + b"".join(line + b"\r\n" for line in lines), 1)

    return (step,)


def sized(length: str) -> Answer:
    """A good reply that lies about its length, and a connection that is closed after it."""
    return (reply(found(), content_length=length),)


def packed(data: bytes, coding: str) -> Answer:
    return (message(data, content_encoding=coding),)


def zipped(talk: Talk) -> bytes:
    """A good reply as gzip."""
    return message(gzip.compress(talk.server.filled(GOOD)), content_encoding="gzip")


CONNECTING = (
    refused("connection refused", "nobody listens", base="http://127.0.0.1:{closed}/v1", posts=0, says=("refused",)),
    refused("unknown host", "the name does not resolve", base="https://nowhere.invalid/v1", posts=0, says=("nowhere.invalid",)),
    Row("closed at once", "accepts and closes", greet=(b"",), says=(BILL,)),
    Row("reset at once", "accepts and resets", greet=(reset,), billed=None, says=("127.0.0.1",)),
    Row("no HTTP", "answers like a mail server", greet=(b"220 mail ESMTP\r\n",)),
    Row("TLS where HTTP was expected", "answers with a TLS alert", greet=(b"\x15\x03\x01\x00\x02\x02\x50",)),
    Row("silent", "accepts and says nothing", post=((hold,),), line=SLOW, says=("within 1 s",)),
    refused("wrong host in the certificate", "is somebody else", tls="wrong host", posts=0, says=("certificate",)),
    refused("expired certificate", "ended yesterday", tls="expired", posts=0, says=("certificate", "expired")),
    refused("unknown authority", "signed by a stranger", tls="unknown authority", posts=0, says=("certificate", "SSL_CERT_FILE")),
    refused("HTTP where TLS was expected", "does not speak TLS", greet=(hello, message(b"", 400)), base="https://127.0.0.1:{port}/v1", posts=0, says=("127.0.0.1",)),
    fine("an authority of one's own", "SSL_CERT_FILE names it", tls="good"),
)  # fmt: skip

CUTS = (
    Row("closed after the request", "takes the POST and closes", post=((b"",),), says=(BILL,)),
    Row("reset after the request", "takes the POST and resets", post=((reset,),), says=(BILL,)),
    *(
        Row(f"reset {where}", "a part of the answer, then RST", post=((cut(good(), keep), pause(0.05), reset),), says=(BILL,))
        for where, keep in (
            ("in the status line", 7), ("in a header", 40), ("after the headers", 0), ("in the body", 0.01),
            ("half way", 0.5), ("in the last byte", -1), ("before the last but one", -2),
        )
    ),
    Row("closed half way", "half the body, then FIN", post=((cut(good(), 0.5),),), says=(BILL,)),
    Row(
        "reset between the JSON and its end", "whole JSON, one blank missing",
        post=((reply(GOOD, content_length="99"), pause(0.05), reset),), says=(BILL,),
    ),
    Row("reset at the end of a chunked body", "no last chunk", post=((CHUNKED + b"2\r\n{}\r\n", pause(0.05), reset),), says=(BILL,)),
)  # fmt: skip

FRAMING = (
    Row("length too short", "the body is cut by its own length", post=(sized("20"),)),
    Row("length too long, then closed", "ten bytes more are promised", post=(sized("999"),), says=(BILL,)),
    Row("length too long, then silence", "promised bytes never come", post=((reply(found(), content_length="999"), hold),), line=SLOW),
    Row("length negative", "Content-Length: -5", post=(sized("-5"),)),
    Row("length in words", "Content-Length: many", post=(sized("many"),)),
    Row("length of 20 digits", "Content-Length: 99999999999999999999", post=(sized("9" * 20),)),
    Row("length of a terabyte", "a terabyte is promised, a kB comes", post=(sized(str(1 << 40)),)),
    Row("two lengths", "two Content-Length that differ", post=(headed(b"Content-Length: 3"),)),
    Row("chunks of garbage", "chunk sizes in words", post=((CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",),)),
    Row("a chunk of 16 EiB", "chunk size ffffffffffffffff", post=((CHUNKED + b"f" * 16 + b"\r\n", hold),), line=SLOW),
    Row("chunk sizes without end", "a chunk size of endless digits", post=((CHUNKED, forever(b"0" * 1024)),), line=("--timeout", "4")),
    Row("endless body", "spaces for ever, no length", post=((HEAD + b"\r\n", forever(b" " * 4096)),)),
    Row("endless chunks", "chunks for ever", post=((CHUNKED, forever(b"8000\r\n" + b" " * 0x8000 + b"\r\n")),)),
    Row("endless headers", "header lines for ever", post=((HEAD, forever(b"X-More: yes\r\n")),)),
    Row("endless header line", "one header for ever", post=((HEAD + b"X-Long: ", forever(b"a" * 4096)),)),
    Row("endless early hints", "103 for ever", post=((forever(b"HTTP/1.1 103 Early Hints\r\n\r\n"),),), line=("--timeout", "2")),
    fine("header line of 64 kB", "one long header, then a good reply", post=(headed(b"X-Long: " + b"a" * (1 << 16)),)),
    fine("a thousand headers", "then a good reply", post=(headed(*(b"X-Fact-%d: yes" % number for number in range(1000))),)),
    Row("header line of 1 MB", "one header as large as an image", post=(headed(b"X-Long: " + b"a" * (1 << 20)),)),
    Row("header that is none", "a line without a colon", post=(headed(b"what is this"),)),
    Row("header with a control character", "a NUL in a header", post=(headed(b"X-Odd: a\x00b"),)),
    fine("headers in another encoding", "bytes above 127 in a header", post=(headed(b"X-Odd: caf\xe9"),)),
    fine("100 first", "100 Continue, then a good reply", post=((b"HTTP/1.1 100 Continue\r\n\r\n", good()),)),
    Row("101", "switches to another protocol", post=((b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",),)),
    Row("HTTP/2", "an HTTP/2 preface for HTTP/1.1", post=((b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18),),)),
    Row("a status of words", "HTTP/1.1 OK 200", post=((b"HTTP/1.1 OK 200\r\n\r\n",),)),
    fine("bytes after the end", "a second answer nobody asked for", post=((good(), b"HTTP/1.1 500 No\r\n\r\n"),)),
)  # fmt: skip

TIME = (
    Row("one byte a minute", "H, and then nothing", post=((b"H", hold),), line=SLOW, says=("within 1 s",)),
    Row("headers by drops", "a byte each 50 ms", post=((HEAD, forever(b"X", 0.05)),), line=SLOW, says=("within 1 s",)),
    Row("body by drops", "a byte each 50 ms", post=((HEAD + b"\r\n", forever(b" ", 0.05)),), line=SLOW, says=("within 1 s",)),
    fine("slow but there", "breaks of 0.2 s in head and body", post=((cut(good(), 30), pause(0.2), lambda talk: whole(talk)[30:60], pause(0.2), lambda talk: whole(talk)[60:]),)),
)  # fmt: skip

CODINGS = (
    fine("gzip nobody asked for", "a good reply as gzip", post=((zipped,),)),
    Row("gzip bomb", "600 MB in 600 kB", post=(packed(BOMB, "gzip"),)),
    Row("gzip bomb in gzip", "600 MB in a few kB", post=(packed(TWICE, "gzip, gzip"),)),
    Row("gzip cut", "half of a gzip stream", post=(packed(BOMB[:5000], "gzip"),)),
    Row("no gzip at all", "JSON that claims to be gzip", post=((reply(found(), content_encoding="gzip"),),)),
    Row("Brotli", "Content-Encoding: br, and bytes", post=(packed(b"\x8b\x0a\x80" + bytes(40), "br"),)),
    fine("a coding nobody knows", "JSON that claims to be x-none", post=((reply(found(), content_encoding="x-none"),),)),
    Row("a hundred codings", "gzip, gzip, gzip, …", post=(packed(TWICE, ", ".join(["gzip"] * 100)),)),
    fine("gzip around an image", "the image as gzip", get={"/p": ((message(gzip.compress(JPEG), content_encoding="gzip"),),)}),
    Row("gzip bomb in place of an image", "600 MB in 600 kB", get={"/p": (packed(BOMB, "gzip"),)}),
)  # fmt: skip
