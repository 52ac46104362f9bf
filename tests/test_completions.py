"""The completion scripts in real shells: right candidates, and nothing is started to find them."""

import os
import pty
import select
import shutil
import subprocess
import time
import warnings
from pathlib import Path

import pytest

import flux_cli

SCRIPTS = Path(flux_cli.__file__).parent / "completions"
RATIOS = ["4:3", "4:5", "5:4", "1:1", "3:4", "2:3", "3:2", "9:16", "16:9", "9:21", "21:9"]


def needs(shell):
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"no {shell} on PATH: its completion is NOT tested")


def bash(line, kind=9):
    """What bash would offer for a line with the cursor at its end, in a shell that can start no program."""
    ask = (
        f"PATH=/nowhere; source \"{SCRIPTS}/flux.bash\"; COMP_WORDBREAKS=$' \\t\\n\"\\'><=;|&(:'\n"
        'COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=$2; _flux; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", ask, "bash", line, str(kind)], capture_output=True, text=True, check=True
    )
    assert "command not found" not in done.stderr
    return done.stdout.split("\n")[:-1] if done.stdout.strip() else []


ASKED = {
    "commands": ("flux s", {"sizes", "schema", "show"}),
    "the other name": ("flux-image gen", {"generate"}),
    "options": ("flux sizes --p", {"--plain"}),
    "options after a prompt": ('flux generate "a fox" --out', {"--output", "--output-format", "--output-compression"}),
    "options that say no": ("flux generate --no-r", {"--no-raw"}),
    "formats": ("flux generate x -f ", {"png", "jpeg", "gif", "webp", "avif"}),
    "formats by the long name": ("flux generate x --output-format we", {"webp"}),
    "models": ("flux resolve -m flux1", {"flux1.1-pro", "flux1.1-pro-ultra"}),
    "models as an argument": ("flux models flux1.1-pro-", {"flux1.1-pro-ultra"}),
    "providers": ("flux generate x --provider re", {"replicate"}),
    "routes": ("flux generate x --route ", {"fal", "replicate"}),
    "tiers": ("flux resolve -r 1", {"1K"}),
    "choices of the catalogue": ("flux generate --response-format ", {"url", "b64_json"}),
    "sizes": ("flux resolve --size 13", {"1365x768"}),
    "shells": ("flux completion ", {"bash", "zsh", "fish", "powershell"}),
    "topics": ("flux help form", {"formats"}),
    "commands below": ("flux config ", {"path"}),
    "nothing for a number": ("flux generate --seed ", set()),
}  # fmt: skip


@needs("bash")
@pytest.mark.parametrize(("line", "found"), ASKED.values(), ids=ASKED)
def test_bash_offers(line, found):
    assert set(bash(line)) == found


@needs("bash")
def test_bash_completes_behind_a_colon_and_an_equals_sign():
    assert bash("flux sizes ") != []
    assert set(bash("flux resolve -a 16:")) == {"9"}
    assert set(bash("flux resolve --aspect-ratio=2")) == {"21:9", "2:3"}
    assert set(bash("flux resolve -a ")) == set(RATIOS)


@needs("bash")
def test_bash_explains_candidates_when_it_lists_them():
    listed = bash("flux sizes --", kind=63)
    assert "--plain  (Print only sizes, such as 1365x768)" in listed
    assert bash("flux sizes --pl", kind=63) == ["--plain"]


@needs("bash")
def test_bash_completes_files_where_a_file_is_meant(tmp_path):
    (tmp_path / "guide.png").touch()
    screen = typed(
        ["bash", "--norc", "-i"], [f"source {SCRIPTS}/flux.bash", "flux generate x --image-prompt gui\t"], tmp_path
    )
    assert "--image-prompt guide.png" in screen


@needs("fish")
@pytest.mark.parametrize(
    ("line", "found"), [row for name, row in ASKED.items() if name != "sizes"], ids=[n for n in ASKED if n != "sizes"]
)
def test_fish_offers(line, found, tmp_path):
    ask = f"source {SCRIPTS}/flux.fish; complete -C '{line}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", ask],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"HOME": str(tmp_path)},
    )
    assert {row.split("\t")[0] for row in done.stdout.splitlines()} == found


