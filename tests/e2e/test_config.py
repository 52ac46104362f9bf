"""`flux config get`, `set`, `unset`, `edit`: one setting at a time, and nothing else changes."""

import fcntl
import os
import pty
import stat
import subprocess
import termios
import tomllib

import pytest

from e2e.conftest import KEY
from e2e.screen import drained
from flux_cli.config.settings import SETTINGS

MINE = """\
# My settings.
model = "flux1.1-pro"   # the fast one

timeout = 60
# A house style:
[presets.hero]
model = "flux.2-pro"
prompt_suffix = '''
timeout = 5
'''
"""


@pytest.fixture
def file(home):
    path = home / ".config" / "flux-image-cli" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


def test_get_prints_the_value_alone_whatever_its_source(flux, file):
    file.write_text("max_cost = 2\njournal_prompts = false\n")
    for name, value in {
        "model": "flux1.1-pro-ultra",
        "max-cost": "2",
        "journal_prompts": "false",
    }.items():
        result = flux("config", "get", name)
        assert (result.code, result.out, result.err) == (0, f"{value}\n", "")
    assert flux("config", "get", "max_cost", env={"FLUX_MAX_COST": "0.5"}).out == "0.5\n"
    assert flux("config", "get", "preview", env={"FLUX_PREVIEW": "sixel"}).out == "sixel\n"
    result = flux("config", "get", "output")
    assert (result.code, result.out) == (1, "")
    assert "output has no value" in result.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("get maxcost", "did you mean max_cost?"),
        ("get FLUX_MAX_COST", "did you mean max_cost?"),
        ("get presets.hero", "preset hero is a table, not one setting"),
        ("get presets.hreo", "did you mean hero?"),
        ("get providers.bfl", "flux providers bfl shows it"),
        ("get LUMENFALL_API_KEY", "flux never prints them"),
        ("set preview off", "export FLUX_PREVIEW="),
        (f"set api_key {KEY}", "flux login stores keys"),
        (f"set {KEY} x", "flux login stores keys"),
        ("set max_cost cheap", "flux config set max_cost 1"),
        ("set metadata nonee", "did you mean none?"),
        ("set provider lumenfal", "did you mean lumenfall?"),
        ("set provider openai", "first: flux config set base_url"),
        ("set base_url https://me:pass@host/v1", "the base URL has a user name or password"),
        ("set concurrency 0", "a whole number from 1 to 256"),
        ("unset modle", "did you mean model?"),
        ("gte model", "did you mean get?"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(flux, file, line, said):
    file.write_text(MINE)
    result = flux("config", *line.split())
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert KEY not in result.err
    assert "pass@" not in result.err
    assert file.read_text() == MINE


def test_set_changes_one_line_and_keeps_the_rest(flux, file):
    file.write_text(MINE)
    assert flux("config", "set", "model", "flux.2-pro").code == 0
    after = MINE.replace('"flux1.1-pro"', '"flux.2-pro"')
    assert file.read_text() == after
    assert flux("config", "set", "max_cost", "2").out.endswith("config.toml: max_cost = 2\n")
    after = after.replace("timeout = 60\n", "timeout = 60\nmax_cost = 2\n")
    assert file.read_text() == after
    assert flux("config", "unset", "max_cost").code == 0
    assert flux("config", "unset", "timeout").code == 0
    assert file.read_text() == after.replace("timeout = 60\nmax_cost = 2\n", "")
    assert flux("config", "unset", "timeout").out.endswith("unchanged\n")


@pytest.mark.parametrize("text", ["", "[presets.x]\nsize = '1:1'", "\ufeff# a\r\n", "# a\n\n"])
def test_a_new_setting_finds_its_place(flux, file, text):
    file.write_bytes(text.encode())
    value = 'a "b" \\ é'
    assert flux("config", "set", "output", value).code == 0
    assert flux("config", "get", "output").out == f"{value}\n"
    assert ("\r\n" in text) == (b"\r\noutput" in file.read_bytes())
    table = tomllib.loads(file.read_text())
    assert table.pop("output") == value
    assert table == tomllib.loads(text.removeprefix("\ufeff"))


@pytest.mark.parametrize(
    "text", ['model = """\nx"""\n', "'model' = 'x'\nmodle = 1\n", "model = \n"]
)
def test_a_file_that_cannot_be_changed_line_by_line_is_left_alone(flux, file, text):
    file.write_text(text)
    result = flux("config", "set", "model", "flux.2-pro")
    assert (result.code, file.read_text()) == (2, text)
    assert result.err.count("\n") == 2, result.err


def test_a_linked_file_keeps_its_link_and_its_mode(flux, file, work):
    target = work / "dotfiles.toml"
    target.write_text("timeout = 60\n")
    target.chmod(0o640)
    file.symlink_to(target)
    assert flux("config", "set", "timeout", "5").code == 0
    assert (file.is_symlink(), target.read_text()) == (True, "timeout = 5\n")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_is_the_users_alone_and_a_read_only_one_stays(flux, file):
    assert flux("config", "set", "timeout", "5").code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o444)
    result = flux("config", "set", "timeout", "6")
    assert (result.code, file.read_text()) == (1, "timeout = 5\n")
    assert result.err == f"flux: error: cannot write {file}: it is read-only\n"


