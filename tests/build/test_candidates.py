"""Candidates: what they request, what a pick changes, and how the lock says it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifests import assets_of
from planning import Project

from flux_cli.build.candidates.choices import rerolled
from flux_cli.build.candidates.picks import read_picks
from flux_cli.build.lock.reading import Lock, read_lock
from flux_cli.build.lock.rows import STALE, Row, Trouble
from flux_cli.build.lock.text import lock_text
from flux_cli.build.planning.plan import chosen_rows
from flux_cli.core.errors import ManifestError, UsageError

GOBLIN = """
[defaults]
model = "flux1.1-pro-ultra"
output = "img/{name}.{webp,png}"
[assets.goblin]
prompt = "a goblin guard"
seed = 100
candidates = 4
"""
FOUR = ["goblin", "goblin#2", "goblin#3", "goblin#4"]
CHOICE = "4 candidates, none picked: flux build --pick goblin=N"
UNSEEDED = GOBLIN.replace("seed = 100\n", "")


@pytest.fixture
def project():
    project = Project(GOBLIN)
    project.build()
    return project


def image(project, name="goblin"):
    return project.rows[name].original.sha256


def test_candidates_have_the_digests_of_the_seeds_that_count_up():
    assets = assets_of(GOBLIN)
    assert [assets[name].seed for name in FOUR] == [100, 101, 102, 103]
    alone = GOBLIN.replace("candidates = 4", "").replace("seed = 100", "seed = 102")
    assert assets["goblin#3"].request == assets_of(alone)["goblin"].request
    assert all(not assets[name].files for name in FOUR[1:])


def test_without_a_seed_the_number_tells_them_apart_from_the_second_on():
    assets = assets_of(UNSEEDED)
    alone = assets_of(UNSEEDED.replace("candidates = 4", ""))["goblin"]
    assert assets["goblin"].request == alone.request
    assert len({assets[name].request for name in FOUR}) == 4


@pytest.mark.parametrize("value", ["1", "51", "true", '"many"', "4\nn = 2"])
def test_what_is_no_number_of_candidates_is_refused(value):
    with pytest.raises(ManifestError):
        assets_of(GOBLIN.replace("candidates = 4", f"candidates = {value}"))


def test_all_are_requested_once_and_the_first_stands_in(project):
    assert project.requests == FOUR
    assert project.plan() == {("goblin", "="): CHOICE}
    assert project.build() == []
    assert image(project) in project.disk.files["img/goblin.png"]


def test_a_pick_makes_the_files_of_its_original_and_survives_the_key(project):
    third = image(project, "goblin#3")
    project.pick(goblin=3)
    assert project.plan() == {
        ("goblin", "*"): "candidate 3 picked: 2 files from the original",
    }
    assert project.build() == []
    assert project.plan() == {}
    assert third in project.disk.files["img/goblin.png"]
    project.replace("candidates = 4", "")
    assert project.plan() == {}
    assert project.build() == []
    assert image(project) == third


def test_another_pick_finds_the_first_image_again(project):
    first = image(project)
    for number in (3, 1, 4, 1):
        project.pick(goblin=number)
        project.build()
    assert image(project) == first
    assert project.requests == FOUR
    assert project.plan() == {}


def test_more_candidates_request_only_those_and_none_after_a_pick(project):
    project.replace("candidates = 4", "candidates = 6")
    assert project.build() == ["goblin#5", "goblin#6"]
    project.pick(goblin=2)
    project.build()
    project.replace("candidates = 6", "candidates = 8")
    assert project.build() == []
    assert project.plan() == {}


def test_candidates_of_an_asset_that_is_there_keep_its_image():
    project = Project(GOBLIN.replace("candidates = 4", ""))
    project.build()
    before = image(project)
    project.replace("seed = 100", "seed = 100\ncandidates = 3")
    assert project.build() == ["goblin#2", "goblin#3"]
    assert image(project) == before


def test_a_new_request_drops_the_pick_and_requests_all(project):
    project.pick(goblin=3)
    project.build()
    project.replace("a goblin guard", "a goblin cook")
    assert project.build() == FOUR
    assert project.rows["goblin"].pick == 0
    assert "goblin#1" not in project.rows
    assert project.plan() == {("goblin", "="): CHOICE}


def test_a_renamed_asset_takes_all_candidates_along_for_free(project):
    first = image(project)
    project.pick(goblin=3)
    project.build()
    project.replace("[assets.goblin]", "[assets.orc]")
    assert project.build() == []
    assert project.plan() == {}
    assert sorted(project.rows) == ["orc", "orc#1", "orc#2", "orc#3", "orc#4"]
    assert image(project, "orc#1") == first


def test_a_candidate_that_failed_is_not_sent_again_and_cannot_be_picked(project):
    row = project.rows["goblin#3"]
    request = row.request
    trouble = Trouble(request, "r", 3, "moderation")
    project.rows["goblin#3"] = row._replace(original=None, generated={}, refused=trouble)
    assert project.build() == []
    with pytest.raises(UsageError) as fault:
        project.pick(goblin=3)
    assert fault.value.hint == "3 candidates: 1, 2, 4"
    project.pick(goblin=2)
    project.build()
    assert project.plan() == {}


def test_a_pick_without_its_original_is_refused(project):
    project.disk.originals.discard(project.rows["goblin#3"].original.name)
    with pytest.raises(UsageError, match="original of candidate 3 is not available"):
        project.pick(goblin=3)
    project.disk.originals.clear()
    project.pick(goblin=1)
    assert project.plan() == {}


def test_an_edited_file_is_not_replaced_by_a_pick(project):
    project.disk.files["img/goblin.png"] = "drawn by hand"
    project.pick(goblin=3)
    assert ("goblin", "!") in project.plan()


def test_a_reroll_repeats_all_without_seeds_and_with_seeds_what_is_not_there():
    project = Project(UNSEEDED)
    project.build()
    names = rerolled(frozenset({"goblin"}), assets_of(UNSEEDED), project.rows)
    assert names == set(FOUR)
    seeded = Project(GOBLIN)
    seeded.build()
    assert rerolled(frozenset({"goblin"}), assets_of(GOBLIN), seeded.rows) == {"goblin"}
    del seeded.rows["goblin#3"]
    assert rerolled(frozenset({"goblin"}), assets_of(GOBLIN), seeded.rows) == {"goblin#3"}


def test_picks_are_read_strictly():
    assert read_picks(["a=3", "a=3", "b=c=2"], ["a", "b=c"]) == {"a": 3, "b=c": 2}
    for texts in (["a"], ["a=x"], ["=3"], ["z=1"], ["a=1", "a=2"], ["a=\u0663"]):
        with pytest.raises(UsageError):
            read_picks(texts, ["a"])


def test_the_lock_has_one_line_for_each_candidate(project):
    project.pick(goblin=3)
    project.build()
    text = lock_text(project.rows)
    assert text.count('\n  "') == 4 + 2
    assert read_lock(text.encode(), "x").rows == project.rows
    alone = {"goblin#2": project.rows["goblin#2"]}
    assert read_lock(lock_text(alone).encode(), "x").rows == alone


def test_both_sides_of_a_conflict_keep_their_candidates(project):
    ours = lock_text(project.rows)
    lines = ours.split("\n")
    at = next(number for number, line in enumerate(lines) if line.startswith('  "4"'))
    lines[at : at + 1] = ["<<<<<<< a", lines[at], "=======", lines[at], ">>>>>>> b"]
    lock = read_lock("\n".join(lines).encode(), "x")
    assert lock.is_conflicted
    assert lock.rows == project.rows


def lose(project):
    """Delete the original of the asset, and its files."""
    project.disk.originals.discard(project.rows["goblin"].original.name)
    project.disk.files.clear()


def test_a_picked_image_that_is_lost_comes_from_its_candidate_and_stays_picked(project):
    project.pick(goblin=3)
    project.build()
    lose(project)
    assert list(project.plan()) == [("goblin", "+"), ("goblin#3", "+")]
    assert project.build() == ["goblin#3"]
    assert project.rows["goblin"].pick == 3
    assert image(project) == image(project, "goblin#3")
    assert project.plan() == {}


def test_a_candidate_that_came_back_before_a_kill_is_not_paid_for_again(project):
    project.pick(goblin=3)
    project.build()
    lose(project)
    again = project.rows["goblin#3"].original._replace(sha256="a" * 64)
    project.rows["goblin#3"] = project.rows["goblin#3"]._replace(original=again)
    project.disk.originals.add(again.name)
    project.images[again.sha256] = assets_of(GOBLIN)["goblin"].request
    assert project.build() == []
    assert (image(project), project.rows["goblin"].pick) == (again.sha256, 3)


@pytest.mark.parametrize(("mark", "sign"), [("refused", "x"), ("unclear", "?")])
def test_a_lost_pick_is_not_requested_again_after_a_failure_but_with_reroll(project, mark, sign):
    project.pick(goblin=3)
    project.build()
    lose(project)
    row = project.rows["goblin#3"]
    trouble = Trouble(row.request, "r", 1, "timeout")
    project.rows["goblin#3"] = row._replace(**{mark: trouble})
    assert [key for key in project.plan() if key[0] == "goblin"] == [("goblin", sign)]
    assert project.build() == []
    names = rerolled(frozenset(["goblin"]), assets_of(GOBLIN), project.rows)
    assert project.build(reroll=names) == ["goblin#3"]
    assert project.rows["goblin"].pick == 3


def test_a_lost_pick_that_the_manifest_does_not_have_waits(project):
    project.pick(goblin=3)
    project.build()
    lose(project)
    project.replace("candidates = 4", "candidates = 2")
    assert list(project.plan()) == [("goblin", "^")]


def test_a_lost_candidate_can_be_requested_again_by_its_name_after_a_pick(project):
    project.pick(goblin=2)
    project.build()
    project.disk.originals.discard(project.rows["goblin#3"].original.name)
    assert project.build(reroll={"goblin#3"}) == ["goblin#3"]
    with pytest.raises(UsageError):
        project.build(reroll={"goblin#3"})


def test_a_request_that_failed_is_sent_again_with_reroll_although_it_has_a_seed(project):
    row = project.rows["goblin"]
    lose(project)
    project.rows["goblin"] = row._replace(unclear=Trouble(row.request, "r", 1, "timeout"))
    assert project.build() == []
    assert project.build(reroll={"goblin"}) == ["goblin"]


@pytest.mark.parametrize("is_ours", [True, False])
def test_candidates_are_of_the_side_of_a_conflict_that_their_asset_is_of(is_ours):
    """One branch picks, and the other asks again: rows of both sides together are of neither."""
    project = Project(UNSEEDED)
    project.build()
    start = dict(project.rows)
    project.pick(goblin=2)
    project.build()
    picked = dict(project.rows)
    project.rows = start
    project.build(reroll=set(FOUR))
    rerolled = dict(project.rows)
    one, other = (rerolled, picked) if is_ours else (picked, rerolled)
    lock = Lock({**other, **one}, other, is_conflicted=True)
    assert chosen_rows(assets_of(UNSEEDED), lock, project.disk) == rerolled


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_conflict_gives_up_no_candidate_that_is_paid_for(project, is_ours):
    whole = dict(project.rows)
    row = whole["goblin#4"]
    trouble = Trouble(row.request, "20260101-000000-abcdef", 4, "in flight")
    failed = whole | {"goblin#4": Row(row.request, row.resolved, unclear=trouble)}
    one, other = (whole, failed) if is_ours else (failed, whole)
    lock = Lock({**other, **one}, other, is_conflicted=True)
    assert chosen_rows(assets_of(GOBLIN), lock, project.disk) == whole


@pytest.mark.parametrize(("old", "new"), [('"2": {', '"0": {'), ('"2": {', '"99": {')])
def test_a_lock_with_impossible_numbers_is_refused(project, old, new):
    text = lock_text(project.rows).replace(old, new, 1)
    with pytest.raises(ManifestError):
        read_lock(text.encode(), "x")


ACTIONS = st.lists(
    st.sampled_from(["prompt", "more", "fewer", "none", "pick 1", "pick 2", "rename", "width"]),
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(ACTIONS)
def test_the_plan_after_a_build_is_empty_whatever_happened(actions):
    project = Project(UNSEEDED)
    project.build()
    for number, action in enumerate(actions):
        change(project, action, number)
        project.build(prune=True)
        assert set(project.plan().values()) <= {CHOICE} | {
            f"{count} candidates, none picked: flux build --pick {name}=N"
            for count in range(1, 9)
            for name in project.rows
        }
        assert read_lock(lock_text(project.rows).encode(), "x").rows == project.rows
        assert all(
            file.output != STALE for row in project.rows.values() for file in row.files.values()
        )


def change(project, action, number):
    lines = project.text.rstrip().split("\n")
    name = next(line for line in lines if line.startswith("[assets."))[8:-1]
    lines = [line for line in lines if not line.startswith("candidates")]
    if action == "prompt":
        project.text = project.text.replace("a goblin", f"a {number} goblin", 1)
    elif action in ("more", "fewer", "none"):
        count = {"more": ["candidates = 6"], "fewer": ["candidates = 2"], "none": []}[action]
        project.text = "\n".join([*lines, *count, ""])
    elif action == "rename":
        project.replace(f"[assets.{name}]", f"[assets.goblin-{number}]")
    elif action == "width":
        project.text = project.text.replace("{webp,png}", "{webp,png,avif}")
    elif "candidates" in project.text:
        project.pick(**{name: int(action[-1])})
