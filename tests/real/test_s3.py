"""`flux build --store s3://…` against S3 servers, and a gateway that counts requests."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import obstore
import pytest
from e2e.builder import SMALL, Builder
from fakes.gateway import Gateway
from obstore.store import S3Store

from flux_cli.build.stores.store import open_store
from real.programs import FOLDER, Program, free_port, installed, running

pytestmark = pytest.mark.slow
ENGINES = FOLDER / "engines" / "bin"  # a virtual environment of its own
SECRET = "canary-S3-Sup3rS3cretV4lue"
ACCESS = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "a-1"}


def moto(port: int) -> list[str]:
    return [installed("moto_server", ENGINES), "-H", "127.0.0.1", "-p", str(port)]


def seaweedfs(port: int) -> list[str]:
    """It refuses requests with a wrong signature, which moto does not look at."""
    line = [installed("weed", ENGINES), "mini", "-dir=.", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    line += ["-master.telemetry=false", "-s3.autoCreateBucket=false", "-webdav=false"]
    line += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.localSocket=s3.sock"]
    line += [f"-s3.port={port}"]
    line += [f"-{part}.port={free_port()}" for part in ("master", "volume", "filer", "admin")]
    parts = ("master", "volume", "filer", "admin", "s3")
    return line + [f"-{part}.port.grpc={free_port()}" for part in parts]


@pytest.fixture(scope="module", params=[moto, seaweedfs])
def server(request, tmp_path_factory) -> Iterator[Program]:
    port, folder = free_port(), tmp_path_factory.mktemp("s3")
    with running(*request.param(port), port=port, folder=folder, env=ACCESS) as program:
        options = {"endpoint": program.origin, "client_options": {"allow_http": True}}
        store = S3Store("bucket", **options, **{name.lower(): ACCESS[name] for name in ACCESS})
        httpx.put(obstore.sign(store, "PUT", "", timedelta(minutes=1))).raise_for_status()
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
        env |= {"AWS_ENDPOINT_URL": server.origin, "AWS_ALLOW_HTTP": "true"} | ACCESS
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
    variables = {"AWS_ENDPOINT_URL": server.origin, "AWS_ALLOW_HTTP": "true"}
    for name, value in (variables | ACCESS).items():
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
    with ThreadPoolExecutor() as pool:
        written = list(pool.map(lambda data: store.put_if_absent("claims/b", data), [b"1", b"2"]))
    assert sorted(written) == [False, True]


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
