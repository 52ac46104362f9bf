"""`flux build FILE.jsonl` with a shared store, and with outputs at an address."""

import json
import shutil
import signal
from pathlib import Path

import pytest
from fakes.gateway import held, image, status

from e2e.builder import Builder

COUNT = 6


def lines(count=COUNT):
    rows = [{"name": f"a{seed}", "prompt": f"a fox {seed}", "seed": seed} for seed in range(count)]
    return "\n".join(map(json.dumps, rows)) + "\n"


class Machine(Builder):
    """A machine with a folder, a ledger, and a state folder of its own."""

    def __init__(self, name, command, env, gateway, work, *words):
        folder = work / name
        folder.mkdir()
        env = env | {"FLUX_STATE": str(work / f"state-{name}"), "HOME": str(folder)}
        env |= {"XDG_CACHE_HOME": str(folder / "cache")}
        super().__init__(command, env, gateway, folder)
        self.folder = folder
        (folder / "flux-build.toml").unlink()
        self.write(lines())
        self.line += ["a.jsonl", "-m", "flux1.1-pro-ultra", "--width", "64", "--ledger", "ledger"]
        self.line += words

    def write(self, text):
        (self.work / "a.jsonl").write_text(text)

    def rows(self):
        found = {}
        for part in sorted((self.work / "ledger").glob("*.jsonl")):
            for line in part.read_text().splitlines():
                found |= json.loads(line).get("assets", {})
        return found

    def forget_disk(self):
        """What a new machine does not have."""
        for name in ("ledger", ".flux", "cache", "img"):
            shutil.rmtree(self.work / name, ignore_errors=True)
        shutil.rmtree(self.env["FLUX_STATE"], ignore_errors=True)


@pytest.fixture
def machine(command, keyed, gateway, work):
    """Makes machines that share a store, and write below their own folders."""

    def make(name, *words):
        words = words or ("-o", "img/{name}.png")
        env = keyed | {"FLUX_STORE": f"file://{work / 'store'}"}
        return Machine(name, command, env, gateway, work, *words)

    return make


@pytest.fixture
def distant(command, keyed, gateway, work):
    """Makes machines that write into one bucket, and share no store."""
    words = ("-o", f"file://{work}/bucket/img/{{name}}.png")
    return lambda name: Machine(name, command, keyed, gateway, work, *words)


@pytest.fixture
def bucket(work):
    """The files of the bucket by path."""
    root = work / "bucket"
    return lambda: {
        path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()
    }


def test_what_one_machine_has_paid_for_is_free_for_another(machine):
    one, other = machine("one"), machine("other")
    assert one.run()[:2] == (0, COUNT)
    code, posts, _, err = other.run()
    assert (code, posts, other.images()) == (0, 0, COUNT), err
    assert other.rows() == one.rows()
    assert other.run("--check")[0] == 0


def test_a_new_disk_gets_the_ledger_from_the_store(machine, work):
    one = machine("one")
    assert one.run("--shard", "1/2")[0] == one.run("--shard", "2/2")[0] == 0
    known = one.rows()
    one.forget_disk()
    code, posts, _, err = one.run("--shard", "2/2")
    assert (code, posts) == (0, 0), err
    assert one.rows() == known  # with those of the other shard
    shutil.rmtree(work / "store" / "claims")  # the rows alone say what was paid for
    one.forget_disk()
    code, posts, _, err = one.run()
    assert (code, posts, one.images()) == (0, 0, COUNT), err
    assert not [path for path in (one.work / "ledger").iterdir() if path.name.startswith(".")]


def test_a_damaged_segment_is_an_error_and_nothing_is_sent(machine, work):
    one = machine("one")
    one.run()
    (segment,) = (work / "store" / "ledger" / "1-of-1").iterdir()
    rows = segment.read_bytes()
    zeros = b"\0" * 9 + b"\n"
    for data in (rows[:-1], b"", rows.replace(b"\n", b"\r\n"), b"<html>\n", zeros):
        segment.write_bytes(data)
        one.forget_disk()
        code, posts, _, err = one.run()
        assert (code, posts) == (1, 0)
        assert f"{segment.name} in the store is damaged" in err
        assert not [*(one.work / "ledger").iterdir()]  # the damage is not on this disk
    segment.unlink()
    code, posts, _, err = one.run()
    assert (code, posts, one.images()) == (0, 0, COUNT), err


def test_a_killed_machine_leaves_unclear_requests_and_nobody_repeats_them(
    machine, gateway, release
):
    one, other = machine("one"), machine("other")
    gateway.answers(held(release))
    one.stop(signal.SIGKILL, lambda: len(gateway.posts) == COUNT)
    release.set()
    gateway.answers(image())
    code, posts, _, err = other.run()
    assert (code, posts) == (3, 0), err
    assert {row["unclear"]["code"] for row in other.rows().values()} == {"claimed by another run"}
    for each in (one, other, one):
        code, posts, _, err = each.run()
        assert (code, posts) == (3, 0), err
    assert one.run("--reroll", "a*")[:2] == (0, COUNT)
    code, posts, _, err = other.run()  # what is unclear is looked for again
    assert (code, posts, other.images()) == (0, 0, COUNT), err


