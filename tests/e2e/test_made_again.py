"""An image can be made again: seeds that are drawn and recorded, lists of them, and equal bytes."""

import json
import time
from pathlib import Path

import pytest
from fakes.gateway import status
from fakes.images import look

pytestmark = pytest.mark.slow

FULL = {"FLUX_METADATA": "full"}


def seeds_sent(gateway):
    return sorted(post["seed"] for post in gateway.posts)


@pytest.fixture
def made(flux):
    """How `flux show` says that a file was made."""
    return lambda path: flux("show", path, "--json").json["files"][0]["made"]


# --- a seed that nobody named ---------------------------------------------------------------------


def test_a_seed_is_drawn_sent_recorded_and_in_the_name(generate, gateway, made):
    result = generate("a lake", "--json", env=FULL)
    (post,) = gateway.posts
    seed = post["seed"]
    assert 1 <= seed < 2**31
    assert post == {
        "model": "flux1.1-pro-ultra", "prompt": "a lake", "size": "1024x1024", "seed": seed
    }  # fmt: skip
    (file,) = result.json["files"]
    assert (file["path"], file["seed"]) == (f"a-lake-{seed}.jpg", seed)
    assert result.json["resolved"]["seed"] is None
    assert made(file["path"])["seed"] == seed
    (note,) = [note for note in result.json["notes"] if note["parameter"] == "seed"]
    assert (note["used"], note["reason"]) == (seed, "drawn at random; --no-seed sends none")


def test_the_image_is_made_again_by_its_seed_or_by_the_image_itself(generate, gateway):
    generate("a lake", "-s", "16:9", "-o", "first.jpg", env=FULL)
    generate("--like", "first.jpg", "-o", "again.jpg", env=FULL)
    seed = gateway.posts[0]["seed"]
    generate("a lake", "-s", "16:9", "--seed", seed, "-o", "typed.jpg")
    assert gateway.posts[0] == gateway.posts[1] == gateway.posts[2]


def test_each_run_draws_and_counts_up_so_that_one_seed_makes_all_of_them_again(generate, gateway):
    names = generate("a lake", "-n", "3").lines
    first, *_ = sent = seeds_sent(gateway)
    assert sent == [first, first + 1, first + 2]
    assert names == [f"a-lake-{seed}.jpg" for seed in sent]
    generate("a lake")
    assert gateway.posts[-1]["seed"] not in sent


def test_no_seed_sends_none(generate, gateway):
    result = generate("a lake", "--no-seed", "--json")
    assert "seed" not in gateway.posts[0]
    assert result.json["files"][0]["seed"] is None
    assert result.json["files"][0]["path"].startswith("a-lake-")
    assert generate("a lake", "--no-seed", "--seed", "7").code == 2
    assert len(gateway.posts) == 1


def test_minus_one_is_random(generate, gateway):
    for words in (("--seed", "-1"), ("--seed=-1",), ("-p", "seed=-1")):
        assert generate("a lake", *words).code == 0
    assert len(set(seeds_sent(gateway))) == 3
    assert min(seeds_sent(gateway)) > 0


def test_a_model_that_nobody_knows_gets_a_seed_only_if_one_is_named(generate, gateway):
    generate("a lake", "-m", "some-model", "-o", "1.jpg")
    generate("a lake", "-m", "some-model", "-o", "2.jpg", "--seed", "-1")
    generate("a lake", "-m", "some-model", "-o", "3.jpg", "--seed", "7")
    first, second, third = (post.get("seed") for post in gateway.posts)
    assert (first, third) == (None, 7)
    assert second > 0


def test_resolve_and_a_dry_run_show_no_seed_that_the_run_would_not_use(generate, flux, gateway):
    told = generate("a lake", "--dry-run", "-n", "2", "--base-url", gateway.url, "--json").json
    assert [file["path"] for file in told["files"]] == [
        "a-lake-{seed}.{ext}",
        "a-lake-{seed+1}.{ext}",
    ]
    assert [file["seed"] for file in told["files"]] == [None, None]
    assert all("seed" not in sent["body"] for sent in told["sends"])
    lines = flux("resolve", "a lake", "-n", "2").out
    assert "a random seed is drawn for each run; --no-seed sends none" in lines
    assert '"seed"' not in lines
    curl = flux("resolve", "a lake", "-n", "2", "--curl").lines
    first, second = (json.loads(line.split("-d ")[1].strip("'"))["seed"] for line in curl)
    assert second == first + 1


