"""One of fifty requests fails, or all do: the other images are saved, and no money is wasted."""

from fakes.messages import message, reply
from fakes.server import Answer
from fakes.steps import reset

from faults.row import IMAGE, JPEG, Row, fine, good
from faults.rows.bodies import large_image

FIFTY = ("-n", "50")
GETS: dict[str, tuple[Answer, ...]] = {
    "/p": (IMAGE,), "/cut": ((message(JPEG[:-9]),),), "/gone": ((reply({}, 404),),),
    "/reset": ((reset,),),
}  # fmt: skip


def no(status: int, code: str = "") -> Answer:
    return (reply({"error": {"message": "not this one", "code": code}}, status, retry_after="0"),)


TEN: tuple[Answer, ...] = (
    no(400), no(400, "CONTENT_POLICY_VIOLATION"), no(500), no(504), (reset,), (reply("garbage"),), (reply({"data": []}),),
    (good("{origin}/cut"),), (good("{origin}/gone"),), (good("{origin}/reset"),),
)  # fmt: skip
STOPPED = {"line": FIFTY, "billed": False, "says": ("not sent",)}

MANY = (
    Row("ten failures in fifty requests", "400, moderation, 500, 504, RST, garbage, no data; images truncated, missing, reset", post=(*TEN, (good(),)), get=GETS, line=FIFTY, code=3, files=40, posts=50),
    Row("one of fifty: RST", "one connection is reset", post=((reset,), (good(),)), get=GETS, line=FIFTY, code=3, files=49, posts=50),
    *(Row(f"one of fifty: {status}", "key or account: unsent requests are held back", post=(no(status), (good(),)), get=GETS, code=3, files=range(1, 40), posts=range(2, 41), **STOPPED) for status in (401, 402, 403)),
    *(Row(f"all of fifty: {status}", "key or account: only requests in flight are sent", post=(no(status),), code=4, posts=range(1, 17), **STOPPED) for status in (401, 402)),
    Row("all of fifty: moderation", "every prompt is refused", post=(no(400, "CONTENT_POLICY_VIOLATION"),), line=FIFTY, code=5, posts=50, billed=False),
    fine("429 for ten of fifty", "too many requests, then retried", post=(*[no(429)] * 10, (good(),)), line=(*FIFTY, "--retries", "5"), files=50, posts=60),
    fine("six large images at once", "20 MB each", get={"/p": ((large_image,),)}, line=("-n", "6"), files=6, posts=6),
)  # fmt: skip
