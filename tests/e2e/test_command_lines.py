"""Wrong command lines cost nothing and say what to type; prompts come from where they should."""

import json
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

# command line -> words that must be said
WRONG = {
    "no prompt": ((), "no prompt"),
    "an empty prompt": (("",), "prompt is empty"),
    "a blank prompt": (("  \n ",), "prompt is empty"),
    "two words": (("a", "fox"), 'quote the prompt: "a fox"'),
    "three words and an option": (("a", "red", "fox", "-n", "3"), 'quote the prompt: "a red fox"'),
    "a format outside the option": (("a fox", "png"), "quote the prompt"),
    "unknown option": (("a fox", "--sed", "7"), "did you mean --seed?"),
    "unknown option in the middle of words": (
        ("a fox", "--aspect", "16:9"),
        "did you mean --aspect-ratio?",
    ),
    "unknown option far from all": (("a fox", "--zzzzzz"), "no such option: --zzzzzz"),
    "unknown short option": (("a fox", "-z"), "no such option: -z"),
    "option without its value": (("a fox", "--seed"), "--seed"),
    "flag with a value": (("a fox", "--raw=yes"), "--raw"),
    "seed of words": (("a fox", "--seed", "lucky"), "seed must be a whole number, not 'lucky'"),
    "seed of a fraction": (("a fox", "--seed", "1.5"), "seed must be a whole number"),
    "no images": (("a fox", "-n", "0"), "n must be 1 to"),
    "minus images": (("a fox", "-n", "-3"), "n must be 1 to"),
    "a million images": (("a fox", "-n", "1000000"), "n must be 1 to"),
    "images of words": (("a fox", "-n", "many"), "n must be a whole number"),
    "size of words": (("a fox", "-s", "large"), "invalid size 'large'"),
    "size without height": (("a fox", "-s", "1024"), "invalid size '1024'"),
    "size of nothing": (("a fox", "-s", "0x0"), "invalid size '0x0'"),
    "negative size": (("a fox", "-s", "-5x5"), "invalid size"),
    "endless size": (("a fox", "-s", "1e999x1"), "invalid size"),
    "pixels as ratio": (("a fox", "-a", "1920x1080"), "use --size 1920x1080"),
    "ratio by zero": (("a fox", "-a", "16:0"), "aspect_ratio '16:0'"),
    "resolution of words": (("a fox", "-r", "HD"), "invalid resolution 'HD'"),
    "strength above one": (
        ("a fox", "--image-prompt-strength", "1.1"),
        "image_prompt_strength must be 0 to 1",
    ),
    "strength of no number": (
        ("a fox", "--image-prompt-strength", "nan"),
        "image_prompt_strength must be a number",
    ),
    "quality above 100": (("a fox", "-q", "101"), "output_compression must be 0 to 100"),
    "tolerance of zero": (
        ("a fox", "--safety-tolerance", "0"),
        "safety_tolerance must be one of 1, 2",
    ),
    "tolerance of seven by -p": (
        ("a fox", "-p", "safety_tolerance=7"),
        "safety_tolerance must be one of",
    ),
    "response format": (("a fox", "--response-format", "b64"), "one of url, b64_json"),
    "output format": (("a fox", "-f", "jpgg"), "did you mean jpg?"),
    "route": (("a fox", "--route", "fall"), "did you mean fal?"),
    "two routes": (
        ("a fox", "-m", "fal/flux1.1-pro-ultra", "--route", "replicate"),
        "already names a route",
    ),
    "provider": (("a fox", "--provider", "lumenfal"), "did you mean lumenfall?"),
    "provider without address": (("a fox", "--provider", "openai"), "--base-url"),
    "address of words": (("a fox", "--base-url", "here"), "'here'"),
    "address with a password": (
        ("a fox", "--base-url", "http://me:secret@127.0.0.1/v1"),
        "user name or password",
    ),
    "a key over plain http": (
        ("a fox", "--provider", "lumenfall", "--base-url", "http://192.0.2.1/v1"),
        "unencrypted",
    ),
    "no pairs": (("a fox", "-p", "guidance"), "KEY=VALUE"),
    "a pair without a name": (("a fox", "-p", "=3"), "KEY=VALUE"),
    "prompt as parameter": (("a fox", "-p", "prompt=x"), "cannot set prompt"),
    "a parameter twice": (("a fox", "--seed", "1", "-p", "seed=2"), "seed is given twice"),
    "image prompt that is not there": (("a fox", "--image-prompt", "nowhere.png"), "nowhere.png"),
    "image prompt that is a folder": (("a fox", "--image-prompt", "."), "'.'"),
    "image prompt that is no image": (
        ("a fox", "--image-prompt", "text.txt"),
        "give a png",
    ),
    "image prompt of another scheme": (
        ("a fox", "--image-prompt", "ftp://127.0.0.1/x.png"),
        "ftp://",
    ),
    "prompt file that is not there": (("@nowhere.txt",), "nowhere.txt"),
    "prompt file that is a folder": (("@.",), "'.'"),
    "prompt file of bytes": (("@latin1.txt",), "UTF-8"),
    "prompt file of nothing": (("@empty.txt",), "prompt is empty"),
    "concurrency of zero": (("a fox", "--concurrency", "0"), "--concurrency"),
    "timeout of words": (("a fox", "--timeout", "soon"), "--timeout"),
    "timeout of minus": (("a fox", "--timeout", "-1"), "--timeout"),
    "retries of a fraction": (("a fox", "--retries", "1.5"), "--retries"),
    "cost of words": (("a fox", "--max-cost", "cheap"), "--max-cost"),
    "too dear": (("a fox", "-n", "3", "--max-cost", "0.17"), "0.18 USD"),
    "offline and an address": (
        ("a fox", "--offline", "--base-url", "http://127.0.0.1/v1"),
        "contradict",
    ),
}