def test_what_has_precedence_is_said(flux, work):
    result = flux("config", "set", "timeout", "5", env={"FLUX_TIMEOUT": "9"})
    assert "note: FLUX_TIMEOUT has precedence: timeout is 9 here" in result.err
    (work / "flux.toml").write_text("timeout = 7\n")
    assert "note: flux.toml has precedence" in flux("config", "set", "timeout", "6").err


@pytest.fixture
def edit(command, environment, work):
    """Run `flux config edit` on a terminal, with an editor that writes a text into the file."""

    def run(text: str | None, *, end: int = 0) -> tuple[int, str]:
        script = work / "my editor.sh"
        write = "" if text is None else "cat '" + str(work / "text") + '\' >"$2"'
        (work / "text").write_text(text or "")
        script.write_text(f"#!/bin/sh\n{write}\nexit {end}\n")
        script.chmod(0o755)
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [command, "config", "edit"],
            env=environment | {"EDITOR": "false", "VISUAL": f"'{script}' --wait"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - only a call
            **dict.fromkeys(("stdin", "stdout", "stderr"), theirs),
        ) as flux:
            os.close(theirs)
            shown = drained(ours)
        return flux.returncode, shown.decode()

    return run


def test_edit_opens_a_starter_and_checks_what_was_written(edit, file):
    code, said = edit(None)
    assert (code, "no faults found" in said) == (0, True)
    starter = file.read_text()
    assert "# max_cost = 1  # most that a run may cost" in starter
    named = {line[2:].partition(" = ")[0] for line in starter.splitlines() if " = " in line}
    assert named >= {setting.name for setting in SETTINGS}
    code, said = edit("timeout = 'x'\nretries = -1\nmodle = 1\n")
    assert (code, "'modle' is not a setting" in said) == (2, True)
    code, said = edit("timeout = 'x'\nretries = -1\n")
    assert (code, "timeout must be" in said, "retries must be" in said) == (2, True, True)
    code, said = edit("[presets.hero]\nsiez = '1:1'\n")
    assert (code, "did you mean size?" in said) == (2, True)
    code, said = edit("timeout = 5\n", end=3)
    assert (code, "ended with 3" in said) == (1, True)


def test_edit_without_an_editor_or_a_terminal_names_the_file(flux, file):
    for env in ({}, {"EDITOR": "vi"}):
        result = flux("config", "edit", env=env)
        assert (result.code, str(file) in result.err, file.exists()) == (2, True, False)
