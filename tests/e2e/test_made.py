"""What flux makes of a paid image: exact pixels, several files, and how each was made."""

import json
from pathlib import Path

import pytest
from fakes.gateway import image
from fakes.images import look, pixels_as

pytestmark = pytest.mark.slow

FULL = {"FLUX_METADATA": "full"}
NATIVE = pixels_as("png", 2752, 1536)


@pytest.fixture
def show(flux):
    """What `flux show --json` says of one file."""
    return lambda path: flux("show", path, "--json").json["files"][0]


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "avif"])
def test_every_format_says_by_default_how_it_was_made(generate, show, suffix):
    assert (
        generate("ein Fuchs 🦊", "--seed", "7", "-s", "16:9", "-o", f"fox.{suffix}", env=FULL).code
        == 0
    )
    made = show(f"fox.{suffix}")["made"]
    assert (made["prompt"], made["seed"], made["size"], made["model"]) == (
        "ein Fuchs 🦊",
        7,
        "16:9",
        "flux1.1-pro-ultra",
    )
    assert (made["provider"], made["request_id"]) == ("lumenfall", "req_1")
    assert made["source_type"] == "trainedAlgorithmicMedia"


@pytest.mark.parametrize("options", [("--no-metadata",), ()], ids=["option", "variable"])
def test_without_metadata_the_bytes_are_those_that_came(generate, gateway, options):
    gateway.answers(image(NATIVE))
    env = FULL if options else {"FLUX_METADATA": "none"}
    assert generate("a fox", "-o", "fox.png", *options, env=env).code == 0
    assert Path("fox.png").read_bytes() == NATIVE


def test_the_prompt_can_stay_private(generate, show):
    assert (
        generate(
            "my secret",
            "-o",
            "fox.png",
            "--seed",
            "7",
            "--no-prompt-metadata",
            "--sidecar",
            env=FULL,
        ).code
        == 0
    )
    made = show("fox.png")["made"]
    assert (made["seed"], "prompt" in made, "revised_prompt" in made) == (7, False, False)
    assert b"my secret" not in Path("fox.png").read_bytes() + Path("fox.json").read_bytes()


def test_a_sidecar_says_the_same_beside_the_image(generate):
    assert generate("a fox", "-o", "fox.webp", "--seed", "7", "--sidecar").code == 0
    said = json.loads(Path("fox.json").read_text())
    assert (said["prompt"], said["seed"]) == ("a fox", 7)
    assert generate("a fox", "-o", "fox.webp", "--sidecar").code == 2


def test_an_image_is_asked_for_again_from_what_it_says(generate, gateway):
    assert (
        generate("a fox", "-s", "4:3", "--raw", "--seed", "7", "-o", "fox.jpg", env=FULL).code == 0
    )
    assert generate("--like", "fox.jpg", "--seed", "8", "-o", "again.jpg").code == 0
    first, second = gateway.posts
    assert second == {**first, "seed": 8}


def test_several_files_of_exact_pixels_come_from_one_paid_image(generate, gateway):
    gateway.answers(image(NATIVE))
    name = "hero.{avif,webp,jpg}"
    options = ("-s", "1200x630", "--fit", "cover", "--width", "640", "--keep-original", "--json")
    document = generate("a fox", "-o", name, *options).json
    assert len(gateway.posts) == 1
    assert gateway.posts[0]["output_format"] == "png"
    files = {
        file["path"]: (file["format"], (file["width"], file["height"]))
        for file in document["files"]
    }
    assert files == {
        "hero-original.png": ("png", (2752, 1536)),
        "hero.avif": ("avif", (1200, 630)),
        "hero.webp": ("webp", (1200, 630)),
        "hero.jpg": ("jpeg", (1200, 630)),
        "hero-640.avif": ("avif", (640, 336)),
        "hero-640.webp": ("webp", (640, 336)),
        "hero-640.jpg": ("jpeg", (640, 336)),
    }
    assert {path: look(path) for path in files} == files
    assert Path("hero-original.png").read_bytes() == NATIVE


def test_files_for_a_page_are_told_as_markup(generate):
    result = generate("a <fox>", "-o", "hero.{webp,jpg}", "--html")
    assert result.out.startswith("<picture>")
    assert 'srcset="hero.webp' in result.out
    assert 'alt="a &lt;fox&gt;"' in result.out