@pytest.fixture
def odd_files():
    Path("text.txt").write_text("no image")
    Path("latin1.txt").write_bytes(b"caf\xe9")
    Path("empty.txt").touch()


@pytest.mark.usefixtures("odd_files")
@pytest.mark.parametrize(("line", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_command_line_sends_nothing_and_says_what_to_do(generate, gateway, line, said):
    result = generate(*line[:1], "--json", *line[1:])
    document, error = result.json, result.json["errors"][0]
    assert (result.code, gateway.requests) == (2, [])
    assert result.err.startswith(f"flux: error: {error['message']}")
    assert said in result.err
    assert len(result.err.splitlines()) <= 2
    assert (document["exit_code"], document["status"], document["files"]) == (2, "failed", [])
    assert error["code"] in {"usage", "config", "output", "budget"}


def test_a_wrong_command_line_leaves_stdout_empty(generate):
    assert generate("a", "fox").out == ""
    assert generate("a fox", "--seed", "lucky").out == ""


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("genrate", "generate"),
        ("resolv", "resolve"),
        ("size", "sizes"),
        ("model", "models"),
        ("conifg", "config"),
    ],
)
def test_a_mistyped_command_suggests_the_nearest(flux, typed, meant):
    result = flux(typed, "x")
    assert (result.code, result.out) == (2, "")
    assert f"did you mean {meant}?" in result.err


def test_a_prompt_in_place_of_a_command_is_understood(flux):
    assert 'flux generate "a red fox"' in flux("a red fox").err


def test_a_command_far_from_all_lists_them(flux):
    assert all(
        name in flux("zzz").err for name in ("generate", "resolve", "sizes", "models", "config")
    )


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--sise", "--size"), ("--ratio", "--aspect-ratio"), ("--formt", "--format"),
        ("--quantity", "--quality"), ("--overwrit", "--overwrite"), ("--jsn", "--json"),
        ("--sync", "--sync-mode"), ("--dryrun", "--dry-run"), ("--dry_run", "--dry-run"),
        ("--aspect_ratio", "--aspect-ratio"), ("--output_format", "--output-format"),
        ("--image-promt", "--image-prompt"), ("--imgae", "--image"), ("--max_cost", "--max-cost"),
        ("--modle", "--model"),
    ],
)  # fmt: skip
def test_a_mistyped_option_suggests_the_nearest(generate, gateway, typed, meant):
    result = generate("a fox", typed)
    assert (result.code, gateway.requests) == (2, [])
    assert f"did you mean {meant}?" in result.err


def test_a_hint_on_help_names_the_command_that_was_typed(generate):
    assert "flux generate --help" in generate("a fox", "--seed").err


@pytest.mark.parametrize(
    "variable", ["FLUX_CONCURRENCY", "FLUX_TIMEOUT", "FLUX_RETRIES", "FLUX_MAX_COST"]
)
def test_a_wrong_variable_is_named(generate, gateway, variable):
    result = generate("a fox", env={variable: "lots"})
    assert (result.code, gateway.requests) == (2, [])
    assert variable in result.err
    assert "lots" in result.err


