"""`flux build` when it ends early: killed, interrupted, twice at once, and in git merges."""

import json
import random
import re
import signal
import subprocess
import threading
import time

import pytest
from fakes.gateway import held, image, status
from manifests import DOCS

from e2e.builder import SMALL, Builder

CHUNKS, KILLS = 10, 10  # a hundred in all, spread over the workers
OFTEN = 1  # chunks that run with the slow tests; the others with `-m corpus`
SELDOM = [pytest.param(chunk, marks=pytest.mark.corpus) for chunk in range(OFTEN, CHUNKS)]


@pytest.fixture
def builder(command, keyed, gateway, work):
    return Builder(command, keyed, gateway, work)


def test_14_requests_in_flight_are_unclear_and_only_a_reroll_repeats_them(
    builder, gateway, release
):
    gateway.answers(image(), image(), image(), held(release))
    code, _ = builder.stop(
        signal.SIGKILL, lambda: len(gateway.posts) == 8 and builder.images() == 3
    )
    assert code == -signal.SIGKILL
    release.set()
    _, _, plan, _ = builder.run("--plan")
    assert plan.count("unclear (in flight)") == 5, plan
    code, posts, _, err = builder.run()
    assert (code, posts) == (3, 0), err
    assert builder.images() == 3
    signs = [name for name, row in builder.rows().items() if "unclear" in row]
    assert len(signs) == 5
    code, posts, _, err = builder.run()
    assert (code, posts) == (3, 0), err
    assert "unclear (in flight)" in err
    code, posts, _, err = builder.run("--reroll", "a-*")
    assert (code, posts) == (0, 8), err
    assert builder.run("--check")[0] == 0


def test_14_images_that_had_arrived_are_finished_for_free(builder, gateway):
    """Killed between the answers and the files, the next build makes the files."""
    (builder.work / "flux-build.toml").write_text(SMALL + "seed = 100\n")
    originals = builder.work / ".flux" / "originals"
    builder.stop(signal.SIGKILL, lambda: originals.is_dir() and len([*originals.iterdir()]) >= 2)
    kept = len([*originals.iterdir()])
    assert len(gateway.posts) <= 8
    code, _, _, err = builder.run()
    assert code in (0, 3), err
    assert len(gateway.posts) == 8
    assert builder.images() >= kept
    finish(builder)


def test_14_images_that_are_paid_for_and_not_here_yet_are_fetched_for_free(
    builder, gateway, release
):
    gateway.answers(image(first=(held(release, status(500)),)))
    builder.stop(signal.SIGKILL, lambda: len(gateway.posts) == len(downloads(gateway)) == 8)
    release.set()
    _, _, plan, _ = builder.run("--plan")
    assert "? a (8 of 8)  paid for, but not saved: flux build or flux recover saves it" in plan
    code, posts, _, err = builder.run()
    assert (code, posts) == (0, 0), err
    assert builder.images() == 8


def downloads(gateway):
    return [one.path for one in gateway.requests if one.path.startswith("/media/")]


def finish(builder):
    """Request what is unclear once more, and check that everything is there then."""
    unclear = [name for name, row in builder.rows().items() if "unclear" in row]
    words = [word for name in unclear for word in ("--reroll", name)]
    code, posts, _, err = builder.run(*words)
    assert (code, posts) == (0, len(unclear)), err
    assert builder.run("--check")[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize("chunk", [*range(OFTEN), *SELDOM])
def test_14_killed_at_any_moment_no_asset_is_requested_twice(builder, gateway, chunk):
    """Many kills: no second POST for an asset, and nothing that was paid for is lost."""
    chance = random.Random(chunk)
    for number in range(KILLS):
        text = SMALL.replace("a cat", f"cat {number}") + f"seed = {100 * number}\n"
        (builder.work / "flux-build.toml").write_text(text)
        moment = 0.2 + chance.random() * 0.7
        with builder.start() as process:
            time.sleep(moment)
            process.kill()
        code, _, _, err = builder.run()
        assert code in (0, 3), err
        sent = [post["prompt"] for post in gateway.posts].count(f"cat {number}")
        unclear = sum("unclear" in row for row in builder.rows().values())
        assert 8 - unclear <= sent <= 8  # some may have been killed just before they were sent
        for name, row in builder.rows().items():
            assert "unclear" in row or (builder.work / f"img/{name}-64.png").exists()
        finish(builder)


def test_16_a_second_build_on_one_machine_is_refused_at_once(builder, gateway, release):
    gateway.answers(held(release))
    with builder.start() as first:
        tick = threading.Event()
        while len(gateway.posts) < 8:
            tick.wait(0.005)
        code, posts, _, err = builder.run()
        assert (code, posts) == (2, 0)
        assert "another build has been running here since 20" in err
        release.set()
        first.communicate(timeout=60)
    assert first.returncode == 0
    assert builder.run("--check")[0] == 0


def test_16_after_an_interrupt_the_lock_is_there_and_the_next_build_makes_the_rest(
    builder, gateway, release
):
    gateway.answers(image(), image(), held(release))
    code, err = builder.stop(
        signal.SIGINT,
        lambda: len(gateway.posts) == 3 and builder.images() == 2,
        "--concurrency",
        "1",
    )
    assert code == 130, err
    assert len(builder.rows()) == 3
    release.set()
    code, posts, _, err = builder.run()
    assert (code, posts) == (3, 5), err
    code, posts, _, err = builder.run("--reroll", "a-3")
    assert (code, posts) == (0, 1), err
    assert builder.run("--check")[0] == 0


def git(folder, *words):
    names = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *names, *words], cwd=folder, capture_output=True, check=False)


