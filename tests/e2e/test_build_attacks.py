"""`flux build` against bad luck and bad repositories: nothing is paid twice, lost, or destroyed."""

import json
import os
import shutil
import signal

import pytest
from fakes.gateway import held, image, status
from fakes.images import pixels_as

from e2e.builder import SMALL, Builder


@pytest.fixture
def builder(command, keyed, gateway, work):
    return Builder(command, keyed, gateway, work)


def prompts(gateway):
    return sorted(post["prompt"] for post in gateway.posts)


def numbered(count):
    """A manifest whose assets have prompts of their own."""
    tables = (f'[assets.a{n}]\nprompt = "cat {n}"\n' for n in range(1, count + 1))
    return SMALL.partition("[assets")[0] + "".join(tables)


def test_a_second_kill_does_not_forget_what_the_first_left_unclear(builder, gateway, release):
    """The first build leaves a1 unclear, the second is killed with a2 under way."""
    (builder.work / "flux-build.toml").write_text(numbered(3))
    for count in (1, 2):
        gateway.answers(held(release))
        code, _ = builder.stop(
            signal.SIGKILL, lambda count=count: len(gateway.posts) == count, "--concurrency", "1"
        )
        assert code == -signal.SIGKILL
    release.set()
    code, posts, _, err = builder.run()
    assert (code, posts) == (3, 1), err
    assert prompts(gateway) == ["cat 1", "cat 2", "cat 3"]


def test_a_refusal_before_a_kill_is_remembered(builder, gateway, release):
    (builder.work / "flux-build.toml").write_text(numbered(2))
    refusal = status(400, code="content_policy_violation", message="refused")
    gateway.answers(refusal, held(release))
    builder.stop(signal.SIGKILL, lambda: len(gateway.posts) == 2, "--concurrency", "1")
    release.set()
    code, posts, _, err = builder.run()
    assert (code, posts) == (3, 0), err
    assert "refused" in builder.rows()["a1"]


def test_two_manifests_of_one_folder_keep_apart_what_a_kill_left(builder, gateway, release):
    """A build of the other manifest must not take over, nor forget, the rows of the first."""
    (builder.work / "flux-build.toml").write_text(numbered(2))
    (builder.work / "b.toml").write_text(numbered(1).replace("a1", "b1").replace("cat 1", "dog"))
    gateway.answers(image(), held(release))
    builder.stop(signal.SIGKILL, lambda: len(gateway.posts) == 2, "--concurrency", "1")
    release.set()
    gateway.answers(image())
    code, posts, _, err = builder.run("b.toml")
    assert (code, posts) == (0, 1), err
    assert [*json.loads((builder.work / "b.lock").read_text())["assets"]] == ["b1"]
    code, posts, _, err = builder.run()
    assert (code, posts) == (3, 0), err
    assert prompts(gateway) == ["cat 1", "cat 2", "dog"]


def test_what_is_unclear_outlasts_a_lock_that_cannot_be_written(builder, gateway, work):
    """The lock becomes a folder while the only request is under way, and its answer is lost."""
    (work / "flux-build.toml").write_text(numbered(1))

    def spoil(_):
        (work / "flux-build.lock").mkdir()
        return ()

    gateway.answers(spoil)
    code, posts, _, err = builder.run("--retries", "0")
    assert code == 1, err
    assert "cannot write flux-build.lock" in err
    (work / "flux-build.lock").rmdir()
    code, again, _, err = builder.run()
    assert (posts, code, again) == (1, 3, 0), err


@pytest.mark.parametrize("place", ["pending", "originals"])
def test_a_linked_folder_of_flux_is_never_emptied(builder, place, tmp_path):
    """A cloned repository could have such links, and clean-up would follow them."""
    far = tmp_path / "far"
    far.mkdir()
    (far / "diary.txt").write_text("mine")
    (builder.work / ".flux").mkdir()
    os.symlink(far, builder.work / ".flux" / place)
    (builder.work / "flux-build.toml").write_text("originals = false\n" + SMALL)
    code, posts, _, err = builder.run()
    assert (code, posts) == (2, 0), err
    assert "is a link" in err
    assert [path.name for path in far.iterdir()] == ["diary.txt"]


