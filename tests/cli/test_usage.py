"""Every wrong command line of every command is one greppable line, a hint and exit code 2."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest
import typer

import flux_cli
from flux_cli.cli.app import COMMANDS, main, make_app
from flux_cli.cli.hints import HABITS
from flux_cli.cli.topics import EXIT_CODES, TOPICS, explain
from flux_cli.config.settings import SETTINGS, VARIABLES
from flux_cli.core import errors
from flux_cli.images.formats import FORMATS
from flux_cli.images.metadata.tools import READERS
from flux_cli.images.names import FIELDS
from flux_cli.providers.rows import ROWS

ROOT = typer.main.get_command(make_app())
BELOW_CONFIG = [f"config {name}" for name in ROOT.commands["config"].commands]
LINES = {name: name.split() for name in (*ROOT.commands, *BELOW_CONFIG)}


def said(line):
    """Exit code, stdout and stderr of one command line."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(line)
    return code, out.getvalue(), err.getvalue()


def command(name):
    found = ROOT
    for word in name.split():
        found = found.commands[word]
    return found


def options(name, kind):
    """Every option of a command that takes a value, or that is a flag."""
    for one in command(name).params:
        if one.param_type_name == "option" and bool(one.is_flag) == (kind == "flag"):
            yield from (*one.opts, *one.secondary_opts)


def every_option(*kinds, longer_than=0):
    """Each option whose name is longer than that many characters, behind a command that has it."""
    commands = {}
    for name in LINES:
        for kind in kinds:
            commands.update(dict.fromkeys(options(name, kind), name))
    return [(name, option) for option, name in commands.items() if len(option) > longer_than]


def usage(line):
    """The two lines of a usage error."""
    code, out, err = said(line)
    assert (code, out) == (2, "")
    message, hint = err.splitlines()
    assert message.startswith("flux: error: ")
    assert hint.startswith("hint: ")
    return message, hint


@pytest.mark.parametrize("name", LINES)
def test_an_unknown_option_is_named_with_the_way_to_the_help(name):
    message, hint = usage([*LINES[name], "--zzzzzz"])
    assert message == "flux: error: no such option: --zzzzzz"
    assert hint == f"hint: see flux {name} --help"


@pytest.mark.parametrize(("name", "option"), every_option("value"))
def test_an_option_without_its_value_is_named(name, option):
    message, hint = usage([*LINES[name], option])
    assert option in message
    assert hint == f"hint: see flux {name} --help"


@pytest.mark.parametrize(("name", "option"), every_option("flag", longer_than=2))
def test_a_flag_takes_no_value(name, option):
    message, _ = usage([*LINES[name], f"{option}=yes"])
    assert option in message


@pytest.mark.parametrize(("name", "option"), every_option("value", "flag", longer_than=6))
def test_an_option_with_a_letter_missing_is_recognized(name, option):
    _, hint = usage([*LINES[name], option[:4] + option[5:]])
    assert hint.startswith("hint: did you mean --")


def takes_an_argument(name):
    return any(one.param_type_name == "argument" for one in command(name).params)


TAKE_SEVERAL_WORDS = {
    *("generate", "edit", "build", "resolve", "config", "config set", "show", "convert", "sizes"),
}
SET_KEYS = {"login", "logout"}  # tests/e2e/test_login.py: an argument may be a key
LIMITED = sorted(set(LINES) - TAKE_SEVERAL_WORDS)


@pytest.mark.parametrize("name", [name for name in LIMITED if takes_an_argument(name)])
def test_a_second_argument_is_named(name):
    message, hint = usage([*LINES[name], "x", "y z", "more"])
    assert message == "flux: error: unexpected argument 'y z'"
    assert hint == f"hint: flux {name} takes one at a time; see flux {name} --help"


@pytest.mark.parametrize(
    "name", [name for name in LIMITED if not takes_an_argument(name) and name not in SET_KEYS]
)
def test_an_argument_of_a_command_that_takes_none_is_named(name):
    message, hint = usage([*LINES[name], "y z", "more"])
    assert message == "flux: error: unexpected argument 'y z'"
    assert hint == f"hint: see flux {name} --help"


