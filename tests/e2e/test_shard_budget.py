"""What the shards of a build may spend: when they start again, and with several manifests."""

import json
import re
import signal

import pytest
from fakes.gateway import COST, held, image

from e2e.builder import SMALL, Builder

LIMIT = ("--max-cost", "0.48")  # 8 images at the price of the catalog
SHARD = ("--shard", "1/4")  # 4 of them


@pytest.fixture
def builder(command, keyed, gateway, work):
    return Builder(command, keyed, gateway, work)


def share(builder, *words):
    """The images that a shard may still request, at the price of the catalog."""
    code, _, out, err = builder.run(*words, *LIMIT, "--plan", "--json")
    assert code == 0, err
    return round(json.loads(out)["limit_usd"] / COST, 6)


def test_a_killed_shard_that_starts_again_spends_no_more_than_its_share(builder, gateway, release):
    assert share(builder, *SHARD) == 4
    gateway.answers(image(), held(release))
    two_at_once = ("--concurrency", "8")
    sent = 3  # the first is answered, and two are in flight
    builder.stop(signal.SIGKILL, lambda: len(gateway.posts) == sent, *SHARD, *LIMIT, *two_at_once)
    assert share(builder, *SHARD) == 4 - sent
    gateway.answers(image())
    code, posts, _, err = builder.run(*SHARD, *LIMIT, "--reroll", "a-*")
    assert (code, posts) == (2, 0), err
    code, posts, _, err = builder.run(*SHARD, *LIMIT)
    assert (code, posts) == (3, 4 - sent), err  # what is unclear is left alone
    assert share(builder, *SHARD) == 0
    assert builder.run(*SHARD, *LIMIT)[:2] == (3, 0)


def test_a_shard_that_reached_its_share_has_reached_it_when_it_starts_again(builder, gateway):
    gateway.answers(image(cost=2 * COST))
    one_at_once = ("--concurrency", "4")  # one for each shard
    code, posts, _, err = builder.run(*SHARD, *LIMIT, *one_at_once)
    assert (code, posts) == (3, 2), err
    assert share(builder, *SHARD, "--partial") == 0
    assert builder.run(*SHARD, *LIMIT, *one_at_once)[:2] == (2, 0)
    assert builder.run(*SHARD, *LIMIT, *one_at_once, "--partial")[:2] == (3, 0)


def test_shards_of_two_manifests_build_every_asset_once_within_one_limit(builder, work, gateway):
    (work / "shop").mkdir()
    (work / "shop/icons.toml").write_text(SMALL.replace("assets.a", "assets.icon"))
    both = ("flux-build.toml", "shop/icons.toml")
    shards = [("--shard", f"{number}/2") for number in (1, 2)]
    limits = []
    for shard in [(), *shards]:
        code, posts, _, err = builder.run(*both, *shard, "--max-cost", "0.95")
        assert (code, posts) == (2, 0), err
    for shard in shards:
        code, _, out, err = builder.run(*both, *shard, "--max-cost", "0.96", "--plan", "--json")
        assert code == 0, err
        limits.append(json.loads(out)["limit_usd"])
        code, posts, _, err = builder.run(*both, *shard, "--max-cost", "0.96")
        assert (code, posts * COST) == (0, pytest.approx(limits[-1])), err
    assert sum(limits) == pytest.approx(0.96)
    assert len(gateway.posts) == 16
    code, posts, _, err = builder.run(*both, "--merge")
    assert (code, posts) == (0, 0), err
    assert re.findall(r"2 parts in (\S+): 8 assets, 8 new, 0.48 USD", err) == [
        "flux-build.lock",
        "shop/icons.lock",
    ]
    code, _, out, err = builder.run(*both, "--check")
    assert code == 0, out + err