def test_a_linked_note_of_flux_is_not_written(builder, tmp_path):
    (tmp_path / "diary.txt").write_text("mine")
    (builder.work / ".flux").mkdir()
    os.symlink(tmp_path / "diary.txt", builder.work / ".flux" / "running")
    code, posts, _, err = builder.run()
    assert (code, posts) == (2, 0), err
    assert (tmp_path / "diary.txt").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_manifest_of_another_user_above_is_not_built(builder, work, monkeypatch):
    """In a shared folder, anybody could let others pay."""
    os.chown(work / "flux-build.toml", 1234, 1234)
    (work / "mine").mkdir()
    monkeypatch.chdir(work / "mine")
    code, posts, _, err = builder.run()
    assert (code, posts) == (2, 0), err
    assert "belongs to another user" in err
    code, posts, _, err = builder.run("../flux-build.toml", "--only", "a-1")
    assert (code, posts) == (0, 1), err


def test_only_originals_are_cleaned_up(builder):
    (builder.work / ".flux" / "originals").mkdir(parents=True)
    (builder.work / ".flux" / "originals" / "notes.txt").write_text("mine")
    assert builder.run()[0] == 0
    builder.run("--prune-originals")
    (builder.work / "flux-build.toml").write_text("originals = false\n" + SMALL)
    assert builder.run()[0] == 0
    left = [path.name for path in (builder.work / ".flux" / "originals").iterdir()]
    assert left == ["notes.txt"]


def test_hidden_prompts_are_nowhere_after_a_kill(builder, gateway, release, home):
    """Neither the state folder, nor the lock, nor the folder beside the manifest has one."""
    (builder.work / "flux-build.toml").write_text("lock_prompts = false\n" + numbered(2))
    builder.env = builder.env | {"FLUX_JOURNAL_PROMPTS": "false"}
    gateway.answers(image(revised_prompt="cat 1, but better"), held(release))
    builder.stop(signal.SIGKILL, lambda: len(gateway.posts) == 2, "--concurrency", "1")
    release.set()
    for _ in range(2):
        places = [*home.rglob("*"), *builder.work.glob("*.lock"), *builder.work.rglob(".flux/*/*")]
        files = [path for path in places if path.is_file() and path.suffix != ".png"]
        assert files
        for path in files:
            assert b"cat " not in path.read_bytes(), path
        builder.run()
    assert builder.rows()["a2"]["unclear"]["code"] == "in flight"


def test_a_pointer_of_git_lfs_is_replaced_like_the_file_it_stands_for(builder, work):
    assert builder.run()[0] == 0
    file = builder.rows()["a-1"]["files"]["img/a-1-64.png"]
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{file['sha256']}\n"
    (work / "img/a-1-64.png").write_text(f"{pointer}size {file['bytes']}\n")
    assert builder.run("--check")[0] == 0
    (work / "flux-build.toml").write_text(SMALL.replace("64", "64]\nno_metadata = true #"))
    code, posts, _, err = builder.run()
    assert (code, posts) == (0, 0), err
    assert (work / "img/a-1-64.png").read_bytes().startswith(b"\x89PNG")


def test_an_original_that_is_a_bomb_or_damaged_is_one_sentence(builder, work):
    assert builder.run()[0] == 0
    shutil.rmtree(work / "img")
    for path in (work / ".flux/originals").iterdir():
        path.write_bytes(b"x" * path.stat().st_size)
    code, posts, _, err = builder.run()
    assert (code, posts) == (1, 0), err
    assert "is damaged: its bytes are not those of the lock" in err


def test_hostile_locks_and_rows_command_no_ci_service(builder, work):
    rows = 'sku,thing\n"a\x1b[31m","::error::x\n##vso[task.complete]"\n'
    (work / "rows.csv").write_text(rows)
    manifest = SMALL.partition("[assets")[0] + (
        '[assets.a]\nrows = "rows.csv"\nname = "{sku}"\nprompt = "{thing}"\n'
    )
    (work / "flux-build.toml").write_text(manifest)
    row = {"request": "0" * 16, "resolved": "0" * 16, "requested": {"prompt": "\n::error::y"}}
    assets = {"\n::error::z": row, "##[error]": row}
    (work / "flux-build.lock").write_text(json.dumps({"schema": 1, "assets": assets}))
    builder.env = builder.env | {"GITHUB_ACTIONS": "true", "TF_BUILD": "True"}
    for words in (["--plan", "-v"], ["--check"], ["--plan", "--json"], [], ["--html"], ["--prune"]):
        _, _, out, err = builder.run(*words)
        assert "\x1b" not in out + err
        assert "##vso" not in out + err
        assert "##[" not in out + err
        assert not [line for line in (out + err).splitlines() if line.lstrip().startswith("::")]


