"""Where images go: names, folders, templates, files that are there already, and standard output."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.gateway import image
from fakes.images import look, pixels_as
from fakes.messages import reply

pytestmark = pytest.mark.slow

JPEG = pixels_as("jpeg")


def taken(path: str, content: bytes = b"mine") -> Path:
    """A file that is there already."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


NAMES = {
    "slug and seed": (("--seed", "7"), "a-red-fox-7.jpg"),
    "a file": (("-o", "hero.jpg"), "hero.jpg"),
    "another spelling of the suffix": (("-o", "hero.JPEG"), "hero.JPEG"),
    "a name without suffix": (("-o", "hero"), "hero.jpg"),
    "a name with a dot that is no suffix": (("-o", "hero.v2"), "hero.v2.jpg"),
    "a file in a new folder": (("-o", "a/b/hero.jpg"), "a/b/hero.jpg"),
    "a new folder": (("-o", "out/", "--seed", "7"), "out/a-red-fox-7.jpg"),
    "the current folder": (("-o", ".", "--seed", "7"), "./a-red-fox-7.jpg"),
    "a folder and a format": (("-o", "out/", "--seed", "7", "-f", "webp"), "out/a-red-fox-7.webp"),
    "a template": (
        ("-o", "{model}/{ratio}-{seed}-{index}.{ext}", "--seed", "7"),
        "flux1.1-pro-ultra/1x1-7-1.jpg",
    ),
    "pixels in a template": (("-o", "{width}x{height}", "-a", "16:9"), "1365x768.jpg"),
    "leading zeros": (("-o", "{index:03}.png"), "001.png"),
    "the prompt in a template": (("-o", "{prompt}.jpg"), "A red fox!.jpg"),
    "braces that belong to the name": (("-o", "{{x}}.jpg"), "{x}.jpg"),
    "blanks and quotes": (("-o", "my 'best' \"fox\".jpg"), "my 'best' \"fox\".jpg"),
    "a name like an option": (("-o", "-fox.jpg"), "-fox.jpg"),
    "from the environment": ((), "env.jpg"),
}


@pytest.mark.parametrize(("options", "path"), NAMES.values(), ids=NAMES)
def test_the_file_has_this_name_and_stdout_says_so(generate, options, path):
    env = {"FLUX_OUTPUT": "env.jpg"} if path == "env.jpg" else {}
    result = generate("A red fox!", *options, env=env)
    assert (result.code, result.lines) == (0, [path])
    assert [found for found in Path().rglob("*") if found.is_file()] == [Path(path)]


def test_an_absolute_path_and_a_home_folder_of_a_variable(generate, home, tmp_path):
    assert generate("a fox", "-o", tmp_path / "fox.jpg").lines == [str(tmp_path / "fox.jpg")]
    assert generate("a fox", env={"FLUX_OUTPUT": "~/fox.jpg"}).lines == [str(home / "fox.jpg")]


def test_date_time_and_id_make_every_name_its_own(generate):
    result = generate("a fox", "-n", "2", "-o", "{date}-{time}-{id}")
    assert result.code == 0
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d-\d{6}-[0-9a-f]+\.jpg", path) for path in result.lines)


def test_one_name_for_several_images_gets_numbers(generate):
    result = generate("a fox", "-n", "3", "-o", "fox.png")
    assert (result.code, result.lines) == (0, ["fox-1.png", "fox-2.png", "fox-3.png"])


def test_an_existing_folder_needs_no_slash(generate):
    Path("out").mkdir()
    assert generate("a fox", "-o", "out", "--seed", "7").lines == ["out/a-fox-7.jpg"]


PROMPTS = {
    "japanese": ("雪の中の赤い狐", "雪の中の赤い狐-7.jpg"),
    "accents": ("Le Café d'Été", "le-café-dété-7.jpg"),
    "emoji": ("a fox 🦊 in the snow", "a-fox-in-the-snow-7.jpg"),
    "nothing but emoji": ("🦊🦊", "image-7.jpg"),
    "quotes": ("""say "it's" `so`""", "say-its-so-7.jpg"),
    "lines": ("a fox\nin the\tsnow", "a-fox-in-the-snow-7.jpg"),
    "a path": ("../../etc/passwd", "etc-passwd-7.jpg"),
    "shell words": ("$(rm -rf ~); `ls` | cat > x & *", "rm-rf-ls-cat-x-7.jpg"),
    "a device of Windows": ("CON", "con-image-7.jpg"),
}


@pytest.mark.parametrize(("prompt", "path"), PROMPTS.values(), ids=PROMPTS)
def test_any_prompt_reaches_the_wire_whole_and_gives_a_safe_name(generate, gateway, prompt, path):
    result = generate(prompt, "--seed", "7")
    assert (result.code, result.lines) == (0, [path])
    assert gateway.posts[0]["prompt"] == prompt
    assert Path(path).exists()


