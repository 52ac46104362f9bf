"""`flux convert` as people run it: no network, no key, nothing overwritten, nothing lost."""

import io
import json
import random
import signal
import subprocess
import time

import pytest
from fakes.images import look, pixels_as
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from flux_cli.images.containers import png

pytestmark = pytest.mark.slow

INTERRUPTS = 12  # moments


@pytest.fixture(autouse=True)
def photo(work):
    path = work / "photo.png"
    path.write_bytes(pixels_as("png", 640, 400, 7))
    return path


def test_another_format_goes_beside_the_image(flux, work, photo):
    before = photo.read_bytes()
    result = flux("convert", "photo.png", "-f", "webp")
    assert (result.code, result.lines, result.err) == (0, ["photo.webp"], "")
    assert look(work / "photo.webp") == ("webp", (640, 400))
    assert photo.read_bytes() == before


def test_one_command_makes_the_social_card(flux, work):
    options = ("--size", "600x315", "--fit", "cover", "--max-bytes", "9kB")
    result = flux("convert", "photo.png", "-o", "card.{avif,webp,jpg}", *options)
    assert (result.code, result.lines) == (0, ["card.avif", "card.webp", "card.jpg"])
    for name in result.lines:
        assert look(work / name)[1] == (600, 315)
        assert (work / name).stat().st_size <= 9000


def test_what_a_limit_cost_in_quality_is_said(flux):
    result = flux("convert", "photo.png", "-o", "small.jpg", "--max-bytes", "6kB")
    assert result.code == 0
    assert "flux: note: small.jpg: quality " in result.err
    assert (
        flux("convert", "photo.png", "-o", "quiet.jpg", "--max-bytes", "6kB", "--quiet").err == ""
    )


def test_a_lost_signature_is_a_note(flux, work):
    data = pixels_as("jpeg", 64, 48)
    c2pa = b"JP\0\1\0\0\0\1\0\0\0\x40jumb\0\0\0\x1ejumdc2pa" + bytes(16)
    segment = b"\xff\xeb" + (2 + len(c2pa)).to_bytes(2, "big") + c2pa
    (work / "signed.jpg").write_bytes(data[:2] + segment + data[2:])
    result = flux("convert", "signed.jpg", "-f", "webp")
    assert result.code == 0
    note = (
        "signed.jpg: the conversion does not keep all of the image: "
        "its signed content credentials (C2PA)"
    )
    assert result.err == f"flux: note: {note}\n"
    quiet = flux("convert", "signed.jpg", "-f", "webp", "--overwrite", "--quiet", "--json")
    assert (quiet.err, quiet.json["warnings"]) == ("", [note])


def test_metadata_is_removed_in_place_without_encoding_again(flux, work):
    text = b"a secret fox\nSteps: 20, Sampler: Euler a, Seed: 77, Size: 64x64"
    data = pixels_as("png", 64, 48)
    chunks = png.chunk(b"tEXt", b"parameters\0" + text) + png.chunk(b"tEXt", b"Author\0Ann")
    (work / "made.png").write_bytes(data[:33] + chunks + data[33:])
    result = flux("convert", "made.png", "--no-prompt-metadata", "--overwrite", "--json")
    assert (result.code, result.json["warnings"]) == (0, [])
    only_author = png.chunk(b"tEXt", b"Author\0Ann")
    assert (work / "made.png").read_bytes() == data[:33] + only_author + data[33:]
    result = flux("convert", "made.png", "--no-metadata", "--overwrite")
    assert (result.code, result.out) == (0, "made.png\n")
    assert (work / "made.png").read_bytes() == data


def test_an_image_that_is_turned_by_its_metadata_is_turned_when_it_goes(flux, work):
    pixels = Image.new("RGB", (64, 48), "navy")
    turned = Image.Exif()
    turned[0x0112], turned[0x010F] = 6, "Acme"
    for name in ("a.jpg", "a.png", "a.webp"):
        pixels.save(work / name, exif=turned)
        assert flux("convert", name, "--no-metadata", "--overwrite").code == 0
        with Image.open(work / name) as image:
            assert (image.size, dict(image.getexif())) == ((48, 64), {})
        pixels.save(work / name, exif=turned)
        before = (work / name).read_bytes()
        assert flux("convert", name, "--no-prompt-metadata", "--overwrite").code == 0
        assert (work / name).read_bytes() == before