NO_OPTION = {
    "generate --curl fox": ("--curl", "did you mean flux resolve --curl?"),
    "generate --version": ("--version", "did you mean flux --version?"),
    "resolve --alt x": ("--alt", "did you mean flux convert --alt?"),
    "--sizes": ("--sizes", "did you mean flux sizes?"),
    "--generate fox": ("--generate", "did you mean flux generate?"),
    "--helpme": ("--helpme", "did you mean --help?"),
    "sizes --hlep": ("--hlep", "did you mean --help?"),
    "convert --offline x": ("--offline", "see flux convert --help"),  # several commands have it
    "-sizes": ("-s", "see flux --help"),
    "-help": ("-help", "did you mean --help?"),
    "-version": ("-version", "did you mean --version?"),
}


@pytest.mark.parametrize("line", NO_OPTION)
def test_an_unknown_option_leads_to_a_command_or_another_option(line):
    option, hint = NO_OPTION[line]
    assert usage(line.split()) == (f"flux: error: no such option: {option}", f"hint: {hint}")


HUGE = 10**22
SEEDS = "give a whole number such as 7, a list such as 1,5,9, or a range such as 1..4"
LONE = "--seed -1 draws a random seed, and cannot be part of a list"
# Arguments of `resolve fox`, or of `generate fox --offline`: message and hint.
WRONG_PARAMETERS = {
    f"--seed {HUGE}": (
        f"seed must be a whole number of 64 bits, not '{HUGE}'",
        f"the largest is {2**63 - 1}",
    ),
    f"--n {HUGE}": (f"n must be a whole number of 64 bits, not '{HUGE}'", "the largest is 10000"),
    "-n 0": ("n must be 1 to 10000, not '0'", "the smallest is 1"),
    "-n 1000000": ("n must be 1 to 10000, not '1000000'", "the largest is 10000"),
    "-n many": ("n must be a whole number, not 'many'", "give a whole number from 1 to 10000"),
    "-n nan": ("n must be a whole number, not 'nan'", "give a whole number from 1 to 10000"),
    "--seed 1.0": ("seed must be a whole number, not '1.0'", SEEDS),
    "--seed lucky": ("seed must be a whole number, not 'lucky'", SEEDS),
    "--seed -2": ("seed must be at least 0, not '-2'", LONE),
    "--seed=-1,5": ("seed must be at least 0, not '-1'", LONE),
    "--seed 5,1,5": (
        "seed 5 is listed twice",
        "the same seed gives the same image: list each seed once",
    ),
    "--seed 9..2": ("the range of seeds '9..2' goes backward", "write --seed 2..9"),
    "--seed 1..": ("seed must be a whole number, not '1..'", SEEDS),
    "--seed 0..10000": ("more than 10,000 seeds", "split them into several runs"),
    "--seed 1 --seed 5 -n 3": (
        "2 seeds are listed, but n is 3",
        "drop -n: there is one image per seed",
    ),
    "--seed 7 --no-seed": ("--seed and --no-seed contradict each other", "use only one of them"),
    "-q 101": ("output_compression must be 0 to 100, not '101'", "the largest is 100"),
    "-q 80%": ("output_compression must be a whole number, not '80%'", "did you mean 80?"),
    "--safety-tolerance 7": (
        "safety_tolerance must be one of 1, 2, 3, 4, 5, 6, not '7'",
        "the largest is 6",
    ),
    "--safety-tolerance 2.0": (
        "safety_tolerance must be one of 1, 2, 3, 4, 5, 6, not '2.0'",
        "did you mean 2?",
    ),
    "--image-prompt-strength 2": (
        "image_prompt_strength must be 0 to 1, not '2'",
        "the largest is 1",
    ),
    "--image-prompt-strength nan": (
        "image_prompt_strength must be a number, not 'nan'",
        "give a number from 0 to 1",
    ),
    "-p raw=maybe": ("raw must be true or false, not 'maybe'", "write -p raw=true"),
    "-p response_format=x": (
        "response_format must be one of url, b64_json, not 'x'",
        "leave response_format out for the default",
    ),
}
WRONG_SETTINGS = {
    "--progress plian": (
        "progress must be auto or plain or none, not 'plian'",
        "did you mean plain?",
    ),
    "--progress bad": (
        "progress must be auto or plain or none, not 'bad'",
        "leave --progress out for the default, auto",
    ),
    "--max-cost -1": ("max_cost must be a number of at least 0, not '-1'", "write --max-cost 1"),
    "--max-cost inf": ("max_cost must be a number of at least 0, not 'inf'", "write --max-cost 1"),
    "--retries many": ("retries must be a whole number, not 'many'", "write --retries 3"),
}


