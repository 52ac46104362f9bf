"""The front door and Typer give the same bytes and exit code, whatever is typed."""

import contextlib
import io
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux_cli import main
from flux_cli.cli import app
from flux_cli.cli.table import LINES
from flux_cli.config import folders

LOOKUPS = ("resolve", "sizes", "models")
FLAGS = sorted({flag for name in LOOKUPS for flag in LINES[name]["flags"]})
SIZES = ("16:9", "1920x1080", "7:1", "1365×768", "1920 * 1080")
VALUES = (
    *SIZES, "16x9", "banana", "1080p", "", " ", "0:0", "1K", "0.25", "3", "7", "-1", "1.5", "100",
    "true", "flux1.1-pro", "flux1.1-pro-ultra", "flux-pro-1.1", "fal/flux1.1-pro-ultra",
    "other/model", "nope", "fal", "replicate", "lumenfall", "bfl", "openai", "localai", "sdcpp",
    "together", "offline", "png", "jpg", "webp", "avif", "gif", "xyz", "out/", "fox.webp",
    "fox.xyz", "url", "b64_json", "http://127.0.0.1:1/v1", "https://example.org/v1/", "here",
    "a red fox", "雪の狐 \n🦊", 'it\'s "quoted" \\\t', "\x07\x1b[31m", "caf\udce9", "x" * 1200,
    "-", "--", "@", "@f",
)  # fmt: skip
ODD_WORDS = (
    "--help", "-h", "--version", "-V", "-p", "x=1", "--image-prompt", "--nonsense", "-vq", "-x",
)  # fmt: skip
WORDS = st.one_of(
    st.sampled_from(FLAGS),
    st.sampled_from(VALUES),
    st.builds("{}={}".format, st.sampled_from(FLAGS), st.sampled_from(VALUES)),
    st.builds("{}{}".format, st.sampled_from(FLAGS), st.sampled_from(VALUES)),
    st.sampled_from(ODD_WORDS),
    st.text(max_size=4),
)
RIGHT_VALUES = {
    "size": SIZES,
    "aspect_ratio": ("16:9", "7:1"),
    "resolution": ("1K", "0.25"),
    "seed": ("3", "7"),
    "n": ("1", "3"),
    "output_format": ("png", "jpg", "avif"),
    "route": ("fal", "replicate"),
    "model": ("flux1.1-pro-ultra", "flux-pro-1.1-ultra"),
    "provider": ("lumenfall", "offline"),
}
PAIRS = st.tuples(st.sampled_from(FLAGS), st.sampled_from(VALUES))
RANDOM_LINES = st.builds(
    lambda command, pairs, words: [command, *(word for pair in pairs for word in pair), *words],
    st.sampled_from((*LOOKUPS, *LOOKUPS, "--version", "generat")),
    st.lists(PAIRS, max_size=2),
    st.lists(WORDS, max_size=3),
)
ENVIRONMENTS = (
    {},
    {"FLUX_MODEL": "flux1.1-pro"},
    {"FLUX_MODEL": "unknown"},
    {"FLUX_PROVIDER": "bfl", "FLUX_TIMEOUT": "5"},
    {"FLUX_BASE_URL": "http://127.0.0.1:1/v1/"},
    {"FLUX_RETRIES": "many"},
    {"FLUX_OUTPUT": "out/", "FLUX_OUTPUT_FORMAT": "gif"},
    {"LUMENFALL_BASE_URL": "https://example.org/v2/"},
)