FROM_STDIN = {
    "a line": (b"a fox in the snow\n", "a fox in the snow"),
    "lines": (b"a fox\nin the snow\n\n", "a fox\nin the snow"),
    "a mark at the beginning": (b"\xef\xbb\xbfa fox", "a fox"),
    "japanese": ("雪の狐".encode(), "雪の狐"),
    "ends of lines of Windows": (b"a fox\r\n", "a fox"),
    "a prompt like an option": (b"--help", "--help"),
    "a prompt like a file": (b"@home", "@home"),
}


@pytest.mark.parametrize(("given", "sent"), FROM_STDIN.values(), ids=FROM_STDIN)
def test_a_dash_reads_the_prompt_from_standard_input(generate, gateway, given, sent):
    assert generate("-", "-o", "fox", input=given).code == 0
    assert gateway.posts[0]["prompt"] == sent


def test_a_pipe_is_the_prompt_if_there_is_none(generate, gateway):
    assert generate("-o", "fox.jpg", "-n", "2", input=b"a fox\n").code == 0
    assert [post["prompt"] for post in gateway.posts] == ["a fox", "a fox"]


def test_a_pipe_that_stays_silent_is_said_to_be_read(keyed, command, gateway):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    line = [command, "generate", "-o", "fox.jpg"]
    with subprocess.Popen(line, env=keyed, **pipes) as flux:
        assert flux.stderr.readline() == b"flux: note: reading the prompt from standard input\n"
        assert gateway.requests == []
        out, _ = flux.communicate(b"a fox")
    assert (flux.returncode, out) == (0, b"fox.jpg\n")
    assert [post["prompt"] for post in gateway.posts] == ["a fox"]


def test_an_at_sign_reads_the_prompt_from_a_file(generate, gateway):
    Path("my prompt.txt").write_bytes("\ufeffa fox\nin the 雪\n".encode())
    assert generate("@my prompt.txt", "-o", "fox").code == 0
    assert gateway.posts[0]["prompt"] == "a fox\nin the 雪"


def test_a_lone_at_sign_is_a_prompt(generate, gateway):
    assert generate("@").code == 0
    assert gateway.posts[0]["prompt"] == "@"


def test_a_prompt_that_begins_with_a_dash_follows_two(generate, gateway):
    assert generate("--raw", "--", "--a fox").code == 0
    assert gateway.posts[0]["prompt"] == "--a fox"


@pytest.mark.parametrize("given", [b"", b" \n", b"\xef\xbb\xbf"])
def test_an_empty_standard_input_sends_nothing(generate, gateway, given):
    result = generate("-", input=given)
    assert (result.code, gateway.requests) == (2, [])
    assert "prompt is empty" in result.err


def test_standard_input_is_never_read_unasked(keyed, command, gateway):
    """A pipe that stays open would hang a program that reads it."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([command, "generate", "a fox", "-o", "fox"], env=keyed, **pipes) as flux:
        assert flux.wait(timeout=30) == 0
    assert gateway.posts[0]["prompt"] == "a fox"


def test_closed_standard_input_is_said(keyed, command, gateway):
    done = subprocess.run(
        ["sh", "-c", f"{command} generate - <&-"],
        env=keyed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, gateway.requests) == (2, [])
    assert "standard input is closed" in done.stderr


ODD_BYTES = {
    "prompt": [b"caf\xe9"],
    "model": [b"a fox", b"-m", b"caf\xe9"],
    "parameter": [b"a fox", b"-p", b"style=caf\xe9"],
    "parameter's name": [b"a fox", b"-p", b"caf\xe9=1"],
    "size": [b"a fox", b"-s", b"\xff"],
    "option": [b"a fox", b"--\xff"],
    "image prompt": [b"a fox", b"--image-prompt", b"caf\xe9.png"],
    "prompt file": [b"@caf\xe9"],
}


@pytest.mark.parametrize("line", ODD_BYTES.values(), ids=ODD_BYTES)
def test_bytes_that_are_no_utf8_are_an_input_error(keyed, command, gateway, line):
    done = subprocess.run(
        [command, "generate", *line, "--json"], env=keyed, capture_output=True, check=False
    )
    assert (done.returncode, gateway.requests) == (2, [])
    assert done.stderr.startswith(b"flux: error: ")
    assert b"Traceback" not in done.stderr
    assert json.loads(done.stdout.decode())["exit_code"] == 2