@pytest.mark.parametrize("words", WRONG_PARAMETERS)
def test_the_hint_for_a_wrong_parameter_is_what_to_type_next(words):
    message, hint = WRONG_PARAMETERS[words]
    found = usage(["resolve", "fox", *words.split()])
    assert found == (f"flux: error: {message}", f"hint: {hint}")


@pytest.mark.parametrize("words", WRONG_SETTINGS)
def test_the_hint_for_a_wrong_setting_is_what_to_type_next(words):
    message, hint = WRONG_SETTINGS[words]
    option = words.split()[0]
    found = usage(["generate", "fox", "--offline", *words.split()])
    assert found == (f"flux: error: {option}: {message}", f"hint: {hint}")


@pytest.mark.parametrize(
    "line", ["resolve fox -f xyz", "resolve fox -o a.{png,xyz}", "convert x.png -f xyz"]
)
def test_an_unknown_format_is_refused_with_all_known_ones(line):
    message, hint = usage(line.split())
    known = ", ".join(FORMATS)
    assert message == f"flux: error: output_format 'xyz' is not one of {known}"
    assert hint == "hint: use png, which is lossless"


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("generate fox -o=fox.webp", "-o takes its value without =", "did you mean -o fox.webp?"),
        ("generate fox -n=3", "-n takes its value without =", "did you mean -n 3?"),
        ("help-me", "no such command: help-me", "did you mean help?"),
        ("open x.png", "no such command: open", "did you mean flux show x.png --open?"),
        (
            "convert x.png --fit zzz",
            "--fit: invalid choice 'zzz', expected one of none, cover, contain, pad, exact",
            "cover crops, contain stays inside, pad adds borders, exact distorts",
        ),
    ],
)
def test_the_hint_is_what_to_type_next(line, message, hint):
    assert usage(line.split()) == (f"flux: error: {message}", f"hint: {hint}")


SEVERAL_PROMPTS = "for several prompts, write each on a line of a file: --prompts FILE"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("generate a red fox", 'quote the prompt: "a red fox"'),
        ("generate costs '$5' each", "quote the prompt: 'costs $5 each'"),
        ("generate a '$(id)' fox", "quote the prompt: 'a $(id) fox'"),
        ("""generate a '"big"' dog""", """quote the prompt: 'a "big" dog'"""),
        ("generate - x", "- reads the prompt from standard input; remove the other words"),
        ("generate @. x", "@. reads the prompt from a file; remove the other words"),
        ("generate @al 'by a' car", 'quote the prompt, and double its @: "@@al by a car"'),
        ("generate @@al by car", 'quote the prompt: "@@al by car"'),
        ("generate -- -fox --dry-run", 'quote the prompt: -- "-fox --dry-run"'),
        ('generate "a sea" "a forest"', SEVERAL_PROMPTS),
        ('generate "a sea" forest', 'quote the prompt: "a sea forest"'),
        (
            "a '$(id)' fox --seed 7",
            "for an image of this: flux generate 'a $(id) fox' --seed 7 --dry-run",
        ),
        ('"it\'s a fox"', 'for an image of this: flux generate "it\'s a fox" --dry-run'),
        ("a fox --offline", 'for an image of this: flux generate "a fox" --offline'),
        ("open 'my fox.png' b.webp", "did you mean flux show 'my fox.png' b.webp --open?"),
        ("zoom x.png", "did you mean flux show x.png?"),
        ("preview x.png", "did you mean flux show x.png --preview?"),
        (
            "upscale x.png",
            "to enlarge with a filter, not a model: flux convert x.png --size 4096x --upscale",
        ),
        (
            "vary x.png",
            "for other images of its prompt: flux generate --like x.png --seed -1 --dry-run",
        ),
        ("again", "for the same request: flux generate --like FILE --dry-run"),
        ("open a fox", 'for an image of this: flux generate "open a fox" --dry-run'),
        ("generate x --force", "did you mean --overwrite?"),
        ("generate x --steps 30", "pass it through: -p steps=30"),
        ("generate x --guidance-scale=3.5", "pass it through: -p guidance_scale=3.5"),
        ("generate x --steps", "pass it through: -p steps=VALUE"),
        ("convert x --steps 30", "see flux convert --help"),
        ("generate x --count 4", "did you mean -n 4?"),
        ("generate x --samples", "did you mean -n?"),
        ("generate --prompt 'a $fox'", "the prompt is the argument: flux generate 'a $fox'"),
        ("resolve --prompt", 'the prompt is the argument: flux resolve "…"'),
        ("generate x --ar 16:9", "did you mean -a 16:9?"),
        ("generate x --height 768", "give the size: --size x768"),
        ("generate x --width 512 --height 768", "give the size: --size 512x768"),
        ("generate x --height 768 --width=512", "give the size: --size 512x768"),
        (
            "generate x --api-key sk-1",
            "run flux login, or set LUMENFALL_API_KEY; other users can read a command line",
        ),
        ("generate x --no-color", "set the variable NO_COLOR=1"),
        ("sizes --color", "set the variable FORCE_COLOR=1"),
        ("generate x --debug", "did you mean --verbose?"),
        ("generate x --out-dir 'my pics'", "did you mean -o 'my pics'?"),
        ("generate x --jobs 3", "did you mean --concurrency 3?"),
        ("--plain sizes", "did you mean flux sizes --plain?"),
        ("--seed 7 generate 'a fox'", "did you mean flux generate --seed 7 'a fox'?"),
        ("--nonsense sizes", "see flux --help"),
    ],
)
def test_the_hint_may_be_pasted(line, hint):
    assert usage(shlex.split(line))[1] == f"hint: {hint}"