def test_an_adopted_image_that_is_a_bomb_is_refused(builder, work):
    (work / "img").mkdir()
    (work / "img/a-1-64.png").write_bytes(pixels_as("png", 8, 8)[:40] + b"\0" * 100)
    code, posts, _, err = builder.run("--adopt", "a-1", "--only", "a-1")
    assert code in (1, 2), err
    assert posts == 0
    assert "cannot adopt img/a-1-64.png" in err


@pytest.mark.parametrize(
    "names",
    [("x.toml", "x.json"), ("x.toml", "x.toml"), ("x.toml", "./x.toml"), ("x.toml", "y.toml")],
)
def test_two_manifests_with_one_lock_are_refused(builder, work, names):
    """Each would erase the rows of the other."""
    for number, name in enumerate(names):
        table = {"model": "flux1.1-pro-ultra", "prompt": "x", "output": f"{number}.png"}
        text = numbered(1).replace("a1", f"b{number}").replace("img/", f"{number}/")
        if name.endswith("json"):
            text = json.dumps({"assets": {"j": table}})
        (work / name).write_text(text)
    os.symlink("x.lock", work / "y.lock")
    code, posts, _, err = builder.run(*names)
    assert (code, posts) == (2, 0), err
    assert "share the lock" in err or "given twice" in err


def test_two_spellings_of_one_folder_are_one_build(builder, work):
    (work / "e").mkdir()
    (work / "e" / "x.toml").write_text(numbered(1))
    (work / "e" / "y.toml").write_text(numbered(1).replace("a1", "b1"))
    code, posts, _, err = builder.run("e/x.toml", "./e/y.toml")
    assert (code, posts) == (0, 2), err
    assert not [*(work / "e" / ".flux").glob("pending/*")]
    assert (work / "e" / ".flux" / "running").read_text() == ""


def seeded(**prompts):
    """A manifest whose assets have one seed."""
    tables = (f'[assets.{name}]\nprompt = "{text}"\n' for name, text in prompts.items())
    return SMALL.partition("[assets")[0] + "seed = 1\n" + "".join(tables)


def test_a_twin_gets_the_image_that_its_lender_had(builder, gateway, work):
    """The lender itself asks for another image now."""
    manifest = work / "flux-build.toml"
    manifest.write_text(seeded(a="one"))
    assert builder.run()[:2] == (0, 1)
    first = builder.rows()["a"]["original"]
    gateway.answers(image(pixels_as("jpeg", seed=3)))
    manifest.write_text(seeded(a="two", b="one"))
    code, posts, _, err = builder.run()
    assert (code, posts) == (0, 1), err
    assert builder.rows()["b"]["original"] == first
    assert builder.rows()["a"]["original"] != first


def test_a_twin_of_a_request_that_failed_gets_no_older_image(builder, gateway, work):
    manifest = work / "flux-build.toml"
    manifest.write_text(seeded(a="one", b="one"))
    assert builder.run()[:2] == (0, 1)
    gateway.answers(status(400, code="content_policy_violation"))
    manifest.write_text(seeded(a="two", b="two").replace("img/{name}", "new/{name}"))
    _, posts, _, err = builder.run()
    assert posts == 1, err
    assert builder.rows()["b"]["requested"]["prompt"] == "one"
    assert not (work / "new" / "b-64.png").exists()


def test_a_twin_of_an_asset_that_is_renamed_is_made(builder, work):
    manifest = work / "flux-build.toml"
    manifest.write_text(seeded(a="one"))
    assert builder.run()[:2] == (0, 1)
    manifest.write_text(seeded(z="one", c="one"))
    code, posts, _, err = builder.run()
    assert (code, posts) == (0, 0), err
    assert builder.run("--check")[0] == 0


def test_an_image_whose_files_cannot_be_made_is_kept_with_a_sidecar_too(builder, work):
    (work / "flux-build.toml").write_text(numbered(1) + "sidecar = true\nmax_bytes = 20\n")
    _, posts, _, err = builder.run()
    assert posts == 1, err
    assert builder.rows()["a1"]["original"]
    (work / "flux-build.toml").write_text(numbered(1) + "sidecar = true\n")
    code, posts, _, err = builder.run()
    assert (code, posts) == (0, 0), err
    assert builder.run("--check")[0] == 0


def originals(work):
    return {path.name for path in work.glob(".flux/originals/*")}


