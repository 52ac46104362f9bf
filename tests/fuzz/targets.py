"""Every parser as a function of bytes. It may raise FluxError; anything else is a fault."""

import atexit
import contextlib
import functools
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from flux_cli.catalog import reading
from flux_cli.catalog.find import find_model
from flux_cli.catalog.gateway.price import unit_price
from flux_cli.catalog.gateway.reading import read_schema
from flux_cli.catalog.gateway.schema import document_of
from flux_cli.config import folders, keys
from flux_cli.config.load import load_settings
from flux_cli.config.settings import SETTINGS
from flux_cli.core import ratio, values
from flux_cli.core.auth import Auth
from flux_cli.core.errors import FluxError
from flux_cli.core.model import Model
from flux_cli.core.outcome import Reply
from flux_cli.core.request import Request
from flux_cli.core.text import Secret, plain, redact
from flux_cli.http.datauri import decode_data_uri
from flux_cli.http.replies import parse_json, reply_error, request_id_of, retry_after
from flux_cli.http.trust import credentials, host_and_port, media_address
from flux_cli.images import names as naming
from flux_cli.images.containers.registry import inspect, look, sniff
from flux_cli.images.formats import FOREIGN
from flux_cli.providers.reading.bodies import read_body
from flux_cli.providers.reading.finder import find_images
from flux_cli.providers.reading.reasons import find_reason
from flux_cli.providers.reading.tasks import find_task
from flux_cli.providers.rows import ROWS
from flux_cli.request.resolve import resolve
from flux_cli.runs.records.privacy import without_prompts

LIMIT = 1 << 16
KEY = "canary-Sup3r'S3cr3t+V4lue"
BASES = ("https://api.lumenfall.ai/openai/v1", "http://127.0.0.1:8080/v1")
NOW = 1_700_000_000.0
MODEL = "flux1.1-pro-ultra"


def texts(data: bytes) -> list[str]:
    """The bytes as text, as arguments of a command line come, cut at line breaks."""
    return data.decode("utf-8", "surrogateescape").split("\n")


def each(texts_: list[str], *parsers: Callable[[str], object]) -> None:
    for text in texts_:
        for parse in parsers:
            with contextlib.suppress(FluxError):
                parse(text)


@functools.cache
def the_model() -> Model:
    model = find_model(MODEL)
    assert model
    return model


def shapes(data: bytes) -> None:
    each(texts(data), ratio.parse_shape, ratio.parse_ratio, ratio.read_word, ratio.parse_tier)


def parameters(data: bytes) -> None:
    """A value for every parameter of the model, and for an unknown one. The result can be sent."""
    model = the_model()
    for text in texts(data):
        json.dumps(values.parse_value(text), allow_nan=False)
        each(
            [text],
            *(
                lambda text, param=param: values.check_value(param, text)
                for param in model.parameters.values()
            ),
        )


def requests(data: bytes) -> None:
    """A whole request: prompt, then `name=value`, a line each."""
    model = the_model()
    prompt, *rest = texts(data)
    pairs = [line.partition("=") for line in rest]
    said = {name: value for name, equals, value in pairs if equals}
    for wire in (None, *model.dialects.values()):
        with contextlib.suppress(FluxError):
            json.dumps(resolve(Request(MODEL, said, prompt), model, wire).parameters, default=str)


def templates(data: bytes) -> None:
    """A template, then the prompt: names that fit a file system, or words about why not."""
    template, *rest = texts(data)
    prompt = "\n".join(rest)
    row: dict[str, str | int] = {
        **naming.text_fields(prompt, MODEL), "ratio": "16x9", "width": 1, "height": 1,
        "date": "2026-01-01", "time": "120000", "id": "00000000", "seed": 7, "index": 1,
    }  # fmt: skip
    with contextlib.suppress(FluxError):
        complete = naming.complete(template, seeded=True, is_folder=False)
        for name in naming.names(complete, [row, {**row, "index": 2}]):
            assert (
                len(Path(name.path("png")).name.encode("utf-8", "surrogateescape"))
                <= naming.NAME_BYTES
            )
    assert 0 < len(naming.slug(prompt).encode()) <= naming.SLUG_BYTES + len("-image")
    naming.sibling(template, 2)
    assert "/" not in naming.safe(prompt)


