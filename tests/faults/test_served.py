"""A server under the faults of its provider: no client pays twice, and none waits for an answer."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain

import httpx
import pytest
from fakes.server import Server

from faults.row import KEY, Row
from faults.rows import GROUPS
from faults.run import FLUX, environment

pytestmark = pytest.mark.slow

SERVED = (
    "Responses that break off",
    "Lengths, chunks and headers",
    "Content codings",
    "Bodies",
    "Base64",
    "Shapes of answers",
    "Images",
    "Fetching an image",
    "Statuses",
)
REPEATED = {408, 409, 429, *range(500, 600)}  # what clients repeat
PAIRS = 3  # servers with a provider each
PLAIN = Row("", "")._asdict()
SPECIAL = ("command", "line", "provider", "greet", "tls", "base", "proxy", "public", "env", "wrap")
SPECIAL += ("before", "needs", "memory")


def is_plain(row):
    """Whether a row is about what the provider answers, and nothing else."""
    return all(getattr(row, field) == PLAIN[field] for field in SPECIAL)


ROWS = [row for row in chain.from_iterable(GROUPS[name] for name in SERVED) if is_plain(row)]


@contextmanager
def serving(root):
    """A server with a provider that answers as told."""
    root.mkdir()
    with Server() as provider:
        env = environment(root) | {
            "LUMENFALL_API_KEY": KEY,
            "LUMENFALL_BASE_URL": f"{provider.origin}/openai/v1",
            "FLUX_RETRIES": "0",
            "FLUX_TIMEOUT": "30",
            "PATH": os.environ["PATH"],
        }
        log = root / "log"
        with (
            log.open("wb") as stderr,
            subprocess.Popen(
                [FLUX, "serve", "--port", "0"],
                env=env,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=root,
            ) as process,
        ):
            url = process.stdout.readline().decode().strip()
            assert url, log.read_text()
            yield provider, url, log
            process.terminate()
            process.wait(30)
        assert process.returncode == 0


def wrong(row, provider, url):
    """What is wrong about the answer under one fault."""
    provider.on("POST", *row.post)
    for path, script in row.get.items():
        provider.on(f"GET {path}", *script)
    before = provider.charges
    body = {"prompt": f"a fox, {row.name}", "seed": 7}
    answer = httpx.post(f"{url}/images/generations", json=body, timeout=90)
    posts = provider.charges - before
    for path in row.get:
        provider.forgets(f"GET {path}")
    found = (
        [] if row.posts in (posts, None) or not isinstance(row.posts, int) else [f"{posts} POSTs"]
    )
    if KEY in answer.text:
        found.append("the key is in the answer")
    is_made = answer.status_code == 200
    if row.code in (0, 1) and is_made != (row.code == 0):
        found.append(f"status {answer.status_code}: {answer.text[:200]}")
    if not is_made and row.billed and answer.status_code in REPEATED:
        found.append(f"{answer.status_code} is repeated, and may have been billed")
    if answer.status_code in REPEATED and "retry-after" not in answer.headers:
        found.append(f"{answer.status_code} without a time to wait")
    answer.json()
    return [f"{row.name}: {one}" for one in found]


def test_a_fault_of_the_provider_costs_no_client_twice(tmp_path):
    def run(number):
        with serving(tmp_path / str(number)) as (provider, url, log):
            found = [one for row in ROWS[number::PAIRS] for one in wrong(row, provider, url)]
        text = log.read_text()
        found += [word for word in ("Traceback", KEY) if word in text]
        return found

    with ThreadPoolExecutor(PAIRS) as pool:
        found = list(chain.from_iterable(pool.map(run, range(PAIRS))))
    assert len(ROWS) > 200
    assert not found, "\n".join(found)
