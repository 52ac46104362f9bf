"""`flux build --store`: several machines, one store, and a server that counts requests.

A machine is a clone: a folder of its own, with a state folder of its own.
"""

import json
import shutil
import signal

import pytest
from fakes.gateway import held, image, status
from sample_images import encoded

from e2e.builder import Builder

MANIFEST = """
[defaults]
model = "flux1.1-pro-ultra"
size = "1:1"
width = [64]
output = "img/{name}.png"
[assets.a]
n = 4
seed = 5
prompt = "a cat"
"""


class Clone(Builder):
    """One machine."""

    def __init__(self, name, command, env, gateway, work):
        folder = work / name
        folder.mkdir()
        state = str(work / f"state-{name}")
        env = env | {"FLUX_STORE": f"file://{work / 'store'}", "FLUX_STATE": state}
        super().__init__(command, env, gateway, folder)
        self.folder = folder
        self.write(MANIFEST)

    def write(self, text):
        (self.work / "flux-build.toml").write_text(text)


@pytest.fixture
def clone(command, keyed, gateway, work):
    return lambda name: Clone(name, command, keyed, gateway, work)


@pytest.fixture
def stored(work):
    """The objects of the store, by path."""

    def read(prefix=""):
        root = work / "store"
        files = [path for path in root.rglob("*") if path.is_file()]
        paths = {path.relative_to(root).as_posix(): path for path in files}
        return {name: path for name, path in paths.items() if name.startswith(prefix)}

    return read


def test_what_one_machine_has_paid_for_is_free_for_another(clone, stored):
    one, other = clone("one"), clone("other")
    assert one.run()[:2] == (0, 4)
    assert len(stored("originals/")) == len(stored("claims/")) == 4
    code, posts, _, err = other.run()
    assert (code, posts) == (0, 0), err
    assert "failed" not in err
    assert other.images() == 4
    assert other.rows() == one.rows()
    assert other.run("--check")[0] == 0
    for name in ("img/a-1-64.png", "flux-build.lock"):
        assert (other.work / name).read_bytes() == (one.work / name).read_bytes()


def test_a_new_width_needs_no_original_on_this_machine(clone):
    one, other = clone("one"), clone("other")
    one.run()
    shutil.copytree(one.work, other.work, dirs_exist_ok=True)
    shutil.rmtree(other.work / ".flux")
    assert other.run()[:2] == (0, 0)
    assert not (other.work / ".flux" / "originals").exists()  # nothing was to be made
    other.write(MANIFEST.replace("[64]", "[64, 32]"))
    code, posts, _, err = other.run()
    assert (code, posts, other.images()) == (0, 0, 8), err


def test_a_reference_that_only_the_store_has_is_fetched_and_sent(clone):
    text = MANIFEST.replace("flux1.1-pro-ultra", "flux.2-pro").replace("n = 4\n", "")
    one, other = clone("one"), clone("other")
    for machine in (one, other):
        machine.write(text + '[assets.b]\nprompt = "a dog"\nimage = "asset:a"\n')
    assert one.run("--only", "a")[:2] == (0, 1)
    shutil.copytree(one.work, other.work, dirs_exist_ok=True)
    shutil.rmtree(other.work / ".flux")
    code, posts, _, err = other.run()
    assert (code, posts) == (0, 1), err


def test_a_reference_that_turns_out_unchanged_is_fetched_for_what_needs_it(clone, gateway):
    text = MANIFEST.replace("flux1.1-pro-ultra", "flux.2-pro").replace("n = 4\nseed = 5\n", "")
    text += '[assets.b]\nprompt = "a dog"\nimage = "asset:a"\n'
    text += '[assets.c]\nprompt = "a fox"\nimage = "asset:b"\n'
    images = [image(data=encoded("png", size=(side, side))) for side in (64, 72, 80, 88)]
    gateway.answers(*images[:3])
    one = clone("one")
    one.write(text)
    code, posts, _, err = one.run()
    assert (code, posts) == (0, 3), err
    shutil.rmtree(one.work / ".flux")
    one.write(text.replace("a fox", "an owl"))
    gateway.answers(images[0], images[3])
    code, posts, _, err = one.run("--reroll", "a")  # the same image comes, so b stays
    assert (code, posts) == (0, 2), err


def test_an_original_with_other_bytes_is_not_used_and_not_paid_for_again(clone, stored):
    one, other = clone("one"), clone("other")
    one.run()
    damaged = list(stored("originals/").values())
    for path in damaged:
        path.write_bytes(bytes(path.stat().st_size))
    damaged[0].write_bytes(b"cut short")
    damaged[1].unlink()
    code, posts, _, err = other.run()
    assert (code, posts, other.images()) == (1, 0, 0), err
    assert err.count("is damaged: its bytes are others") == 3
    assert err.count("the store does not have originals/") == 1
    assert other.run()[1] == 0
    shutil.copytree(one.work, other.work, dirs_exist_ok=True)
    shutil.rmtree(other.work / ".flux")
    other.write(MANIFEST.replace("[64]", "[64, 32]"))
    code, posts, _, err = other.run()
    assert (code, posts) == (3, 2), err  # those with another size are lost, as the plan says
    assert err.count("is damaged: its bytes are others") == 2


