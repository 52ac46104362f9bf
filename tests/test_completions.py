"""Completion scripts in real shells: right candidates, no lost words, no started programs."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from shells import SCRIPTS, Shell

from flux_cli.catalog.find import list_models
from flux_cli.cli.app import main
from flux_cli.images.formats import FORMATS

pytestmark = pytest.mark.slow

MODELS = {name for model in list_models() for name in (model.id, *model.aliases)}
FOCUSES = {"center", "top", "bottom", "left", "right", "entropy", "attention"}
FILES = (
    "guide.png", "my fox.png", "it's.txt", "x:y.txt", "a=b.txt", "$5.txt", "prompt.txt",
    "proud two.txt", "in/x.txt",
)  # fmt: skip
RUNS = "20261125-101502-4f3a1c", "20261125-101502-aaaaaa", "20261126-080000-000001"


def unless_installed(shell):
    missing = shutil.which(shell) is None
    return pytest.mark.skipif(missing, reason=f"no {shell}: its completion is NOT tested")


ZSH = unless_installed("zsh")
FISH = unless_installed("fish")
SHELLS = [pytest.param(name, marks=unless_installed(name)) for name in ("bash", "zsh")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for name in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    journals = folder / ".local/state/flux-image-cli/runs"
    journals.mkdir(parents=True)
    for name in RUNS:
        (journals / f"{name}.jsonl").touch()
        (journals / name).mkdir()
    return folder


def start(name, folder):
    if name == "bash":
        return [f"source {SCRIPTS}/flux.bash"]
    return [f"fpath=({SCRIPTS} $fpath); autoload -Uz compinit; compinit -u -d {folder}/.dump"]


@pytest.fixture(scope="module", params=SHELLS)
def shell(request, folder):
    """A shell that completes flux."""
    shell = Shell(request.param, start(request.param, folder), folder)
    yield shell
    shell.close()


def fish(line, folder, script="flux.fish"):
    """What fish offers for a line with the cursor at its end: candidates with descriptions."""
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {SCRIPTS}/{script}; complete -C $argv[1]", line],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=os.environ | {"PATH": "/nowhere", "HOME": str(folder)},
        executable=shutil.which("fish"),
    )
    assert done.stderr == ""
    return dict(row.partition("\t")[::2] for row in done.stdout.splitlines())


ASKED = {
    "commands": ("flux s", {"sizes", "schema", "serve", "show"}),
    "the other name": ("flux-image gen", {"generate"}),
    "options": ("flux sizes --p", {"--plain"}),
    "options after a prompt": (
        'flux generate "a fox" --out',
        {"--output", "--output-format", "--output-compression"},
    ),
    "options that say no": ("flux generate --no-r", {"--no-raw"}),
    "options of the command, whatever a prompt says": (
        'flux resolve "generate a" --cu',
        {"--curl"},
    ),
    "options of the command, whatever the words after it": ("flux help generate --ups", set()),
    "no options in a quoted prompt": ('flux generate "a fox --f', set()),
    "no options behind an escaped blank": (r"flux generate a\ --f", set()),
    "no options after --": ("flux generate -- --f", set()),
    "formats": ("flux generate x -f ", set(FORMATS)),
    "formats by the long name": ("flux generate x --output-format webp", {"webp"}),
    "formats after short options together": ("flux generate x -yf webp", {"webp"}),
    "models": ("flux resolve -m ", MODELS),
    "models as an argument": ("flux models flux1.1-pro-ultr", {"flux1.1-pro-ultra"}),
    "an argument after options": ("flux sizes --json -m flux1.1-pro 13", {"1365x768"}),
    "providers": ("flux generate x --provider re", {"replicate"}),
    "routes": ("flux generate x --route ", {"fal", "replicate", "fireworks"}),
    "tiers": ("flux resolve -r ", {"0.5K", "1K", "2K", "4K"}),
    "choices of the catalog": ("flux generate --response-format ", {"url", "b64_json"}),
    "choices of a setting": ("flux generate --progress ", {"auto", "plain", "none"}),
    "choices of the finishing step": ("flux convert --focus ", FOCUSES),
    "sizes": ("flux resolve --size 13", {"1365x768"}),
    "shells": ("flux completion ", {"bash", "zsh", "fish", "powershell"}),
    "topics": ("flux help form", {"formats"}),
    "commands below": ("flux config ", {"path", "get", "set", "unset", "edit"}),
    "settings": ("flux config set max_", {"max_cost"}),
    "commands below runs, and runs": ("flux runs ", {"rm", "prune", "last", *RUNS}),
    "runs by their beginning": ("flux runs --json 20261125", set(RUNS[:2])),
    "a run to recover": ("flux recover 20261126", {RUNS[2]}),
    "runs to remove, another one": (f"flux runs rm {RUNS[0]} 2026", set(RUNS)),
    "options behind a run": (f"flux runs {RUNS[0]} --js", {"--json"}),
    "options of a command below runs": ("flux runs prune --older", {"--older-than"}),
    "no second run": (f"flux runs {RUNS[0]} 2", set()),
    "no runs for prune": ("flux runs prune 2", set()),
    "nothing for a number": ("flux generate --seed ", set()),
    "nothing for a prompt": ("flux generate p", set()),
    "no second topic": ("flux help generate f", set()),
    "no second model": ("flux models flux1.1-pro fl", set()),
    "no second shell": ("flux completion bash z", set()),
    "no second size": ("flux sizes 16:9 1", set()),
    "no second size behind a cross": ("flux sizes 1183 × ", set()),
    "nothing behind the last argument": ("flux help formats ", set()),
    "nothing behind a command that takes no argument": ("flux config path ", set()),
    "no second schema": ("flux schema generate r", set()),
    "nothing below the last command": ("flux config path p", set()),
    "images to show": ("flux show g", {"guide.png"}),
    "images to convert, another one": ("flux convert a.png g", {"guide.png"}),
    "an image to be like": ("flux generate --like g", {"guide.png"}),
    "files after --": ("flux show -- g", {"guide.png"}),
    "a prompt from a file": ("flux generate @prom", {"@prompt.txt"}),
    "a prompt from a file in a folder": ("flux resolve @in/", {"@in/x.txt"}),
}


@pytest.mark.parametrize(("line", "found"), ASKED.values(), ids=ASKED)
def test_bash_and_zsh_offer(shell, line, found):
    assert shell.offers(line) == found


@FISH
@pytest.mark.parametrize(("line", "found"), ASKED.values(), ids=ASKED)
def test_fish_offers(line, found, folder):
    assert set(fish(line, folder)) == found


COMPLETED = {
    "an image": ("flux show gui", "flux show guide.png "),
    "a value behind a colon": ("flux resolve -a 16:", "flux resolve -a 16:9 "),
    "a joined value": ("flux resolve --aspect-ratio=16", "flux resolve --aspect-ratio=16:9 "),
    "a joined value of a short option": ("flux resolve -s16", "flux resolve -s16:9 "),
    "a value in quotes": ("flux generate --focus 'ce", "flux generate --focus 'center' "),
    "a joined file": ("flux generate x --output=gui", "flux generate x --output=guide.png "),
    "a joined file of a short option": ("flux generate x -ogui", "flux generate x -oguide.png "),
    "a joined file of short options": ("flux generate x -yogui", "flux generate x -yoguide.png "),
    "a file with a blank": ("flux show my", r"flux show my\ fox.png "),
    "a file with a quote": ("flux show it", r"flux show it\'s.txt "),
    "a file in quotes": ("flux generate x -o 'my f", "flux generate x -o 'my fox.png' "),
    "a joined file with a blank": ("flux generate x -omy", r"flux generate x -omy\ fox.png "),
    "a prompt of a file": ("flux generate @prom", "flux generate @prompt.txt "),
    "a prompt of a file with a blank": ("flux generate @prou", r"flux generate @proud\ two.txt "),
    "a prompt of a file behind a blank": (
        r"flux generate @proud\ t",
        r"flux generate @proud\ two.txt ",
    ),
    "a prompt of a file with a quote": ("flux generate @it", r"flux generate @it\'s.txt "),
    "a prompt of a file with a dollar": (r"flux generate @\$", r"flux generate @\$5.txt "),
    "a prompt of a file with a colon": ("flux generate @x", "flux generate @x:y.txt "),
    "a prompt of a file behind a colon": ("flux generate @x:", "flux generate @x:y.txt "),
    "a prompt of a file with an equals sign": ("flux generate @a", "flux generate @a=b.txt "),
    "a prompt of a file in quotes": ("flux generate '@proud t", "flux generate '@proud two.txt' "),
    "a folder, and goes on": ("flux generate @in", "flux generate @in/"),
    "where output is redirected": ("flux sizes --json > gui", "flux sizes --json > guide.png "),
    "where output is redirected without a blank": (
        "flux sizes --json >gui",
        "flux sizes --json >guide.png ",
    ),
    "after a redirection": ("flux sizes 2> x --pla", "flux sizes 2> x --plain "),
    "after a prompt with an option in it": (
        "flux generate 'x -o y' --ups",
        "flux generate 'x -o y' --upscale ",
    ),
    "after an empty prompt": ('flux generate "" --ups', 'flux generate "" --upscale '),
    "after a prompt with umlauts": (
        "flux generate Füchsö 'ä b' --ups",
        "flux generate Füchsö 'ä b' --upscale ",
    ),
    "a file in a folder that a variable names": (
        "flux show $HOME/gui",
        "flux show $HOME/guide.png ",
    ),
    "a file at home": ("flux generate --like=~/gui", "flux generate --like=~/guide.png "),
    "an option before an argument that only the person knows": (
        "flux runs --js",
        "flux runs --json ",
    ),
    "an option behind the last argument": ("flux sizes 16:9 --pl", "flux sizes 16:9 --plain "),
    "nothing behind the last topic": ("flux help formats ", "flux help formats "),
    "nothing behind the last shell": ("flux completion bash ", "flux completion bash "),
    "nothing in a quoted prompt": ('flux generate "a red fox --f', 'flux generate "a red fox --f'),
    "nothing in a prompt in single quotes": (
        "flux generate 'a red --f",
        "flux generate 'a red --f",
    ),
    "nothing in a prompt that begins with dashes": ('flux generate "--f', 'flux generate "--f'),
    "nothing in a prompt with escaped quotes": (
        r'flux generate "a \" --f',
        r'flux generate "a \" --f',
    ),
    "nothing in a prompt in the quotes of C": (
        r"flux generate $'it\'s --f",
        r"flux generate $'it\'s --f",
    ),
    "nothing behind an escaped blank": (r"flux generate a\ --f", r"flux generate a\ --f"),
    "nothing after --": ("flux generate -- --ups", "flux generate -- --ups"),
}


SPECIAL = (
    "an image", "a value behind a colon", "a joined file", "a prompt of a file with a colon",
)  # fmt: skip


@pytest.mark.parametrize(("typed", "line"), COMPLETED.values(), ids=COMPLETED)
def test_tab_completes(shell, typed, line):
    assert shell.line(typed + "\t") == line


def test_tab_completes_in_the_middle_of_a_line(shell):
    left = "\x1b[D"
    line = shell.line(f"flux generate --ups x{left * 2}\t")
    assert line.split() == ["flux", "generate", "--upscale", "x"]
    line = shell.line(f"flux gen 'x -{left * 5}\t")
    assert line.split() == ["flux", "generate", "'x", "-"]


LISTED = re.compile(
    r"(?:one of|must be|routes:|providers:) ([\w.-]+(?:(?:, | or )(?!not )[\w.-]+)+)"
)
WITH_CHOICES = {"--fit", "--focus", "--effort", "--progress", "--provider", "--route"}


def test_every_word_that_a_value_must_be_is_offered(folder, capsys):
    """The choices of an option are read from the error message for another value."""
    shell, found = Shell("bash", start("bash", folder), folder), set()
    for flag in sorted(shell.offers("flux resolve --")):
        main(["resolve", "x", flag, "?"])
        listed = LISTED.search(capsys.readouterr().err)
        if listed:
            found.add(flag)
            choices = set(re.split(", | or ", listed[1]))
            offered = shell.offers(f"flux resolve x {flag} ")
            others = offered - choices if flag == "--route" else set()  # those of other models
            assert (flag, offered) == (flag, choices | others)
    shell.close()
    assert found > WITH_CHOICES


@pytest.mark.parametrize(
    "before",
    [
        "set -u",
        "set -f",
        "shopt -s failglob nullglob",
        "COMP_WORDBREAKS=$' \\t\\n\"\\'><;|&('",  # as the completion of npm leaves it
        "COMP_WORDBREAKS=$' \\t\\n\"\\'@><=;|&(:'",
        "IFS=abcfgo",
        "enable -n compopt",  # bash 3.2 has none
    ],
)
def test_bash_completes_in_shells_of_all_habits(before, folder):
    shell = Shell("bash", [before, *start("bash", folder)], folder)
    for name in SPECIAL:
        typed, line = COMPLETED[name]
        assert shell.line(typed + "\t") == line
    assert shell.offers("flux generate --focus ") == FOCUSES
    assert "unbound" not in shell.screen("flux \t\t")
    shell.close()


def test_bash_lives_on_where_errors_end_the_shell(folder):
    shell = Shell("bash", start("bash", folder), folder)
    shell.line("set -e\n")
    for typed, line in COMPLETED.values():
        assert shell.line(typed + "\t") == line
    shell.close()


def test_bash_completes_variables_where_a_file_is_meant(folder):
    shell = Shell("bash", ["FLUXES=1", *start("bash", folder)], folder)
    assert shell.line("flux show $FLUX\t").startswith("flux show $FLUXES")
    shell.close()


def test_bash_explains_candidates_when_it_lists_them(folder):
    shell = Shell("bash", start("bash", folder), folder)
    assert "--plain  (Print only sizes, such as 1365x768)" in shell.screen("flux sizes --\t\t")
    listed = shell.screen("flux sizes --pl\x1b?")
    assert "--plain  (Print" in listed
    assert "\x01flux sizes --pl\x02" in listed
    shell.close()


@ZSH
def test_zsh_offers_an_option_again_only_if_it_may_be_said_again(folder):
    shell = Shell("zsh", start("zsh", folder), folder)
    assert shell.line("flux generate --fit cover --fi\t") == "flux generate --fit cover --fi"
    assert shell.line("flux generate -y --ye\t") == "flux generate -y --ye"
    assert shell.line("flux convert --width 640 --wid\t") == "flux convert --width 640 --width="
    assert shell.line("flux convert -f png --for\t") == "flux convert -f png --format="
    typed = "flux generate -p a=b -p c=d --par"
    assert shell.line(f"{typed}\t") == f"{typed}am="
    assert "Print only sizes, such as 1365x768" in shell.screen("flux sizes --\t")
    shell.close()


@ZSH
def test_zsh_completes_when_the_script_was_only_sourced(folder):
    setup = f"autoload -Uz compinit; compinit -u -d {folder}/.new"
    shell = Shell("zsh", [setup, f"source {SCRIPTS}/_flux"], folder)
    assert shell.line("flux sizes --pl\t") == "flux sizes --plain "
    assert shell.line("flux-image sizes --pl\t") == "flux-image sizes --plain "
    shell.close()


@FISH
def test_fish_explains_its_candidates_but_no_value_with_the_words_of_its_option(folder):
    assert fish("flux sizes --p", folder) == {"--plain": "Print only sizes, such as 1365x768"}
    assert fish("flux generate --fit c", folder) == {"cover": "", "contain": ""}
    assert fish("flux generate --fi", folder) == {"--fit": "Make files of exactly --size"}


@FISH
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("flux resolve -a 16:", {"16:9"}),
        ("flux resolve -s16", {"-s16:9"}),
        ("flux generate x --output=gui", {"--output=guide.png"}),
        ("flux generate x --output gui", {"guide.png"}),
        ("flux generate x -o gui", {"guide.png"}),
        ("flux generate x -ogui", {"-oguide.png"}),
        ("flux generate x -o'my f", {"-omy fox.png"}),
        ("flux generate x -oin/", {"-oin/x.txt"}),
        ("flux generate x --like=gui", {"--like=guide.png"}),
        (r"flux generate @proud\ t", {"@proud two.txt"}),
        ("flux generate '@proud t", {"@proud two.txt"}),
        ("flux generate @i", {"@in/", "@it's.txt"}),
        (r"flux generate @\$", {"@$5.txt"}),
    ],
)
def test_fish_completes(line, found, folder):
    assert set(fish(line, folder)) == found


@pytest.fixture
def share(tmp_path):
    """The folder `share` of an installed wheel."""
    root = Path(__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    for source, target in wheel["shared-data"].items():
        (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / source, tmp_path / target)
    return tmp_path / "share"


LOADER = Path("/usr/share/bash-completion/bash_completion")
LOADED = pytest.mark.skipif(
    not LOADER.exists(), reason="no bash-completion: that it finds the scripts is NOT tested"
)


@LOADED
@pytest.mark.parametrize("before", ["nohup ", "time  ", "sudo -u root "])
def test_bash_completes_behind_commands_that_start_others(before, folder):
    shell = Shell("bash", [f"source {LOADER}", *start("bash", folder)], folder)
    for typed, line in COMPLETED.values():
        assert shell.line(f"{before}{typed}\t") == before + line
    in_the_middle = shell.line(f"{before}flux resolve --ups x\x1b[D\x1b[D\t")
    assert in_the_middle.split()[-2:] == ["--upscale", "x"]
    assert shell.line(f"{before}flux resolve -s'16:\t") == f"{before}flux resolve -s'16:9' "
    assert shell.line(f"{before}flux sho\t") == f"{before}flux show "
    shell.close()


@LOADED
@pytest.mark.parametrize("name", ["flux", "flux-image"])
def test_bash_completion_finds_both_commands_where_the_wheel_puts_them(name, share, folder):
    shell = Shell("bash", [f"source {LOADER}; export XDG_DATA_HOME={share}"], folder)
    assert shell.line(f"{name} gen\t") == f"{name} generate "
    assert shell.line(f"{name} show gui\t") == f"{name} show guide.png "
    shell.close()


@FISH
@pytest.mark.parametrize("name", ["flux", "flux-image"])
def test_fish_finds_both_commands_where_the_wheel_puts_them(name, share):
    commands = (
        f"set PATH {Path(sys.executable).parent} $PATH",
        f"set fish_complete_path {share}/fish/vendor_completions.d",
        f"complete -C '{name} gen'",
    )
    words = ["fish", "--no-config", "-c", "; ".join(commands)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "generate\tGenerate images from a prompt\n"


@ZSH
@pytest.mark.parametrize("name", ["flux", "flux-image"])
def test_zsh_finds_both_commands_where_the_wheel_puts_them(name, share, folder, tmp_path):
    lines = [
        f"fpath=({share}/zsh/site-functions $fpath)",
        "autoload -Uz compinit",
        f"compinit -u -d {tmp_path}/dump",
    ]
    shell = Shell("zsh", lines, folder)
    assert shell.line(f"{name} gen\t") == f"{name} generate "
    shell.close()


SCRIPT_NAMES = {
    "bash": "flux.bash",
    "zsh": "_flux",
    "fish": "flux.fish",
    "powershell": "flux.ps1",
}


def test_completion_prints_the_scripts(flux):
    for shell, name in SCRIPT_NAMES.items():
        result = flux("completion", shell)
        assert (result.code, result.err) == (0, "")
        assert result.out == (SCRIPTS / name).read_text(encoding="utf-8")
    wrong = flux("completion", "fsh")
    assert (wrong.code, wrong.out, "did you mean fish?" in wrong.err) == (2, "", True)
    assert flux("completion").code == 2


def test_help_of_completion_says_how_to_install_it(flux):
    text = flux("completion", "--help").out
    for shell in SCRIPT_NAMES:
        assert f"flux completion {shell} >" in text


INSTALLED = f"PATH={Path(sys.executable).parent}:$PATH"  # as for somebody who has flux


def paste(shell, flux, home):
    """Type the lines that the help gives for a shell into one of an account without files."""
    text = flux("completion", "--help").out
    lines = [line[2:] for line in text.partition("Examples:\n")[2].splitlines() if shell in line]
    subprocess.run(
        [shell, "-i"],
        input="".join(f"{line} || exit 9\n" for line in lines),
        capture_output=True,
        text=True,
        check=True,
        env={
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TERM": "dumb",
        },
        start_new_session=True,  # without a terminal that it would take for itself
    )


def test_the_first_line_of_the_help_works_in_bash_alone(flux, folder):
    """Many systems have no bash-completion."""
    first = flux("completion", "--help").out.partition("Examples:\n")[2].splitlines()[0].strip()
    assert first in flux("completion").err
    shell = Shell("bash", [INSTALLED, first], folder)
    assert shell.line("flux gen\t") == "flux generate "
    assert shell.line("flux show gui\t") == "flux show guide.png "
    shell.close()


def test_lines_of_the_help_complete_in_new_shells_of_bash_alone(flux, tmp_path):
    paste("bash", flux, tmp_path)
    shell = Shell("bash", [INSTALLED, "source ~/.bashrc"], tmp_path)
    assert shell.line("flux gen\t") == "flux generate "
    shell.close()


@LOADED
def test_lines_of_the_help_install_the_script_in_bash(flux, tmp_path):
    paste("bash", flux, tmp_path)
    shell = Shell("bash", [f"unset XDG_DATA_HOME; source {LOADER}"], tmp_path)
    assert shell.line("flux gen\t") == "flux generate "
    shell.close()


@ZSH
def test_lines_of_the_help_install_the_script_in_zsh(flux, tmp_path):
    paste("zsh", flux, tmp_path)
    shell = Shell("zsh", ["source ~/.zshrc"], tmp_path)
    assert shell.line("flux gen\t") == "flux generate "
    shell.close()


@FISH
def test_lines_of_the_help_install_the_script_in_fish(flux, tmp_path):
    paste("fish", flux, tmp_path)
    done = subprocess.run(
        ["fish", "-c", "complete -C 'flux gen'"],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(tmp_path), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert done.stdout == "generate\tGenerate images from a prompt\n"


POWERSHELL = {
    "flux sizes --p": ["--plain"],
    "flux generate x --focus ce": ["center"],
    "flux generate x --focus=ce": ["--focus=center"],
    "flux help generate f": [],
    "flux resolve -s16": ["-s16:9"],
    "flux generate -- --ups": [],
    "flux generate x --output=gui": ["'--output=./guide.png'"],
    "flux generate '@prom": ["'@./prompt.txt'"],
}


@pytest.mark.skipif(
    shutil.which("pwsh") is None, reason="no pwsh: the completion of PowerShell is NOT tested"
)
@pytest.mark.parametrize(("line", "found"), POWERSHELL.items())
def test_powershell_offers(line, found, folder):
    line = line.replace("'", "''")
    ask = f". {SCRIPTS}/flux.ps1; (TabExpansion2 '{line}').CompletionMatches.CompletionText"
    done = subprocess.run(
        ["pwsh", "-NoProfile", "-c", ask], capture_output=True, text=True, check=True, cwd=folder
    )
    assert done.stdout.splitlines() == found
