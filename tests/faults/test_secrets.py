"""The key is never shown or written: it is searched for after every way to fail."""

import base64
import itertools
import json
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
from fakes.images import pixels_as
from fakes.messages import Reply, Request, reply
from fakes.providers import ENDPOINTS
from fakes.server import Answer, Server
from fakes.steps import hold, interrupt, pause, reset
from key_spellings import CANARY, WRITERS, decoded
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from faults.row import IMAGE
from faults.run import FLUX, environment

pytestmark = pytest.mark.slow

# Letters that a URL, a shell, JSON and HTML would each write in another way.
KEY = "canary\"Sup3r&S3cr3t'V4lue%+/=<>"
SPELLINGS = (
    KEY, quote(KEY), quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode(),
    KEY.replace('"', '\\"'), KEY.encode().hex(), KEY[:12], "Sup3r&S3cr3t",
)  # fmt: skip


def key_in(request: Request) -> str:
    """The key as it came, or nothing."""
    return request.headers.get("authorization") or request.headers.get("x-key") or ""


def error_with_key(status: int) -> Answer:
    """Sends the key back in every place of an error that a person may see."""

    def answer(request: Request) -> Reply:
        key = key_in(request)
        body = {"error": {"message": f"wrong: {key}", "code": key}, "detail": key, "id": key}
        headers = {"x_request_id": key, "location": f"http://127.0.0.1/{key}"}
        return reply(body, status, retry_after="0", **headers)

    return answer


def addresses_with_key(request: Request) -> Reply:
    """A good reply whose addresses hold the key."""
    key = key_in(request)
    url = f"{{origin}}/{quote(key, safe='')}"
    return reply(
        {
            "data": [{"url": url, "revised_prompt": key}],
            "id": key,
            "polling_url": url,
            "status_url": url,
            "response_url": url,
            "request_id": key,
            "urls": {"get": url},
            "metadata": {"provider": key},
        }
    )


def garbage_with_key(request: Request) -> Reply:
    return reply(f"<html>{key_in(request)} {key_in(request)}")


def no_http_with_key(request: Request) -> Answer:
    return (f"{key_in(request)} HTTP/9\r\n{key_in(request)}\r\n\r\n".encode(),)


FAILURES: dict[str, Answer] = {
    **{
        f"an error {status} that quotes it": error_with_key(status)
        for status in (200, 302, 401, 422, 429, 504)
    },
    "an answer that points with it": addresses_with_key,
    "garbage that quotes it": garbage_with_key,
    "no HTTP": no_http_with_key,
    "a reset": (reset,),
    "no answer in time": (hold,),
    "Ctrl-C": (interrupt(signal.SIGINT), hold),
    "kill -9": (pause(0.1), interrupt(signal.SIGKILL), hold),
}
SOURCES = ("variable", "file", "credentials")


def keyed(source: str, variable: str, home: Path) -> tuple[dict[str, str], Path | None]:
    """The environment of somebody who keeps the key there, and the one file that may hold it."""
    if source == "variable":
        return {variable: KEY}, None
    path = home / (".config/flux-image-cli/credentials.toml" if source == "credentials" else "key")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{variable} = '''{KEY}'''" if source == "credentials" else KEY)
    path.chmod(0o600)
    return ({f"{variable}_FILE": str(path)} if source == "file" else {}), path


def found(root: Path, own: Path | None, *streams: bytes) -> list[str]:
    """Where the key can be read, in any spelling, outside the file it came from."""
    texts = {f"stream {place}": data for place, data in enumerate(streams)}
    texts |= {
        str(path): path.read_bytes() for path in root.rglob("*") if path.is_file() and path != own
    }
    texts |= {f"the name of {path}": str(path).encode() for path in root.rglob("*")}
    return [
        f"{spelling!r} in {place}"
        for place, data in texts.items()
        for spelling in SPELLINGS
        if spelling.encode() in data
    ]


# Every way to fail, with every provider. Sources of keys and forms of output take turns.
CASES = [
    (
        name,
        provider,
        SOURCES[number % 3],
        (("--verbose",), ("--json", "-v"), ("-n", "2"))[number % 3],
    )
    for number, (name, provider) in enumerate(itertools.product(FAILURES, ENDPOINTS))
]