@needs("fish")
def test_fish_explains_its_candidates():
    ask = f"source {SCRIPTS}/flux.fish; complete -C 'flux sizes --p'"
    done = subprocess.run(["fish", "--no-config", "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout == "--plain\tPrint only sizes, such as 1365x768\n"


def typed(argv, lines, folder, seconds=20.0):
    """The screen of a shell on a terminal of its own after somebody typed these lines; the last one stays open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads: the child does nothing but become a shell
        child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.environ.update(PS1="$ ", PROMPT="$ ", TERM="dumb", HOME=str(folder))
        os.execvp(argv[0], argv)
    seen = ""
    try:
        for number, line in enumerate([*lines[:-1], "echo rea''dy", lines[-1]]):
            last = number == len(lines)
            os.write(terminal, (line if last else line + "\n").encode())
            seen = read_until(terminal, "ready" if number == len(lines) - 1 else None, seconds)
    finally:
        os.write(terminal, b"\x03\nexit\n")
        os.close(terminal)
        os.waitpid(child, 0)
    return seen


def read_until(terminal, word, seconds):
    """What the terminal shows until a word comes, or else until it has been quiet for a while."""
    seen, end = "", time.monotonic() + seconds
    while time.monotonic() < end:
        ready, _, _ = select.select([terminal], [], [], 1.0 if word is None else 0.2)
        if ready:
            seen += os.read(terminal, 65536).decode("utf-8", "replace")
        elif word is None:
            break
        if word and word in seen:
            break
    return seen


@needs("zsh")
@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("flux si\t", "flux sizes "),
        ("flux-image sizes --pl\t", "flux-image sizes --plain "),
        ("flux generate 'a fox' -f we\t", "-f webp "),
        ("flux resolve -a 16\t", "-a 16:9 "),
        ("flux models flux1.1-pro-\t", "flux1.1-pro-ultra "),
        ("flux generate --provider rep\t", "--provider replicate "),
        ("flux generate x --image-prompt gui\t", "--image-prompt guide.png "),
        ("flux config pa\t", "flux config path "),
        ("flux sizes --p\t\t", "flux sizes --plain "),
        ("flux sizes --\t", "Print only sizes, such as 1365x768"),
        ("flux completion \t", "powershell"),
    ],
)
def test_zsh_completes(line, shown, tmp_path):
    (tmp_path / "guide.png").touch()
    start = [f"fpath=({SCRIPTS} $fpath); autoload -Uz compinit; compinit -u -d {tmp_path}/dump"]
    assert shown in typed(["zsh", "-f", "-i"], [*start, line], tmp_path)


@needs("zsh")
def test_zsh_completes_when_the_script_was_only_sourced(tmp_path):
    start = [f"autoload -Uz compinit; compinit -u -d {tmp_path}/dump", f"source {SCRIPTS}/_flux"]
    assert "flux sizes --plain " in typed(["zsh", "-f", "-i"], [*start, "flux sizes --pl\t"], tmp_path)


def test_completion_prints_the_scripts(flux):
    for shell, name in {"bash": "flux.bash", "zsh": "_flux", "fish": "flux.fish", "powershell": "flux.ps1"}.items():
        result = flux("completion", shell)
        assert (result.code, result.err) == (0, "")
        assert result.out == (SCRIPTS / name).read_text(encoding="utf-8")
    wrong = flux("completion", "fsh")
    assert (wrong.code, wrong.out, "did you mean fish?" in wrong.err) == (2, "", True)


def test_help_of_completion_says_how_to_install_it(flux):
    text = flux("completion", "--help").out
    assert all(f"flux completion {shell} >" in text for shell in ("bash", "zsh", "fish", "powershell"))


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="no pwsh on PATH: the completion of PowerShell is NOT tested")
def test_powershell_offers():
    ask = f". {SCRIPTS}/flux.ps1; (TabExpansion2 'flux sizes --p' 14).CompletionMatches.CompletionText"
    done = subprocess.run(["pwsh", "-NoProfile", "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["--plain"]
