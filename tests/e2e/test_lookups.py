"""`flux sizes`, `resolve`, `models`, `config`: what they print, offline and without a key."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.gateway import image

from e2e.conftest import KEY

# The model page's own table, in its own order.
TABLE = (
    ("1183x887", "4:3"), ("916x1145", "4:5"), ("1145x916", "5:4"), ("1024x1024", "1:1"),
    ("887x1182", "3:4"), ("836x1254", "2:3"), ("1254x836", "3:2"), ("768x1365", "9:16"),
    ("1365x768", "16:9"), ("670x1564", "9:21"), ("1563x670", "21:9"),
)  # fmt: skip
COMMANDS = ("generate", "resolve", "sizes", "models", "config")


def test_sizes_prints_the_pages_table_in_the_pages_order(flux):
    result = flux("sizes")
    rows = [line for line in result.lines if '"' in line]
    assert result.code == 0
    assert [(row.split('"')[1], row.split('"')[3]) for row in rows] == list(TABLE)
    assert all('"1K"' in row for row in rows)
    assert rows[8].startswith("1365 × 768")
    assert "2752 × 1536" in rows[8]


def test_sizes_plain_is_one_size_a_line(flux):
    assert flux("sizes", "--plain").lines == [size for size, _ in TABLE]


def test_sizes_are_json_or_plain(flux):
    result = flux("sizes", "--json", "--plain")
    assert (result.code, result.json["errors"][0]["hint"]) == (2, "use only one of them")


@pytest.mark.parametrize(("size", "ratio"), TABLE[::5])
def test_a_published_size_is_found_from_either_spelling(flux, size, ratio):
    assert flux("sizes", ratio, "--plain").out == f"{size}\n"
    assert flux("sizes", size, "--plain").out == f"{size}\n"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("1920x1080", "1365x768"), ("7:1", "1563x670"), ("1.91:1", "1365x768"),
        ("297:210", "1254x836"), ("512X512", "1024x1024"), ("4000×3000", "1183x887"),
        ("32:18", "1365x768"), ("1183 × 887", "1183x887"), ("1920 x 1080", "1365x768"),
        ("1920*1080", "1365x768"), ("16/9", "1365x768"),
    ],
)  # fmt: skip
def test_the_nearest_size_of_anything(flux, asked, found):
    assert flux("sizes", asked, "--plain").lines == [found]


@pytest.mark.parametrize("words", ["1183 × 887", "1920 x 1080", "16 : 9"])
def test_the_printed_spelling_of_a_size_needs_no_quotes(flux, words):
    assert flux("sizes", *words.split(), "--json").json == flux("sizes", words, "--json").json


def test_sizes_as_json(flux):
    document = flux("sizes", "--json").json
    assert document["model"] == "flux1.1-pro-ultra"
    rows = [(row["size"], row["aspect_ratio"], row["resolution"]) for row in document["sizes"]]
    assert rows == [(*row, "1K") for row in TABLE]
    one = flux("sizes", "7:1", "--json").json
    assert (one["asked"], [row["size"] for row in one["sizes"]]) == ("7:1", ["1563x670"])
    assert "21:9" in one["reason"]
    match = {"asked": "7:1", "size": "1563x670", "exact": False, "reason": one["reason"]}
    assert (document["matches"], one["matches"]) == ([], [match])


def test_sizes_says_why_a_row_was_chosen(flux):
    result = flux("sizes", "7:1")
    assert result.lines[0].endswith("  1 of 11 sizes")
    assert result.lines[-1] == "the model has no 7:1; using 21:9 (1563x670), the closest"
    assert flux("sizes", "32:18").lines[-1] == "32:18: 16:9 is 1365x768"


def test_several_shapes_are_one_line_each_in_their_order(flux):
    shapes = ("16:9", "1183 × 887", "1920x1080", "square")
    found = ["1365x768", "1183x887", "1365x768", "1024x1024"]
    assert flux("sizes", *shapes, "--plain").lines == found
    split = flux("sizes", *" ".join(shapes).split(), "--json").json
    assert [match["size"] for match in split["matches"]] == found
    assert [row["size"] for row in split["sizes"]] == [found[0], found[1], found[3]]
    assert (split["asked"], split["reason"]) == (None, None)


@pytest.mark.parametrize(
    ("asked", "size", "note"),
    [
        ("4K", "1365x768", "4K is read as 3840x2160; the model has no 3840x2160; using "),
        ("portrait", "836x1254", "portrait is read as 2:3; 2:3 is 836x1254"),
        ("16x9", "1365x768", "16x9 is read as 16:9; "),
        ("7:1", "1563x670", "the model has no 7:1; using 21:9 (1563x670), the closest"),
    ],
)
def test_a_script_gets_the_size_alone_and_people_what_it_stands_for(flux, asked, size, note):
    result = flux("sizes", asked, "--plain")
    assert (result.code, result.out) == (0, f"{size}\n")
    assert result.err.startswith(f"flux: note: {note}")
    assert flux("sizes", asked).lines[-1].startswith(note)


@pytest.mark.parametrize("asked", ["16:9", "1365x768", "2752x1536", "1183 × 887", "square"])
def test_a_size_that_the_model_has_is_exact(flux, asked):
    result = flux("sizes", asked, "--exact", "--plain")
    assert result.code == 0
    assert asked == "square" or result.err == ""


def test_a_size_that_the_model_does_not_have_is_not_printed_with_exact(flux):
    result = flux("sizes", "16:9", "7:1", "--exact", "--plain")
    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines() == [
        "flux: error: flux1.1-pro-ultra has no 7:1",
        "hint: the closest is 1563x670 (21:9); without --exact, it is used",
    ]
    result = flux("sizes", "--exact")
    assert (result.code, result.out) == (2, "")


def test_native_prints_the_pixels_that_arrive(flux):
    assert flux("sizes", "16:9", "1:1", "--native").lines == ["2752x1536", "2048x2048"]
    assert len(flux("sizes", "--native").lines) == len(TABLE)
    # nobody publishes what arrives for this model: the size itself is what is known
    assert flux("sizes", "16:9", "--native", "-m", "flux.2-pro").lines == ["1365x768"]


@pytest.mark.parametrize("asked", ["16:9", "1365x768"])
def test_what_the_row_says_itself_is_not_said_again(flux, asked):
    assert flux("sizes", asked).lines[-1].startswith("1365 × 768")


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("fox -s 16x9", "16:9"),
        ("fox -s portrait", "2:3"),
        ("fox -a landscape", "3:2"),
        ("fox -a 4K", "--size 3840x2160, or --resolution 4K"),
    ],
)
@pytest.mark.parametrize("name", ["generate", "resolve"])
def test_a_size_that_would_be_a_guess_is_asked_about_before_anything_is_paid(
    generate, flux, gateway, name, line, meant
):
    words = line.split()
    result = generate(*words) if name == "generate" else flux(name, *words)
    assert (result.code, result.out, gateway.requests) == (2, "", [])
    assert result.err.splitlines()[1] == f"hint: did you mean {meant}?"


def test_a_clear_word_is_read_and_a_note_says_as_what(flux):
    line = ("fox", "--dry-run", "-a", "square", "--size", "1080p", "--offline")
    notes = [text for text in flux("generate", *line).err.splitlines() if "read as" in text]
    assert notes == [
        "flux: note: size 1080p becomes 1920x1080: read as pixels",
        "flux: note: aspect_ratio square becomes 1:1: read as a ratio",
    ]
    document = flux("resolve", *line, "--json").json
    noted = {(note["parameter"], note["asked"], note["used"]) for note in document["notes"]}
    assert {("size", "1080p", "1920x1080"), ("aspect_ratio", "square", "1:1")} <= noted


def test_the_server_of_an_unknown_model_gets_the_word_itself(flux):
    document = flux("resolve", "fox", "-m", "else", "-s", "square", "-a", "16x9", "--json").json
    body = document["sends"][0]["body"]
    assert (body["size"], body["aspect_ratio"]) == ("square", "16x9")


def test_sizes_of_another_model(flux):
    assert len(flux("sizes", "-m", "flux1.1-pro", "--plain").lines) == 9
    assert flux("sizes", "21:9", "--plain", env={"FLUX_MODEL": "flux1.1-pro"}).lines == ["1365x768"]


@pytest.mark.parametrize(
    "line",
    ["sizes banana", "sizes 0:1", "sizes -m nope", "models nope", "sizes 1:1 full", "models a b"],
)
def test_a_wrong_lookup_exits_2_with_nothing_on_stdout(flux, line):
    result = flux(*line.split())
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("flux: error: ")


def test_resolve_prints_what_is_sent_and_why(flux):
    result = flux(
        "resolve", "a red fox", "-a", "7:1", "--raw", "-n", "3", "--seed", "7", "-f", "webp"
    )
    body = {
        "model": "flux1.1-pro-ultra",
        "prompt": "a red fox",
        "size": "1563x670",
        "raw": True,
        "output_format": "png",
        "seed": 7,
    }
    assert result.code == 0
    assert result.lines[0] == "POST https://api.lumenfall.ai/openai/v1/images/generations"
    assert json.loads(result.lines[1]) == body
    rows = {line.split()[0]: line for line in result.lines[3:] if line}
    assert rows["parameter"].split() == ["parameter", "asked", "sent", "behavior", "reason"]
    assert rows["aspect_ratio"].split()[1:4] == ["7:1", "21:9", "converted"]
    assert rows["n"].split()[1:4] == ["3", "1", "emulated"]
    assert rows["output_format"].split()[1:4] == ["webp", "png", "emulated"]
    assert "seeds 7 to 9" in result.out
    assert "0.18 USD" in result.out


def test_resolve_says_what_was_ignored(flux):
    result = flux("resolve", "-s", "1024x1024", "-a", "16:9", "-r", "4K")
    ignored = [line.split()[0] for line in result.lines if " ignored " in line]
    assert ignored == ["aspect_ratio", "resolution"]


def test_resolve_as_json_says_what_generate_sends(flux, generate, gateway):
    options = (
        "a fox",
        "-s",
        "1920x1080",
        "-n",
        "2",
        "--seed",
        "7",
        "-p",
        "guidance=3.5",
        "-f",
        "avif",
    )
    document = flux("resolve", *options, "--json").json
    generate(*options)
    (sends,) = document["sends"]
    first, second = sorted(gateway.posts, key=lambda body: body["seed"])
    assert (sends["body"], sends["body"] | {"seed": 8}) == (first, second)
    assert (sends["count"], sends["seeds"]) == (2, [[7, 8]])
    assert {"schema", "provider", "hosted", "request", "resolved", "notes", "sends"} == set(
        document
    )
    assert all(
        set(note) >= {"parameter", "asked", "used", "behavior", "reason"}
        for note in document["notes"]
    )


def test_resolve_needs_no_key_no_prompt_and_no_network(flux, gateway):
    assert flux("resolve", env={"LUMENFALL_BASE_URL": gateway.url}).code == 0
    assert gateway.requests == []


def test_resolve_takes_all_of_generates_options(flux):
    line = (
        "a fox", "-s", "1:1", "-a", "2:1", "-r", "2K", "-m", "flux1.1-pro-ultra",
        "-n", "2", "--seed", "1", "--raw", "--enhance-prompt", "--image-prompt",
        "https://example.org/x.png", "--image-prompt-strength", "0.5", "--safety-tolerance", "5",
        "--response-format", "b64_json", "--sync-mode", "-p", "x=1", "-o", "x.png", "-f", "png",
        "-q", "50", "--skip-existing", "--concurrency", "2", "--timeout", "5",
        "--retries", "0", "--dry-run", "--max-cost", "1", "--yes", "--quiet", "--verbose",
        "--no-key", "--no-badge", "--base-url", "http://127.0.0.1:1/v1",
    )  # fmt: skip
    assert flux("resolve", *line).code == 0
    assert flux("resolve", "a fox", "--route", "fal").code == 0
    assert flux("resolve", "a fox", "--overwrite").code == 0


@pytest.mark.parametrize(
    "prompt",
    [
        "a red fox",
        'it\'s "quoted" $HOME `id` \\n !',
        "雪の狐 🦊\nsecond line",
        "-d @/etc/passwd",
        "x" * 200_000,
    ],
)
def test_the_curl_line_sends_what_generate_sends(flux, keyed, gateway, prompt):
    if not shutil.which("curl"):
        pytest.skip("no curl on PATH")
    options = ("-a", "16:9", "-n", "2", "--seed", "7", "--raw", "-p", 'style="it\'s"')
    Path("prompt.txt").write_text(prompt)
    line = flux("resolve", "@prompt.txt", *options, "--curl", env=keyed).out
    assert KEY not in line
    assert flux("generate", "@prompt.txt", *options, "-o", "x", env=keyed).code == 0
    generated = sorted(gateway.posts, key=lambda body: body["seed"])
    gateway.requests.clear()
    done = subprocess.run(["sh"], input=line, env=keyed, capture_output=True, text=True, check=True)
    assert done.stdout.count('"data"') == 2
    assert [request.json for request in gateway.requests] == generated
    for request in gateway.requests:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert request.headers["content-type"] == "application/json"
        assert request.path == "/openai/v1/images/generations"


def test_a_curl_line_without_a_key_has_none(flux, gateway):
    result = flux("resolve", "a fox", "--curl", "--no-key", "--base-url", gateway.url)
    assert "Authorization" not in result.out
    assert shlex.split(result.out)[0] == "curl"


def test_a_curl_line_is_no_json(flux):
    result = flux("resolve", "a fox", "--curl", "--json")
    assert (result.code, result.json["errors"][0]["code"], "--curl" in result.err) == (
        2,
        "usage",
        True,
    )


def test_every_document_of_a_lookup_has_a_schema_number(flux):
    for words in (
        ["sizes"],
        ["models"],
        ["models", "flux1.1-pro"],
        ["providers"],
        ["config"],
        ["runs"],
        ["recover"],
    ):
        assert flux(*words, "--json").json["schema"] == 1


def test_models_lists_what_the_catalog_knows(flux):
    result = flux("models")
    heading, *names = [line.split()[0] for line in result.lines]
    assert heading == "Model"
    assert {"flux1.1-pro", "flux1.1-pro-ultra"} <= {*names}
    assert [row["id"] for row in flux("models", "--json").json["models"]] == names


def test_one_model_in_full(flux):
    (document,) = flux("models", "flux-pro-1.1-ultra", "--json").json["models"]
    assert document["price_usd"] == 0.06
    assert document["sizes"] == [size for size, _ in TABLE]
    assert set(document["parameters"]) == {
        "prompt", "seed", "size", "aspect_ratio", "resolution", "response_format", "output_format",
        "output_compression", "n", "enhance_prompt",
        "image_prompt", "image_prompt_strength", "raw", "safety_tolerance", "sync_mode",
    }  # fmt: skip
    text = flux("models", "flux1.1-pro-ultra").out
    assert all(name in text for name in document["parameters"])
    assert "fal-ai/flux-pro/v1.1-ultra" in text


MODEL = """
id = "my-model"
aliases = ["mine"]
name = "Mine"
vendor = "Me"
summary = "a model of my own"
price_usd = 0.5
native_formats = ["png"]
default_size = "512x512"
parameters = {}
routes = {}
[[sizes]]
size = "512x512"
aspect_ratio = "1:1"
resolution = "0.5K"
[[sizes]]
size = "1024x256"
aspect_ratio = "4:1"
resolution = "0.5K"
[[sizes]]
size = "1448x181"
aspect_ratio = "8:1"
resolution = "0.5K"
"""


def test_a_model_of_ones_own_is_one_file(flux, generate, gateway, home):
    path = home / ".config/flux-image-cli/models/my-model.toml"
    path.parent.mkdir(parents=True)
    path.write_text(MODEL)
    assert "my-model" in flux("models").out
    assert flux("sizes", "7:1", "-m", "mine", "--plain").lines == [
        "1448x181"
    ]  # the page's own example
    assert generate("a fox", "-m", "mine", "-o", "fox", "--max-cost", "0.5").code == 0
    assert gateway.posts == [{"model": "my-model", "prompt": "a fox", "size": "512x512"}]
    path.write_text(MODEL.replace("price_usd", "prize_usd"))
    result = generate("a fox", "-m", "my-model")
    assert result.code == 2
    assert str(path) in result.err
    assert "prize_usd" in result.err
    assert "price_usd" in result.err


def test_config_shows_every_setting_with_its_source(flux, home):
    user = home / ".config/flux-image-cli/config.toml"
    user.parent.mkdir(parents=True)
    user.write_text('retries = 1\nconcurrency = 3\ntimeout = 9\noutput = "user/"\n')
    Path("flux.toml").write_text('concurrency = 4\ntimeout = 8\noutput = "project/"\n')
    rows = flux("config", "--json", env={"FLUX_TIMEOUT": "7", "FLUX_OUTPUT": "variable/"}).json[
        "settings"
    ]
    names = ("retries", "concurrency", "timeout", "output", "model")
    assert {name: (rows[name]["value"], rows[name]["source"]) for name in names} == {
        "retries": (1, str(user)), "concurrency": (4, "flux.toml"), "timeout": (7, "FLUX_TIMEOUT"),
        "output": ("variable/", "FLUX_OUTPUT"), "model": ("flux1.1-pro-ultra", "default"),
    }  # fmt: skip
    text = flux("config").out
    assert all(name in text for name in rows)
    assert flux("config", "path").out == f"{user}\n"


def test_settings_are_obeyed_in_their_order(generate, home):
    user = home / ".config/flux-image-cli/config.toml"
    user.parent.mkdir(parents=True)
    user.write_text('output = "user/"\n')
    assert generate("a fox", "--seed", "1").lines == ["user/a-fox-1.jpg"]
    Path("flux.toml").write_text('output = "project/"\n')
    assert generate("a fox", "--seed", "1").lines == ["project/a-fox-1.jpg"]
    assert generate("a fox", "--seed", "1", env={"FLUX_OUTPUT": "variable/"}).lines == [
        "variable/a-fox-1.jpg"
    ]
    assert generate(
        "a fox", "--seed", "1", "-o", "option/", env={"FLUX_OUTPUT": "variable/"}
    ).lines == ["option/a-fox-1.jpg"]


@pytest.mark.parametrize(
    "text",
    [
        "concurency = 3",
        "concurrency = 0",
        'concurrency = "three"',
        "concurrency = [",
        'api_key = "x"',
    ],
)
def test_a_wrong_settings_file_is_named_with_key_and_reason(generate, gateway, text):
    Path("flux.toml").write_text(text)
    result = generate("a fox")
    assert (result.code, gateway.requests) == (2, [])
    assert "flux.toml" in result.err


def test_config_says_whether_there_is_a_key_and_where_from(flux):
    def state(**env):
        return next(
            line.split(maxsplit=1)[1]
            for line in flux("config", env=env).lines
            if line.startswith("LUMENFALL_API")
        )

    assert state() == "not set"
    assert state(LUMENFALL_API_KEY=KEY) == "set, from LUMENFALL_API_KEY"


@pytest.mark.parametrize(
    "line", ["config path --nonsense", "config pat", "config path extra", "config --nonsense"]
)
def test_config_is_as_strict_as_the_others(flux, line):
    result = flux(*line.split())
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("flux: error: ")


def test_a_mistyped_command_below_config_suggests_its_own(flux):
    assert "did you mean path?" in flux("config", "pat").err


@pytest.mark.parametrize("line", [["--version"], ["-V"]])
def test_version(flux, line):
    result = flux(*line)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("flux 0.")


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("line", ["", *COMMANDS, "config path"])
def test_help_everywhere_on_stdout_plain_and_under_100_columns(flux, line, flag):
    result = flux(*line.split(), flag)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"Usage: flux {line}".rstrip())
    assert "\x1b" not in result.out
    assert all(len(row) <= 100 for row in result.lines)
    assert all(row == row.rstrip() for row in result.lines)


def test_help_of_generate_names_every_parameter_of_the_page_under_its_own_name(flux):
    text = flux("generate", "--help").out
    names = flux("models", "flux1.1-pro-ultra", "--json").json["models"][0]["parameters"]
    assert all(f"--{name.replace('_', '-')}" in text for name in names if name != "prompt")
    groups = [
        "Arguments:",
        "Shape:",
        "Model:",
        "Parameters:",
        "Output:",
        "Run:",
        "Provider:",
        "Examples:",
    ]
    assert [line for line in text.splitlines() if line in groups] == groups


def test_help_wins_over_everything_else_and_pays_nothing(generate, gateway):
    assert generate("a fox", "--nonsense", "--help").code in (0, 2)
    assert generate("a", "fox", "--help").code == 0
    assert gateway.requests == []


def test_no_arguments_print_the_help(flux):
    result = flux()
    assert "Usage: flux" in result.out + result.err
    assert all(name in result.out + result.err for name in COMMANDS)


def test_help_lists_the_exit_codes(flux):
    text = " ".join(flux("--help").out.split())
    assert all(f"{code} " in text for code in (0, 1, 2, 3, 4, 5, 130))


@pytest.mark.parametrize("way", ["flux", "flux-image", "module"])
def test_three_ways_to_call_it_do_the_same(keyed, command, gateway, way):
    gateway.answers(image())
    start = {
        "flux": [command],
        "flux-image": [command + "-image"],
        "module": [sys.executable, "-m", "flux_cli"],
    }[way]
    done = subprocess.run(
        [*start, "generate", "a fox", "--seed", "7"],
        env=keyed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "a-fox-7.jpg\n")
    wrong = subprocess.run(
        [*start, "genrate"], env=keyed, capture_output=True, text=True, check=False
    )
    assert (wrong.returncode, wrong.stderr.splitlines()) == (
        2,
        ["flux: error: no such command: genrate", "hint: did you mean generate?"],
    )


def test_a_folder_that_was_deleted_under_us_is_no_reason_to_crash(environment, command):
    line = f"mkdir gone && cd gone && rmdir ../gone && exec {command}"
    for words_, code in (
        ("sizes 16:9 --plain", 0),
        ("resolve fox", 0),
        ("generate fox --no-key --base-url http://127.0.0.1:1/v1", 2),
    ):
        done = subprocess.run(
            ["sh", "-c", f"{line} {words_}"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, "Traceback" in done.stderr) == (code, False)


def test_a_home_that_cannot_be_read_is_no_reason_to_crash(flux):
    for home in ("/nonexistent", "", os.devnull):
        assert (
            flux("sizes", "16:9", "--plain", env={"HOME": home, "XDG_CONFIG_HOME": home}).code == 0
        )


def test_providers_names_the_address_calls_go_to_and_the_key_they_take(flux):
    env = {"LUMENFALL_API_KEY": "lmnfl_secret", "LUMENFALL_BASE_URL": "http://127.0.0.1:1/v1"}
    listed = {line.split()[0]: line for line in flux("providers", env=env).lines}
    assert "http://127.0.0.1:1/v1" in listed["lumenfall"]
    assert listed["openai"].split()[1:4] == ["FLUX_API_KEY", "(not", "set)"]
    assert "https://api.bfl.ai" in listed["bfl"]
    env |= {"FLUX_BASE_URL": "http://127.0.0.1:2/v1"}
    rows = {row["name"]: row for row in flux("providers", "--json", env=env).json["providers"]}
    bases = [rows[name]["base_url"] for name in ("lumenfall", "openai", "bfl")]
    assert bases == ["http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1", "https://api.bfl.ai"]
    for name, base in zip(("lumenfall", "openai", "bfl"), bases, strict=True):
        sent = flux("resolve", "a fox", "--provider", name, "--json", env=env).json["sends"]
        assert sent[0]["url"].startswith(base)