def test_widths_without_metadata_strip_the_full_image_too_or_say_that_it_keeps_its(flux, work):
    owned = Image.Exif()
    owned[0x013B] = "Ann"
    Image.new("RGB", (64, 48), "navy").save(work / "a.jpg", exif=owned)
    result = flux("convert", "a.jpg", "--width", "32", "--no-metadata", "--json")
    (note,) = result.json["warnings"]
    assert "stays as it is: add --overwrite" in note
    assert b"Ann" in (work / "a.jpg").read_bytes()
    result = flux("convert", "a.jpg", "--width", "32", "--no-metadata", "--overwrite")
    assert (result.out, result.err) == ("a.jpg\na-32.jpg\n", "")
    assert b"Ann" not in (work / "a.jpg").read_bytes()
    bare = flux("convert", "a.jpg", "--width", "16", "--no-metadata")
    assert (bare.out, bare.err) == ("a-16.jpg\n", "")


def test_a_copy_has_the_size_that_people_see(flux, work):
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (64, 48), "navy").save(work / "a.jpg", exif=turned)
    result = flux("convert", "a.jpg", "-o", "{name}-{width}x{height}.{ext}", "-f", "jpeg", "--json")
    (file,) = result.json["files"]
    assert (file["path"], file["width"], file["height"]) == ("a-48x64.jpg", 48, 64)
    assert file["as_received"] is True
    html = flux("convert", "a.jpg", "-o", "b.jpg", "--html").out
    assert 'width="48" height="64"' in html


def test_a_converted_image_takes_over_nothing_without_metadata(flux, work):
    owned = Image.Exif()
    owned[0x013B] = "Ann"
    Image.new("RGB", (64, 48), "navy").save(work / "a.jpg", exif=owned, dpi=(300, 300))
    assert flux("convert", "a.jpg", "-o", "full.{webp,png}").code == 0
    result = flux("convert", "a.jpg", "-o", "bare.{webp,png,gif}", "--no-metadata")
    assert (result.code, result.err) == (0, "")
    for suffix in ("webp", "png"):
        assert b"Ann" in (work / f"full.{suffix}").read_bytes()
        assert b"Ann" not in (work / f"bare.{suffix}").read_bytes()
    assert b"pHYs" not in (work / "bare.png").read_bytes()


def test_losses_are_named_once_even_if_a_file_between_others_cannot_be_made(flux, work):
    noise = random.Random(0).randbytes(64 * 48 * 3)
    texts = PngInfo()
    texts.add_text("Dream", "a fox")
    Image.frombytes("RGB", (64, 48), noise).save(work / "a.png", dpi=(72, 72), pnginfo=texts)
    options = ("--max-bytes", "7kB", "--effort", "fast", "--json")
    result = flux("convert", "a.png", "-o", "b.{gif,png,jpg}", *options)
    assert result.code == 3
    assert [file["path"] for file in result.json["files"]] == ["b.gif", "b.jpg"]
    losses = [note for note in result.json["warnings"] if "does not keep" in note]
    assert len(losses) == 1
    assert losses[0].endswith("its text 'Dream' in gif, jpeg; its density (72 dpi) in gif")


def test_derivatives_and_their_markup(flux, work):
    variants = ("-f", "webp", "-f", "jpeg", "--width", "320", "--width", "160")
    result = flux("convert", "photo.png", *variants, "--html", "--alt", 'a "fox" & <snow>')
    assert result.code == 0
    assert sorted(path.name for path in work.iterdir()) == [
        "photo-160.jpg", "photo-160.webp", "photo-320.jpg", "photo-320.webp",
        "photo.jpg", "photo.png", "photo.webp",
    ]  # fmt: skip
    assert result.out.startswith("<picture>\n")
    assert 'srcset="photo-160.webp 160w, photo-320.webp 320w, photo.webp 640w"' in result.out
    assert 'alt="a &quot;fox&quot; &amp; &lt;snow&gt;"' in result.out