def test_an_image_without_a_seed_says_so(generate, gateway):
    generate("a lake", "--no-seed", "-o", "old.jpg", env=FULL)
    said = "flux: note: like old.jpg: it has no seed, so the result will be another image"
    assert said in generate("--like", "old.jpg", "-o", "new.jpg", env=FULL).err.splitlines()
    assert gateway.posts[-1]["seed"] > 0
    for words in (("--seed", "7"), ("--no-seed",)):
        assert "has no seed" not in generate("--like", "old.jpg", "-o", "x.jpg", *words).err
        Path("x.jpg").unlink()
    assert "has no seed" not in generate("--like", "new.jpg", "-o", "newer.jpg").err


def test_a_drawn_seed_is_in_the_journal(generate, flux, keyed, gateway):
    gateway.answers(status(500))
    assert generate("a lake").code == 1
    seed = gateway.posts[0]["seed"]
    (run,) = flux("runs", "--json", env=keyed).json["runs"]
    assert [entry["seed"] for entry in run["entries"]] == [seed]


# --- lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("--seed", "1,5,9"),
        ("--seed", "1", "--seed", "5", "--seed=9"),
        ("--seed", "1,5", "-p", "n=3", "--seed", "9"),
        ("-p", "seed=1,5,9", "-n", "3"),
    ],
    ids=" ".join,
)
def test_a_list_of_seeds_makes_one_image_for_each(generate, gateway, words):
    result = generate("a lake", *words, "--json")
    assert sorted(gateway.posts, key=lambda body: body["seed"]) == [
        {"model": "flux1.1-pro-ultra", "prompt": "a lake", "size": "1024x1024", "seed": seed}
        for seed in (1, 5, 9)
    ]
    assert [file["path"] for file in result.json["files"]] == [
        "a-lake-1.jpg", "a-lake-5.jpg", "a-lake-9.jpg"
    ]  # fmt: skip
    resolved = result.json["resolved"]
    assert (resolved["seed"], resolved["seeds"], resolved["n"]) == (1, [1, 5, 9], 3)
    assert result.json["request"]["seed"] == "1,5,9"


def test_a_range_and_other_seeds_are_made_in_their_order(generate, gateway):
    result = generate("a lake", "--seed", "7..9,3", "-o", "{seed}.jpg")
    assert result.lines == ["7.jpg", "8.jpg", "9.jpg", "3.jpg"]
    assert seeds_sent(gateway) == [3, 7, 8, 9]


def test_a_list_that_contradicts_n_is_refused_before_anything_is_sent(generate, gateway):
    result = generate("a lake", "--seed", "1,5,9", "-n", "2")
    assert result.code == 2
    assert result.err.splitlines() == [
        "flux: error: 3 seeds are listed, but n is 2",
        "hint: drop -n: there is one image per seed",
    ]
    assert gateway.requests == []


# --- equal bytes ----------------------------------------------------------------------------------


def wait_for_another_second():
    start = int(time.time())
    while int(time.time()) == start:
        time.sleep(0.02)


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "avif"])
def test_the_same_line_offline_gives_the_same_bytes_on_any_day(flux, suffix):
    line = (
        "a lighthouse by the sea",
        "--offline",
        "-s",
        "600x400",
        "--fit",
        "cover",
        "--sidecar",
        "--sheet",
        "-n",
        "2",
    )
    for folder in ("one", "two"):
        wait_for_another_second()  # so that a time in seconds would differ
        Path(folder).mkdir()
        result = flux("generate", *line, "-o", f"{folder}/{{index}}.{suffix}", env=FULL)
        assert result.code == 0
    one, two = contents("one"), contents("two")
    assert one == two
    assert len(one) == 5
    assert "created" not in json.loads(one["1.json"])


def test_a_forgotten_seed_offline_comes_from_the_request_and_resolve_says_it(flux, made):
    told = flux("resolve", "a lake", "--offline", "--json").json["sends"][0]["body"]["seed"]
    flux("generate", "a lake", "--offline", "-o", "lake.png", env=FULL)
    assert made("lake.png")["seed"] == told
    flux("generate", "a lake", "--offline", "--seed", told, "-o", "typed.png", env=FULL)
    assert Path("lake.png").read_bytes() == Path("typed.png").read_bytes()
    other = flux("resolve", "a sea", "--offline", "--json").json["sends"][0]["body"]["seed"]
    assert other != told