@pytest.mark.parametrize(
    ("name", "provider", "source", "line"), CASES, ids=[f"{case[0]}, {case[1]}" for case in CASES]
)
def test_no_way_to_fail_shows_the_key_or_writes_it(tmp_path, name, provider, source, line):
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    endpoint = ENDPOINTS[provider]
    env, own = keyed(source, endpoint.key_variable, home)
    words = ["generate", "a fox", "--provider", provider, "--retries", "1", "--timeout", "1", *line]
    with Server({"POST": [FAILURES[name]], "GET /p": [IMAGE]}) as server:
        words += ["--base-url", server.origin + endpoint.base_path]
        with subprocess.Popen(
            [FLUX, *words],
            cwd=work,
            env=environment(home) | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            server.process = process
            out, err = process.communicate(timeout=45)
        assert any(KEY in key_in(request) for request in server.requests)  # else nothing is proved
    assert process.returncode != 0
    assert b"Traceback" not in err
    assert found(tmp_path, own, out, err) == []


TRICKS = {
    **WRITERS,
    "in a sentence": lambda key: f"Drawn for {key}, with love",
    "cut": lambda key: f"x{key[:-4]}y",
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
}
FORMATS = ("png", "jpeg", "webp", "avif", "gif")
FORMS = (
    ("--sidecar", "--verbose", "--log-file", "log"),
    ("--sidecar", "--json"),
    ("--json", "--html", "--sheet", "-n", "2"),
    ("--sidecar", "--quiet", "-o", "{prompt}-{index}"),
)


def read_by_somebody(data: bytes) -> str:
    """The text of some bytes as a person with patience reads it, in small letters."""
    return decoded(data.decode("utf-8", "ignore")).lower()


def places_of_canary(root: Path, *streams: bytes) -> list[str]:
    """Where twelve letters of the canary, or its base64, can be read."""
    texts = {f"stream {place}": data for place, data in enumerate(streams)}
    texts |= {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    texts |= {f"the name of {path}": str(path).encode() for path in root.rglob("*")}
    shown = base64.b64encode(CANARY.encode()).decode().lower(), CANARY.lower()
    runs = {key[at : at + 12] for key in shown for at in range(len(key) - 15)}
    read = {place: read_by_somebody(data) for place, data in texts.items()}
    return [place for place, text in read.items() if any(run in text for run in runs)]


def in_header(text: str) -> str:
    """The text as far as a header can hold it."""
    one_line = text.replace("\r", "&#13;").replace("\n", "&#10;")
    return one_line.encode("ascii", "xmlcharrefreplace").decode()


# Every trick in one format, and in every form of output with its neighbors.
TRICKS_AND_FORMATS = list(zip(TRICKS, itertools.cycle(FORMATS)))


@pytest.mark.parametrize(("trick", "file_format"), TRICKS_AND_FORMATS)
def test_a_good_answer_that_holds_the_key_leaves_it_nowhere(tmp_path, trick, file_format):
    """Metadata, sidecars, documents, log, journal, names, streams, and `flux show` of the files."""
    form = FORMS[list(TRICKS).index(trick) % len(FORMS)]
    text, home, work = TRICKS[trick](CANARY), tmp_path / "home", tmp_path / "work"
    for folder in (home, work):
        folder.mkdir()
    data = base64.b64encode(pixels_as(file_format, 64, 36)).decode()
    answer = reply(
        {
            "data": [{"b64_json": data, "revised_prompt": f"a fox {text}"}],
            "id": text,
            "metadata": {"provider": text, "cost": 0.06},
        },
        x_request_id=in_header(text),
        x_lumenfall_provider=in_header(text),
    )
    env = environment(home) | {"LUMENFALL_API_KEY": CANARY}
    with Server({"POST": [(answer,)]}) as server:
        env["LUMENFALL_BASE_URL"] = server.origin + "/openai/v1"
        line = ("generate", "a fox", "--seed", "7", *form)
        done = subprocess.run([FLUX, *line], cwd=work, env=env, capture_output=True, check=False)
        assert CANARY in server.requests[0].headers["authorization"]
    assert done.returncode == 0, done.stderr
    images = [str(path) for path in work.rglob("*") if path.suffix[1:] in (*FORMATS, "jpg")]
    assert images
    keyless = {name: value for name, value in env.items() if name != "LUMENFALL_API_KEY"}
    lookups = [("show", *images), ("show", "--json", *images), ("runs", "--json")]
    turn = list(TRICKS).index(trick) % len(lookups)  # with the key, one of them hides it
    shows = [
        subprocess.run([FLUX, *words], cwd=work, env=shown_by, capture_output=True, check=True)
        for words, shown_by in [(lookups[turn], env), *((words, keyless) for words in lookups)]
    ]
    assert (
        places_of_canary(tmp_path, done.stdout, done.stderr, *(one.stdout for one in shows)) == []
    )
    if file_format != "gif" and "--sheet" not in form:
        assert b"***" in Path(images[0]).read_bytes()  # else the record was not written at all


@pytest.mark.parametrize("line", [("--verbose", "--log-file", "log"), ("--json",)])
def test_an_error_that_breaks_the_key_up_shows_no_pieces_of_it(tmp_path, line):
    """Line breaks and invisible characters in it become blanks, which a reader leaves out."""
    answers = [
        (reply({"error": {"message": f"no: {write(CANARY)}", "code": write(CANARY)}}, 400),)
        for write in WRITERS.values()
    ]
    answers += [(reply(f"no: {write(CANARY)}", 400),) for write in WRITERS.values()]
    env = environment(tmp_path) | {"LUMENFALL_API_KEY": CANARY}
    with Server({"POST": answers}) as server:
        env["LUMENFALL_BASE_URL"] = server.origin + "/openai/v1"
        words = [FLUX, "generate", "a fox", "-n", str(len(answers)), *line]
        done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, check=False)
        assert len(server.requests) == len(answers)
    assert done.returncode == 1, done.stderr
    assert b"***" in done.stderr
    streams = [stream.replace(b" ", b"") for stream in (done.stdout, done.stderr)]
    assert places_of_canary(tmp_path, *streams) == []


@pytest.mark.parametrize("where", ["variable", "credentials"])
@pytest.mark.parametrize("line", [(), ("--json",)])
def test_show_prints_no_key_that_an_image_holds(tmp_path, line, where):
    """Older releases wrote it, or somebody else did: the user's own, and what looks like one."""
    other = "sk-proj-4bC9dEfGhIjKlMnOpQrStUvWx"
    texts = {"prompt": CANARY, "Comment": f"Bearer {other}", other: "7", "a": "a desk-lamp"}
    info = PngInfo()
    for name, text in texts.items():
        info.add_itxt(name[:79], text)
    Image.new("RGB", (4, 4)).save(tmp_path / "fox.png", pnginfo=info)
    env = environment(tmp_path)
    if where == "variable":
        env["FAL_KEY"] = CANARY
    else:
        path = tmp_path / ".config/flux-image-cli/credentials.toml"
        path.parent.mkdir(parents=True)
        path.touch(0o600)
        path.write_text(f'FAL_KEY = "{CANARY}"')
    words = [FLUX, "show", "fox.png", *line]
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, check=True, text=True)
    assert CANARY not in done.stdout + done.stderr
    assert other not in done.stdout + done.stderr
    if line:
        assert json.loads(done.stdout)["files"][0]["fields"] == {
            "prompt": "***", "Comment": "Bearer ***", "***": "7", "a": "a desk-lamp",
        }  # fmt: skip