@pytest.mark.parametrize("prompt", ["fox " * 3000, "狐" * 5000])
def test_a_very_long_prompt_is_sent_whole_and_its_name_fits_every_file_system(
    generate, gateway, prompt
):
    result = generate(prompt, "--seed", "7")
    assert result.code == 0
    assert gateway.posts[0]["prompt"] == prompt
    assert len(result.lines[0].encode()) <= 143


def test_a_path_of_other_bytes_than_utf8_is_written_and_printed_as_it_is(keyed, command):
    done = subprocess.run(
        [command, "generate", "a fox", "-o", b"caf\xe9.jpg"],
        env=keyed,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"caf\xe9.jpg\n")
    assert [os.fsencode(path) for path in Path().iterdir()] == [b"caf\xe9.jpg"]


REFUSED = {
    "existing file": (("-o", "taken.jpg"), "taken.jpg already exists"),
    "existing file of a name without suffix": (("-o", "taken"), "taken.jpg already exists"),
    "one of several": (("-o", "{seed}.jpg", "--seed", "7", "-n", "3"), "8.jpg already exists"),
    "a folder that cannot be made": (("-o", "taken.jpg/x.png"), "taken.jpg"),
    "a folder under a file": (("-o", "taken.jpg/"), "taken.jpg"),
    "suffix against format": (("-o", "x.png", "-f", "webp"), "contradict"),
    "suffix of a foreign format": (("-o", "x.qoi"), "qoi"),
    "unknown format": (("-f", "xyz"), "xyz"),
    "unknown field": (("-o", "{sed}.png"), "did you mean seed?"),
    "unbalanced braces": (("-o", "{seed.png"), "brace"),
    "a name of 300 bytes": (("-o", "x" * 300 + ".png"), "255"),
    "a prompt as name that is too long": (("-o", "{prompt}" * 6 + ".png"), "255"),
    "stdout for two images": (("-o", "-", "-n", "2"), "one image"),
    "stdout for image and json": (("-o", "-", "--json"), "standard output"),
    "a device": (("-o", "/dev/null"), "/dev/null"),
    "a folder named with dots of the prompt": (
        ("-o", "taken.jpg/../taken.jpg/{prompt}"),
        "taken.jpg",
    ),
}


@pytest.mark.parametrize(("options", "said"), REFUSED.values(), ids=REFUSED)
def test_where_an_image_cannot_go_nothing_is_sent(generate, gateway, options, said):
    taken("taken.jpg")
    taken("8.jpg")
    result = generate("a fox " * 30, *options)
    assert (result.code, gateway.requests) == (2, [])
    assert said in result.err
    assert Path("taken.jpg").read_bytes() == b"mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_found_before_anything_is_paid(generate, gateway):
    Path("locked").mkdir(mode=0o555)
    result = generate("a fox", "-o", "locked/fox.jpg")
    assert (result.code, gateway.requests) == (2, [])
    assert "locked" in result.err


def test_an_existing_folder_with_an_images_suffix_is_a_folder(generate):
    Path("folder.png").mkdir()
    assert generate("a fox", "-o", "folder.png", "--seed", "7").lines == ["folder.png/a-fox-7.jpg"]


def test_overwrite_replaces(generate):
    taken("fox.jpg")
    assert generate("a fox", "-o", "fox.jpg", "--overwrite").code == 0
    assert Path("fox.jpg").read_bytes() == JPEG


def test_a_failed_run_with_overwrite_leaves_the_old_file(generate, gateway):
    gateway.answers(image(JPEG[:-100]))
    taken("fox.jpg")
    assert generate("a fox", "-o", "fox.jpg", "--overwrite", "--retries", "0").code == 1
    assert Path("fox.jpg").read_bytes() == b"mine"


def test_overwrite_goes_through_a_link(generate):
    taken("deep/real.jpg")
    Path("link.jpg").symlink_to("deep/real.jpg")
    assert generate("a fox", "-o", "link.jpg", "--overwrite").lines == ["link.jpg"]
    assert Path("link.jpg").is_symlink()
    assert Path("deep/real.jpg").read_bytes() == JPEG


def test_skip_existing_pays_for_the_missing_ones_only(generate, gateway):
    taken("8.jpg", JPEG)
    result = generate(
        "a fox", "-o", "{seed}.jpg", "--seed", "7", "-n", "3", "--skip-existing", "--json"
    )
    assert result.code == 0
    assert sorted(body["seed"] for body in gateway.posts) == [7, 9]
    assert result.json["skipped"] == [{"index": 2, "path": "8.jpg", "verified": False}]
    assert Path("8.jpg").read_bytes() == JPEG


@pytest.mark.parametrize(
    "names", ["{seed}.jpg", "{seed}", None], ids=["suffix", "no suffix", "default"]
)
def test_a_rerun_with_skip_existing_is_free(generate, gateway, names):
    options = ("--seed", "7", "-n", "3", "--skip-existing", *(("-o", names) if names else ()))
    first, second = generate("a fox", *options), generate("a fox", *options)
    assert (first.code, second.code, len(gateway.posts)) == (0, 0, 3)
    assert second.lines == first.lines
    assert "kept" in second.err