def test_what_a_killed_machine_had_received_is_stored_by_its_next_build(machine, work):
    one, other = machine("one"), machine("other")
    (work / "store").mkdir()
    (work / "store" / "originals").write_text("in the way")
    one.stop(signal.SIGKILL, lambda: one.images() == COUNT)
    (work / "store" / "originals").unlink()
    code, posts, _, err = one.run()
    assert (code, posts) == (0, 0), err
    code, posts, _, err = other.run()
    assert (code, posts, other.images()) == (0, 0, COUNT), err


def test_what_could_not_be_stored_is_stored_by_the_next_build(machine, work):
    one, other = machine("one"), machine("other")
    (work / "store").mkdir()
    (work / "store" / "originals").write_text("in the way")
    code, posts, _, err = one.run()
    assert (code, posts, one.images()) == (1, COUNT, COUNT), err
    assert other.run()[1] == 0
    code, posts, _, err = one.run()  # and it is not forgotten
    assert (code, posts) == (1, 0), err
    (work / "store" / "originals").unlink()
    assert one.run()[:2] == (0, 0)
    code, posts, _, err = other.run()
    assert (code, posts, other.images()) == (0, 0, COUNT), err


def test_a_ledger_that_cannot_be_stored_is_on_this_disk(machine, work):
    one = machine("one")
    (work / "store").mkdir()
    (work / "store" / "ledger").write_text("in the way")
    code, posts, _, err = one.run()
    assert (code, posts) == (0, COUNT)
    assert "warning: cannot write ledger/1-of-1/" in err
    assert "the ledger on this disk has it" in err
    one.forget_disk()  # the claims have it, too
    code, posts, _, err = one.run()
    assert (code, posts, one.images()) == (0, 0, COUNT), err


def test_refusals_of_another_machine_are_not_sent_again(machine, gateway):
    one, other = machine("one"), machine("other")
    gateway.answers(status(400, "moderation_blocked"))
    assert one.run()[1] == COUNT
    code, posts, _, err = other.run()
    assert posts == 0, err
    assert code == 3
    assert "refused before" in err


def test_images_are_written_at_an_address(distant, bucket):
    one = distant("one")
    code, posts, out, err = one.run()
    assert (code, posts) == (0, COUNT), err
    assert sorted(bucket()) == [f"img/a{number}-64.png" for number in range(COUNT)]
    addresses = sorted(out.split())
    assert [address.rpartition("/bucket/")[2] for address in addresses] == sorted(bucket())
    assert all(address.startswith("file:///") for address in addresses)
    assert set(one.rows()["a0"]["files"]) == {addresses[0]}
    assert not (one.work / "img").exists()
    assert one.run()[:3] == (0, 0, "")
    assert one.run("--check")[0] == 0
    code, posts, out, _ = one.run("--width", "32")
    assert (code, posts, len(out.split())) == (0, 0, COUNT)
    assert len(bucket()) == 2 * COUNT


def test_a_plan_opens_no_store(distant, bucket):
    one = distant("one")
    assert one.run("--plan")[0] == 0
    assert one.run("--check")[0] == 1
    assert bucket() == {}


def test_files_of_other_people_are_not_replaced(distant, work):
    one = distant("one")
    place = work / "bucket" / "img" / "a3-64.png"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"mine")
    code, posts, _, err = one.run("--concurrency", "1")  # no other image is held back
    assert (code, posts, place.read_bytes()) == (3, COUNT, b"mine"), err
    assert "a3-64.png is not what a build has written: it stays as it is" in err
    assert one.run()[1] == 0
    code, posts, out, err = one.run("--overwrite", "--only", "a3")
    assert (code, posts, len(out.split())) == (0, 0, 1), err
    assert place.read_bytes() != b"mine"


def test_overwrite_writes_what_was_deleted_or_edited_there(distant, bucket):
    one = distant("one")
    one.run()
    before = {name: path.read_bytes() for name, path in bucket().items()}
    bucket()["img/a1-64.png"].write_bytes(b"edited")
    bucket()["img/a2-64.png"].unlink()
    assert one.run()[:3] == (0, 0, "")  # the ledger is trusted
    code, posts, out, err = one.run("--overwrite")
    assert (code, posts, len(out.split())) == (0, 0, COUNT), err
    assert {name: path.read_bytes() for name, path in bucket().items()} == before


def test_a_new_image_replaces_what_a_build_has_written_and_nothing_else(distant, bucket):
    one = distant("one")
    one.run()
    before = {name: path.read_bytes() for name, path in bucket().items()}
    bucket()["img/a1-64.png"].write_bytes(b"edited")
    one.write(lines().replace("fox 0", "cat 0").replace("fox 1", "cat 1"))
    code, posts, _, err = one.run()
    assert (code, posts) == (3, 2), err
    after = {name: path.read_bytes() for name, path in bucket().items()}
    changed = {name for name in before if after[name] != before[name]}
    assert changed <= {"img/a0-64.png", "img/a1-64.png"}
    assert after["img/a1-64.png"] == b"edited"
    assert one.run()[1] == 0


