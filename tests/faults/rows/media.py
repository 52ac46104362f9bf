"""Faults between a good reply and its image: untrusted addresses, and servers that lose images."""

import base64

from fakes.images import pixels_as
from fakes.messages import Reply, message, reply
from fakes.server import Answer, Exchange
from fakes.steps import cut, forever, hold, pause, reset

from faults.row import IMAGE, JPEG, Row, fine, found, good

AGAIN = ("--retries", "1")
SLOW = ("--timeout", "1")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"
WHOLE = message(JPEG, content_type="image/jpeg")


def to(target: str, status: int = 302) -> Answer:
    return (reply(b"", status, location=target),)


def once(answer: Answer) -> dict[str, tuple[Answer, ...]]:
    return {"/p": (answer, IMAGE)}


def always(answer: Answer) -> dict[str, tuple[Answer, ...]]:
    return {"/p": (answer,)}


BROKEN: dict[str, tuple[str, Answer]] = {
    "reset before the image": ("RST instead of a response", (reset,)),
    "reset in the image's headers": ("RST after 30 bytes", (cut(WHOLE, 30), pause(0.05), reset)),
    "reset in the image": ("RST after half of the image", (cut(WHOLE, 0.5), pause(0.05), reset)),
    "reset in the image's last byte": ("RST one byte too early", (cut(WHOLE, -1), pause(0.05), reset)),
    "image with a wrong length": ("ten more bytes are promised than sent", (message(JPEG, content_length=str(len(JPEG) + 10)),)),
    "truncated image without a length": ("FIN after half of the image", (HEAD + b"\r\n" + JPEG[: len(JPEG) // 2],)),
    **{f"{number} for the image": (f"GET returns status {number}", (reply({}, number),)) for number in (204, 206, 304, 403, 404, 429, 500, 504)},
}  # fmt: skip

OFTEN = tuple(
    f"{number} for the image" for number in (204, 304, 429, 504)
)  # testing these once is enough

FETCHING = (
    *(fine(f"{name}, once", does, get=once(answer), line=AGAIN) for name, (does, answer) in BROKEN.items()),
    *(Row(f"{name}, always", does, get=always(answer), says=("image",)) for name, (does, answer) in BROKEN.items() if name not in OFTEN),
    Row("image that never arrives", "the GET gets no response", get=always((hold,)), line=SLOW, says=("image", "within 1 s")),
    Row("slow image", "a byte every 50 ms", get=always((HEAD + b"\r\n" + JPEG[:9], forever(b"\0", 0.05))), line=SLOW, says=("within 1 s",)),
    Row("redirect loop", "302 to itself", get=always(to("/p")), says=("302|redirect",)),
    Row("endless redirects", "302 to ever longer URLs", get={f"/{'p' * n}": (to("/" + "p" * (n + 1)),) for n in range(1, 40)}, says=("302|redirect",)),
    Row("a redirect without a target", "302 without Location", get=always((reply(b"", 302),))),
    fine("a redirect to another host", "302 to a second server, which gets no key", get={"/p": (to("{other}/there"),), "/there": (IMAGE,)}),
    *(Row(f"a redirect to {target}", "302 to another scheme", get=always(to(target)), says=("trusted|fetched",)) for target in ("file:///etc/passwd", "ftp://127.0.0.1/p", "data:image/png;base64,AAAA", "http://user:word@127.0.0.1/p")),
)  # fmt: skip

MUCH = ("-n", "1")  # much is printed
TINY = base64.b64encode(pixels_as("gif", 1, 1)).decode()


def several(*urls: str) -> tuple[Answer, ...]:
    """A good reply that names several images."""
    return ((reply(found(data=[{"url": url} for url in urls])),),)


SEVERAL = (
    Row("one of two images is lost", "503 for the second image", post=several("{origin}/p", "{origin}/q"), get={"/p": (IMAGE,), "/q": ((reply({}, 503),),)}, code=3, files=1, kept=1, says=("could not be downloaded", "flux recover")),
    Row("one of six images arrives", "the other GETs get no response", post=several(*["{origin}/q"] * 5, "{origin}/p"), get={"/p": (IMAGE,), "/q": ((hold,),)}, line=SLOW, code=3, files=1, kept=1, says=("within 1 s", "flux recover")),
    Row("six images that never arrive", "the GETs get no response", post=several(*["{origin}/p"] * 6), get=always((hold,)), line=SLOW, says=("within 1 s",)),
    Row("20,000 images in one response", "one was requested", post=((reply(found(data=[{"b64_json": TINY}] * 20_000)),),), line=MUCH, code=3, files=16, says=("20,000 images", "only 16")),
    Row("20,000 addresses in one response", "one was requested", post=several(*["{origin}/p"] * 20_000), line=MUCH, code=3, files=16, says=("20,000 images", "only 16")),
    fine("as many images as requested", "-p num_images=20", post=several(*["{origin}/p"] * 20), line=(*MUCH, "-m", "unheard-of", "-p", "num_images=20"), files=20),
)  # fmt: skip

ODD_ADDRESSES = (
    "file:///etc/passwd", "file://localhost/etc/passwd", "ftp://127.0.0.1/p", "gopher://127.0.0.1:70/p", "javascript:alert(1)",
    "blob:http://127.0.0.1/p", "unix:///run/docker.sock", "http://user@127.0.0.1/p", "http://user:word@127.0.0.1/p", "http://[::1/p", "http://127.0.0.1:99999/p",
    "http://127.0.0.1:0/p", "http://127.0.0.1:x/p", "http://a b/p", "http://\x00/p", "http://-/p\r\nX-Evil: 1",
    "http://\uff45xample\uff0einvalid/p", "http://" + "a" * 300 + ".invalid/p", "http://.../p", "http://xn--/p", "//", "://", "?", "#", " ",
)  # fmt: skip


def in_capitals(exchange: Exchange) -> Reply:
    return good(exchange.server.origin.replace("http", "HTTP") + "/p")


ADDRESSES = (
    *(Row(f"address {url[:40]!r}", "flux cannot fetch an image from this address", post=((good(url),),)) for url in ODD_ADDRESSES),
    Row("an address of a megabyte", "longer than any server accepts", post=((good("{origin}/" + "p" * 1_000_000),),)),
    fine("an address in another case", "HTTP://…", post=((in_capitals,),)),
    fine("an address without a host", "/p", post=((good("/p"),),)),
)  # fmt: skip

# Spellings of addresses that only a machine itself, its network or its cloud can reach.
INWARD = (
    "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0.0.0.0", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "10.0.0.1",
    "192.168.0.1", "169.254.169.254", "2852039166", "[fe80::1]", "[fd00::1]", "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "intranet", "instance-data",
)  # fmt: skip
FAR = "https://media.lumenfall.ai/p"
ESTIMATE = reply({"estimated": True, "total_cost_micros": 60_000, "currency": "USD"})
DRY = (
    fine("an estimate of the public gateway", "it answers with a price", post=((ESTIMATE,),), line=("--dry-run", "--estimate"), public=True, files=0, posts=0),
    Row("an estimate that makes an image", "the gateway does not know dryRun", post=((good(FAR),),), line=("--dry-run", "--estimate"), public=True, posts=0, says=("no price",)),
)  # fmt: skip
PUBLIC = (
    fine("the public gateway", "through a proxy, with a private authority", post=((good(FAR),),), public=True),
    *(Row(f"https://{host}/p", "a public gateway names a private address", post=((good(f"https://{host}/p"),),), public=True, says=("trusted",)) for host in INWARD),
    *(Row(f"a redirect to https://{host}/p", "302 from a public host to a private address", post=((good(FAR),),), get={"/p": (to(f"https://{host}/q"),), "/q": (IMAGE,)}, public=True, says=("trusted",)) for host in ("127.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]", "0x7f.1")),
    Row("an image without encryption", "http:// from an https:// gateway", post=((good("http://media.lumenfall.ai/p"),),), public=True, says=("trusted",)),
)  # fmt: skip