WHOLE, SMALL = (640, 400), (320, 200)
WIDTHS = {
    "beside the source": ((), {"photo-320.png": SMALL}),
    "to replace the files that are there": (("--overwrite",), {"photo-320.png": SMALL}),
    "another name": (("-o", "small.webp"), {"small.webp": WHOLE, "small-320.webp": SMALL}),
    "another format": (("-f", "webp"), {"photo.webp": WHOLE, "photo-320.webp": SMALL}),
    "both formats": (
        ("-f", "png,webp"), {"photo-320.png": SMALL, "photo.webp": WHOLE, "photo-320.webp": SMALL}
    ),
    "a folder": (("-o", "out/"), {"out/photo.png": WHOLE, "out/photo-320.png": SMALL}),
    "a copy": (
        ("--keep-original",), {"photo-original.png": WHOLE, "photo-320.png": SMALL}
    ),
}  # fmt: skip


@pytest.mark.parametrize(("options", "made"), WIDTHS.values(), ids=WIDTHS)
def test_a_width_stands_beside_the_full_image_which_may_be_the_source(
    flux, work, photo, options, made
):
    before, changed = photo.read_bytes(), photo.stat().st_mtime_ns
    result = flux("convert", "photo.png", "--width", "320", *options)
    assert (result.code, result.err, sorted(result.lines)) == (0, "", sorted(made))
    assert {path: look(work / path)[1] for path in made} == made
    assert (photo.read_bytes(), photo.stat().st_mtime_ns) == (before, changed)


@pytest.mark.parametrize("name", ["shot.jpeg", "shot.JPG"])
def test_a_source_is_the_full_image_whatever_its_suffix_and_the_quality(flux, work, name):
    data = pixels_as("jpeg", 640, 400)
    (work / name).write_bytes(data)
    result = flux("convert", f"./{name}", "--width", "320", "-q", "40", "--html")
    assert (result.code, result.err) == (0, "")
    assert f'srcset="./shot-320.jpg 320w, ./{name} 640w"' in result.out
    assert (work / name).read_bytes() == data
    assert sorted(path.name for path in work.iterdir()) == [
        "photo.png", "shot-320.jpg", name,
    ]  # fmt: skip


def test_a_width_in_the_name_may_be_that_of_the_full_image(flux):
    result = flux("convert", "photo.png", "-o", "a-{width}.webp", "--width", "640,320")
    assert (result.code, result.lines) == (0, ["a-640.webp", "a-320.webp"])


def test_one_side_resizes_the_file_that_is_named(flux, work, photo):
    result = flux("convert", "photo.png", "-o", "small.webp", "--size", "320x", "--width", "160")
    assert (result.code, result.lines) == (0, ["small.webp", "small-160.webp"])
    assert look(work / "small.webp")[1] == (320, 200)
    assert look(work / "small-160.webp")[1] == (160, 100)
    assert flux("convert", "photo.png", "-s", "X100").code == 2  # it would replace the photo
    assert look(photo)[1] == WHOLE
    assert flux("convert", "photo.png", "-s", "X100", "--overwrite").lines == ["photo.png"]
    assert look(photo)[1] == (160, 100)


def test_a_width_beyond_the_image_does_not_stop_the_others(flux):
    line = ("convert", "photo.png", "-o", "a.webp", "--width", "9999,320")
    result = flux(*line)
    assert (result.code, result.lines) == (3, ["a.webp", "a-320.webp"])
    assert "error: photo.png: 9999x6249 would enlarge an image of 640x400" in result.err
    document = json.loads(flux(*line, "--overwrite", "--json").out)
    assert [one["code"] for one in document["errors"]] == ["usage"]
    assert (document["status"], len(document["files"])) == ("partial", 2)
    assert flux("convert", "photo.png", "--width", "9999").code == 2  # nothing else was asked for


REFUSED_SIZES = {
    "cover of one side": ("--size 320x --fit cover", "--fit cover needs both sides"),
    "no side": ("--size 0x", "invalid size '0x'"),
    "a point beyond the image": ("--size 9x9 --fit cover --focus 3,7", "invalid point '3,7'"),
    "no color": ("--size 9x9 --fit pad --pad-color whit", "invalid color 'whit'"),
    "borders that jpeg cannot have": (
        "--size 9x9 --fit pad --pad-color transparent -o a.jpg", "jpeg has no transparency",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("options", "said"), REFUSED_SIZES.values(), ids=REFUSED_SIZES)
def test_sizes_and_colors_that_cannot_be_made_are_one_sentence_and_a_hint(
    flux, work, options, said
):
    result = flux("convert", "photo.png", "-o", "a.webp", *options.split())
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 2)
    assert said in result.err
    assert "hint: " in result.err
    assert [path.name for path in work.iterdir()] == ["photo.png"]