def test_17_branches_merge_and_a_conflicted_lock_is_repaired_for_free(builder, work):
    manifest = work / "flux-build.toml"
    manifest.write_text(DOCS)
    git(work, "init", "-q", "-b", "main")

    def change(branch, old, new):
        git(work, "checkout", "-q", "-B", branch, "base")
        manifest.write_text(manifest.read_text().replace(old, new))
        assert builder.run()[0] == 0
        git(work, "add", ".")
        git(work, "commit", "-q", "-m", branch)

    assert builder.run()[0] == 0
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "base")
    git(work, "branch", "base")
    change("one", "a ship leaving", "two ships leaving")
    change("two", "seen from above", "seen from below")
    assert git(work, "merge", "-q", "one").returncode == 0
    assert builder.run("--check")[0] == 0
    change("three", "a ship leaving", "three ships leaving")
    assert git(work, "merge", "-q", "one").returncode == 1
    git(work, "checkout", "-q", "--ours", "flux-build.toml", "docs")
    assert "<<<<<<<" in (work / "flux-build.lock").read_text()
    code, posts, _, err = builder.run("--check")
    assert code == 1, err
    code, posts, _, err = builder.run()
    assert (code, posts) == (0, 0), err
    assert "<<<<<<<" not in (work / "flux-build.lock").read_text()
    assert builder.run("--check")[0] == 0


def test_recover_keeps_originals_and_the_next_build_makes_the_files(
    builder, gateway, release, flux, keyed
):
    gateway.answers(image(), held(release))
    builder.stop(signal.SIGKILL, lambda: len(gateway.posts) == 8 and builder.images() == 1)
    release.set()
    recovered = flux("recover", env=keyed)
    assert "Traceback" not in recovered.err
    assert builder.images() == 1
    code, posts, _, err = builder.run()
    assert (code, posts) in ((0, 0), (3, 0)), err


SIX_WIDTHS = "width = [64, 65, 66, 67, 68, 69]"


@pytest.mark.parametrize("words", [(), ("--offline",)])
def test_a_build_killed_while_it_makes_files_leaves_none_that_look_foreign(builder, words):
    """Files that replace others, new ones, and those of placeholders."""
    manifest = builder.work / "flux-build.toml"
    manifest.write_text(manifest.read_text().replace("n = 8", "n = 4"))
    assert builder.run("--yes", *words)[0] == 0
    for change in (("width = [64]", SIX_WIDTHS), (SIX_WIDTHS, f"{SIX_WIDTHS}\neffort = 'small'")):
        manifest.write_text(manifest.read_text().replace(*change))
        before = {path: path.stat().st_mtime_ns for path in builder.work.glob("img/*.png")}

        def is_under_way(before=before):
            now = {path: path.stat().st_mtime_ns for path in builder.work.glob("img/*.png")}
            return 2 <= len(now.items() - before.items()) <= 20

        builder.stop(signal.SIGKILL, is_under_way, "--yes", *words)
        mark = json.loads((builder.work / ".flux/running").read_text())["mark"]
        foreign = builder.work / "img/.flux-20260101-101502-4f3a1c"
        for path in (foreign, builder.work / f"img/.flux-{mark}", builder.work / f".flux-{mark}"):
            path.write_bytes(b"the beginning of a file")
        _, _, out, _ = builder.run("--plan", *words)
        assert "\n ! " not in out, out
        if not words:
            assert int(re.search(r"(\d+) files to make", out)[1]) < 24, out
        code, sent, _, err = builder.run("--yes", *words)
        assert (code, sent) == (0, 0), err
        assert builder.run("--check")[0] == (1 if words else 0)
    assert builder.images() == 24
    assert [*builder.work.rglob(".flux-*")] == [foreign]  # it may be of a run that goes on
    foreign.unlink()