def test_a_default_name_offline_is_free_every_time(flux):
    first, second = (flux("generate", "a lake", "--offline", env=FULL) for _ in range(2))
    assert (first.code, second.code) == (0, 0)
    assert first.lines != second.lines
    assert Path(first.lines[0]).read_bytes() == Path(second.lines[0]).read_bytes()
    named = [flux("generate", "a lake", "--offline", "-o", "lake.png") for _ in range(2)]
    assert [result.code for result in named] == [0, 2]
    assert "--overwrite" in named[1].err


EPOCH = "1700000000"  # 2023-11-14, 22:13:20 in UTC


def test_source_date_epoch_is_the_time_in_files_and_names(generate, made):
    for folder in ("one", "two"):
        wait_for_another_second()
        generate(
            "a lake", "--seed", "7", "-o", f"{folder}/{{date}}-{{time}}.png", "--sidecar",
            env=FULL | {"SOURCE_DATE_EPOCH": EPOCH, "TZ": "Asia/Tokyo"},
        )  # fmt: skip
    assert contents("one") == contents("two")
    (image, _) = names = sorted(path.name for path in Path("one").iterdir())[::-1]
    assert names == ["2023-11-14-221320.png", "2023-11-14-221320.json"]
    assert made(f"one/{image}")["created"] == "2023-11-14T22:13:20Z"
    assert json.loads(Path("one", names[1]).read_text())["created"] == "2023-11-14T22:13:20Z"


@pytest.mark.parametrize("value", ["soon", "-1", "1.5", "99999999999999"])
@pytest.mark.parametrize("more", [(), ("--offline",), ("--dry-run",)], ids=" ".join)
def test_a_wrong_source_date_epoch_is_refused_before_anything_is_paid(
    generate, gateway, value, more
):
    result = generate("a lake", *more, env={"SOURCE_DATE_EPOCH": value})
    assert result.code == 2
    assert result.err.splitlines() == [
        f"flux: error: SOURCE_DATE_EPOCH must be a number of seconds since 1970, not '{value}'",
        "hint: set it to what `date +%s` prints, or unset it",
    ]
    assert gateway.requests == []


def test_an_empty_source_date_epoch_is_none(generate, made):
    generate("a lake", "-o", "a.png", env=FULL | {"SOURCE_DATE_EPOCH": ""})
    assert made("a.png")["created"] > "2024"


# --- offline as a stand-in ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "pixels"),
    [
        ((), (2048, 2048)),
        (("-s", "16:9"), (2752, 1536)),
        (("-s", "1920x1080", "--fit", "cover"), (1920, 1080)),
        (("-s", "9:21", "-m", "fal/flux1.1-pro-ultra"), (1344, 3136)),
        (("-m", "flux1.1-pro"), (1024, 1024)),
        (("-m", "some-model", "-s", "640x480"), (640, 480)),
    ],
    ids=str,
)
def test_a_sketch_has_the_pixels_that_the_model_delivers(flux, words, pixels):
    assert flux("generate", "a lake", "--offline", "-o", "lake.jpg", *words).code == 0
    assert look("lake.jpg")[1] == pixels


def test_what_resolve_says_of_a_sketch_is_what_comes(flux):
    told = flux("resolve", "a lake", "-s", "4:3", "--offline", "--json").json["resolved"]
    (file,) = flux("generate", "a lake", "-s", "4:3", "--offline", "-o", "lake.jpg", "--json").json[
        "files"
    ]
    assert file["received_size"] == told["native_size"]


def test_a_sketch_says_that_it_ignores_an_image_prompt(flux):
    flux("generate", "a lake", "--offline", "-o", "lake.png")
    line = ("a sea", "--image-prompt", "lake.png", "--offline")
    said = "image_prompt lake.png is ignored: an offline sketch uses only the prompt"
    assert said in flux("generate", *line, "-o", "sea.png").err
    (note,) = [
        note
        for note in flux("resolve", *line, "--json").json["notes"]
        if note["parameter"] == "image_prompt"
    ]
    assert (note["behavior"], note["warning"], note["used"]) == ("ignored", True, None)


def test_the_example_of_the_help_is_drawn_whole(flux):
    help_ = flux("--help").out
    assert 'flux generate "a lighthouse by the sea"' in help_
    err = flux("generate", "a lighthouse by the sea", "--offline", "-o", "x.jpg").err
    assert "does not show" not in err