def images(data: bytes) -> None:
    """What a container says of itself is in it, and no more than an image may have."""
    sniff(data)
    with contextlib.suppress(FluxError):
        image, sound, *_ = look(data)
        assert image.width * image.height > 0 or image.format in FOREIGN
        assert image.format == sniff(data)
        assert inspect(sound)[:3] == image[:3]


def conversions(data: bytes) -> None:
    """Bytes that claim to be small images, checked, decoded and encoded."""
    from flux_cli.images.pixels.render import convert
    from flux_cli.images.pixels.wholeness import examine

    with contextlib.suppress(FluxError):
        image = look(data).image
        if image.width * image.height <= LIMIT:
            convert(examine(data).sound, "png", None)


def data_uris(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    for decode in (decode_data_uri,):
        with contextlib.suppress(FluxError):
            assert len(decode(text, LIMIT)) <= LIMIT


def replies(data: bytes) -> None:
    """The first line is a header, the second a status, the rest a body."""
    header, _, rest = data.partition(b"\n")
    number, _, body = rest.partition(b"\n")
    value = header.decode("latin-1")
    headers = dict.fromkeys(("retry-after", "retry-after-ms", "x-request-id", "location"), value)
    reply = Reply(int(number[:3]) if number[:3].isdigit() else 429, headers, body)
    parse_json(body)
    assert plain(reply_error(reply).message, 10**6) == reply_error(reply).message
    request_id_of(reply, parse_json(body))
    seconds = retry_after(reply, NOW)
    assert seconds is None or seconds >= 0


def answers(data: bytes) -> None:
    """Whatever an answer is, what is found in it can be fetched, followed and shown."""
    body = read_body(data)
    assert all(all(image.sources) for image in find_images(body))
    task = find_task(Reply(202, {}, data), body)
    assert task is None or task.identity or task.address
    reason = find_reason(body)
    assert reason is None or plain(reason.message) == reason.message
    json.loads(without_prompts(data))


def addresses(data: bytes) -> None:
    """No address makes the key or a request go where it must not."""
    auth = Auth(Secret(KEY), "BFL_API_KEY", "https://api.bfl.ai", "x-key", "", ("*.bfl.ai",))
    for text in texts(data):
        host_and_port(text)
        for base in BASES:
            with contextlib.suppress(FluxError):
                assert (
                    media_address(text, base, "laptop").lower().startswith(("https://", base[:7]))
                )
        with contextlib.suppress(FluxError):
            credentials(text, auth)


def redactions(data: bytes) -> None:
    Secret(KEY)
    assert KEY not in redact(data.decode("utf-8", "surrogateescape"))


@functools.cache
def _config_home() -> str:
    """A folder that is new in every process, and removed at its end."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _file(name: str, data: bytes) -> Path:
    """A file of the user's own folder."""
    os.environ["XDG_CONFIG_HOME"] = _config_home()
    path = folders.user_folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def models(data: bytes) -> None:
    path = _file("models/mine.toml", data)
    with contextlib.suppress(FluxError):
        reading.read(path)


def schemas(data: bytes) -> None:
    """What is read of a gateway's schema can be saved, read again, and priced."""
    schema = read_schema(parse_json(data))
    if schema:
        assert read_schema(json.loads(json.dumps(document_of(schema), allow_nan=False))) == schema
        price = unit_price(schema, {})
        assert price is None or price > 0


def settings(data: bytes) -> None:
    path = _file("config.toml", data)
    with contextlib.suppress(FluxError):
        load_settings({}, ROWS, {})
    path.unlink()
    first, *rest = [*texts(data), ""]
    for setting in SETTINGS:
        with contextlib.suppress(FluxError):
            load_settings({setting.name: first}, ROWS, {setting.variable: rest[0]})


def key_files(data: bytes) -> None:
    path = _file("credentials.toml", data)
    with contextlib.suppress(FluxError):
        keys.find("FUZZ_KEY", path.parent, {})
        keys.find("FUZZ_KEY", path.parent, {"FUZZ_KEY_FILE": str(path)})
    path.unlink()


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        shapes, parameters, requests, templates, images, conversions, data_uris, replies, answers,
        addresses, redactions, models, schemas, settings, key_files,
    )
}  # fmt: skip