def test_a_square_of_a_jpeg_has_white_borders_beside_all_of_the_image(flux, work):
    (work / "cat.jpg").write_bytes(pixels_as("jpeg", 64, 40))
    result = flux("convert", "cat.jpg", "-o", "square.jpg", "--size", "1:1", "--fit", "pad")
    assert (result.code, look(work / "square.jpg")) == (0, ("jpeg", (64, 64)))
    assert Image.open(work / "square.jpg").getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("more", [(), ("--overwrite",), ("--skip-existing",)], ids=" ".join)
def test_a_line_that_asks_for_nothing_says_what_it_could_ask_for(flux, photo, more):
    changed = photo.stat().st_mtime_ns
    result = flux("convert", "photo.png", *more)
    assert (result.code, result.out, photo.stat().st_mtime_ns) == (2, "", changed)
    assert "nothing to convert: give -f, --size or --width" in result.err
    assert "hint: for example flux convert photo.png -f webp" in result.err


def test_nothing_is_overwritten_unasked(flux, work):
    (work / "photo.webp").write_bytes(b"mine")
    result = flux("convert", "photo.png", "-f", "webp", "-f", "avif")
    assert result.code == 2
    assert "photo.webp already exists" in result.err
    assert "use --overwrite to replace, --skip-existing to keep, or another -o" in result.err
    assert (work / "photo.webp").read_bytes() == b"mine"
    assert not (work / "photo.avif").exists()
    assert flux("convert", "photo.png", "-f", "webp", "--overwrite").code == 0
    assert look(work / "photo.webp")[0] == "webp"


def test_what_is_there_may_be_left_alone(flux, work):
    (work / "photo.webp").write_bytes(b"mine")
    result = flux("convert", "photo.png", "-f", "webp", "-f", "avif", "--skip-existing", "--json")
    assert result.code == 0
    assert [file["path"] for file in result.json["files"]] == ["photo.avif"]
    assert result.json["skipped"] == [{"path": "photo.webp", "source": "photo.png"}]
    assert (work / "photo.webp").read_bytes() == b"mine"


def test_an_image_may_replace_itself_if_asked(flux, photo):
    assert (
        flux("convert", "photo.png", "--size", "64x64", "--fit", "cover", "--overwrite").code == 0
    )
    assert look(photo) == ("png", (64, 64))


def test_through_a_pipe(flux, photo):
    result = flux(
        "convert", "-", "-f", "gif", "--size", "40x30", "--fit", "cover", input=photo.read_bytes()
    )
    assert (result.code, result.err) == (0, "")
    assert look(result.raw) == ("gif", (40, 30))


def test_the_same_bytes_through_where_nothing_is_asked(flux, photo):
    assert flux("convert", "photo.png", "-o", "-").raw == photo.read_bytes()


def test_the_bytes_decide_what_an_image_is_and_not_its_name(flux, work):
    (work / "lie.png").write_bytes(pixels_as("jpeg", 64, 48))
    assert flux("convert", "lie.png").lines == ["lie.jpg"]
    assert look(work / "lie.jpg")[0] == "jpeg"


def test_some_bad_images_do_not_stop_the_good_ones(flux, work, photo):
    (work / "cut.png").write_bytes(photo.read_bytes()[:-20])
    (work / "words.png").write_text("no image")
    result = flux(
        "convert",
        "photo.png",
        "cut.png",
        "words.png",
        "gone.png",
        "-f",
        "jpeg",
        "--json",
        "-o",
        "out/",
    )
    assert result.code == 3
    report = result.json
    assert (report["status"], report["exit_code"]) == ("partial", 3)
    assert [(file["path"], file["source"], file["width"]) for file in report["files"]] == [
        ("out/photo.jpg", "photo.png", 640)
    ]
    assert [(error["source"], error["code"]) for error in report["errors"]] == [
        ("cut.png", "image"), ("words.png", "usage"), ("gone.png", "usage"),
    ]  # fmt: skip
    assert result.err.count("flux: error: ") == 3
    assert "Traceback" not in result.err