def said(by, line):
    """Exit code, stdout and stderr of one way to carry out a line."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = by(line)
    return code, out.getvalue(), err.getvalue()


def compare(line, monkeypatch, environment):
    with monkeypatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        at_the_door = said(main.answer, line)
        if at_the_door[0] is None:
            assert at_the_door == (None, "", "")
        else:
            assert at_the_door == said(app.main, line)
        return at_the_door[0]


@settings(max_examples=300)  # most lines are wrong in one of many ways
@given(line=RANDOM_LINES, environment=st.sampled_from(ENVIRONMENTS))
def test_what_the_door_answers_is_what_typer_answers(line, environment, monkeypatch):
    """Random lines, most of them wrong: where the door answers, Typer answers the same."""
    compare(line, monkeypatch, environment)


@settings(max_examples=40)
@given(data=st.data(), environment=st.sampled_from(ENVIRONMENTS[:2]))
def test_right_lines_are_answered_at_the_door(data, environment, monkeypatch):
    """Lines made only of what is right never reach Typer, and are answered the same."""
    command = data.draw(st.sampled_from(LOOKUPS))
    line = [command, {"sizes": "7:1", "models": "flux1.1-pro", "resolve": "a fox"}[command]]
    flags = sorted(LINES[command]["flags"].items())
    for flag, (field, said) in data.draw(st.permutations(flags))[:4]:
        if said is not None and field != "curl":
            line.append(flag)
        elif field in RIGHT_VALUES:
            line += [flag, data.draw(st.sampled_from(RIGHT_VALUES[field]))]
    no_waits = {"FLUX_RETRIES": "0"}  # `models --refresh` reaches no server here
    assert compare(line, monkeypatch, environment | no_waits) is not None


ANY = st.one_of(
    st.sampled_from(sorted({flag for line in LINES.values() for flag in line["flags"]})),
    st.sampled_from(VALUES),
    st.builds(
        "{}={}".format,
        st.sampled_from(["--size", "--width", "-f", "--json", "--raw"]),
        st.sampled_from(VALUES),
    ),
    st.sampled_from(
        ("--help", "-n4", "-vf", "--preview", "--no-preview", "a=1", "--", "--nonsense")
    ),
)
FOLDERS = {
    "build": "build.run",
    "recover": "history.recover",
    "runs": "history.runs",
}  # the modules of commands that have a folder


@settings(max_examples=300)  # a dozen commands share them
@given(command=st.sampled_from(sorted(LINES)), words=st.lists(ANY, max_size=7))
def test_what_the_door_reads_is_what_typer_reads(command, words, monkeypatch):
    """The same values reach the same function, for every command the door knows."""
    taken = []

    def run(*options, **named):
        """Some commands take one group of options, others each by name; only the group differs."""
        group = options[0] if options else named.pop("options", None)
        taken.append((group, named))

    module = f"flux_cli.commands.{FOLDERS.get(command, command)}"
    monkeypatch.setattr(import_module(module), "run", run)
    if main.answer([command, *words]) is None:
        assert taken == []
        return
    assert said(app.main, [command, *words])[0] == 0
    at_the_door, by_typer = taken
    assert at_the_door == by_typer


SETTINGS = {
    "the user's model file": (".config/flux-image-cli/models/flux1.1-pro-ultra.toml", None),
    "a wrong model file": (".config/flux-image-cli/models/mine.toml", "id = 3"),
    "the user's settings": (
        ".config/flux-image-cli/config.toml",
        'model = "flux1.1-pro"\nretries = 1\n',
    ),
    "wrong settings": (".config/flux-image-cli/config.toml", "retries = [\n"),
    "a provider of one's own": (
        ".config/flux-image-cli/config.toml",
        'provider = "mine"\n[providers.mine]\nbase_url = "http://localhost:9/v1/"\n',
    ),
    "the project's settings": ("flux.toml", 'model = "flux1.1-pro"\noutput_format = "webp"\n'),
    "wrong project settings": ("flux.toml", 'base_url = "http://127.0.0.1:1/v1"'),
}
PLAIN = (
    ["sizes"],
    ["sizes", "7:1", "--json"],
    ["models"],
    ["models", "--json"],
    ["resolve", "a fox", "-s", "4:3"],
)


@pytest.mark.parametrize("case", SETTINGS)
def test_files_of_the_user_and_the_project_count_at_the_door_too(home, work, monkeypatch, case):
    name, text = SETTINGS[case]
    path = (work if name == "flux.toml" else home) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    built_in = Path(main.__file__).parent / "catalog/models/flux1.1-pro-ultra.toml"
    path.write_text(built_in.read_text().replace("0.06", "0.05") if text is None else text)
    codes = {compare(line, monkeypatch, {}) for line in PLAIN}
    assert (2 in codes) == ("wrong" in case)
    assert codes <= {0, 2}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the library is asked anyway")
def test_the_folder_of_settings_is_the_platform_s(home, monkeypatch):
    """The short way to the folder, and the library that knows every platform, agree."""
    import platformdirs

    values = {
        "XDG_CONFIG_HOME": (None, "", " ", "relative", "/tmp/x", "~/x", str(home)),
        "HOME": (None, "", "/", "/tmp/", "/tmp//x", "relative", " /tmp"),
    }
    for variable, choices in values.items():
        for value in choices:
            with monkeypatch.context() as patch:
                patch.delenv(variable, raising=False)
                if value is not None:
                    patch.setenv(variable, value)
                expected = platformdirs.user_config_dir(folders.APP, appauthor=False)
                assert folders.user_folder() == Path(expected)


def run_python(program: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A Python program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_ctrl_c_before_anything_has_begun_is_no_traceback(environment):
    """An early Ctrl-C: the argument list itself raises what the signal would."""
    program = """