MISTYPED = (
    "upscale x.png", "open x.png", "view a.jpg b.jpg", "open x.png now", "delete run 3", "signin",
    "a red fox", "a red fox -n 4", "paint", "remove background x.png", "list all models",
)  # fmt: skip


@pytest.mark.parametrize("line", MISTYPED)
def test_the_hint_for_a_mistyped_command_pays_for_nothing(line):
    _, hint = usage(shlex.split(line))
    pays = re.search(r"flux (generate|edit|build)\b", hint)
    assert not pays or hint.endswith("--dry-run")
    assert "generate" not in hint or pays or "commands: " in hint


@pytest.mark.parametrize(
    ("line", "option", "value", "long"),
    [
        ("generate x -o --dry-run", "-o", "--dry-run", "--output"),
        ("convert x --alt --html", "--alt", "--html", "--alt"),
        ("generate x --seed --help", "--seed", "--help", "--seed"),
    ],
)
def test_an_option_in_the_place_of_a_value_is_named(line, option, value, long):
    _, hint = usage(line.split())
    write = f"if {value} is the value, write {long}={value}"
    assert hint == f"hint: give {option} its own value; {write}"


def test_a_value_that_only_looks_like_an_option_is_a_value():
    for output in (["--output=--json"], ["-o", "--a fox.png"]):
        assert said(["generate", "a fox", "--offline", "--dry-run", *output])[0] == 0


def test_every_habit_of_other_tools_leads_to_an_option_that_some_command_has():
    known = {one for name in LINES for kind in ("value", "flag") for one in options(name, kind)}
    words = [word for row in HABITS for word in row[0].split()]
    assert {needs for _, needs, _ in HABITS} <= {*known, ""}
    assert len(words) == len(set(words))
    assert not {f"--{word}" for word in words} & known


@pytest.mark.parametrize("name", LINES)
def test_every_option_is_recognized_with_one_letter_missing_doubled_or_swapped(name):
    known = [*options(name, "value"), *options(name, "flag"), "--help"]
    for option in (one for one in known if len(one) > 4):
        for at in range(2, len(option)):
            one, two = option[at : at + 1], option[at + 1 : at + 2]
            for slip in (two, one + one + two, two + one):
                typed = option[:at] + slip + option[at + 2 :]
                if typed not in known:
                    assert errors.did_you_mean(typed, known) == f"did you mean {option}?"


