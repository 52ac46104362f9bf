"""The man page is clean for both formatters and says what the help says."""

import shutil
import subprocess
from pathlib import Path

import pytest

from flux_cli.cli.topics import TOPICS
from flux_cli.config.state import state_folder

pytestmark = pytest.mark.slow

MAN = Path(__file__).parents[1] / "man"


@pytest.mark.skipif(
    shutil.which("mandoc") is None, reason="no mandoc on PATH: the man page is NOT checked"
)
def test_mandoc_finds_nothing_wrong():
    done = subprocess.run(
        ["mandoc", "-Tlint", "-Wstyle", str(MAN / "flux.1")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.skipif(
    shutil.which("groff") is None, reason="no groff on PATH: the man page is NOT checked with it"
)
@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_groff_finds_nothing_wrong_on_screens_of_any_width(width):
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", f"-rLL={width}n", str(MAN / "flux.1")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""


def test_every_section_stands_once_and_where_manuals_have_it():
    lines = (MAN / "flux.1").read_text(encoding="utf-8").splitlines()
    sections = [line.removeprefix(".SH ") for line in lines if line.startswith(".SH ")]
    assert sections[:4] == ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS"]
    assert sections[-4:] == ["EXIT STATUS", "ENVIRONMENT", "FILES", "SEE ALSO"]
    assert sorted(sections[4:-4]) == sorted(
        name.upper() for name in {*TOPICS} - {"exit-codes", "environment"}
    )


def test_the_files_are_where_flux_looks_for_them(flux, home):
    page = (
        (MAN / "flux.1")
        .read_text(encoding="utf-8")
        .replace("\\(ti", "~")
        .replace("\\:", "")
        .replace("\\-", "-")
    )
    assert flux("config", "path").out.strip().replace(str(home), "~") in page
    assert str(state_folder()).replace(str(home), "~") in page


@pytest.mark.skipif(
    shutil.which("mandoc") is None, reason="no mandoc on PATH: the man page is NOT read"
)
def test_the_page_shows_commands_options_and_topics_as_they_are_typed():
    done = subprocess.run(
        ["mandoc", "-Tascii", str(MAN / "flux.1")], capture_output=True, text=True, check=True
    )
    text = done.stdout.replace("_\b", "")
    while "\b" in text:
        place = text.index("\b")
        text = text[: place - 1] + text[place + 1 :]
    assert all(
        name in text
        for name in ("flux generate", "--aspect-ratio", "-o", "FLUX_MODEL", "130", "{slug}")
    )
    assert all(name.upper() in text for name in TOPICS if name != "exit-codes")
    assert "flux sizes 1920x1080" in text
