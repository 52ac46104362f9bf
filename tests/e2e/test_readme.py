"""Every command in the README and the docs runs as printed, or is listed here with a reason."""

import contextlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from fakes.images import pixels_as
from fakes.providers import bfl_task
from fakes.server import Server
from PIL import Image, ImageChops, ImageStat

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GENERATED = ROOT / "docs/cli.md"  # its examples are tested with the help texts
FOR_DEVELOPERS = ROOT / "docs/architecture.md"  # names options of scripts, too
AT_THE_TOP = {README, *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"))}
SETTINGS = ROOT / "docs/settings.md"
SKILL = ROOT / "skills/flux/SKILL.md"  # for coding agents
PAGES = sorted({*AT_THE_TOP, SKILL, *(ROOT / "docs").glob("*.md")} - {GENERATED})
NOT_RUN = {  # the start of a command, and why it does not run here
    "uv tool install .": "needs uv, and installs into the user's home",
    "python3 -m venv .venv": ".ci/run runs these lines",
    "pip install atheris": "needs a package that the tests do not need",
    "pytest ": "these are the tests",
    "python -m tests.": "tested in tests/faults and tests/fuzz",
    "python benchmarks/": ".ci/run runs these in their short form",
    "jq ": "needs the log of a run",
    ". .venv/bin/activate": "tests have an environment already",
    "pipx install pre-commit": "installs into the user's home",
    "sudo ": "installs programs",
    "scripts/": "tests/test_repository.py looks at these",
    ".ci/run": "runs these tests",
    ".ci/install-servers": "installs programs",
    "python scripts/screens.py": "compares pixels of a terminal",
    "rm -rf dist": ".ci/run builds the wheel",
    "git ": "needs a repository of its own",
    "pip install '": "installs into this environment",
    "flux config edit": "tests/e2e/test_config.py has an editor",
    "flux show lighthouse.png --open": "tests/e2e/test_show_open.py has a viewer",
    "flux build --pick": "tests/e2e/test_build_candidates.py has candidates",
    "flux build --store": "tests/e2e/test_build_store.py has a store",
    "flux login": "tests/e2e/test_login.py has a key for it",
    "pass show": "needs a password manager",
    "flux serve": "tests/e2e/serving starts servers",
    "flux build --on": "tests/real/test_dask.py has Dask",
    "curl http://127.0.0.1:8765": "tests/e2e/serving sends it to a server",
    "FLUX_SERVE_KEY=choose-one docker": "tests/e2e/serving runs the lines of the container",
}
STAND_INS = {  # URLs in the docs, and what answers in their place here
    "http://localhost:8080/v1": "{gateway}",
    "https://images.example.org/v1": "{gateway}",
}
EXIT = {
    'flux generate "a lighthouse by the sea" -n 20 --max-cost 1': 2,
    'flux generate "a lighthouse by the sea" -n 20 --max-cost 1 --dry-run': 2,
}  # what the docs say about it: refused
INPUTS = {  # images that the docs edit
    "fox.png": "png",
    "snow.jpg": "jpeg",
    "mascot.png": "png",
    "room.png": "png",
}
FIRST = ("flux build --init",)  # lines for a folder that has no manifest yet
ENGINES = re.compile(r"^(kubectl|sbatch|aws) |=\$\((sbatch|aws) ")  # test_scale_docs.py runs these
PROGRAMS = ("magick",)  # other people's programs in the pipes of the docs
ELSEWHERE = (
    "--option",
    "--nonsense",
    "--version",
    "--height",
    "--array",
    "--forceall",
)  # no option, on purpose; an option of no command
HERO = 'flux generate "mountains by a lake at sunset" --offline --seed 7 -a 16:9 -o lake.jpg'


class Line(NamedTuple):
    """One command of a page."""

    text: str

    @property
    def words(self) -> str:
        """The command without its comment."""
        return re.split(r"\s{2,}# ", self.text)[0].strip()


def blocks_of(text: str) -> list[list[Line]]:
    """The commands of every `sh` block. Lines that end in a backslash are joined."""
    found = []
    for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        lines = [line for line in block.replace("\\\n", " ").splitlines() if line.strip()]
        found.append([Line(line) for line in lines if not line.startswith("#")])
    return found


def reason_not_to_run(line: Line) -> str:
    return next((reason for start, reason in NOT_RUN.items() if line.words.startswith(start)), "")


BLOCKS = {page.name: blocks_of(page.read_text(encoding="utf-8")) for page in PAGES}
RUN = [
    pytest.param(block, id=f"{name}: {block[0].words}")
    for name, blocks in BLOCKS.items()
    for block in blocks
    if not all(reason_not_to_run(line) for line in block)
    if not any(ENGINES.search(line.words) for line in block)
]


@pytest.fixture
def around(keyed, home, work, command, gateway):
    """What the docs take for granted: `flux` on the PATH, keys, files, and services."""
    (work / "prompt.txt").write_text("a red fox\n")
    (work / "prompts.txt").write_text("a red fox\nan owl\n")
    manifest = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/build.md").read_text(), re.DOTALL)[0]
    (work / "flux-build.toml").write_text(manifest)
    presets = re.search(r"```toml\n(\[presets.*?)```", SETTINGS.read_text(), re.DOTALL)
    (work / "flux.toml").write_text(presets[1])
    (work / "cat.jpg").write_bytes(pixels_as("jpeg", 1024, 768))  # not what the gateway answers
    (work / "photo.jpg").write_bytes(pixels_as("jpeg", 1200, 900))  # lines make it smaller
    for name, file_format in INPUTS.items():
        (work / name).write_bytes(pixels_as(file_format, 400, 300))
    mask = Image.new("L", (400, 300))
    mask.paste("white", (0, 0, 50, 50))
    mask.save(work / "sofa.png")
    settings = home / ".config" / "flux-image-cli"
    settings.mkdir(parents=True)
    own_providers = re.findall(
        r"```toml\n(.*?)```", (ROOT / "docs/providers.md").read_text(), re.DOTALL
    )
    with Server() as bfl:
        bfl.answers(bfl_task("ready"))
        row = f'[providers.bfl]\nprotocol = "bfl"\nbase_url = "{bfl.origin}"\nkey = "BFL_API_KEY"\n'
        row += f'[providers.sdcpp]\nbase_url = "{gateway.url}"\n'
        (settings / "config.toml").write_text(
            row + with_stand_ins("\n".join(own_providers), gateway)
        )
        nowhere = dict.fromkeys(
            ("HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"
        )  # nothing leaves this machine
        path = {
            "PATH": f"{Path(command).parent}:{keyed['PATH']}",
            "NO_PROXY": "127.0.0.1,localhost",
        }
        keys = {"BFL_API_KEY": "bfl-key", "MINE_API_KEY": "my-key", "FLUX_METADATA": "full"}
        openai = {"OPENAI_API_KEY": "openai-key", "OPENAI_BASE_URL": gateway.url}
        yield keyed | nowhere | path | keys | openai


def with_stand_ins(text: str, gateway) -> str:
    for address, stand_in in STAND_INS.items():
        text = text.replace(address, stand_in.format(gateway=gateway.url))
    return text


def run(script: str, env) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def program_missing_for(line: Line) -> str:
    named = [program for program in PROGRAMS if re.search(rf"\b{program}\b", line.words)]
    return next((program for program in named if shutil.which(program) is None), "")


@contextlib.contextmanager
def without_manifest() -> Iterator[None]:
    """A folder in which nobody has written one yet. What the line writes is removed again."""
    path = Path("flux-build.toml")
    kept = path.read_bytes()
    path.unlink()
    yield
    path.write_bytes(kept)


def faults_of(line: Line, env, gateway) -> list[str]:
    """What a line does that the docs do not say."""
    with without_manifest() if line.words in FIRST else contextlib.nullcontext():
        done = run(with_stand_ins(line.text, gateway), env)
    code, refused = EXIT.get(line.words, 0), line.words in EXIT
    rules = {
        f"exits with {done.returncode}, not {code}": done.returncode == code,
        "shows a traceback": "Traceback" not in done.stderr,
        "is not refused" if refused else "prints an error": (
            ("flux: error: " in done.stderr) == refused
        ),
    }
    wrong = [rule for rule, is_kept in rules.items() if not is_kept]
    return [f"{line.words}\n  {', '.join(wrong)}:\n{done.stderr}"] if wrong else []


@pytest.mark.parametrize("block", RUN)
def test_every_command_of_a_block_of_the_docs_works(block, around, gateway):
    """One after the other in one folder, as a reader types them: a line may prepare for others."""
    faults, missing = [], set()
    for line in block:
        if line.words.startswith("export "):
            around |= dict([line.words.removeprefix("export ").split("=")])
        elif without := program_missing_for(line):
            missing.add(without)
        elif not reason_not_to_run(line):
            faults += faults_of(line, around, gateway)
    assert not faults, "\n".join(faults)
    if missing:
        pytest.skip(f"all other lines work, but there is no {', '.join(missing)} here")


def test_the_image_of_the_readme_is_what_its_command_makes(around):
    assert HERO in README.read_text(encoding="utf-8")
    done = run(HERO, around)
    assert done.returncode == 0, done.stderr
    with Image.open("lake.jpg") as made, Image.open(ROOT / "docs/images/lake.jpg") as shown:
        difference = ImageStat.Stat(
            ImageChops.difference(made.convert("RGB"), shown.convert("RGB"))
        )
        assert made.size == shown.size
    assert max(difference.mean) < 3  # of 255: encoders of another version round in another way


def test_what_is_listed_is_in_the_docs():
    lines = [line.words for blocks in BLOCKS.values() for block in blocks for line in block]
    for start in NOT_RUN:
        assert any(line.startswith(start) for line in lines), start
    assert {*EXIT, *FIRST} <= set(lines)
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert all(address in text for address in STAND_INS)


def test_the_set_up_blocks_are_one_command_each():
    text = README.read_text(encoding="utf-8")
    for mark in ("first image", "test command"):
        (block,) = re.findall(rf"<!-- {mark} -->\n```sh\n(.*?)```\n", text, re.DOTALL)
        assert block.count("\n") == 1
        assert block.startswith("python3 -m venv .venv && .venv/bin/pip install ")


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page != FOR_DEVELOPERS], ids=lambda page: page.name
)
def test_every_command_and_option_in_the_text_exists(page):
    """In code within sentences, which does not run: `flux show FILE`, `--max-cost`."""
    known = GENERATED.read_text(encoding="utf-8")
    named = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", page.read_text(encoding="utf-8"))
    ours = [code for code in named if re.match(r"(flux|--?\w[\w-]*)( |$)", code)]
    for code in ours:
        for command in re.findall(r"^flux ([a-z]+)", code):
            assert f"\n## flux {command}\n" in known, code
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", code):
            assert option in ELSEWHERE or f"`{option}`" in known, code


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
            assert anchor in anchors, target


def test_commands_are_found_in_their_blocks_and_without_their_comments():
    block = (
        "```sh\nexport A=1\n# nothing\nflux sizes  # a comment\n"
        'flux generate \\\n  "a # fox"\n```\n'
    )
    text = f"{block}```toml\nx = 1\n```\n```sh\nflux models\n```\n"
    assert [[line.words for line in block] for block in blocks_of(text)] == [
        ["export A=1", "flux sizes", 'flux generate    "a # fox"'],
        ["flux models"],
    ]