def test_json_has_the_markup_and_the_sheet_where_they_are_asked_for(generate):
    document = generate(
        "a fox", "-o", "hero-{seed}.jpg", "-n", "2", "--html", "--sheet", "--seed", "7", "--json"
    ).json
    assert document["html"].count("<picture>") == 2
    assert (document["sheet"], look(Path(document["sheet"]))[0]) == ("hero-sheet.jpg", "jpeg")
    assert not {"html", "sheet"} & set(generate("a fox", "-o", "plain.jpg", "--json").json)


def test_what_would_be_enlarged_is_refused_while_it_is_free(generate, gateway):
    result = generate("a fox", "-s", "8000x8000", "--fit", "cover")
    assert (result.code, gateway.requests) == (2, [])
    assert "--upscale" in result.err


def test_an_image_smaller_than_expected_is_saved_as_it_came(generate, gateway):
    """Nobody could know before it was paid for."""
    gateway.answers(image(pixels_as("png", 300, 200)))
    result = generate("a fox", "-s", "1200x630", "--fit", "cover", "-o", "fox.webp")
    assert result.code == 3
    assert "saved as received: fox.png" in result.err
    assert look(Path("fox.png"))[1] == (300, 200)


def test_another_size_than_asked_is_said_with_what_makes_it_exact(generate, gateway):
    gateway.answers(image(NATIVE))
    result = generate("a fox", "-s", "1920x1080", "-o", "fox.png")
    assert (
        "hint: images come as 2752x1536; --fit cover makes them exactly 1920x1080"
        in result.err.splitlines()
    )


def test_only_missing_images_are_paid_for_and_files_that_are_there_stay(generate, gateway):
    mine = pixels_as("jpeg", 64, 64)
    Path("7.webp").write_bytes(pixels_as("webp", 64, 64))
    Path("7.jpg").write_bytes(mine)
    Path("8.jpg").write_bytes(mine)
    result = generate(
        "a fox", "-o", "{seed}.{webp,jpg}", "--seed", "7", "-n", "2", "--skip-existing"
    )
    assert (result.code, [body["seed"] for body in gateway.posts]) == (0, [8])
    assert Path("8.jpg").read_bytes() == mine
    assert look(Path("8.webp"))[0] == "webp"


AGAIN = {
    "formats": ("-n", "2", "-o", "{index}.{png,webp}"),
    "widths": ("-o", "w.jpg", "--width", "320", "--width", "640"),
    "the original, too": ("-o", "hero.webp", "--width", "320", "--keep-original"),
    "a sidecar": ("-o", "{index}.{png,webp}", "--sidecar"),
    "a sheet": ("-n", "3", "-o", "{index}.jpg", "--sheet"),
}


@pytest.mark.parametrize("options", AGAIN.values(), ids=AGAIN)
@pytest.mark.parametrize("lost", [0, 1], ids=["nothing is missing", "a file is missing"])
def test_a_run_says_the_same_when_it_finds_its_files(generate, gateway, options, lost):
    gateway.answers(lambda _request: image(NATIVE))
    line = ("a fox", *options, "--seed", "1", "--skip-existing")
    first = generate(*line)
    paid = len(gateway.posts)
    for path in first.lines[:lost]:
        Path(path).unlink()
    again = generate(*line)
    assert (first.code, again.code, len(gateway.posts) - paid) == (0, 0, lost)
    assert sorted(again.lines) == sorted(first.lines)
    if "--sheet" in options:
        assert generate(*line, "--json").json["sheet"] == "sheet.jpg"


@pytest.mark.parametrize(
    "options", [("--width", "320", "--width", "640"), ("-f", "jpeg", "-f", "webp")], ids=str
)
@pytest.mark.parametrize("lost", [0, 1], ids=["nothing is missing", "a file is missing"])
def test_the_markup_is_the_same_when_files_are_found(generate, flux, gateway, options, lost):
    gateway.answers(lambda _request: image(NATIVE))
    lines = (
        ("generate", "a fox", "-o", "page/", "--seed", "1", "--keep-original", *options),
        (
            "convert",
            "native.png",
            "-o",
            "site/",
            *options,
            *(() if "-f" in options else ("-f", "jpeg")),
        ),
    )
    Path("native.png").write_bytes(NATIVE)
    for command, *words in lines:
        run = generate if command == "generate" else lambda *said: flux("convert", *said)
        first = run(*words, "--html", "--skip-existing")
        assert first.out.count("<img") == 1
        for file in sorted(Path("page" if command == "generate" else "site").glob("*[!l].*"))[
            :lost
        ]:
            file.unlink()
        assert run(*words, "--html", "--skip-existing").out == first.out