def test_two_machines_at_once_pay_once_for_each_image(clone, gateway):
    one, other = clone("one"), clone("other")
    with one.start() as first, other.start() as second:
        ends = [process.communicate(timeout=60) for process in (first, second)]
    assert len(gateway.posts) == 4, ends
    assert len({post["seed"] for post in gateway.posts}) == 4
    for machine in (one, other):
        code, posts, _, err = machine.run()
        assert (code, posts, machine.images()) == (0, 0, 4), err


def test_a_killed_machine_leaves_unclear_requests_and_nobody_repeats_them(clone, gateway, release):
    one, other = clone("one"), clone("other")
    gateway.answers(held(release))
    one.stop(signal.SIGKILL, lambda: len(gateway.posts) == 4)
    release.set()
    code, posts, _, err = other.run()
    assert (code, posts) == (3, 0), err
    assert "claimed its request (number 1)" in err
    troubles = [row["unclear"] for row in other.rows().values()]
    assert {one["code"] for one in troubles} == {"claimed by another run"}
    assert sorted(one["number"] for one in troubles) == [1, 2, 3, 4]
    for machine in (one, other):
        code, posts, _, err = machine.run()
        assert (code, posts) == (3, 0), err
    code, posts, _, err = other.run("--reroll", "a-*")
    assert (code, posts) == (0, 4), err
    code, posts, _, err = one.run()  # what the other paid for is free here, too
    assert (code, posts, one.images()) == (0, 0, 4), err


def test_what_a_killed_machine_had_not_sent_is_sent_by_its_next_build(clone, gateway, release):
    one = clone("one")
    gateway.answers(held(release))
    one.stop(signal.SIGKILL, lambda: len(gateway.posts) == 1, "--concurrency", "1")
    release.set()
    gateway.answers(image())
    code, posts, _, err = one.run()
    assert (code, posts) == (3, 3), err
    assert one.images() == 3


def test_a_request_without_effect_frees_its_claim_and_a_refusal_is_shared(clone, gateway, stored):
    one, other = clone("one"), clone("other")
    gateway.answers(status(402))
    code, posts, _, _ = one.run("--concurrency", "1")
    assert (code, posts, len(stored("claims/"))) == (4, 1, 0)
    gateway.answers(status(400, "moderation_blocked"))
    _, posts, _, _ = one.run()
    assert (posts, len(stored("claims/"))) == (4, 4)
    _, posts, _, err = other.run()
    assert posts == 0, err
    assert "another machine was refused it" in err
    assert other.run()[1] == 0


def test_nothing_is_sent_if_the_store_cannot_take_the_claim(clone, work):
    one = clone("one")
    (work / "store").mkdir()
    (work / "store" / "claims").write_text("in the way")
    code, posts, _, err = one.run()
    assert (code, posts) == (1, 0)
    assert "cannot write claims/" in err
    (work / "store" / "claims").unlink()
    assert one.run()[:2] == (0, 4)


def test_what_could_not_be_stored_is_stored_by_the_next_build(clone, work):
    one, other = clone("one"), clone("other")
    (work / "store").mkdir()
    (work / "store" / "originals").write_text("in the way")
    code, posts, _, err = one.run()
    assert (code, posts, one.images()) == (1, 4, 4), err
    assert "cannot write originals/" in err
    assert other.run()[1] == 0
    (work / "store" / "originals").unlink()
    assert one.run()[:2] == (0, 0)
    code, posts, _, err = other.run()
    assert (code, posts, other.images()) == (0, 0, 4), err


def test_a_claim_that_cannot_be_read_is_that_of_an_unknown_run(clone, stored):
    one, other = clone("one"), clone("other")
    one.run()
    texts = [b"\xff\0garbage", b"[" * 100_000, b" " * (2 << 20), b'{"run": "../x", "number": 1}']
    for text, path in zip(texts, stored("claims/").values(), strict=True):
        path.write_bytes(text)
    code, posts, _, err = other.run()
    assert (code, posts) == (3, 0), err
    assert err.count("run unknown claimed its request") == 3
    assert "run ../x claimed its request" in err
    assert other.run()[:2] == (3, 0)


def test_plan_and_check_never_contact_the_store(clone, work):
    one = clone("one")
    assert one.run("--plan")[0] == 0
    assert one.run("--check")[0] == 1
    assert not (work / "store").exists()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("s3://me:canary-secret@bucket", "credentials"),
        ("s3://bucket/?key=canary-secret", "credentials"),
        ("https://example.com", "not the address"),
        ("file://relative", "whole path"),
        ("s3://", "no bucket"),
        ("", "not the address"),
    ],
)
def test_an_address_that_is_wrong_or_has_a_secret_is_refused(clone, address, words):
    code, posts, out, err = clone("one").run("--store", address)
    assert (code, posts) == (2, 0)
    assert words in err
    assert "canary-secret" not in out + err


def test_no_manifest_names_a_store(clone):
    one = clone("one")
    one.write('store = "file:///tmp"\n' + MANIFEST)
    assert one.run()[:2] == (2, 0)
    one.write("originals = false\n" + MANIFEST)
    code, posts, _, err = one.run()
    assert (code, posts) == (2, 0)
    assert "originals = false contradict" in err


def test_claims_have_no_prompt_that_the_lock_does_not_show(clone, stored):
    one = clone("one")
    one.write("lock_prompts = false\n" + MANIFEST)
    one.run()
    for path in stored("claims/").values():
        assert "a cat" not in path.read_text()
        assert json.loads(path.read_text())["schema"] == 1