def test_what_a_killed_build_had_written_is_known_again(distant, gateway, bucket, release):
    def slow(request):
        return (
            image()(request) if request.json["seed"] % 2 else release.wait(30) and image()(request)
        )

    one = distant("one")
    gateway.answers(slow)
    one.stop(signal.SIGKILL, lambda: len(gateway.posts) == COUNT and len(bucket()) == 3)
    release.set()
    gateway.answers(image())
    code, posts, _, err = one.run()
    assert (code, posts, len(bucket())) == (3, 0, 3), err
    assert one.run("--reroll", "a[024]")[:2] == (0, 3)
    one.write(lines().replace("fox 1", "cat 1"))  # its file is known as ours
    code, posts, _, err = one.run()
    assert (code, posts) == (0, 1), err


def test_nothing_is_paid_for_if_the_address_cannot_be_written(distant, work):
    one = distant("one")
    (work / "bucket").mkdir()
    (work / "bucket" / "a0").write_text("in the way")
    code, posts, _, err = one.run("-o", f"file://{work}/bucket/{{name}}/x.png")
    assert (code, posts) == (1, 0)
    assert "error: cannot write a0/.flux-check" in err
    (work / "bucket" / "img").write_text("in the way")
    code, posts, _, err = one.run()
    assert (code, posts) == (2, 0)
    assert "-o cannot be opened" in err


def test_a_bucket_that_fails_later_costs_nothing_twice(distant, gateway, work):
    one = distant("one")

    def blocks(request):
        folder = work / "bucket" / "img"
        if folder.is_dir():
            shutil.rmtree(folder)
            folder.write_text("in the way")
        return image()(request)

    gateway.answers(blocks)
    code, posts, _, err = one.run("--concurrency", "1")
    assert (code, posts) == (1, 1), err  # the others would fail, too
    assert "its original is kept: fix this, and build again for free" in err
    (work / "bucket" / "img").unlink()
    gateway.answers(image())
    code, posts, out, err = one.run()
    assert (code, posts, len(out.split())) == (0, COUNT - 1, COUNT), err


def test_another_place_makes_files_anew_and_leaves_the_old_ones(distant, bucket, work):
    one = distant("one")
    one.run()
    code, posts, out, err = one.run("-o", "img/{name}.png")
    assert (code, posts, one.images()) == (0, 0, COUNT), err
    assert len(bucket()) == COUNT
    shutil.rmtree(work / "bucket")
    code, posts, out, err = one.run("-o", f"file://{work}/bucket/{{name}}.png")
    assert (code, posts, len(out.split()), one.images()) == (0, 0, COUNT, COUNT), err


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("memory://x/{name}.png", "keeps nothing"),
        ("s3://bucket", "names no files in a bucket"),
        ("s3://{name}/x.png", "names no files in a bucket"),
        ("ftp://host/{name}.png", "is not the address of a store"),
        ("s3://me:canary-secret@bucket/{name}.png", "must not contain credentials"),
        ("s3://bucket/../{name}.png", "leaves the folder"),
        ("s3://bucket/img/", "is a folder"),
    ],
)
def test_addresses_that_cannot_be_meant_are_refused(distant, output, message):
    code, posts, _, err = distant("one").run("-o", output)
    assert (code, posts) == (2, 0)
    assert message in err
    assert "canary-secret" not in err


def test_only_the_command_line_names_a_bucket(distant):
    one = distant("one")
    one.write('{"name": "x", "prompt": "y", "output": "s3://other/{name}.png"}\n')
    code, posts, _, err = one.run()
    assert (code, posts) == (2, 0)
    assert "is an address, and a manifest has only paths" in err


def test_an_output_of_a_line_is_in_the_same_bucket(distant, bucket):
    one = distant("one")
    one.write('{"name": "x", "prompt": "y", "output": "special/{name}.webp"}\n')
    assert one.run()[:2] == (0, 1)
    assert [Path(name).name for name in bucket()] == ["x-64.webp"]


def test_files_in_the_way_are_told_without_options_that_lines_do_not_take(machine):
    one = machine("one")
    (one.work / "img").mkdir()
    (one.work / "img" / "a1-64.png").write_bytes(b"mine")
    out = one.run("--plan")[2]
    assert "! a1  in the way: img/a1-64.png (--overwrite replaces it)" in out


def test_doubled_slashes_of_an_address_count_as_one(distant, work):
    one = distant("one")
    assert one.run("-o", f"file://{work}//bucket//img/{{name}}.png")[:2] == (0, COUNT)
    assert one.run()[:3] == (0, 0, "")
    code, _, _, err = one.run("--plan", "-o", "s3://bucket//img/{name}.png")
    assert code == 0, err
