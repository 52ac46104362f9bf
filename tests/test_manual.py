"""The man page is clean for both formatters and says what the help says."""

import shutil
import subprocess
from pathlib import Path

import pytest

from flux_cli.cli.topics import TOPICS

MAN = Path(__file__).parents[1] / "man"


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="no mandoc on PATH: the man page is NOT checked")
def test_mandoc_finds_nothing_wrong():
    done = subprocess.run(
        ["mandoc", "-Tlint", "-Wstyle", str(MAN / "flux.1")], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff on PATH: the man page is NOT checked with it")
def test_groff_finds_nothing_wrong():
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", str(MAN / "flux.1")], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="no mandoc on PATH: the man page is NOT read")
def test_the_page_shows_commands_options_and_topics_as_they_are_typed():
    done = subprocess.run(["mandoc", "-Tascii", str(MAN / "flux.1")], capture_output=True, text=True, check=True)
    text = done.stdout.replace("_\b", "")
    while "\b" in text:
        place = text.index("\b")
        text = text[: place - 1] + text[place + 1 :]
    assert all(name in text for name in ("flux generate", "--aspect-ratio", "-o", "FLUX_MODEL", "130", "{slug}"))
    assert all(name.upper() in text for name in TOPICS if name != "exit-codes")
    assert "flux sizes 1920x1080" in text