def test_names_that_no_rerun_can_find_again_are_told_apart_from_skipping(generate):
    """The default name has a random seed or {id}: a rerun would pay for everything again."""
    said = "--skip-existing cannot find files whose names have a random {{{}}}; add --seed"
    assert said.format("seed") in generate("a fox", "--skip-existing").err
    assert said.format("id") in generate("a fox", "--skip-existing", "--no-seed").err
    assert "random" not in generate("a fox", "--skip-existing", "--seed", "7").err


def test_a_failed_image_and_a_kept_one_are_a_partial_success(generate, gateway):
    taken("7.jpg", JPEG)
    gateway.answers(reply({"data": []}))
    assert (
        generate("a fox", "-o", "{seed}.jpg", "--seed", "7", "-n", "2", "--skip-existing").code == 3
    )


def test_a_name_somebody_took_meanwhile_moves_aside(generate, gateway):
    def take_it(request):
        taken("fox.jpg", b"theirs")
        return image()(request)

    gateway.answers(take_it)
    result = generate("a fox", "-o", "fox.jpg")
    assert (result.code, result.lines) == (0, ["fox-2.jpg"])
    assert Path("fox.jpg").read_bytes() == b"theirs"
    assert Path("fox-2.jpg").read_bytes() == JPEG


def test_a_folder_that_vanishes_meanwhile_does_not_lose_the_image(generate, flux, gateway, work):
    Path("out").mkdir()

    def remove_it(request):
        Path("out").rmdir()
        taken("out")
        return image()(request)

    gateway.answers(remove_it)
    result = generate("a fox", "-o", "out/fox.jpg", "--json")
    assert (result.code, result.json["errors"][0]["code"]) == (1, "disk")
    Path("out").unlink()
    again = flux("recover")
    assert (again.code, again.lines, len(gateway.posts)) == (0, [str(work / "out/fox.jpg")], 1)
    assert Path("out/fox.jpg").read_bytes() == JPEG
    assert "flux recover " in result.err


def test_stdout_carries_the_bytes_and_nothing_else(generate):
    result = generate("a fox", "-o", "-")
    assert (result.code, result.raw) == (0, JPEG)
    assert list(Path().iterdir()) == []


def test_stdout_can_have_another_format(generate):
    assert look(generate("a fox", "-o", "-", "-f", "webp").raw) == ("webp", (1024, 1024))


def test_an_image_goes_through_a_pipe_into_another_program(keyed, command):
    count = [
        sys.executable,
        "-c",
        "import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())",
    ]
    with subprocess.Popen(
        [command, "generate", "a fox", "-o", "-", "--quiet"], env=keyed, stdout=subprocess.PIPE
    ) as flux:
        digest = subprocess.run(
            count, stdin=flux.stdout, capture_output=True, text=True, check=True
        ).stdout.strip()
    assert (flux.returncode, digest) == (0, hashlib.sha256(JPEG).hexdigest())


def test_a_failure_leaves_stdout_empty_for_the_next_program(generate, gateway):
    gateway.answers(image(JPEG[:-100]))
    result = generate("a fox", "-o", "-", "--retries", "0")
    assert (result.code, result.raw) == (1, b"")


def test_the_file_obeys_the_umask(keyed, command):
    subprocess.run(
        ["sh", "-c", f"umask 027; exec {command} generate 'a fox' -o fox.jpg"],
        env=keyed,
        check=True,
        capture_output=True,
    )
    assert oct(Path("fox.jpg").stat().st_mode & 0o777) == oct(0o640)


# --- sizes


def test_one_side_asks_for_the_default_shape_and_resizes_the_file(generate, gateway):
    result = generate("a fox", "-o", "fox.webp", "--size", "32x", "-a", "16:9")
    assert (result.code, result.lines) == (0, ["fox.webp"])
    assert look("fox.webp")[1][0] == 32
    assert gateway.posts[0]["size"] == "1365x768"


def test_what_cannot_be_made_of_a_paid_image_does_not_stop_the_rest(generate):
    """The model is not in the catalog: nobody knows its sizes before the image is there."""
    result = generate("a fox", "-m", "other/model", "-o", "fox.webp", "--width", "9999,32")
    assert (result.code, result.lines) == (3, ["fox.webp", "fox-32.webp"])
    assert "would enlarge an image" in result.err
    assert sorted(path.name for path in Path().iterdir()) == ["fox-32.webp", "fox.webp"]


REFUSED_SIZES = {
    "a side beyond the image": "--size 9000x",
    "transparent borders of an unknown format": "--size 1:1 --fit pad --pad-color transparent",
    "an unknown color": "--size 1:1 --fit pad --pad-color whit",
    "an unknown fit": "--size 1:1 --fit letterbox",
}


@pytest.mark.parametrize("options", REFUSED_SIZES.values(), ids=REFUSED_SIZES)
def test_sizes_that_cannot_be_made_are_refused_before_anything_is_sent(generate, gateway, options):
    result = generate("a fox", *options.split())
    assert (result.code, result.out, gateway.posts) == (2, "", [])
    assert "hint: " in result.err
