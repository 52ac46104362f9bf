"""Good answers whose image is not where OpenAI puts it, and good answers without an image."""

import base64
import json

from fakes.messages import reply
from fakes.server import Answer

from faults.row import IMAGE, JPEG, PNG, Row, fine
from faults.rows.bodies import noise, said

B64 = base64.b64encode(PNG).decode()
LONG = base64.b64encode(noise(40)).decode()  # longer than what stays in the answer
PNG_TYPE = {"content_type": "image/png"}
EVENTS = {"content_type": "text/event-stream"}
ONCE = ("--retries", "0")


def event(kind: str, text: str) -> str:
    body = json.dumps({"type": f"image_generation.{kind}", "b64_json": text})
    return f"event: image_generation.{kind}\ndata: {body}\n\n"


def at(
    poll: object, status: int = 200, path: str = "/openai/v1/tasks/task_1"
) -> dict[str, tuple[Answer, ...]]:
    """What polls of a task get, and the image it leads to."""
    return {path: ((reply(poll, status),),), "/p": ((reply(JPEG, content_type="image/jpeg"),),)}


DONE = {
    "code": 200,
    "data": {"status": "completed", "result": {"images": [{"url": ["{origin}/p"]}]}},
}
TASK = said({"code": 200, "data": [{"status": "submitted", "task_id": "task_1"}]})

SHAPES = (
    fine("a list of base64", "images: [base64]", post=said({"images": [B64]})),
    fine("a list of long base64", "images: [base64], moved into a file", post=said({"images": [LONG]})),
    fine("a text instead of a list", "image: base64", post=said({"image": LONG})),
    fine("an object instead of a list", "data: {url}", post=said({"data": {"url": "{origin}/p"}})),
    fine("an address under another name", "image_urls: [URL]", post=said({"data": {"image_urls": ["{origin}/p"]}})),
    fine("an image inside the result", "result: {image: base64}", post=said({"result": {"image": LONG}, "success": True})),
    fine("artifacts", "artifacts: [{base64}]", post=said({"artifacts": [{"base64": LONG, "finishReason": "SUCCESS"}]})),
    fine("an image under an unknown name", "long base64 anywhere", post=said({"a": {"b": [LONG]}})),
    fine("a broken base64 beside an address", "the address is used", post=said({"data": [{"b64_json": "!!!", "url": "{origin}/p"}]})),
    fine("a broken long base64 beside an address", "the address is used", post=said({"data": [{"b64_json": LONG[:-3] + "!!!", "url": "{origin}/p"}]})),
    fine("a truncated base64 beside an address", "the address is used", post=said({"data": [{"b64_json": LONG[:1600], "url": "{origin}/p"}]})),
    fine("a broken address beside base64", "the base64 is used", post=said({"data": [{"b64_json": LONG, "url": "{origin}/none"}]})),
    fine("a broken address beside another", "the other one is used", post=said({"data": [{"url": "{origin}/none", "image_url": "{origin}/p"}]}), line=ONCE),
    fine("the image itself", "the body is a PNG", post=said(PNG, **PNG_TYPE)),
    fine("the image itself, labeled as JSON", "the body is a PNG", post=said(noise(40))),
    fine("the image itself as base64", "the body is base64", post=said(LONG, content_type="text/plain")),
    fine("the image itself as JSON", "the body is a JSON text of base64", post=said(json.dumps(LONG))),
    fine("the image itself as a data URI", "the body is data:image/png;base64,…", post=said(f"data:image/png;base64,{LONG}", content_type="text/plain")),
    fine("a stream of events", "partial images, then the image", post=said(event("partial_image", B64) + event("completed", LONG), **EVENTS)),
    fine("a warning beside the image", "error and data", post=said({"error": "slow", "data": [{"url": "{origin}/p"}]})),
    Row("a stream of partial images", "the image never comes", post=said(event("partial_image", LONG), **EVENTS), says=("no image", "is kept in", "flux recover"), kept=1),
    Row("a stream that ends with an error", "an event with the reason", post=said(event("partial_image", LONG) + 'event: error\ndata: {"error": {"message": "out of memory"}}\n\n', **EVENTS), says=("out of memory",)),
    Row("JSON that ends inside the base64", "with a matching length", post=said('{"data": [{"b64_json": "' + LONG[:1600]), says=("not JSON", "is kept in", "flux recover")),
    Row("half of the image itself", "the body is half a PNG", post=said(noise(40)[:2000], **PNG_TYPE), says=("not whole", "flux recover")),
    Row("an unknown shape", "JSON without an image", post=said({"made": {"of": "cheese"}}), says=("no image", "is kept in", "flux recover")),
    Row("bytes that are no image", "neither JSON nor an image", post=said(bytes(range(128, 256)) * 20), says=("neither JSON nor an image", "is kept in", "flux recover")),
    Row("a page that is no image", "every path answers with a web page", base="http://127.0.0.1:{port}", post=said("<!doctype html><title>chat</title>"), says=("web page", "is kept in", r"=http://127.0.0.1:\d+/openai/v1", "flux recover")),
    Row("a reason in another place", "base_resp: {status_msg}", post=said({"data": [], "base_resp": {"status_code": 1, "status_msg": "the GPU is on fire"}}), says=("the GPU is on fire",)),
    Row("a refusal in another place", "a code and words, with status 200", post=said({"data": None, "info": {"code": "content_policy_violation", "message": "not this"}}), says=("not this",), code=5, billed=False),
    fine("a task", "followed at the usual address", post=TASK, get=at(DONE)),
    fine("a task with an address", "polling_url", post=said({"id": "t", "polling_url": "{origin}/poll"}), get=at(DONE, path="/poll")),
    fine("a task in the headers", "202 and Location", post=((reply(b"", 202, location="{origin}/poll"),),), get=at(DONE, path="/poll")),
    Row("a task that nobody knows", "404 at the usual address", post=TASK, get=at({}, 404), says=("task_1", "404", "flux recover")),
    Row("a task that is an image page", "the usual address is a web page", post=TASK, get=at("<html>", 200), says=("task_1", "flux recover")),
    Row("a task that fails", "failed, with a reason", post=TASK, get=at({"data": {"status": "failed", "error": "the GPU is on fire"}}), says=("task_1", "the GPU is on fire")),
    fine("a task with a preview", "processing with an image of the request, then done", post=TASK, get={"/openai/v1/tasks/task_1": ((reply({"data": {"status": "processing", "image": "{origin}/none"}}),), (reply(DONE),)), "/p": (IMAGE,)}),
    Row("a failure with an image", "failed, and an image of the request", post=said({"status": "failed", "image": "{origin}/p", "message": "the GPU is on fire"}), says=("the GPU is on fire",)),
    Row("a task that never ends", "processing forever", post=TASK, get=at({"data": {"status": "processing"}}), line=("--timeout", "1"), says=("within 1 s", "tasks/task_1")),
    Row("a task on another host", "the other host gets no key", post=said({"id": "task_1", "status_url": "{other}/poll"}), says=("task_1", "must not get the key")),
)  # fmt: skip