def test_a_sheet_shows_an_image_once_whatever_its_formats_and_widths(generate):
    sizes = []
    for number, more in enumerate(
        ((), ("-f", "webp", "-f", "png"), ("--width", "64", "--width", "32"))
    ):
        generate(
            "a fox",
            "-n",
            "4",
            "--seed",
            "7",
            "-o",
            f"{number}/",
            "--sheet-output",
            f"{number}.png",
            *more,
        )
        sizes.append(look(Path(f"{number}.png"))[1])
    assert len(set(sizes)) == 1


@pytest.mark.parametrize("widths", [("640", "320"), ("320",)], ids=" ".join)
def test_widths_stand_beside_the_full_image_under_the_name_that_was_typed(
    generate, gateway, widths
):
    gateway.answers(image(NATIVE))
    more = [word for width in widths for word in ("--width", width)]
    result = generate("a calm lake", "-o", "page.jpg", *more, "--html")
    made = {path.name: look(path)[1] for path in Path().iterdir()}
    variants = {
        f"page-{width}.jpg": (int(width), round(int(width) * 1536 / 2752)) for width in widths
    }
    assert made == {"page.jpg": (2752, 1536), **variants}
    offered = ", ".join(f"page-{width}.jpg {width}w" for width in sorted(widths))
    assert f'<img src="page.jpg" srcset="{offered}, page.jpg 2752w"' in result.out
    assert (result.code, len(gateway.posts)) == (0, 1)


def test_a_dry_run_lists_the_full_image_and_its_widths(generate):
    lines = generate("a calm lake", "-o", "page.jpg", "--width", "320", "--dry-run").lines
    assert [line for line in lines if "page" in line] == ["file page.jpg", "file page-320.jpg"]


def test_a_file_size_is_kept_and_the_quality_it_took_is_said(generate, gateway):
    gateway.answers(image(NATIVE))
    result = generate("a fox", "-o", "fox.{jpg,webp,avif}", "--max-bytes", "60kB", env=FULL)
    assert result.code == 0
    assert all(Path(f"fox.{suffix}").stat().st_size <= 60_000 for suffix in ("jpg", "webp", "avif"))


def test_several_files_do_not_fit_into_a_pipe(generate, gateway):
    for options in (("-f", "webp", "-f", "png"), ("--width", "64"), ("--sidecar",), ("--sheet",)):
        result = generate("a fox", "-o", "-", *options)
        assert (result.code, gateway.requests) == (2, []), options


def test_a_sheet_shows_all_images_and_costs_no_call(generate, gateway):
    result = generate("a fox", "-n", "4", "--seed", "7", "--sheet")
    assert (result.code, len(gateway.posts)) == (0, 4)
    assert "flux: sheet a-fox-sheet.jpg" in result.err.splitlines()
    assert look(Path("a-fox-sheet.jpg"))[0] == "jpeg"


@pytest.mark.parametrize("size", ["2752x1536", "2752 × 1536", "2752*1536"])
def test_pixels_that_came_as_asked_need_no_hint_however_they_were_spelled(flux, size):
    hinted = flux("generate", "a fox", "--offline", "-s", size, "-o", "exact.png").err
    assert "hint" not in hinted
    other = flux("generate", "a fox", "--offline", "-s", "1920 * 1080", "-o", "near.png").err
    assert "hint: images come as 2752x1536; --fit cover makes them exactly 1920x1080" in other


def test_a_converted_image_still_says_how_it_was_made(generate, flux, show):
    generate("a fox", "--seed", "7", "-o", "fox.png", env=FULL)
    assert flux("convert", "fox.png", "-f", "avif", "-f", "jpeg").code == 0
    assert [show(path)["made"]["prompt"] for path in ("fox.avif", "fox.jpg")] == ["a fox", "a fox"]


def test_resolve_explains_what_will_be_made(flux):
    said = flux("resolve", "a fox", "-s", "1200x630", "--fit", "cover", "-f", "avif", "-f", "jpeg")
    assert "from 2752x1536: " in said.out
    assert "converted to avif, jpeg by flux" in said.out


def test_a_limit_of_bytes_is_named_as_it_was_given(flux):
    """The room for the record is no business of the person who set the limit."""
    result = flux(
        "generate",
        "a fox",
        "--offline",
        "--max-bytes",
        "200",
        "-o",
        "t.jpg",
        env={"FLUX_METADATA": "full"},
    )
    assert "--max-bytes 200: 2048x2048 jpeg takes" in result.err