LOOKUPS = (
    ("resolve", "a fox", "--curl"), ("resolve", "a fox", "--json"),
    ("generate", "a fox", "--dry-run", "--json"), ("config",), ("config", "--json"), ("providers",),
    ("providers", "--json"), ("providers", "lumenfall"),
    ("generate", "a fox", "--seed", "lucky", "--json"), ("generate", "a fox", "--nonsense"),
)  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("line", LOOKUPS, ids=" ".join)
def test_no_lookup_shows_the_key(tmp_path, line, source):
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    env, own = keyed(source, "LUMENFALL_API_KEY", home)
    done = subprocess.run(
        [FLUX, *line], cwd=work, env=environment(home) | env, capture_output=True, check=False
    )
    assert found(tmp_path, own, done.stdout, done.stderr) == []


def test_no_option_and_no_setting_switches_the_check_of_certificates_off():
    """A word that does would be the first thing people copy from a forum."""
    listed = "".join(
        subprocess.run([FLUX, *line], capture_output=True, text=True, check=True).stdout.lower()
        for line in (
            ("generate", "--help"),
            ("resolve", "--help"),
            ("config", "--json"),
            ("--help",),
        )
    )
    for word in (
        "lossless",
        "flux_sign_certificate",
        "sign_certificate",
        "certificates (pem) to sign",
    ):  # other things
        listed = listed.replace(word, "")
    assert not [
        word
        for word in ("insecure", "verify", "no-check", "certificate", "tls", "ssl")
        if word in listed
    ]
