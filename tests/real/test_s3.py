"""`flux build --store s3://…` against an S3 server, moto, and a gateway that counts requests."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from e2e.builder import SMALL, Builder
from fakes.gateway import Gateway

from flux_cli.build.stores.store import open_store
from real.programs import FOLDER, Program, free_port, installed, running

pytestmark = pytest.mark.slow
ENGINES = FOLDER / "engines" / "bin"  # a virtual environment of its own
SECRET = "canary-S3-Sup3rS3cretV4lue"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Program]:
    port = free_port()
    line = [installed("moto_server", ENGINES), "-H", "127.0.0.1", "-p", str(port)]
    with running(*line, port=port, folder=tmp_path_factory.mktemp("moto")) as program:
        httpx.put(f"{program.origin}/bucket").raise_for_status()
        yield program


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as fake:
        yield fake


@pytest.fixture
def machine(command, environment, gateway, server, work, monkeypatch):
    """A clone on a machine of its own."""

    def make(name: str, **more: str) -> Builder:
        folder = work / name
        folder.mkdir()
        env = {"LUMENFALL_API_KEY": "lmnfl_x.y", "LUMENFALL_BASE_URL": gateway.url}
        env |= {"AWS_ENDPOINT_URL": server.origin, "AWS_ALLOW_HTTP": "true"}
        env |= {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "a-1"}
        env |= {"FLUX_STATE": str(work / f"state-{name}"), **more}
        monkeypatch.chdir(folder)
        builder = Builder(command, environment | env, gateway, folder)
        (folder / "flux-build.toml").write_text(SMALL + "seed = 1\n")
        return builder

    return make


def test_what_one_machine_paid_for_is_free_for_another_and_no_key_is_shown(machine, work):
    code, posts, out, err = machine("one").run("--store", "s3://bucket/one")
    assert (code, posts) == (0, 8), err
    other = machine("other")
    code, posts, out, err = other.run("--store", "s3://bucket/one")
    assert (code, posts, other.images()) == (0, 0, 8), err
    texts = [path.read_bytes() for path in Path(work).rglob("*") if path.is_file()]
    assert SECRET not in out + err
    assert not any(SECRET.encode() in text for text in texts)


def test_nothing_is_sent_without_the_bucket(machine):
    code, posts, out, err = machine("one").run("--store", "s3://nowhere/one")
    assert (code, posts) == (1, 0), err
    assert "cannot write claims/" in err
    assert SECRET not in out + err


def test_the_server_compares_before_it_writes(server, monkeypatch):
    variables = {"AWS_ENDPOINT_URL": server.origin, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "a-1"}
    variables |= {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": SECRET}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    store = open_store("s3://bucket/two", "--store")
    assert store.put_if_absent("claims/a", b"one")
    assert not store.put_if_absent("claims/a", b"two")
    known = store.get("claims/a", 9)
    assert store.replace("claims/a", b"two", known)
    assert not store.replace("claims/a", b"three", known)
    assert store.get("claims/a", 9).data == b"two"
    assert list(store.list("claims")) == [("claims/a", 3)]
    store.delete("claims/a")
    store.delete("claims/a")
    assert store.size("claims/a") is None


def test_lines_write_their_images_into_the_bucket_and_another_machine_pays_nothing(machine):
    lines = [{"name": f"a{seed}", "prompt": "a cat", "seed": seed} for seed in range(8)]
    words = ("a.jsonl", "-m", "flux1.1-pro-ultra", "--width", "64", "--ledger", "ledger")
    words += ("-o", "s3://bucket/lines/ü {name}.png", "--store", "s3://bucket/three")
    for name, paid in (("one", 8), ("other", 0)):
        builder = machine(name)
        (builder.work / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
        code, posts, out, err = builder.run(*words)
        assert (code, posts) == (0, paid), err
        assert builder.run(*words, "--check")[0] == 0
        assert SECRET not in out + err
    assert builder.run(*words, "--overwrite", "--only", "a3")[:3] == (
        0,
        0,
        "s3://bucket/lines/ü a3-64.png\n",
    )
