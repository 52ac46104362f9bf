"""Every command in the README runs as it stands there, against loopback servers; or it is listed with a reason."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from providers.upstream import Upstream, task

from e2e.drawings import pixels_as

README = Path(__file__).parents[2] / "README.md"
NOT_RUN = {
    "python3 -m venv .venv": "installing is what .ci/run does with these very blocks",
    ".venv/bin/pip install .": "the same",
    ".venv/bin/pip install '.[test]'": "the same",
    '.venv/bin/flux generate "mountains by a lake at sunset" --offline --seed 7 -o lake.png': "the same",
    ".venv/bin/pytest -n auto": "this is it",
}
ELSEWHERE = {"http://localhost:8080/v1": "{gateway}"}  # addresses in the README, and who answers in their place here
EXIT = {'flux generate "a red fox" -n 20 --max-cost 1': 2}  # what the README says of it: refused
NEEDED = ("magick",)  # programs of other people in the README's pipes


class Line(NamedTuple):
    """One command of the README, the `export`s above it in its block, and its words without the comment."""

    text: str
    exports: tuple[str, ...]

    @property
    def words(self) -> str:
        return re.split(r"\s{2,}# ", self.text)[0].strip()


def commands(text: str) -> list[Line]:
    """Every command of every `sh` block, with lines that end in a backslash put together."""
    found = []
    for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        lines = [line for line in block.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]
        exports = tuple(line for line in lines if line.startswith("export "))
        found += [Line(line, exports) for line in lines if not line.startswith("export ")]
    return found


COMMANDS = commands(README.read_text())


@pytest.fixture
def around(keyed, home, work, command):
    """What the README takes for granted: `flux` on the PATH, a key, two files, and the services it names."""
    (work / "prompt.txt").write_text("a red fox\n")
    (work / "cat.jpg").write_bytes(pixels_as("jpeg", 32, 32))
    settings = home / ".config" / "flux-image-cli"
    settings.mkdir(parents=True)
    with Upstream() as bfl:
        bfl.answers(task("ready"))
        row = f'[providers.bfl]\nprotocol = "bfl"\nbase_url = "{bfl.origin}"\nkey = "BFL_API_KEY"\n'
        (settings / "config.toml").write_text(row)
        nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")  # nothing leaves this machine
        path = {"PATH": f"{Path(command).parent}:{keyed['PATH']}", "NO_PROXY": "127.0.0.1,localhost"}
        yield keyed | nowhere | path


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.words not in NOT_RUN], ids=lambda line: line.words)
def test_a_command_of_the_readme_works(line, around, gateway):
    for program in NEEDED:
        if re.search(rf"\b{program}\b", line.words) and shutil.which(program) is None:
            pytest.skip(f"there is no {program} here")
    script = "\n".join((*line.exports, line.text))
    for address, stand_in in ELSEWHERE.items():
        script = script.replace(address, stand_in.format(gateway=gateway.url))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=around, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == EXIT.get(line.words, 0), done.stderr
    assert "Traceback" not in done.stderr
    assert ("flux: error: " in done.stderr) == (line.words in EXIT)


def test_what_is_listed_is_in_the_readme():
    words = {line.words for line in COMMANDS}
    assert set(NOT_RUN) <= words
    assert set(EXIT) <= words
    assert all(address in README.read_text() for address in ELSEWHERE)


def test_commands_are_found_with_their_exports_and_without_their_comments():
    block = '```sh\nexport A=1\n# nothing\nflux sizes  # a comment\nflux generate \\\n  "a # fox"\n```\n'
    text = f"{block}```toml\nx = 1\n```\n"
    assert [(line.words, line.exports) for line in commands(text)] == [
        ("flux sizes", ("export A=1",)), ('flux generate    "a # fox"', ("export A=1",)),
    ]  # fmt: skip
