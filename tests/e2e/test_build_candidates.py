"""Candidates against a server that counts requests: paid once, picked for free."""

import json
import signal

import pytest
from fakes.gateway import held, image, status

from e2e.builder import Builder

MANIFEST = """
[assets.goblin]
model = "flux1.1-pro-ultra"
prompt = "a goblin guard"
seed = 100
candidates = 4
output = "img/{name}.png"
"""
NOT_PICKED = "4 candidates, none picked: flux build --pick goblin=N"


@pytest.fixture
def build(flux, keyed, work, gateway):
    """Run `flux build`; the result has the exit code, the requests, and both outputs."""
    (work / "flux-build.toml").write_text(MANIFEST)

    def run(*words, env=None):
        before = len(gateway.posts)
        result = flux("build", *words, env=keyed | (env or {}))
        assert "Traceback" not in result.err
        return result.code, len(gateway.posts) - before, result.out, result.err

    return run


def row_of(work):
    return json.loads((work / "flux-build.lock").read_text())["assets"]["goblin"]


def test_21_candidates_are_paid_once_and_picked_for_free(build, work):
    code, posts, out, _ = build("--plan")
    assert (code, posts) == (0, 0)
    assert " + goblin  new: 4 candidates  4 requests  0.24 USD" in out
    summary = work / "summary.md"
    code, posts, _, err = build("--yes", env={"GITHUB_STEP_SUMMARY": str(summary)})
    assert (code, posts) == (0, 4), err
    assert "flux: goblin: pick a candidate with flux build --pick goblin=N\n" in err
    assert "goblin=N" in summary.read_text()
    first = (work / "img/goblin.png").read_bytes()
    assert len(list((work / ".flux/originals").iterdir())) == 4

    code, posts, out, _ = build("--check")
    assert (code, posts) == (1, 0)
    assert NOT_PICKED in out
    assert build("--yes")[:2] == (0, 0)

    code, posts, out, err = build("--pick", "goblin=3")
    assert (code, posts, out) == (0, 0, "img/goblin.png\n"), err
    assert row_of(work)["pick"] == 3
    assert build("--check")[:2] == (0, 0)
    assert (work / "img/goblin.png").read_bytes() != first

    assert build("--prune-originals")[:2] == (0, 0)
    assert build("--pick", "goblin=1")[:2] == (0, 0)
    assert (work / "img/goblin.png").read_bytes() == first
    assert build("--check")[:2] == (0, 0)


def test_what_failed_is_sent_again_only_if_it_had_no_effect(build, work, gateway):
    refused = status(400, code="content_policy_violation", message="refused")
    gateway.answers(image(), refused, image(), image())
    code, posts, _, err = build("--yes")
    assert (code, posts) == (3, 4), err
    row = row_of(work)
    failed = [key for key in row["candidates"] if "refused" in row["candidates"][key]]
    assert len(failed) + ("refused" in row) == 1
    assert build("--yes")[:2] == (3, 0)


@pytest.mark.parametrize("words", [("--pick", "goblin=9"), ("--pick", "gobln=1"), ("--pick", "x")])
def test_a_pick_of_nothing_is_refused_before_anything_is_sent(build, words):
    assert build("--yes")[:2] == (0, 4)
    code, posts, _, err = build(*words)
    assert (code, posts) == (2, 0)
    assert "hint:" in err


def test_a_pick_needs_its_original(build, work):
    build("--yes")
    name = row_of(work)["candidates"]["3"]["original"]["sha256"]
    (work / f".flux/originals/{name}.png").unlink()
    code, posts, _, err = build("--pick", "goblin=3")
    assert (code, posts) == (2, 0)
    assert "the original of candidate 3 is not available" in err
    assert "pick" not in row_of(work)


def test_offline_placeholders_are_replaced_by_the_real_candidates(build):
    assert build("--offline")[:2] == (0, 0)
    assert build("--offline")[:2] == (0, 0)
    assert build("--check")[0] == 1
    assert build("--pick", "goblin=2")[:2] == (2, 0)
    assert build("--yes")[:2] == (0, 4)


def test_renaming_and_selecting_takes_all_candidates_along(build, work):
    (work / "flux-build.toml").write_text(MANIFEST.replace("seed = 100\n", ""))
    assert build("--yes", "--only", "goblin")[:2] == (0, 4)
    assert build("--pick", "goblin=2")[:2] == (0, 0)
    text = (work / "flux-build.toml").read_text()
    (work / "flux-build.toml").write_text(text.replace("goblin]", "orc]"))
    assert build("--yes")[:2] == (0, 0)
    assert build("--check")[:2] == (0, 0)
    assert build("--pick", "orc=4")[:2] == (0, 0)


def test_a_kill_pays_for_no_candidate_twice(command, keyed, gateway, work, release):
    builder = Builder(command, keyed, gateway, work)
    (work / "flux-build.toml").write_text(MANIFEST)
    gateway.answers(image(), image(), held(release))
    originals = work / ".flux" / "originals"

    def is_time():
        return len(gateway.posts) == 4 and originals.is_dir() and len([*originals.iterdir()]) >= 2

    builder.stop(signal.SIGKILL, is_time)
    release.set()
    code, posts, _, err = builder.run()
    assert (code, posts) == (3, 0), err
    assert builder.run()[:2] == (3, 0)


@pytest.fixture
def three_more(build, work):
    """Build the asset, then ask for three more candidates."""
    (work / "flux-build.toml").write_text(MANIFEST.replace("candidates = 4\n", ""))
    assert build("--yes")[:2] == (0, 1)
    (work / "flux-build.toml").write_text(MANIFEST)


@pytest.mark.usefixtures("three_more")
def test_candidates_without_a_named_cost_are_not_free(build, gateway):
    gateway.answers(image(cost=None))
    code, posts, out, err = build("--yes", "--json")
    assert (code, posts) == (0, 3), err
    assert json.loads(out)["cost_usd"] is None


@pytest.mark.usefixtures("three_more")
def test_candidates_without_a_named_cost_count_for_the_limit(build, gateway):
    gateway.answers(image(cost=0.12), image(cost=None))  # the others may cost as much
    code, posts, _, err = build("--max-cost", "0.24")
    assert (code, posts) == (3, 2), err