UNLIKE_ANY_OPTION = (
    "force", "steps", "count", "samples", "api-key", "token", "no-color", "height", "guidance",
    "debug", "list",
)  # fmt: skip


@pytest.mark.parametrize("word", UNLIKE_ANY_OPTION)
def test_an_option_like_none_is_taken_for_none(word):
    known = [*options("generate", "value"), *options("generate", "flag")]
    assert errors.did_you_mean(f"--{word}", known) == ""


@pytest.mark.parametrize(("name", "option"), every_option("value", "flag", longer_than=3))
def test_a_long_option_with_one_dash_is_no_cluster_of_short_ones(name, option):
    """`-offline` would mean `-o ffline`: an image that is paid for, in a file of that name."""
    value = ["16:9"] if option in options(name, "value") else []
    error = f"flux: error: no such option: {option[1:]}"
    meant = " ".join([option, *value])
    assert usage([*LINES[name], option[1:], *value]) == (error, f"hint: did you mean {meant}?")
    assert usage([*LINES[name], f"{option[1:]}=x"])[0] == error


@pytest.mark.parametrize(
    "words",
    ["fox -o -raw.png", "fox --output -offline", "fox -n1 -o x.png", "fox -vo x.png", "-- -size"],
)
def test_values_and_clusters_may_look_as_they_like(words):
    code, _, err = said(["generate", "--offline", "--dry-run", *words.split()])
    assert (code, err) == (0, "")


@pytest.mark.parametrize("name", [*COMMANDS, "config"])
def test_a_command_with_a_letter_missing_is_recognized(name):
    _, hint = usage([name[:1] + name[2:]])
    assert hint.startswith("hint: did you mean ")


@pytest.mark.parametrize("name", ["", *LINES])
def test_help_has_groups_examples_and_short_lines(name):
    code, out, err = said([*LINES.get(name, []), "--help"])
    assert (code, err) == (0, "")
    assert "\nExamples:\n" in out
    assert all(len(line) < 100 for line in out.splitlines())
    if name in ("generate", "resolve"):
        groups = ("Shape:", "Model:", "Parameters:", "Output:", "Run:", "Provider:")
        assert all(f"\n{group}\n" in out for group in groups)


WITHOUT_OPTION = (
    "lumenfall_base_url", "openai_base_url", "http_hosts", "journal_prompts", "keep_prompts",
    "metadata", "sign_certificate", "sign_key", "sign_algorithm", "confirm_cost", "image_field",
)  # fmt: skip
WITH_OPTION = [row for row in SETTINGS if row.name not in WITHOUT_OPTION]


@pytest.mark.parametrize("setting", WITH_OPTION, ids=lambda row: row.name)
def test_help_says_the_variable_and_default_of_every_setting(setting):
    params = command("generate").params
    texts = {one.name: one.help for one in params if one.param_type_name == "option"}
    assert f"env: {setting.variable}" in texts[setting.name]
    if setting.default is not None and setting.name != "provider":
        assert f"default: {setting.default}" in texts[setting.name]


def longer_than(width, text):
    """Lines that are too long and could have been broken: more than one word after the margin."""
    lines = [line for line in text.splitlines() if len(line) > width]
    return [line for line in lines if len(line.strip(" \\").split()) > 1]


