"""Shards: which assets, how much money and how many requests each has, and how parts are merged."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from locks import locks, row
from manifests import assets_of
from planning import MemoryDisk

from flux_cli.build.lock.reading import read_lock
from flux_cli.build.lock.rows import Base, Trouble
from flux_cli.build.lock.text import lock_text
from flux_cli.build.shards.choice import read_shard
from flux_cli.build.shards.division import (
    Part,
    Shard,
    group_names,
    in_shard,
    links,
    manifest_digest,
    shard_of,
    share_of_limit,
    share_of_rate,
)
from flux_cli.build.shards.joining import Source, join
from flux_cli.build.shards.merging import duplicates, merge_rows, new_images, without_renamed
from flux_cli.core.errors import UsageError

TEXT = '[defaults]\nmodel = "m"\noutput = "{name}.png"\n'
HERO = TEXT + '[assets.hero]\nprompt = "a cat"\n'
EMPTY = MemoryDisk()
amounts = st.floats(0, 1e6)


def shards(count):
    return [Shard(number, count) for number in range(1, count + 1)]


@given(st.sets(st.text()), st.integers(1, 50))
def test_each_name_is_in_exactly_one_shard(names, count):
    for name in names:
        assert [shard.number for shard in shards(count) if in_shard(name, shard, {})] == [
            shard_of(name, count)
        ]


def test_the_shard_of_a_name_never_changes():
    assert [shard_of(name, 4) for name in ("hero", "install", "a-1", "\ud800")] == [3, 1, 1, 3]


@pytest.mark.parametrize(("assets", "count", "most"), [(200, 4, 1.2), (10_000, 16, 1.15)])
def test_shards_have_about_as_many_assets(assets, count, most):
    sizes = [0] * count
    for number in range(assets):
        sizes[shard_of(f"icon-{number}", count) - 1] += 1
    assert max(sizes) / (assets / count) < most


def test_linked_names_are_in_the_shard_of_the_smallest():
    groups = group_names("abcdef", [("f", "c"), ("c", "b"), ("e", "d"), ("a", "a")])
    assert groups == {"a": "a", "b": "b", "c": "b", "d": "d", "e": "d", "f": "b"}


@given(st.permutations([("f", "c"), ("c", "b"), ("b", "e"), ("a", "d")]))
def test_the_order_of_links_does_not_matter(pairs):
    assert group_names("abcdef", pairs) == dict(zip("abcdef", "abbabb", strict=True))


def test_assets_that_share_a_request_are_in_one_shard_so_that_it_is_paid_once():
    assets = assets_of(
        TEXT + "".join(f'[assets.{name}]\nprompt = "a cat"\nseed = 1\n' for name in "abc")
        + '[assets.d]\nprompt = "a cat"\n'
    )  # fmt: skip
    assert group_names(assets, links(assets)) == {"a": "a", "b": "a", "c": "a", "d": "d"}


@given(amounts, st.lists(amounts, min_size=1, max_size=20), st.booleans())
def test_shares_of_a_limit_never_exceed_it(limit, costs, is_known):
    parts = zip(shards(len(costs)), costs, strict=True)
    shares = [
        share_of_limit(limit, shard, Part(cost, sum(costs), is_known)) for shard, cost in parts
    ]
    assert sum(shares) <= limit * (1 + 1e-12) + 1e-9


@given(st.integers(1, 300), st.integers(1, 300))
def test_shares_of_a_rate_are_the_whole_and_differ_by_one_at_most(total, count):
    rates = [share_of_rate(total, shard) for shard in shards(count)]
    assert sum(rates) == total
    assert max(rates) - min(rates) <= 1


def test_24_requests_over_10_shards_are_four_times_3_and_six_times_2():
    assert [share_of_rate(24, shard) for shard in shards(10)] == [3] * 4 + [2] * 6


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "4"}, (2, 4)),
        ({"JOB_COMPLETION_INDEX": "0", "FLUX_SHARDS": "4"}, (1, 4)),
        (
            {
                "SLURM_ARRAY_TASK_ID": "13",
                "SLURM_ARRAY_TASK_MIN": "10",
                "SLURM_ARRAY_TASK_COUNT": "4",
            },
            (4, 4),
        ),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "3", "AWS_BATCH_JOB_ARRAY_SIZE": "5"}, (4, 5)),
        (
            {
                "CI_NODE_INDEX": "1",
                "CI_NODE_TOTAL": "4",
                "JOB_COMPLETION_INDEX": "0",
                "FLUX_SHARDS": "4",
            },
            (1, 4),
        ),
    ],
)
def test_auto_reads_the_variables_of_each_engine(environ, expected):
    assert read_shard("auto", environ) == expected


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "none of the variables"),
        ({"CI_NODE_TOTAL": "1"}, "none of the variables"),
        ({"FLUX_SHARDS": "4"}, "none of the variables"),
        ({"CI_NODE_INDEX": "1"}, "but not CI_NODE_TOTAL (GitLab)"),
        ({"JOB_COMPLETION_INDEX": "0"}, "but not FLUX_SHARDS (Kubernetes)"),
        (
            {"SLURM_ARRAY_TASK_ID": "1"},
            "but not SLURM_ARRAY_TASK_MIN and SLURM_ARRAY_TASK_COUNT (Slurm)",
        ),
        (
            {
                "CI_NODE_INDEX": "1",
                "CI_NODE_TOTAL": "4",
                "AWS_BATCH_JOB_ARRAY_INDEX": "1",
                "AWS_BATCH_JOB_ARRAY_SIZE": "4",
            },
            "GitLab says 1/4 and AWS Batch says 2/4",
        ),
        ({"JOB_COMPLETION_INDEX": "4", "FLUX_SHARDS": "4"}, "no shard 5"),
        ({"JOB_COMPLETION_INDEX": "0", "FLUX_SHARDS": "0"}, "1 to 100,000 shards, not 0"),
    ],
)
def test_auto_refuses_what_is_incomplete_or_contradicts(environ, said):
    with pytest.raises(UsageError, match=re.escape(said)):
        read_shard("auto", environ)


@pytest.mark.parametrize("text", ["", "0", "-1", " 3", "1e3", "9" * 500, "3\n", "٣", "+1", "0x1"])
def test_hostile_values_are_refused_in_one_sentence(text):
    for environ in (
        {"CI_NODE_INDEX": text, "CI_NODE_TOTAL": "4"},
        {"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": text},
    ):
        with pytest.raises(UsageError) as caught:
            read_shard("auto", environ)
        assert len(caught.value.message) < 200
        assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "text", ["0/4", "5/4", "1/0", "1", "/", "", "1/4/4", " 3/4", "1e3/4", "-1/4", "1/100001", "1/"]
)
def test_no_other_shard_can_be_typed(text):
    with pytest.raises(UsageError):
        read_shard(text, {})


@given(locks)
def test_the_part_of_a_shard_is_read_as_it_was_written(rows):
    base = Base("0" * 16, "f" * 16)
    lock = read_lock(lock_text(rows, base).encode(), "x")
    assert (lock.rows, lock.base) == (rows, base)


sources = st.lists(
    st.dictionaries(st.sampled_from(["hero", "b"]), st.integers(0, 7), max_size=2), max_size=4
)


def rows_of(numbers):
    """Rows that differ in one respect each: request, time, trouble, files, and bytes."""
    asset = assets_of(HERO)["hero"]
    found = {}
    for name, bits in numbers.items():
        one = row(bits, ("hero.png",) if bits & 1 else ())
        request = asset.request if bits & 2 else one.request
        generated = {"run": "r", "time": f"2026-0{1 + (bits >> 2)}"}
        found[name] = one._replace(request=request, generated=generated)
    return found


@given(sources, st.randoms())
def test_merging_is_associative_commutative_and_idempotent(numbers, random):
    assets, parts = assets_of(HERO), list(map(rows_of, numbers))
    whole = merge_rows(parts, assets, EMPTY)
    random.shuffle(parts)
    middle = len(parts) // 2
    halves = [merge_rows(half, assets, EMPTY) for half in (parts[:middle], parts[middle:])]
    assert merge_rows(halves, assets, EMPTY) == whole
    assert merge_rows([whole, *parts, whole], assets, EMPTY) == whole


def best(one, other, disk=EMPTY):
    assets = assets_of(HERO)
    results = [
        merge_rows(pair, assets, disk)["hero"]
        for pair in itertools.permutations([{"hero": one}, {"hero": other}])
    ]
    assert results[0] == results[1]
    return results[0]


def test_a_row_that_matches_the_manifest_beats_a_newer_one():
    asset = assets_of(HERO)["hero"]
    old = row(1, generated={"time": "2026-01"})._replace(request=asset.request)
    assert best(old, row(2, generated={"time": "2026-02"})) == old


def test_a_row_whose_files_are_there_beats_a_newer_one_and_else_the_newest_is_kept():
    old = row(1, ("hero.png",), generated={"time": "2026-01"})
    new = row(2, ("hero.png",), generated={"time": "2026-02"})
    assert best(old, new) == new

    class Disk(MemoryDisk):
        def equals(self, _, file):
            return file == old.files["hero.png"]

    assert best(old, new, Disk()) == old


def test_a_request_that_must_not_be_repeated_is_not_forgotten():
    plain = row(1)
    for mark in ("refused", "unclear"):
        marked = plain._replace(**{mark: Trouble("0" * 16, "r", 1, "in flight")})
        assert best(plain, marked) == marked


def test_a_pick_is_newer_than_all_candidates_and_older_than_another_take():
    first, second = row(1, generated={"time": "2026-02"}), row(2, generated={"time": "2026-01"})
    picked = second._replace(pick=2)
    assert best(first, picked) == picked
    again = row(3, generated={"time": "2026-01"})._replace(take=2)
    assert best(again, picked) == again


def test_a_placeholder_never_beats_an_image():
    asset = assets_of(HERO)["hero"]
    image = row(1, generated={"time": "2026-01", "run": "r"})._replace(request=asset.request)
    sketch = image._replace(placeholder=True, generated={"time": "2026-02"})
    assert best(image, sketch) == image


def test_a_row_whose_image_has_another_name_by_now_is_left_out_unless_it_has_files():
    assets, moved = assets_of(HERO), row(1, ("old.png",))
    rows = {"hero": moved._replace(files={}), "old": moved, "gone": row(2, ("gone.png",))}
    assert set(without_renamed(rows, assets, EMPTY)) == {"hero", "gone"}
    assert set(without_renamed(rows, assets, MemoryDisk({"old.png": ""}))) == {
        "hero",
        "gone",
        "old",
    }


GOBLIN = TEXT + '[assets.goblin]\nprompt = "a goblin"\n'
CANDIDATES = GOBLIN + "candidates = 2\n"


def test_candidates_are_not_renamed_and_the_first_is_its_asset_until_one_is_picked():
    rows = {"goblin": row(2)._replace(pick=2), "goblin#1": row(1), "goblin#2": row(2)}
    assert without_renamed(rows, assets_of(GOBLIN), EMPTY) == rows
    rows["goblin"] = row(3)
    assert set(without_renamed(rows, assets_of(CANDIDATES), EMPTY)) == {"goblin", "goblin#2"}


def test_a_pick_brings_no_image_and_pays_for_none():
    first, second = paid(1, "r1", 0.06), paid(2, "r2", 0.06)
    common = {"goblin": first, "goblin#2": second}
    part = {"goblin": second._replace(pick=2), "goblin#1": first, "goblin#2": second}
    merged = merge_rows([common, part], assets_of(CANDIDATES), EMPTY)
    assert merged == part
    assert duplicates([common, part], merged) == []
    assert new_images([part], common) == {}
    assert len(new_images([part], {})) == 2


def paid(number, run, cost):
    return row(number, generated={"run": run, "time": run, "cost_usd": cost})


def test_images_that_were_paid_for_twice_are_reported_with_their_cost():
    one, other = paid(1, "r1", 0.06), paid(1, "r2", 0.07)
    parts = [{"hero": one}, {"hero": other}, {"hero": one}]
    (found,) = duplicates(parts, merge_rows(parts, {}, EMPTY))
    assert found == ("hero", 0.06)
    assert duplicates([{"hero": one}, {"hero": other._replace(take=2)}], {"hero": one}) == []
    assert sum(image.cost_usd for image in new_images(parts, {}).values()) == 0.13
    assert new_images([{"hero": one}], {"hero": one}) == {}


def test_missing_parts_and_parts_of_another_manifest_or_lock_are_reported_and_merged():
    assets = assets_of(HERO)
    here = manifest_digest(assets)
    joined = join(
        {"old": row(3)},
        [
            Source("1", Shard(1, 4), {"a": row(1)}, Base(here, "1" * 16)),
            Source("3", Shard(3, 4), {"b": row(2)}, Base("0" * 16, "2" * 16)),
        ],
        assets,
        EMPTY,
    )
    assert set(joined.rows) == {"a", "b", "old"}
    assert joined.missing == ["2/4", "4/4"]
    warnings = "\n".join(joined.warnings(assets))
    assert "no part of shard 2/4, 4/4" in warnings
    assert "3 was built from another manifest" in warnings
    assert "started from different locks" in warnings
