"""What is sent with images as input, for each model at each provider, written out in bodies.json.

`python tests/catalog/references/test_reference_bodies.py` writes the file. Read the difference
before you commit it. Where the bytes of an image are sent, its name stands in `<>`.
"""

import asyncio
import base64
import json
from pathlib import Path

import pytest

from flux_cli.catalog.find import find_model, list_models
from flux_cli.core.errors import UsageError
from flux_cli.core.request import DRAWN, Reference, Request
from flux_cli.http.wire.body import Form, encode
from flux_cli.providers.rows import ROWS, connect, dialect_of, unit_price
from flux_cli.request.plan import plan
from flux_cli.request.references.taken import check_count, taken_by
from flux_cli.request.resolve import resolve

FILE = Path(__file__).with_name("bodies.json")
PROVIDERS = ("lumenfall", "bfl", "fal", "replicate")
SERVERS = ("openai", "openai.com")  # they take any model under any name
FOREIGN = "gpt-image-2"  # a model that is in no catalog


class Bytes:
    """The content of an image in memory; what it shows does not matter here."""

    def __init__(self, name):
        self.data, self.digest = f"the bytes of {name}".encode(), name
        self.size = len(self.data)

    def read(self, start, count):
        return self.data[start : start + count]


def image(name, width, height, file_format):
    return Reference(name, name, "", width, height, file_format, Bytes(name))


FOX = image("fox.png", 1200, 900, "png")
SNOW = image("snow.jpg", 800, 1600, "jpeg")
MASK = image("mask.png", 1200, 900, "png")
NET = Reference("https://example.com/net.png", "net.png")
STORED = (FOX, SNOW, MASK)
# By name: the images, whether there is a mask, and what else the user asked for.
REQUESTS = {
    "one": ((FOX,), False, {}),
    "two": ((FOX, SNOW), False, {}),
    "masked": ((FOX,), True, {}),
    "two, masked": ((FOX, SNOW), True, {}),
    "a file and a URL": ((FOX, NET), False, {}),
    "of another shape": ((FOX,), False, {"aspect_ratio": "16:9", "output_format": "jpeg"}),
    "of another scale": ((FOX,), False, {"resolution": "2K"}),
}


def outcome_of(name, model, provider, case):
    """The request that is sent, with its price; or why it is refused. None: not taken at all."""
    row = ROWS[provider]
    references, is_masked, said = case
    is_known = model is None or row.protocol == "openai" or row.protocol in model.dialects
    if not is_known or (model and not model.on_gateway and row.estimates):
        return None
    dialect = dialect_of(row, model)
    taken = taken_by(model, dialect)
    if taken is None or (is_masked and not taken.mask):
        return None
    if NET in references and not taken.takes_urls:
        return None
    try:
        check_count(len(references), taken, "the model", list)
        mask = MASK if is_masked else None
        asked = Request(name, dict(said), "a fox", references=references, mask=mask, taken=taken)
        resolved = resolve(asked, model, dialect)
        fields = (dialect.fields if dialect else {}) or (model.parameters if model else {})
        takes_seed = "seed" in fields and fields["seed"].behavior != "unsupported"
        planned = plan(resolved, DRAWN, 7) if takes_seed else plan(resolved)
    except UsageError as error:
        return error.message
    post = connect(row, row.base_url, None).request(planned.calls[0])
    usd = unit_price(row, model, dialect, resolved.route, resolved.size, asked)
    rounded = usd if usd is None else round(usd, 6)
    return {"path": post.url.removeprefix(row.base_url), **written(post), "usd": rounded}


def written(post):
    """The body as it is encoded for the wire: JSON, or the fields of a form in their order."""
    content = encode(post)
    if not isinstance(content, Form):
        return {"body": json.loads(shortened(asyncio.run(joined(content))))}
    texts = [list(pair) for pair in content.texts.items()]
    files = [
        [name, file_name, mime, shortened(reader.read())]
        for name, (file_name, reader, mime) in content.files
    ]
    return {"form": texts + files}


async def joined(stream):
    return b"".join([part async for part in stream])


def shortened(data):
    """A body or a file, with names in the places of images."""
    for one in STORED:
        for form in (one.content.data, base64.b64encode(one.content.data)):
            data = data.replace(form, f"<{one.name}>".encode())
    return data.decode()


def outcomes():
    targets = [(model.id, model, name) for model in list_models() for name in PROVIDERS]
    for server in SERVERS:
        targets += [(FOREIGN, None, server), ("flux.2-pro", find_model("flux.2-pro"), server)]
    found = {}
    for name, model, provider in targets:
        for what, case in REQUESTS.items():
            outcome = outcome_of(name, model, provider, case)
            if outcome is not None:
                found[f"{name} at {provider}: {what}"] = outcome
    return found


OUTCOMES = outcomes()
GOLDEN = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


@pytest.mark.parametrize("key", OUTCOMES | GOLDEN)
def test_the_request_is_the_one_that_is_written_down(key):
    assert OUTCOMES.get(key) == GOLDEN.get(key)


def test_every_image_is_sent_once_and_in_its_order():
    """No provider gets half of the images, or the same one under two names."""
    for key, outcome in OUTCOMES.items():
        if isinstance(outcome, str):
            continue
        references, is_masked, _ = REQUESTS[key.partition(": ")[2]]
        wanted = [f"<{one.name}>" if one.content else one.asked for one in references]
        text = json.dumps(outcome)
        assert sorted(wanted, key=text.index) == wanted, key
        assert [text.count(word) for word in wanted] == [1] * len(wanted), key
        assert text.count("<mask.png>") == is_masked, key


def write():
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in OUTCOMES.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    write()
