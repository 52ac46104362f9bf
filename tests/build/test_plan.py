"""Every state of an asset: its sign, its reason, and that nothing is left to do after a build."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifests import DOCS, ICONS, PRODUCTS, assets_of
from planning import MemoryDisk, Project, resolve

from flux_cli.build.lock.reading import Lock
from flux_cli.build.lock.rows import Trouble
from flux_cli.build.planning.changes import change_text
from flux_cli.build.planning.plan import chosen_rows, plan_assets
from flux_cli.build.planning.steps import Change, Wishes
from flux_cli.core.errors import UsageError

TWO = """
[defaults]
model = "flux1.1-pro-ultra"
size = "16:9"
output = "img/{name}.{webp,png}"
[assets.hero]
prompt = "a harbor at dawn, seen from above, line art"
[assets.og]
prompt = "a ship leaving"
"""


@pytest.fixture
def project():
    """A project that was built."""
    project = Project(TWO)
    project.build()
    return project


def test_a_first_build_requests_each_asset_and_a_second_none():
    project = Project(DOCS)
    assert project.plan() == {
        (name, "+"): "new" for name in ("hero", "install", "plan", "cache", "deploy", "og")
    }
    assert len(project.build()) == 6
    assert len(project.disk.files) == 46
    assert project.plan() == {}
    assert project.build() == []


def test_nothing_is_hashed_and_no_request_resolved_if_nothing_changed(project):
    def fail(asset):
        raise AssertionError(asset.name)

    project.disk.hashed = 0
    plan_assets(assets_of(TWO), project.rows, project.disk, Wishes(), fail)
    assert project.disk.hashed == 0


def test_a_changed_word_is_one_request_with_old_and_new(project):
    project.replace("seen from above", "seen from below")
    assert project.plan() == {("hero", "~"): 'prompt: "seen from above" -> "seen from below"'}
    assert project.build() == ["hero"]
    assert project.plan() == {}


def test_respelled_is_free_and_updates_the_row(project):
    project.replace('size = "16:9"', 'aspect_ratio = "16:9"')
    assert project.plan() == {
        ("hero", "="): "respelled, same request",
        ("og", "="): "respelled, same request",
    }
    assert project.build() == []
    assert project.plan() == {}


def test_a_new_format_is_made_from_the_original(project):
    project.replace("{webp,png}", "{webp,png,avif}")
    assert project.plan() == {
        ("hero", "*"): "new: img/hero.avif: 1 file from the original",
        ("og", "*"): "new: img/og.avif: 1 file from the original",
    }
    assert project.build() == []
    assert project.plan() == {}


def test_new_widths_say_so(project):
    project.replace('size = "16:9"', 'size = "16:9"\nwidth = [640, 320]')
    plan = project.plan()
    assert plan["hero", "*"] == "widths 640, 320 are new: 4 files from the original"
    assert plan["hero", "-"] == "not in the manifest: 2 files (--prune)"
    assert project.build() == []
    assert ("hero", "-") in project.plan()
    project.build(prune=True)
    assert project.plan() == {}
    assert min(project.disk.files) == "img/hero-320.png"


def test_other_finishing_is_made_from_the_original(project):
    project.replace('size = "16:9"', 'size = "16:9"\neffort = "small"')
    assert project.plan()["hero", "*"] == "output settings changed: 2 files from the original"
    assert project.build() == []
    assert project.plan() == {}


def test_missing_files_are_made_again(project):
    del project.disk.files["img/hero.png"]
    assert project.plan() == {("hero", "*"): "missing: img/hero.png: 1 file from the original"}
    assert project.build() == []
    assert project.plan() == {}


def test_without_the_original_missing_files_are_lost(project):
    project.disk.originals.clear()
    assert project.plan() == {}
    del project.disk.files["img/hero.png"]
    reason = "lost: img/hero.png is missing, and the original is not available"
    assert project.plan() == {("hero", "+"): reason}
    assert project.build() == ["hero"]
    assert project.plan() == {}


def test_without_the_original_a_new_format_needs_a_request(project):
    project.disk.originals.clear()
    project.replace("{webp,png}", "{webp,png,avif}")
    assert project.plan()["og", "+"] == "img/og.avif: the original is not available"


def test_frozen_assets_are_never_requested_again(project):
    project.replace("[assets.og]", "[assets.og]\nfrozen = true")
    project.replace("a ship leaving", "another ship")
    project.replace('size = "16:9"', 'size = "1:1"')
    assert list(project.plan()) == [("hero", "~")]
    project.disk.originals.clear()
    del project.disk.files["img/og.png"]
    assert project.plan()["og", "^"].startswith("lost: img/og.png")
    assert project.build() == ["hero"]


def test_an_edited_file_stays_unless_told(project):
    project.disk.files["img/og.png"] = "edited"
    project.replace("a ship leaving", "two ships")
    assert project.plan() == {
        ("og", "!"): "edited: img/og.png (--adopt keeps it, --overwrite replaces it)"
    }
    assert project.build() == []
    assert project.disk.files["img/og.png"] == "edited"
    assert project.plan(overwrite=True)["og", "~"] == 'prompt: "a ship leaving" -> "two ships"'
    project.replace("two ships", "a ship leaving")
    assert project.plan(overwrite=True) == {
        ("og", "*"): "replaces img/og.png: 1 file from the original"
    }
    assert project.build(overwrite=True) == []
    assert project.plan() == {}


def test_overwriting_an_edited_file_without_an_original_needs_a_request(project):
    project.disk.files["img/og.png"] = "edited"
    project.disk.originals.clear()
    assert project.plan(overwrite=True) == {
        ("og", "+"): "img/og.png: the original is not available"
    }


def test_adopting_an_edited_file_is_free(project):
    project.disk.files["img/og.png"] = "edited"
    project.replace("a ship leaving", "two ships")
    assert project.plan(adopt={"og"}) == {("og", "="): "adopted: 2 files"}
    assert project.build(adopt={"og"}) == []
    assert project.rows["og"].adopted
    assert project.plan() == {}
    assert project.plan(adopt={"og"}) == {}


def test_adopting_a_lost_lock_is_free(project):
    project.rows.clear()
    project.disk.originals.clear()
    assert {sign for _, sign in project.plan()} == {"!"}
    del project.disk.files["img/og.png"]
    plan = project.plan(adopt={"hero", "og"})
    assert (plan["hero", "="], plan["og", "*"]) == ("adopted: 2 files", "adopted: 1 file")
    assert project.build(adopt={"hero", "og"}) == []
    assert project.plan() == {}


def test_adopting_nothing_is_an_error(project):
    project.disk.files.clear()
    with pytest.raises(UsageError, match="nothing to adopt for og"):
        project.plan(adopt={"og"})


def test_a_file_without_a_row_is_in_the_way():
    project = Project(TWO)
    project.disk.files["img/og.png"] = "mine"
    assert project.plan()["og", "!"].startswith("in the way: img/og.png (--adopt keeps it")
    assert project.build() == ["hero"]
    assert project.plan(overwrite=True) == {("og", "+"): "new"}
    project.replace("{webp,png}", "{webp,png,avif}")
    project.disk.files["img/hero.avif"] = "mine"
    assert project.plan()["hero", "!"].startswith("in the way: img/hero.avif")


def test_edited_files_and_files_in_the_way_are_all_counted_and_named(project):
    project.disk.files["img/og.png"] = "edited"
    project.replace("{webp,png}", "{webp,png,avif}")
    project.disk.files["img/og.avif"] = "mine"
    both = "edited: img/og.png; in the way: img/og.avif"
    assert project.plan()["og", "!"] == f"{both} (--adopt keeps them, --overwrite replaces them)"


def test_a_renamed_asset_moves_its_files(project):
    project.replace("assets.og", "assets.card")
    assert project.plan() == {("card", ">"): "img/og.webp -> img/card.webp and 1 more"}
    assert project.build() == []
    assert sorted(project.rows) == ["card", "hero"]
    assert "img/card.png" in project.disk.files
    assert "img/og.png" not in project.disk.files
    assert project.plan() == {}


def test_a_renamed_asset_with_fixed_paths_only_changes_its_row(project):
    project.replace("[assets.og]", '[assets.og]\noutput = "x.webp"')
    project.build(prune=True)
    project.replace("assets.og", "assets.card")
    assert project.plan() == {("card", ">"): "renamed from og"}
    project.build()
    assert project.plan() == {}


def test_a_changed_path_moves_the_files(project):
    project.replace("img/{name}", "pics/{name}")
    assert project.plan()["og", ">"] == "img/og.webp -> pics/og.webp and 1 more"
    assert project.build() == []
    assert project.plan() == {}


def test_files_that_a_person_has_moved_are_recognized_by_their_bytes(project):
    project.replace("img/{name}", "pics/{name}")
    files = project.disk.files
    for name in [*files]:
        files[name.replace("img/", "pics/")] = files.pop(name)
    assert {sign for _, sign in project.plan()} == {">"}
    assert project.build() == []
    assert project.plan() == {}


def test_a_file_of_somebody_else_at_the_new_path_is_in_the_way(project):
    project.replace("img/{name}", "pics/{name}")
    project.disk.files["pics/og.png"] = "mine"
    assert project.plan()["og", "!"].startswith("in the way: pics/og.png")


def test_an_edited_file_is_not_moved(project):
    project.replace("img/{name}", "pics/{name}")
    project.disk.files["img/og.png"] = "edited"
    assert project.plan()["og", "!"].startswith("edited: img/og.png")


def test_what_is_not_in_the_manifest_is_listed_and_pruned_if_unedited(project):
    project.replace('[assets.og]\nprompt = "a ship leaving"\n', "")
    project.disk.files["img/og.png"] = "edited"
    plan = {("og", "-"): "not in the manifest: 2 files (--prune)"}
    assert project.plan() == plan
    project.build()
    assert project.plan() == plan
    project.build(prune=True)
    assert project.disk.files["img/og.png"] == "edited"
    assert "img/og.webp" not in project.disk.files


@pytest.mark.parametrize(("field", "sign"), [("refused", "x"), ("unclear", "?")])
def test_a_request_that_failed_is_not_repeated_by_itself(project, field, sign):
    project.replace("a ship leaving", "two ships")
    request = assets_of(project.text)["og"].request
    trouble = {field: Trouble(request, "run", 1, "moderation")}
    project.rows["og"] = project.rows["og"]._replace(**trouble)
    ((name, found),) = project.plan()
    assert (name, found) == ("og", sign)
    assert project.build() == []
    assert project.plan(reroll={"og"}) == {("og", "~"): "requested again (--reroll)"}
    project.replace("two ships", "three ships")
    assert list(project.plan()) == [("og", "~")]
    project.replace("three ships", "two ships")
    assert project.build(reroll={"og"}) == ["og"]
    assert project.plan() == {}


@pytest.mark.parametrize(("field", "sign"), [("refused", "x"), ("unclear", "?")])
def test_a_first_request_that_failed_is_not_repeated_by_itself(project, field, sign):
    row = project.rows["og"]
    project.rows["og"] = row._replace(
        files={}, original=None, **{field: Trouble(row.request, "run", 1, "x")}
    )
    project.disk.files = {k: v for k, v in project.disk.files.items() if "og" not in k}
    assert list(project.plan()) == [("og", sign)]
    assert project.build(reroll={"og"}) == ["og"]


def test_a_reroll_counts_takes_and_needs_no_seed(project):
    assert project.build(reroll={"og"}) == ["og"]
    assert project.rows["og"].take == 2
    project.replace("a ship leaving", "two ships")
    project.build()
    assert project.rows["og"].take == 1
    project.replace("[assets.og]", "[assets.og]\nseed = 7")
    project.build()
    with pytest.raises(UsageError, match="same seed, same image") as caught:
        project.plan(reroll={"og"})
    assert caught.value.hint == "give it another seed"


def test_placeholders_are_replaced_and_generated_images_are_not(project):
    project.text += '[assets.new]\nprompt = "a map"\n'
    project.replace("a ship leaving", "two ships")
    plan = project.plan(offline=True)
    assert plan["new", "+"] == "new"
    assert plan["og", "^"].startswith("changed; --offline leaves")
    before = project.disk.files["img/og.png"]
    assert project.build(offline=True) == []
    assert project.disk.files["img/og.png"] == before
    assert project.rows["new"].placeholder
    assert ("new", "+") not in project.plan(offline=True)
    assert project.plan()["new", "+"] == "only a placeholder"
    assert project.build() == ["new", "og"] or project.requests[-2:] == ["og", "new"]
    assert project.plan() == {}


def test_equal_requests_with_a_seed_share_one_image(project):
    project.text += '[assets.a]\nprompt = "x"\nseed = 1\n[assets.b]\nprompt = "x"\nseed = 1\n'
    assert project.plan() == {("a", "+"): "new", ("b", "+"): "new, same request as a"}
    assert project.build() == ["a"]
    assert project.plan() == {}
    project.text += '[assets.c]\nprompt = "x"\nseed = 1\n'
    assert project.plan() == {("c", "*"): "same request as b: 2 files"}
    assert project.build() == []
    assert project.plan() == {}


def test_equal_requests_without_a_seed_are_two_images(project):
    project.text += '[assets.a]\nprompt = "x"\n[assets.b]\nprompt = "x"\n'
    assert project.build() == ["a", "b"]


def test_only_selected_assets_are_planned(project):
    project.replace("line art", "x")
    project.replace("a ship leaving", "two ships")
    assert list(project.plan(selected=lambda name: name == "og")) == [("og", "~")]
    assert project.build(selected=lambda name: name == "og") == ["og"]
    assert list(project.plan()) == [("hero", "~")]


def test_of_two_sides_of_a_conflict_the_one_that_matches_wins(project):
    ours = dict(project.rows)
    project.replace("a ship leaving", "two ships")
    project.build()
    theirs = project.rows
    assets = assets_of(project.text)
    for one, other in ((ours, theirs), (theirs, ours)):
        lock = Lock({**other, **one}, other, is_conflicted=True)
        assert chosen_rows(assets, lock, project.disk)["og"] == theirs["og"]


def test_of_two_sides_with_one_request_the_one_on_the_disk_wins(project):
    ours = dict(project.rows)
    project.build(reroll={"og"})
    lock = Lock(ours, project.rows, is_conflicted=True)
    assert chosen_rows(assets_of(TWO), lock, project.disk)["og"] == project.rows["og"]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (7, 8, "x: 7 -> 8"),
        (None, True, "x: none -> true"),
        ("a, b, c", "a, x, c", 'x: "b" -> "x"'),
        ("a, b", "a, b, c", 'x: "b" -> "b, c"'),
        ("a", "b", 'x: "a" -> "b"'),
        ("a\n::x", "a", 'x: "a\\n::x" -> "a"'),
        (
            "sha256:" + "a" * 64,
            "sha256:" + "b" * 64,
            "x: sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb",
        ),
        ("x" * 99, "y", f'x: "{"x" * 57}…" -> "y"'),
    ],
)
def test_changes_are_shown_as_old_and_new(old, new, text):
    assert change_text(Change("x", old, new)) == text


def test_rows_without_prompts_do_not_show_them(project):
    assets = assets_of(TWO)
    from flux_cli.build.planning.outcome import hide_prompts

    hidden = hide_prompts(assets["og"].requested)
    assert "ship" not in str(hidden)
    project.rows["og"] = project.rows["og"]._replace(requested=hidden)
    project.replace('size = "16:9"', 'size = "1:1"')
    assert project.plan()["og", "~"] == 'size: "16:9" -> "1:1"'


EDITS = [
    ("16:9", "1:1"),
    ("a ship leaving", "two ships"),
    ("assets.og", "assets.card"),
    ("img/{name}", "pics/{name}"),
    ("{webp,png}", "{avif,png}"),
    ("[assets.og]", "[assets.og]\nwidth = [64, 32]"),
    ("[assets.og]", "[assets.og]\nseed = 4"),
    ("[assets.hero]", "[assets.hero]\nn = 2"),
    ("a ship leaving", "a harbor at dawn, seen from above, line art"),
]
DAMAGE = ["delete", "edit", "forget originals", "forget row"]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(EDITS), max_size=4, unique=True),
    st.lists(st.tuples(st.sampled_from(DAMAGE), st.integers(0, 9)), max_size=3),
    st.booleans(),
)
def test_the_plan_after_a_build_is_empty(edits, damage, prunes):
    """Whatever happened before, a build with all permissions leaves nothing to do."""
    project = Project(TWO)
    project.build()
    for kind, number in damage:
        names = sorted(project.disk.files)
        if kind == "delete":
            project.disk.files.pop(names[number % len(names)]) if names else None
        elif kind == "edit" and names:
            project.disk.files[names[number % len(names)]] = "edited"
        elif kind == "forget originals":
            project.disk.originals.clear()
        elif project.rows:
            project.rows.pop(sorted(project.rows)[number % len(project.rows)])
    for old, new in edits:
        if old in project.text:
            project.replace(old, new, 1)
    before = {step.name for step in project.steps(overwrite=True) if step.is_requested}
    assert set(project.build(overwrite=True, prune=prunes)) == before
    left = [step for step in project.steps() if step.sign != "=" or step.is_updated]
    assert {step.sign for step in left} <= {"-"}
    assert project.build() == []


def test_rows_of_a_group_are_planned_one_by_one():
    project = Project(ICONS, {"products.csv": PRODUCTS})
    assert len(project.build()) == 199
    assert project.plan() == {}
    assert MemoryDisk().files == {}
    assert len(resolve(assets_of(ICONS, {"products.csv": PRODUCTS})["A3-dark"])) == 16