HELP_OF_COMMANDS = [f"{name} --help" for name in ("", *LINES)]
HELP_OF_TOPICS = [f"help {name}" for name in TOPICS]


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("line", [*HELP_OF_COMMANDS, *HELP_OF_TOPICS])
def test_help_fits_any_width_and_breaks_no_word(line, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    wide = said(line.split())[1]
    monkeypatch.setenv("COLUMNS", str(width))
    code, narrow, err = said(line.split())
    assert (code, err) == (0, "")
    assert longer_than(width, narrow) == []
    assert set(wide.split()) == {*narrow.split()} - {"\\"}


@pytest.mark.parametrize("name", ["", *LINES])
def test_the_usage_of_the_narrowest_help_is_broken_between_words(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    wide = said([*name.split(), "--help"])[1].partition("\n\n")[0]
    monkeypatch.setenv("COLUMNS", "20")
    narrow = said([*name.split(), "--help"])[1].partition("\n\n")[0]
    assert (narrow.split(), longer_than(20, narrow)) == (wide.split(), [])


@pytest.mark.parametrize("width", [40, 80])
def test_no_summary_of_a_command_is_cut(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    text = " ".join(said(["--help"])[1].split())
    assert "..." not in text.replace("[ARGS]...", "")
    for name in COMMANDS:
        first_sentence = ROOT.commands[name].help.partition(".")[0]
        assert f" {name} {' '.join(first_sentence.split())}." in text


@pytest.mark.parametrize("name", [*COMMANDS, "config"])
def test_a_long_example_is_several_lines_of_one_command(name, monkeypatch):
    """What is printed at 40 columns means to a shell what the whole line means."""

    def examples(width):
        monkeypatch.setenv("COLUMNS", width)
        text = said([name, "--help"])[1].partition("\nExamples:\n")[2].replace("\\\n", " ")
        return [shlex.split(line) for line in text.splitlines()]

    assert examples("40") == examples("100")


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_is_short_plain_text(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, out, err = said(["help", name])
    assert (code, err) == (0, "")
    assert len(out.splitlines()) <= 42
    for line in out.splitlines():
        assert len(line) < 100
        assert line == line.rstrip()
        assert line.isprintable()


@pytest.mark.parametrize("name", [name for name in ROOT.commands if name not in TOPICS])
def test_help_of_a_command_is_what_the_command_says_of_itself(name):
    assert said(["help", name]) == said([name, "--help"])


def test_the_topics_tell_what_the_program_knows():
    """Every variable, key, field of names and exit code is in its topic."""
    environment = explain("environment")
    for row in SETTINGS:
        assert row.variable in environment
    for row in ROWS.values():
        assert all(variable in environment for variable in row.key_variables)
    assert all(f"{{{field}}}" in explain("names") for field in FIELDS)
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {str(kind.exit_code) for kind in classes if issubclass(kind, errors.FluxError)}
    assert dict(EXIT_CODES).keys() == {"0", "3", *codes}


REPOSITORY = Path(__file__).parents[2]
PACKAGE = Path(flux_cli.__file__).parent
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
READ = set(re.findall(r"[\"'](FLUX_[A-Z_]+)[\"']", SOURCE))
OTHERS = (
    "NO_COLOR", "CI", "GITHUB_ACTIONS", "SSL_CERT_FILE", "SSL_CERT_DIR", "XDG_CONFIG_HOME",
    "COLUMNS",
)  # fmt: skip


def words(text):
    return set(re.findall(r"\w+", text))


def test_every_variable_the_code_reads_is_in_its_topic():
    assert {"FLUX_MODEL", "FLUX_PREVIEW", "FLUX_STATE"} <= READ
    assert {*READ, *OTHERS} <= words(explain("environment"))


@pytest.mark.parametrize("page", ["docs/settings.md", "man/flux.1"])
def test_every_variable_the_code_reads_is_in_the_docs(page):
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    assert words(text.replace("\\", "")) >= READ


def test_config_shows_what_every_variable_sets():
    assert {row.variable for row in (*SETTINGS, *VARIABLES)} <= words(said(["config"])[1])


def test_an_id_is_what_help_and_docs_say():
    code, out, _ = said(["generate", "a fox", "--offline", "--quiet", "-o", "{id}.png"])
    assert code == 0
    assert re.fullmatch(r"[0-9a-f]{8}\.png\n", out)
    assert "{id} eight random hex digits" in explain("names")
    docs = (REPOSITORY / "docs/usage.md").read_text(encoding="utf-8")
    assert "`{id}` | eight random hex digits" in docs


def test_help_lists_the_topics_and_knows_nothing_else():
    assert all(name in said(["help"])[1] for name in TOPICS)
    _, hint = usage(["help", "formts"])
    assert hint == "hint: did you mean formats?"


def test_every_program_whose_parameters_are_read_is_in_the_help_and_in_the_documentation(capsys):
    assert main(["show", "--help"]) == 0
    page = (Path(__file__).parents[2] / "docs" / "provenance.md").read_text(encoding="utf-8")
    for text in (capsys.readouterr().out, page):
        words = " ".join(text.split())
        assert [name for name, _ in READERS if name not in words] == []