def test_many_images_into_one_folder(flux, work):
    for number in range(12):
        (work / f"{number}.png").write_bytes(pixels_as("png", 80, 60, number))
    result = flux("convert", *(f"{number}.png" for number in range(12)), "-f", "webp", "-o", "out/")
    assert result.lines == [f"out/{number}.webp" for number in range(12)]
    assert {look(work / line) for line in result.lines} == {("webp", (80, 60))}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no image given"),
        (["photo.png", "--size", "10x10"], "--size 10x10 needs --fit"),
        (["photo.png", "--fit", "cover"], "needs a size"),
        (["photo.png", "--fit", "covr", "--size", "10x10"], "did you mean cover?"),
        (["photo.png", "--size", "9000x9000", "--fit", "cover"], "--upscale"),
        (["photo.png", "--size", "10", "--fit", "cover"], "invalid size '10'"),
        (["photo.png", "-f", "qoi"], "is not one of"),
        (["photo.png", "-f", "jpeg", "--lossless"], "jpeg cannot be lossless"),
        (["photo.png", "-f", "webp", "-q", "101"], "from 0 to 100"),
        (["photo.png", "-f", "webp", "--max-bytes", "few"], "200kB"),
        (["photo.png", "-f", "webp", "--max-bytes", "10"], "even at the lowest quality"),
        (["photo.png", "-f", "gif", "--max-bytes", "10"], "no quality to lower"),
        (["photo.png", "-f", "webp", "--effort", "huge"], "expected one of fast, balanced, small"),
        (["photo.png", "--width", "wide"], "invalid width 'wide'"),
        (["photo.png", "-o", "{slug}.webp"], "there is no field {slug}"),
        (["photo.png", "-o", "a.{webp,avif}", "-f", "gif"], "contradict"),
        (["photo.png", "-o", "a.webp", "-f", "gif"], "contradict"),
        (["photo.png", "-o", "-", "-f", "webp", "-f", "avif"], "takes one file"),
        (["photo.png", "-o", "-", "--width", "320"], "takes one file"),
        (["photo.png", "photo.jpg", "-o", "-"], "takes one image"),
        (["gone.png", "-f", "webp"], "gone.png cannot be read"),
        (["."], "Is a directory"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_lines_say_what_is_wrong_and_leave_nothing(flux, work, words, said):
    result = flux("convert", *words)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert result.err.startswith("flux: error: ")
    assert [path.name for path in work.iterdir()] == ["photo.png"]


def test_two_images_that_would_share_a_name_are_refused(flux, work):
    (work / "photo.jpg").write_bytes(pixels_as("jpeg", 64, 48))
    result = flux("convert", "photo.png", "photo.jpg", "-f", "webp")
    assert result.code == 2
    assert "photo.webp would be made from" in result.err
    assert not (work / "photo.webp").exists()


def test_templates_tell_images_apart(flux, work):
    (work / "photo.jpg").write_bytes(pixels_as("jpeg", 64, 48))
    result = flux(
        "convert",
        "photo.png",
        "photo.jpg",
        "-f",
        "webp",
        "-o",
        "{index}-{name}-{width}x{height}.{ext}",
    )
    assert result.lines == ["1-photo-640x400.webp", "2-photo-64x48.webp"]


def test_an_empty_pipe_is_an_error(flux):
    result = flux("convert", "-", "-f", "webp")
    assert (result.code, result.out) == (2, "")
    assert "standard input is empty" in result.err


def test_a_bomb_is_refused_before_it_is_decoded(flux, work):
    stream = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(stream, "png")
    (work / "bomb.png").write_bytes(stream.getvalue())
    result = flux("convert", "bomb.png", "-f", "webp")
    assert (result.code, result.out) == (1, "")
    assert "20000x20000 pixels" in result.err


def test_a_pipe_has_no_room_for_a_document(flux):
    result = flux("convert", "photo.png", "-o", "-", "--json")
    assert (result.code, result.json["errors"][0]["code"]) == (2, "usage")


def test_braces_a_shell_has_taken_are_explained(flux, work):
    """Unquoted, `-o hero.{webp,avif}` reaches us as `-o hero.webp hero.avif`."""
    result = flux("convert", "photo.png", "-o", "hero.webp", "hero.avif")
    assert result.code == 3
    assert "hint: quote a list of formats: -o 'hero.{webp,avif}'" in result.err
    assert look(work / "hero.webp")[0] == "webp"


def test_ctrl_c_lists_what_is_made_and_counts_what_is_not(environment, command, work):
    large = pixels_as("png", 2752, 1536)
    for number in range(24):
        (work / f"{number}.png").write_bytes(large)
    words = [
        command,
        "convert",
        *(f"{number}.png" for number in range(24)),
        "-f",
        "avif",
        "--effort",
        "small",
        "-o",
        "out/",
    ]
    with subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while not (work / "out/0.avif").exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.startswith("flux: error: interrupted: ")
    assert "of 24 images were not converted" in err
    for line in out.splitlines():
        assert look(work / line) == ("avif", (2752, 1536))


def test_interrupts_at_any_moment_leave_whole_files_only(environment, command, work):
    """Small images, so that most of the time goes into writing; the moments cover the whole run."""
    names = [f"{number}.png" for number in range(8)]
    for number, name in enumerate(names):
        (work / name).write_bytes(pixels_as("png", 160, 120, number))
    line = [command, "convert", *names, "-f", "jpeg,webp,gif", "-o"]
    for attempt in range(INTERRUPTS):
        folder = work / f"out{attempt}"
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(
            [*line, f"{folder.name}/"], env=environment, text=True, **pipes
        ) as flux:
            while not folder.exists() and flux.poll() is None:
                time.sleep(0.001)
            time.sleep(0.1 * attempt / INTERRUPTS)
            flux.send_signal(signal.SIGINT)
            out, err = flux.communicate(timeout=60)
        assert (flux.returncode, "Traceback" in err) in [(130, False), (0, False)]
        saved = sorted(f"{folder.name}/{path.name}" for path in folder.iterdir())
        assert {look(work / path)[1] for path in saved} <= {(160, 120)}
        if flux.returncode == 0 or "were not converted" in err:
            assert sorted(out.splitlines()) == saved


def test_a_failed_run_is_a_document_too(flux):
    result = flux("convert", "--json")
    assert (result.code, json.loads(result.out)["status"]) == (2, "failed")


def test_the_original_is_kept_if_asked(flux, work, photo):
    assert flux("convert", "photo.png", "-o", "hero.webp", "--keep-original").lines == [
        "hero-original.png",
        "hero.webp",
    ]
    assert (work / "hero-original.png").read_bytes() == photo.read_bytes()


def test_a_name_that_begins_with_a_dash_gets_a_hint(flux, work, photo):
    photo.rename(work / "-dash.png")
    result = flux("convert", "-dash.png", "-f", "webp")
    assert result.code == 2
    assert "hint: for the file of this name, write ./-dash.png, or --" in result.err
    assert flux("convert", "-f", "webp", "--", "-dash.png").code == 0


@pytest.mark.parametrize("name", ["photo.jpeg", "IMG.JPG", "a.Jpe", "b.JFIF"])
def test_an_image_is_changed_in_place_whatever_its_suffix(flux, work, name):
    (work / name).write_bytes(pixels_as("jpeg", 640, 400, 7))
    before = (work / name).stat().st_size
    assert flux("convert", name, "-q", "40").code == 2  # it is there
    result = flux("convert", name, "-q", "40", "--overwrite")
    assert (result.code, result.lines) == (0, [name])
    assert (work / name).stat().st_size < before
    assert sorted(path.name for path in work.iterdir()) == sorted(["photo.png", name])


def test_the_hint_about_lists_of_formats_is_for_files_that_are_missing(flux, work, photo):
    (work / "cut.png").write_bytes(photo.read_bytes()[:-300])
    assert "quote a list" not in flux("convert", "cut.png", "-o", "cut.webp").err
    assert "quote a list" in flux("convert", "gone.png", "-o", "gone.webp").err


def test_one_output_that_fails_does_not_stop_the_others(flux):
    options = ("--max-bytes", "20kB", "--json")
    result = flux("convert", "photo.png", "-o", "x.{png,jpg,webp}", *options)
    assert result.code == 3
    assert [file["path"] for file in result.json["files"]] == ["x.jpg", "x.webp"]
    assert [error["source"] for error in result.json["errors"]] == ["photo.png"]
    assert "png takes" in result.err


def test_paths_come_while_others_are_made(command, environment, work, photo):
    names = [f"{number}.png" for number in range(12)]
    for name in names:
        (work / name).write_bytes(photo.read_bytes())
    words = [command, "convert", *names, "-f", "webp", "--effort", "small", "--lossless"]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as running:
        first = running.stdout.readline()
        made = sum((work / f"{number}.webp").exists() for number in range(12))
        rest = running.stdout.read().split()
    assert [first.strip(), *rest] == [f"{number}.webp" for number in range(12)]
    assert made < 12