import sys
class Argv(list):
    def __getitem__(self, place):
        raise KeyboardInterrupt
sys.argv = Argv()
from flux_cli.main import run
run()
"""
    done = run_python(program, environment)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "flux: error: interrupted\n")


def test_ctrl_c_in_a_destructor_is_no_traceback(environment):
    program = """
import sys
class Thing:
    def __init__(self, fault):
        self.fault = fault
    def __del__(self):
        raise self.fault
class Argv(list):
    def __getitem__(self, place):
        Thing(KeyboardInterrupt())
        Thing(ValueError("not the person's doing"))
        return ["--version"]
sys.argv = Argv()
from flux_cli.main import run
run()
"""
    done = run_python(program, environment)
    assert (done.returncode, done.stdout.split()[0]) == (0, "flux")
    assert "ValueError" in done.stderr
    assert "KeyboardInterrupt" not in done.stderr


PROCESSES = [
    ["sizes"],
    ["sizes", "banana"],
    ["resolve", "雪", "-f", "avif"],
    ["resolve", "-"],
    ["generate", "a", "--dry-run", "--seed", "7", "-n", "2", "-f", "avif", "--width", "64"],
    ["convert", "-", "-f", "png"],
]
MORE_PROCESSES = [
    [],
    ["--version"],
    ["resolve", "caf\udce9"],
    ["generate", "a fox"],
    ["generate", "a", "--offline", "--seed", "7", "-s", "1:1", "-o", "-", "-f", "jpg", "--quiet"],
]
LINES_THAT_FAIL = [
    ["resolve", "a", "b", "--json"],
    ["generate"],
    ["generate", "a", "b"],
    ["generate", "a", "--seed", "x", "--json"],
    ["generate", "a", "-n", "2", "-vq"],
    ["convert"],
    ["convert", "nope.png", "-f", "webp", "--json"],
    ["build", "--plan", "--check", "--only", "icon-*"],
]


@pytest.mark.parametrize("line", LINES_THAT_FAIL, ids=" ".join)
def test_both_fail_with_the_same_message_and_exit_code(line, monkeypatch):
    assert compare(line, monkeypatch, {}) != 0


def ended(environment, module, line, stdout):
    """Exit code, stdout and stderr of a process whose stdout is a pipe, a full disk or closed."""
    words = [os.fsencode(word) for word in line]
    argv = [sys.executable, "-c", f"from {module} import run; run()", *words]
    if stdout == "closed":
        argv = ["sh", "-c", 'exec "$@" >&-', "sh", *argv]
    with open("/dev/full" if stdout == "full" else os.devnull, "wb") as sink:
        done = subprocess.run(
            argv,
            env=environment,
            input=b"a fox",
            stdout=subprocess.PIPE if stdout == "pipe" else sink,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert b"Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("line", [*PROCESSES, *MORE_PROCESSES], ids=" ".join)
def test_as_processes_both_give_the_same_bytes_and_exit_code(environment, line):
    at_the_door = ended(environment, "flux_cli.main", line, "pipe")
    assert at_the_door == ended(environment, "flux_cli.cli.app", line, "pipe")


@pytest.mark.parametrize("line", PROCESSES, ids=" ".join)
@pytest.mark.parametrize("stdout", ["full", "closed"])
def test_as_processes_both_end_alike_where_nothing_can_be_written(environment, line, stdout):
    if stdout == "full" and not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    at_the_door = ended(environment, "flux_cli.main", line, stdout)
    assert at_the_door == ended(environment, "flux_cli.cli.app", line, stdout)


@pytest.mark.parametrize(
    "line", ["generate fox -o --json", "generate fox --output --dry-run", "sizes -m --plain"]
)
def test_an_option_in_the_place_of_a_value_is_left_to_typer(line):
    assert main.answer(line.split()) is None
