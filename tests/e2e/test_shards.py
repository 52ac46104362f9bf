"""`flux build` in shards: each image is paid for once, within the limit, and merged."""

import json
import re
import shutil
import signal
import threading

import pytest
from fakes.gateway import held, image

from e2e.builder import Builder

# The catalog says 0.06 USD per image, and the gateway the same.
TEXT = """
[defaults]
model = "flux1.1-pro-ultra"
size = "1:1"
width = [64]
output = "img/{name}.png"
[assets.a]
n = 8
prompt = "a cat"
[assets.b]
prompt = "a dog"
seed = 1
[assets.c]
prompt = "a dog"
seed = 1
"""
SHARDS = [f"{number}/4" for number in range(1, 5)]


@pytest.fixture
def builder(command, keyed, gateway, work):
    builder = Builder(command, keyed, gateway, work)
    (work / "flux-build.toml").write_text(TEXT)
    return builder


def parts(folder):
    return sorted(path.name for path in folder.glob("flux-build.*-of-4.lock"))


def test_24_four_shards_at_once_build_every_asset_once_and_merge_to_one_lock(
    builder, work, gateway
):
    running = [builder.start("--shard", shard, "--max-cost", "0.54") for shard in SHARDS]
    ended = [(process.communicate(timeout=60), process.returncode) for process in running]
    assert [code for _, code in ended] == [0] * 4, ended
    assert len(gateway.posts) == 9  # b and c share one
    assert len(parts(work)) == 4
    code, posts, _, err = builder.run("--shard", "1/4")
    assert (code, posts) == (0, 0), err
    code, posts, _, err = builder.run()
    assert (code, posts) == (2, 0)
    assert "flux build --merge" in err
    elsewhere = work.parent / "parts"
    elsewhere.mkdir(exist_ok=True)
    for name in parts(work):
        shutil.move(work / name, elsewhere / name)
    written = set()
    named = [str(elsewhere / f"flux-build.{number}-of-4.lock") for number in range(1, 5)]
    for order in (named, named[::-1], [*named[2:], *named[:2]]):
        (work / "flux-build.lock").unlink(missing_ok=True)
        code, posts, _, err = builder.run("--merge", *order)
        assert (code, posts) == (0, 0), err
        assert re.search(r"4 parts in flux-build.lock: 10 assets, 9 new, ", err), err
        written.add((work / "flux-build.lock").read_bytes())
    assert len(written) == 1
    code, _, out, err = builder.run("--check")
    assert code == 0, out + err


def test_over_the_limit_all_shards_refuse_and_no_share_is_exceeded(builder, gateway):
    for shard in SHARDS:
        code, posts, _, err = builder.run("--shard", shard, "--max-cost", "0.53")
        own = re.search(r": (\d+) of 10 assets", err)
        assert (code, posts) == (2, 0) or own[1] == "0", err
    shares = []
    for shard in SHARDS:
        code, _, out, err = builder.run("--shard", shard, "--plan", "--max-cost", "1", "--json")
        assert code == 0, err
        document = json.loads(out)
        shares.append(document["limit_usd"])
        assert document["cost_usd"] <= document["limit_usd"] + 1e-9
    assert sum(shares) <= 1 + 1e-9
    assert gateway.posts == []


def test_a_killed_shard_is_merged_and_nothing_of_it_is_paid_for_again(builder, work, gateway):
    gateway.answers(image(), held(threading.Event()))
    sent = 3  # of 4: one is answered, and two are in flight
    words = ("--shard", "1/4", "--concurrency", "8")
    builder.stop(signal.SIGKILL, lambda: len(gateway.posts) == sent, *words)
    code, posts, _, err = builder.run("--merge")
    assert (code, posts) == (3, 0), err  # three parts are missing
    assert "no part of shard" in err
    assert parts(work) == []
    rows = builder.rows()
    assert len(rows) >= sent
    gateway.answers(image())
    code, posts, _, err = builder.run()
    assert posts <= 9 - sent, err


def test_a_shard_that_failed_is_merged_alone_when_the_others_are_in_the_lock(builder):
    for shard, code in (("1/4", 3), ("2/4", 3), ("3/4", 3), ("4/4", 0)):
        assert builder.run("--shard", shard)[0] == 0
        result = builder.run("--merge")
        assert result[:2] == (code, 0), result
        assert ("no part of shard" in result[3]) == bool(code)


def test_shards_of_another_number_and_deletions_wait_for_the_merge(builder):
    assert builder.run("--shard", "1/4", "--prune")[:2] == (2, 0)
    assert builder.run("--shard", "1/4", "--merge")[:2] == (2, 0)
    assert builder.run("--shard", "auto")[:2] == (2, 0)
    assert builder.run("--shard", "1/20")[:2] == (2, 0)
    assert builder.run("--shard", "1/4")[0] == 0
    code, posts, _, err = builder.run("--shard", "1/5")
    assert (code, posts) == (2, 0)
    assert "flux-build.1-of-4.lock" in err
