"""Faults below and in HTTP: connections, certificates, framing, lengths, encodings, time."""

import base64
import gzip
import json
import zlib

from fakes.messages import message, reply
from fakes.server import Answer, Exchange, Step
from fakes.steps import cut, forever, hold, pause, read_tls_hello, reset

from faults.row import JPEG, Row, fine, found, good, refused

SLOW = ("--timeout", "1")  # the deadline of rows in which nothing more arrives
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GOOD = b'{"data": [{"url": "{origin}/p"}]}'
BILL = r"request list|may have been billed"
B64 = base64.b64encode(JPEG)
WITH_IMAGE = json.dumps({"data": [{"b64_json": B64.decode()}]}).encode()
STREAM = b"event: image_generation.completed\ndata: " + WITH_IMAGE + b"\n\n"
KEPT = (r"connection to .* broke", "is kept in", "flux recover", BILL)


def _bomb(times: int, around: bytes) -> bytes:
    """`around`, then `times` MiB of blanks, as gzip without an end."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = packer.compress(around) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + times * (packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH))


BOMB = _bomb(600, b'{"data": [{"url": "')
TWICE = gzip.compress(BOMB)


def whole(exchange: Exchange) -> bytes:
    """A good reply, every byte of it."""
    return message(exchange.server.fill(GOOD))


def bytes_of_whole(start: int, end: int | None = None) -> Step:
    """A part of a good reply."""
    return lambda exchange: whole(exchange)[start:end]


def endless(part: bytes) -> Answer:
    """A good reply with this body and without its last chunk, after which the server closes."""
    return (CHUNKED + b"%x\r\n" % len(part) + part + b"\r\n",)


def after_cut(keep: float) -> Step:
    """What is left of a good reply after `cut`."""
    return lambda exchange: exchange.encode(good())[len(cut(good(), keep)(exchange)) :]


def headed(*lines: bytes) -> Answer:
    """A good reply with more header lines."""

    def step(exchange: Exchange) -> bytes:
        more = b"".join(line + b"\r\n" for line in lines)
        return whole(exchange).replace(b"\r\n", b"\r\n" + more, 1)

    return (step,)


def sized(length: str) -> Answer:
    """A good reply with a wrong length, after which the connection is closed."""
    return (reply(found(), content_length=length),)


def packed(data: bytes, coding: str) -> Answer:
    return (message(data, content_encoding=coding),)


def zipped(exchange: Exchange) -> bytes:
    """A good reply as gzip."""
    return message(gzip.compress(exchange.server.fill(GOOD)), content_encoding="gzip")


DIRECT = "http://127.0.0.1:{port}/v1"  # not through a proxy
ALERTS = (
    ("only HTTP/2", "the server refuses in the TLS handshake", b"\x78", ("only HTTP/2",)),
    ("only old versions of TLS", "the server refuses in the TLS handshake", b"\x46", ("old versions of TLS",)),
    ("no common encryption", "the server refuses in the TLS handshake", b"\x28", ("refuses to speak TLS",)),
)  # fmt: skip
CONNECTING = (
    refused("connection refused", "no server is listening", base="http://127.0.0.1:{closed}/v1", posts=0, says=("refused",)),
    refused("unknown host", "the name does not resolve", base="https://nowhere.invalid/v1", posts=0, says=("nowhere.invalid",)),
    Row("closed at once", "the server accepts and closes", greet=(b"",), says=(BILL,)),
    Row("reset at once", "the server accepts and resets", greet=(reset,), billed=None, says=("127.0.0.1",)),
    Row("not HTTP", "the server answers like a mail server", greet=(b"220 mail ESMTP\r\n",)),
    refused("TLS where HTTP was expected", "the server answers with a TLS alert", greet=(b"\x15\x03\x01\x00\x02\x02\x50",), base=DIRECT, says=("speaks TLS", "https://")),
    Row("a silent server", "accepts and sends nothing", post=((hold,),), line=SLOW, says=("within 1 s",)),
    refused("wrong host in the certificate", "the certificate is for another host", tls="wrong host", posts=0, says=("certificate", "another host")),
    refused("expired certificate", "it expired yesterday", tls="expired", posts=0, says=("certificate", "expired", "clock")),
    refused("certificate of tomorrow", "it is not valid yet", tls="not yet valid", posts=0, says=("certificate", "not valid yet", "clock")),
    refused("unknown authority", "the certificate is signed by an unknown authority", tls="unknown authority", posts=0, says=("unknown authority", "SSL_CERT_FILE")),
    refused("a certificate is wanted", "the server knows its clients by their certificates", tls="for known clients", posts=0, says=("certificate from its clients",)),
    refused("HTTP where TLS was expected", "the server does not speak TLS", greet=(read_tls_hello, message(b"", 400)), base="https://127.0.0.1:{port}/v1", posts=0, says=("does not speak TLS", "http://")),
    *(refused(name, does, greet=(read_tls_hello, b"\x15\x03\x03\x00\x02\x02" + alert), base="https://127.0.0.1:{port}/v1", posts=0, says=says) for name, does, alert, says in ALERTS),
    fine("a private authority", "SSL_CERT_FILE names it", tls="good"),
)  # fmt: skip

CUTS = (
    Row("closed after the request", "the server reads the POST and closes", post=((b"",),), says=(BILL,)),
    Row("reset after the request", "the server reads the POST and resets", post=((reset,),), says=(BILL,)),
    *(
        Row(f"reset {where}", "part of the response, then RST", post=((cut(good(), keep), pause(0.05), reset),), says=(BILL,))
        for where, keep in (
            ("in the status line", 7), ("in a header", 40), ("after the headers", 0), ("in the body", 0.01),
            ("halfway", 0.5), ("in the last byte", -1), ("before the last two bytes", -2),
        )
    ),
    Row("closed halfway", "half the body, then FIN", post=((cut(good(), 0.5),),), says=(BILL,)),
    fine(
        "reset after the JSON, before the promised end", "complete JSON, but bytes are missing",
        post=((reply(GOOD, content_length="99"), pause(0.05), reset),),
    ),
    fine("no last chunk after an image", "the image itself, complete", post=(endless(JPEG),)),
    fine("no last chunk after JSON", "complete JSON with the image", post=(endless(WITH_IMAGE),)),
    fine("no last chunk after a final event", "a stream with the image", post=(endless(STREAM),)),
    Row("closed in an image", "half of the image itself, then FIN", post=(endless(JPEG[: len(JPEG) // 2]),), says=KEPT),
    Row("closed in the base64", "half of the JSON with the image, then FIN", post=(endless(WITH_IMAGE[: len(WITH_IMAGE) // 2]),), says=KEPT),
    Row("closed in a stream", "an event that may be a preview, then FIN", post=(endless(b"data: " + WITH_IMAGE + b"\n\n"),), kept=1, says=KEPT),
    Row("reset at the end of a chunked body", "no last chunk", post=((CHUNKED + b"2\r\n{}\r\n", pause(0.05), reset),), says=(BILL,)),
)  # fmt: skip

FRAMING = (
    Row("length too short", "Content-Length cuts the body", post=(sized("20"),)),
    fine("length too long, then closed", "more bytes are promised than sent", post=(sized("999"),)),
    Row("length too long, then silence", "the promised bytes never arrive", post=((reply(found(), content_length="999"), hold),), line=SLOW),
    Row("negative length", "Content-Length: -5", post=(sized("-5"),)),
    Row("length that is not a number", "Content-Length: many", post=(sized("many"),)),
    fine("length of 20 digits", "Content-Length: 99999999999999999999", post=(sized("9" * 20),)),
    fine("length of a terabyte", "a terabyte is promised, a kilobyte arrives", post=(sized(str(1 << 40)),)),
    Row("two lengths", "two different Content-Length headers", post=(headed(b"Content-Length: 3"),)),
    Row("garbage chunks", "chunk sizes that are not numbers", post=((CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",),)),
    Row("a chunk of 16 EiB", "chunk size ffffffffffffffff", post=((CHUNKED + b"f" * 16 + b"\r\n", hold),), line=SLOW),
    Row("endless chunk size", "a chunk size with endless digits", post=((CHUNKED, forever(b"0" * 1024)),), line=("--timeout", "4")),
    Row("endless body", "spaces forever, no length", post=((HEAD + b"\r\n", forever(b" " * 4096)),)),
    Row("endless chunks", "chunks forever", post=((CHUNKED, forever(b"8000\r\n" + b" " * 0x8000 + b"\r\n")),)),
    Row("endless headers", "header lines forever", post=((HEAD, forever(b"X-More: yes\r\n")),)),
    Row("endless header line", "one header that never ends", post=((HEAD + b"X-Long: ", forever(b"a" * 4096)),)),
    Row("endless early hints", "status 103 forever", post=((forever(b"HTTP/1.1 103 Early Hints\r\n\r\n"),),), line=("--timeout", "2")),
    fine("header line of 64 kB", "one long header, then a good reply", post=(headed(b"X-Long: " + b"a" * (1 << 16)),)),
    fine("a thousand headers", "then a good reply", post=(headed(*(b"X-Fact-%d: yes" % number for number in range(1000))),)),
    Row("header line of 1 MB", "one header as large as an image", post=(headed(b"X-Long: " + b"a" * (1 << 20)),)),
    Row("invalid header", "a line without a colon", post=(headed(b"what is this"),)),
    Row("header with a control character", "NUL in a header", post=(headed(b"X-Odd: a\x00b"),)),
    fine("headers in another encoding", "bytes above 127 in a header", post=(headed(b"X-Odd: caf\xe9"),)),
    fine("status 100 first", "100 Continue, then a good reply", post=((b"HTTP/1.1 100 Continue\r\n\r\n", good()),)),
    Row("status 101", "switches to another protocol", post=((b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",),)),
    refused("HTTP/2", "an HTTP/2 preface for HTTP/1.1", base=DIRECT, says=("only HTTP/2",), post=((b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18),),)),
    Row("status that is not a number", "HTTP/1.1 OK 200", post=((b"HTTP/1.1 OK 200\r\n\r\n",),)),
    fine("bytes after the end", "a second, unexpected response", post=((good(), b"HTTP/1.1 500 No\r\n\r\n"),)),
)  # fmt: skip

TIME = (
    Row("one byte", "H, then nothing", post=((b"H", hold),), line=SLOW, says=("within 1 s",)),
    Row("slow headers", "a byte every 50 ms", post=((HEAD, forever(b"X", 0.05)),), line=SLOW, says=("within 1 s",)),
    Row("slow body", "a byte every 50 ms", post=((HEAD + b"\r\n", forever(b" ", 0.05)),), line=SLOW, says=("within 1 s",)),
    fine("slow but complete", "pauses of 0.2 s in headers and body", post=((cut(good(), 30), pause(0.2), bytes_of_whole(30, 60), pause(0.2), bytes_of_whole(60)),)),
    fine("a body that begins in time", "the end arrives after --timeout, but within another one", post=((pause(0.8), cut(good(), 0.5), pause(0.9), after_cut(0.5)),), line=SLOW),
)  # fmt: skip

CODINGS = (
    fine("unrequested gzip", "a good reply as gzip", post=((zipped,),)),
    Row("gzip bomb", "600 MB in 600 kB", post=(packed(BOMB, "gzip"),)),
    Row("gzip bomb in gzip", "600 MB in a few kB", post=(packed(TWICE, "gzip, gzip"),)),
    Row("truncated gzip", "half of a gzip stream", post=(packed(BOMB[:5000], "gzip"),)),
    fine("not gzip", "JSON that claims to be gzip", post=((reply(found(), content_encoding="gzip"),),)),
    Row("Brotli", "Content-Encoding: br, and bytes", post=(packed(b"\x8b\x0a\x80" + bytes(40), "br"),), says=("encoding 'br'", "is kept in", "flux recover")),
    fine("not Brotli", "an image that claims to be br", post=(packed(JPEG, "br"),)),
    fine("an unknown coding", "JSON that claims to be x-none", post=((reply(found(), content_encoding="x-none"),),)),
    Row("a hundred codings", "gzip, gzip, gzip, …", post=(packed(TWICE, ", ".join(["gzip"] * 100)),)),
    fine("gzip around an image", "the image as gzip", get={"/p": ((message(gzip.compress(JPEG), content_encoding="gzip"),),)}),
    Row("gzip bomb instead of an image", "600 MB in 600 kB", get={"/p": (packed(BOMB, "gzip"),)}),
)  # fmt: skip
