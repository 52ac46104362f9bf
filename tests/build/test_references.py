"""References of assets: stages, cycles, digests, and the plans of assets that need others."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifests import Texts, assets_of, manifest_of
from planning import Project

from flux_cli.build.execution.originals import unfinished
from flux_cli.build.manifest.collection import Loaded, collect
from flux_cli.build.planning.cost import Priced, fitting
from flux_cli.build.references.binding import bind
from flux_cli.build.references.sources import change_text, digest_in, recorded, source_in
from flux_cli.build.references.stages import find_cycle, stages
from flux_cli.core.errors import ManifestError

HEAD = '[defaults]\nmodel = "flux.2-pro"\noutput = "{name}.png"\n'
NIGHT = '[assets.night]\nprompt = "the same fox at night"\nimage = ["p.png", "asset:hero"]\n'
HERO = '[assets.hero]\nprompt = "a fox"\n'
FILES = {"p.png": "palette"}
ONE, OTHER = "1" * 64, "2" * 64
GRAPHS = st.dictionaries(st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdef")))


@given(GRAPHS)
def test_stages_come_after_what_they_need_and_cycles_are_found(graph):
    needs = {name: graph.get(name, set()) for name in "abcdef"}
    cycle = find_cycle(needs)
    if cycle:
        assert cycle[0] == cycle[-1]
        pairs = itertools.pairwise(cycle)
        assert all(second in needs[first] for first, second in pairs)
        return
    found = stages(needs)
    assert sorted(name for stage in found for name in stage) == list("abcdef")
    done = set()
    for stage in found:
        assert all(needs[name] <= done for name in stage)
        done.update(stage)


def night(text=NIGHT, originals=None, files=FILES):
    asset = assets_of(HEAD + text + HERO, files)["night"]
    return bind(asset, {"hero": ONE} if originals is None else originals)


def test_a_reference_counts_by_its_bytes_alone():
    moved = NIGHT.replace("p.png", "refs/q.png")
    assert night().request == night(moved, files={"refs/q.png": "palette"}).request
    named = bind(assets_of(HEAD + NIGHT.replace("hero", "fox"), FILES)["night"], {"fox": ONE})
    assert named.request == night().request
    assert night(files={"p.png": "other"}).request != night().request
    assert night(originals={"hero": OTHER}).request != night().request
    assert night(originals={}).request != night().request
    turned = NIGHT.replace('"p.png", "asset:hero"', '"asset:hero", "p.png"')
    assert night(turned).request != night().request
    again = bind(night(originals={"hero": OTHER}), {"hero": ONE})
    assert (again.request, again.requested) == (night().request, night().requested)


def test_the_lock_names_references_and_their_digests():
    file, asset = night().requested["image"]
    assert (source_in(file), source_in(asset)) == ("p.png", "asset:hero")
    assert digest_in(asset) == ONE
    assert recorded([asset]) == [{"name": "hero", "sha256": ONE}]
    assert recorded("https://host/a.png") == {"name": "a.png"}


def test_references_of_styles_come_first():
    text = HEAD + (
        'image = "d.png"\nstyle = ["a", "b"]\n[styles.a]\nimage = "a.png"\n'
        '[styles.b]\nimage = ["b.png", "c.png"]\n[assets.own]\nprompt = "x"\nimage = "o.png"\n'
        '[assets.bare]\nprompt = "x"\n[assets.none]\nprompt = "x"\nstyle = []\nimage = []\n'
    )
    assets = assets_of(text, dict.fromkeys(("a.png", "b.png", "c.png", "d.png", "o.png"), ""))
    found = {
        name: [source_in(one) for one in asset.settings.parameters.get("image", [])]
        for name, asset in assets.items()
    }
    styles = ["a.png", "b.png", "c.png"]
    assert found == {"own": [*styles, "o.png"], "bare": [*styles, "d.png"], "none": []}


def test_changes_of_references_are_named():
    old = [f"p.png sha256:{ONE}", f"asset:hero sha256:{ONE}"]
    new = [f"p.png sha256:{OTHER}", "asset:hero", "https://host/x.png"]
    assert change_text(old, new) == (
        "reference p.png: the file changed; reference hero: new original; "
        "reference https://host/x.png: added"
    )
    assert change_text(old, old[1:]) == "reference p.png: removed"
    assert change_text(old, old[::-1]) == "references: another order"
    assert change_text(f"sha256:{ONE}", f"sha256:{OTHER}") == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (NIGHT + HERO + 'image = "asset:night"\n', "night -> hero -> night"),
        (NIGHT.replace("asset:hero", "asset:night") + HERO, "night -> night"),
        (NIGHT.replace("asset:hero", "asset:her") + HERO, "no asset 'her'"),
        (NIGHT.replace("p.png", "hero.png") + HERO, "hero.png is written by hero"),
        (NIGHT.replace("p.png", "data:image/png,x") + HERO, "not a reference image"),
        (NIGHT + 'mask = "https://host/x.png"\n' + HERO, "not a reference image"),
        (HERO + 'mask = "p.png"\n', "mask is the mask of an image"),
        (HERO + "image = 7\n", "image must be text or a list of texts"),
    ],
)
def test_what_cannot_be_a_reference(text, said):
    files = FILES | {"hero.png": "x"}
    with pytest.raises(ManifestError) as caught:
        collect([Loaded(manifest_of(HEAD + text), Texts(files), "/x")])
    assert said in caught.value.message
    assert caught.value.hint


@pytest.fixture
def project():
    return Project(HEAD + NIGHT + HERO, FILES)


def rebuild(project, **wishes):
    """Build stage by stage, as the real one does: each stage is planned anew."""
    project.build(**wishes)
    return project.build(**{key: value for key, value in wishes.items() if key != "reroll"})


def test_a_new_original_plans_those_that_need_it(project):
    assert project.plan() == {("night", "+"): "new", ("hero", "+"): "new"}
    stage = {step.name: (step.stage, step.awaits) for step in project.steps()}
    assert stage == {"night": (1, ("hero",)), "hero": (0, ())}
    project.build()
    rebuild(project)
    assert project.plan() == {}
    project.replace('"a fox"', '"a red fox"')
    assert project.plan() == {
        ("night", "~"): "reference hero: new original",
        ("hero", "~"): 'prompt: "a fox" -> "a red fox"',
    }
    rebuild(project)
    assert project.plan() == {}
    assert project.plan(reroll={"hero"})["night", "~"] == "reference hero: new original"
    project.replace('"{name}.png"', '"{name}.{png,webp}"')
    assert [sign for _, sign in project.plan()] == ["*", "*"]


def test_edited_outputs_and_new_names_change_nobody_else(project):
    rebuild(project)
    project.replace("asset:hero", "asset:fox")
    project.replace("assets.hero", "assets.fox")
    assert project.plan() == {("fox", ">"): "hero.png -> fox.png"}
    project.build()
    project.disk.files["fox.png"] = "edited"
    assert [name for name, _ in project.plan()] == ["fox"]


def test_an_asset_waits_for_what_is_not_selected_edited_or_lost(project):
    waits = {("night", "^"): "waits for hero: not selected"}
    assert project.plan(selected="night".__eq__) == waits
    rebuild(project)
    assert project.plan(selected="night".__eq__) == {}
    project.replace("at night", "at noon")
    project.disk.originals.clear()
    reason = "waits for hero: its original is not available"
    assert project.plan() == {("night", "^"): reason}
    project.replace('"a fox"', '"a red fox"')
    project.disk.files["hero.png"] = "edited"
    assert project.plan()["night", "^"] == "waits for hero: it is edited, and out of date"


def test_an_asset_waits_until_a_candidate_of_its_reference_is_picked(project):
    project.replace('"a fox"', '"a fox"\ncandidates = 2')
    project.build()
    waits = {("night", "^"): "waits for hero: none of its candidates is picked"}
    assert {key: reason for key, reason in project.plan().items() if key[0] == "night"} == waits
    project.pick(hero=2)
    assert project.plan()["night", "+"] == "new"
    rebuild(project)
    assert project.plan() == {}


def test_a_placeholder_is_a_reference_of_placeholders_only(project):
    project.build(offline=True)
    project.build(offline=True)
    assert project.plan(offline=True) == {}
    assert project.plan(selected="night".__eq__) == {("night", "^"): "waits for hero: not selected"}
    assert list(project.plan()) == [("night", "+"), ("hero", "+")]


def test_what_is_needed_fits_a_limit_first(project):
    priced = [Priced(step, 0.05) for step in project.steps()]
    signs = [one.step.sign for one in fitting(priced, 0.07)]
    assert signs == ["^", "+"]
    assert [one.step.sign for one in fitting(priced, 0.01)] == ["^", "^"]


def test_without_originals_those_that_an_image_still_needs_are_kept(project):
    project.build()
    assets, rows = assets_of(project.text, FILES), dict(project.rows)
    del rows["night"]
    assert unfinished(assets, rows) == {rows["hero"].original.name}
    rebuild(project)
    assert unfinished(assets, project.rows) == set()
