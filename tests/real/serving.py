"""`flux serve` running, and the clients that send it requests.

A client is a program that reads from stdin where to send requests, and a list of `tasks`. A task
has the `parameters` of a request, and whatever else it needs:

- `image`: the path of an image, which makes it an edit,
- `parallel`: how many times to send it at once,
- `timeout` in seconds, and `max_retries`, in place of the client's own,
- `again`: how many times the application repeats it after an error,
- `provider`: which part of the AI SDK sends it.

It carries out all tasks at once, and prints what became of each: its `images`, or an `error` with
its `status`.
"""

import base64
import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fakes.images import look

from real.programs import FOLDER, NODE, PYTHON, SYSTEM, installed, stop

CLIENTS = Path(__file__).with_name("clients")
FLUX = Path(sys.executable).with_name("flux")
KEY = "sk-client-Sup3rS3cretV4lue"
PATIENCE = 120.0  # seconds for all tasks of a client
OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "DO_NOT_TRACK": "1"}

Task = Mapping[str, Any]
Outcome = dict[str, Any]


class Served(NamedTuple):
    """A server that runs. `folder` is its home."""

    base_url: str
    folder: Path

    @property
    def origin(self) -> str:
        return self.base_url.removesuffix("/v1")

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def log(self) -> str:
        return (self.folder / "stderr.txt").read_text()


@contextlib.contextmanager
def serving(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Run `flux serve` at a free port until the block ends, which is its normal end."""
    line = [FLUX, "serve", "--port", "0", *words]
    variables = {"PATH": SYSTEM, "HOME": str(folder), "FLUX_STATE": str(folder / "state")}
    with (
        (folder / "stderr.txt").open("wb") as errors,
        subprocess.Popen(
            line,
            cwd=folder,
            env=variables | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as process,
    ):
        assert process.stdout
        address = process.stdout.readline().decode().strip()
        served = Served(address, folder)
        assert address, served.log
        try:
            yield served
        finally:
            stop(process)
    assert process.returncode == 0, served.log
    assert "Traceback" not in served.log, served.log


class Client(NamedTuple):
    """A client. `words` start it."""

    name: str
    words: tuple[str, ...]

    def carry_out(self, served: Served, folder: Path, tasks: Sequence[Task]) -> list[Outcome]:
        """Have it carry out tasks. `folder` is its home."""
        if self.name == "curl":
            return carry_out_with_curl(self, served, folder, tasks)
        said = {"base_url": served.base_url, "key": KEY, "tasks": list(tasks)}
        done = start(self.words, folder, input=json.dumps(said).encode())
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        outcomes: list[Outcome] = json.loads(done.stdout)
        return outcomes


def start(
    words: Sequence[str | Path],
    folder: Path,
    *,
    input: bytes = b"",  # noqa: A002
) -> subprocess.CompletedProcess[bytes]:
    """Run a program in a folder, which is its home."""
    return subprocess.run(
        words,
        cwd=folder,
        env={"PATH": f"{PYTHON}:{SYSTEM}", "HOME": str(folder), **OFFLINE},
        input=input,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )


def client(name: str, folder: Path) -> Client:
    """A client that is ready to be started. Skips the test if it is not installed."""
    if name == "curl":
        return Client(name, (installed("curl"),))
    if name in ("openai-python", "litellm"):
        script = {"openai-python": "openai_python.py", "litellm": "litellm_sdk.py"}[name]
        installed("litellm", PYTHON)  # brings OpenAI's client
        return Client(name, (str(PYTHON / "python"), str(CLIENTS / script)))
    node = installed("node")
    package = {"openai-node": "openai", "ai-sdk": "ai"}[name]
    if not (NODE.parent / package).is_dir():
        pytest.skip(f"{package} is not installed: run .ci/install-servers")
    script = {"openai-node": "openai_node.mjs", "ai-sdk": "ai_sdk.mjs"}[name]
    shutil.copy(CLIENTS / script, folder)
    packages = folder / "node_modules"  # where the script is
    packages.symlink_to(FOLDER / "node" / "node_modules")
    return Client(name, (node, script))


def carry_out_with_curl(
    curl: Client, served: Served, folder: Path, tasks: Sequence[Task]
) -> list[Outcome]:
    with ThreadPoolExecutor(len(tasks)) as threads:
        return list(threads.map(lambda task: ask_with_curl(curl, served, folder, task), tasks))


def ask_with_curl(curl: Client, served: Served, folder: Path, task: Task) -> Outcome:
    """One request with curl, which is repeated as its `--retry` does it."""
    endpoint = "edits" if "image" in task else "generations"
    line = [*curl.words, "-sS", "-w", "\n%{http_code}", f"{served.base_url}/images/{endpoint}"]
    line += ["-H", f"Authorization: Bearer {KEY}", "--retry", str(task.get("max_retries", 2))]
    line += ["-m", str(task["timeout"])] if "timeout" in task else []
    if "image" in task:
        fields = {**task["parameters"], "image": f"@{task['image']}"}
        line += [word for name, value in fields.items() for word in ("-F", f"{name}={value}")]
    else:
        line += ["-H", "Content-Type: application/json", "-d", json.dumps(task["parameters"])]
    for _ in range(1 + task.get("again", 0)):
        body, _, status = start(line, folder).stdout.decode().rpartition("\n")
        if status == "200":
            return {"images": json.loads(body[body.rindex('{"created"') :])["data"], "error": None}
    return {"images": [], "error": "curl", "status": int(status)}


def looks(outcome: Outcome) -> list[tuple[str, tuple[int, int]]]:
    """Format and pixels of the images that a client got as base64, decoded to the last byte."""
    assert outcome["error"] is None, outcome
    return [look(base64.b64decode(image["b64_json"])) for image in outcome["images"]]
