"""`--offline`: the same pipeline without a network, key or price; it never passes for a model."""

from pathlib import Path

import pytest
from fakes.gateway import status
from fakes.images import look
from PIL import Image, ImageChops

pytestmark = pytest.mark.slow

SIZES = {"4:3": (2368, 1792), "9:21": (1344, 3136)}  # of the model, in pixels


@pytest.fixture
def sketch(flux, environment):
    """`flux generate … --offline` without a key and without a network: proxies lead nowhere."""
    nowhere = {f"{scheme}_PROXY": "http://127.0.0.1:1" for scheme in ("HTTP", "HTTPS", "ALL")}

    def run(*words, env=None, **more):
        result = flux(
            "generate", *words, "--offline", env=environment | nowhere | (env or {}), **more
        )
        assert "Traceback" not in result.err
        return result

    return run


def test_a_newcomers_first_command_makes_an_image(sketch):
    result = sketch("a lighthouse by the sea")
    assert (result.code, len(result.lines)) == (0, 1)
    assert result.lines[0].startswith("a-lighthouse-by-the-sea-")
    assert look(result.lines[0]) == ("jpeg", (2048, 2048))


@pytest.mark.parametrize(("ratio", "pixels"), SIZES.items())
def test_the_size_is_exact(sketch, ratio, pixels):
    assert sketch("a fox", "-a", ratio, "-o", "fox").code == 0
    assert look("fox.jpg")[1] == pixels


@pytest.mark.parametrize(
    ("name", "kind"),
    [("png", "png"), ("jpg", "jpeg"), ("gif", "gif"), ("webp", "webp"), ("avif", "avif")],
)
def test_every_format(sketch, name, kind):
    assert sketch("a fox", "-o", f"fox.{name}").code == 0
    assert look(f"fox.{name}") == (kind, (2048, 2048))


@pytest.mark.parametrize("way", ["url", "b64_json"])
def test_both_response_formats_give_the_same_sketch(sketch, way):
    sketch("a fox", "--seed", "7", "-o", "either.png")
    sketch("a fox", "--seed", "7", "-o", "asked.png", "--response-format", way)
    assert Path("either.png").read_bytes() == Path("asked.png").read_bytes()


def test_prompt_and_seed_decide_every_byte(sketch):
    for name, prompt, seed in (
        ("a", "a fox", 7),
        ("b", "a fox", 7),
        ("c", "a fox", 8),
        ("d", "a lake", 7),
    ):
        assert sketch(prompt, "--seed", str(seed), "-o", f"{name}.png").code == 0
    bytes_ = {name: Path(f"{name}.png").read_bytes() for name in "abcd"}
    assert bytes_["a"] == bytes_["b"]
    assert len({bytes_["a"], bytes_["c"], bytes_["d"]}) == 3


def test_several_sketches_have_seeds_counting_up_and_the_same_bytes_as_single_ones(sketch):
    assert sketch("a fox", "-n", "3", "--seed", "7", "-o", "{seed}.png").lines == [
        "7.png",
        "8.png",
        "9.png",
    ]
    assert sketch("a fox", "--seed", "9", "-o", "single.png").code == 0
    assert Path("single.png").read_bytes() == Path("9.png").read_bytes()


def test_each_time_stderr_says_that_it_is_no_image_of_the_model_and_what_it_does_not_show(sketch):
    for _ in range(2):
        result = sketch("a zeppelin over a lake at night", "--seed", "7", "-o", "x", "--overwrite")
        line = next(line for line in result.err.splitlines() if "offline sketch" in line)
        assert "not by flux1.1-pro-ultra" in line
        assert "zeppelin" in line


def test_json_names_the_painter_and_costs_nothing(sketch):
    document = sketch("a fox", "-n", "2", "--json").json
    assert (document["provider"], document["hosted"], document["cost_usd"]) == ("offline", False, 0)
    assert all(isinstance(file["seed"], int) for file in document["files"])


def test_a_sketch_can_be_drawn_again_from_the_seed_it_reports(sketch):
    seed = sketch("a fox", "-o", "first.png", "--json").json["files"][0]["seed"]
    assert sketch("a fox", "-o", "again.png", "--seed", str(seed)).code == 0
    assert Path("first.png").read_bytes() == Path("again.png").read_bytes()


def test_the_mark_in_the_corner_can_be_left_out(sketch):
    sketch("a fox", "--seed", "7", "-o", "marked.png")
    sketch("a fox", "--seed", "7", "-o", "bare.png", "--no-badge")
    with Image.open("marked.png") as marked, Image.open("bare.png") as bare:
        left, top, right, bottom = ImageChops.difference(
            marked.convert("RGB"), bare.convert("RGB")
        ).getbbox()
        width, height = marked.size
    assert (right - left) * (bottom - top) < width * height / 20
    assert right > width * 0.8 or left < width * 0.2


def test_a_sketch_never_asks_a_server_even_with_a_key(generate, gateway):
    gateway.answers(status(500))
    assert generate("a fox", "--offline", "-o", "fox").code == 0
    assert gateway.requests == []


@pytest.mark.parametrize("by", ["variable", "project"])
def test_offline_can_be_a_setting(flux, by):
    if by == "project":
        Path("flux.toml").write_text('provider = "offline"')
    result = flux(
        "generate",
        "a fox",
        "-o",
        "fox",
        env={"FLUX_PROVIDER": "offline"} if by == "variable" else {},
    )
    assert (result.code, look("fox.jpg")[0]) == (0, "jpeg")


def test_a_failure_of_the_gateway_is_never_replaced_by_a_sketch(generate, gateway):
    gateway.answers(status(401))
    assert generate("a fox").code == 4
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("prompt", ["🦊", "雪の中の赤い狐", "x " * 2000, "\x01\x02"])
def test_any_prompt_gives_an_image(sketch, prompt):
    Path("prompt").write_text(prompt)
    assert sketch("@prompt", "-o", "x.jpg").code == 0


def test_sketches_obey_what_the_models_page_says(sketch):
    assert sketch("a fox", "--seed", "abc").code == 2
    assert sketch("a fox", "-n", "0").code == 2
    assert sketch("a fox", "--max-cost", "0", "-o", "x").code == 0


def test_a_sketch_goes_to_standard_output(sketch):
    assert look(sketch("a fox", "-o", "-", "--quiet").raw) == ("jpeg", (2048, 2048))


def test_a_dry_run_of_a_sketch_is_free(sketch):
    result = sketch("a fox", "--dry-run")
    assert "cost 0.00 USD (sketches are free)" in result.lines
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("line", [("generate", "--dry-run", "-n", "2"), ("resolve",)], ids=" ".join)
def test_what_would_be_drawn_is_told_without_an_address(flux, line):
    command, *more = line
    told = flux(command, "a fox", "--offline", *more)
    assert told.code == 0
    assert "POST" not in told.out
    assert "://" not in told.out
    assert told.out.count("sketch offline, nothing is sent:") == 1
    assert "POST https://" in flux(command, "a fox", *more).out
    document = flux(command, "a fox", "--offline", *more, "--json").json
    assert (document["hosted"], "://" in str(document)) == (False, False)