def test_a_clean_up_keeps_what_a_killed_build_of_another_manifest_has_left(
    builder, gateway, release, work
):
    (work / "b.toml").write_text(numbered(2).replace("a1", "b1").replace("a2", "b2"))
    gateway.answers(image(), held(release))
    builder.stop(signal.SIGKILL, lambda: len(gateway.posts) == 2, "b.toml", "--concurrency", "1")
    release.set()
    left = originals(work)
    assert len(left) == 1
    gateway.answers(image(pixels_as("jpeg", seed=5)))
    (work / "flux-build.toml").write_text("originals = false\n" + numbered(1))
    code, posts, _, err = builder.run("--prune-originals")
    assert (code, posts) == (0, 1), err
    assert originals(work) == left


@pytest.mark.parametrize("text", ['{"schema": 9, "assets": {\n}}\n', '{"schema": 1, "assets": {'])
def test_a_lock_that_cannot_be_read_keeps_all_originals(builder, work, text):
    assert builder.run("--only", "a-1")[0] == 0
    (work / "b.lock").write_text(text)
    (work / "flux-build.toml").write_text("originals = false\n" + SMALL)
    code, _, _, err = builder.run("--only", "a-1")
    assert code != 0
    assert "b.lock" in err
    assert len(originals(work)) == 1


def test_a_note_of_a_cloned_folder_claims_no_other_run(builder, gateway, release, work):
    """The note names a run of another lock: nothing of it is fetched or marked."""
    (work / "far").mkdir()
    (work / "far" / "far.toml").write_text(numbered(1))
    gateway.answers(held(release))
    builder.stop(signal.SIGKILL, lambda: len(gateway.posts) == 1, "far/far.toml")
    release.set()
    note = (work / "far" / ".flux" / "running").read_text().replace("far.lock", "flux-build.lock")
    (work / ".flux").mkdir()
    (work / ".flux" / "running").write_text(note + "the end of an older note")
    (work / "flux-build.toml").write_text(numbered(1))
    code, posts, _, err = builder.run()
    assert (code, posts) == (0, 1), err


def test_the_end_of_an_older_note_hides_no_run(builder, gateway, release, work):
    (work / "flux-build.toml").write_text(numbered(1))
    gateway.answers(held(release))
    builder.stop(signal.SIGKILL, lambda: len(gateway.posts) == 1)
    release.set()
    with (work / ".flux" / "running").open("a") as note:
        note.write('6"}}')
    code, posts, _, err = builder.run()
    assert (code, posts) == (3, 0), err


def test_a_file_that_was_copied_before_it_is_renamed_is_moved(builder, work):
    manifest = work / "flux-build.toml"
    manifest.write_text(numbered(1))
    assert builder.run()[0] == 0
    shutil.copy(work / "img/a1-64.png", work / "img/new-64.png")
    manifest.write_text(numbered(1).replace("a1", "new"))
    code, posts, _, err = builder.run()
    assert (code, posts) == (0, 0), err
    assert not (work / "img/a1-64.png").exists()
    assert builder.run("--check")[0] == 0


def test_a_journal_that_cannot_be_begun_leaves_the_lock_true(builder, tmp_path, work):
    """Files were moved by then: the lock must say so."""
    manifest = work / "flux-build.toml"
    manifest.write_text(numbered(1))
    assert builder.run()[0] == 0
    (tmp_path / "state").write_text("a file")
    builder.env = {**builder.env, "FLUX_STATE": str(tmp_path / "state")}
    manifest.write_text(numbered(2).replace("a1", "new"))
    _, posts, _, err = builder.run()
    assert posts == 0, err
    assert [*builder.rows()] == ["new"]


def test_an_adopted_placeholder_stays_one(builder, work):
    """Whoever accepts it: it is a sketch, and not the image, even without metadata."""
    manifest = work / "flux-build.toml"
    manifest.write_text(
        manifest.read_text().replace("[assets.a]", "no_metadata = true\n[assets.a]")
    )
    assert builder.run("--offline")[0] == 0
    assert builder.run("--adopt", "*")[:2] == (0, 0)
    assert builder.run("--check")[0] == 1
    assert builder.run("--yes")[:2] == (0, 8)


def test_a_pipe_in_place_of_an_output_stays_and_nobody_waits_for_it(builder, work):
    (work / "flux-build.toml").write_text(numbered(1))
    assert builder.run("--yes")[0] == 0
    (output,) = work.glob("img/*.png")
    output.unlink()
    os.mkfifo(output)
    for words, code in (("--plan",), 0), (("--check",), 1), (("--yes",), 3), (("--adopt", "a1"), 1):
        found, posts, out, err = builder.run(*words)
        assert (found, posts) == (code, 0), out + err
    assert output.is_fifo()
