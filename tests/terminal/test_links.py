"""Which terminals get links, and where a link leads."""

import io
import os
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import pytest

from flux_cli.core.text import Secret
from flux_cli.terminal.links import address_of, has_links, link

KITTY = {"TERM": "xterm-kitty"}
XTERM = {"TERM": "xterm-256color"}
posix = pytest.mark.skipif(
    os.name == "nt", reason="Windows has other names, and links without host"
)


class Terminal(io.StringIO):
    def isatty(self):
        if self.closed:
            raise ValueError
        return True


@pytest.mark.parametrize(
    ("environ", "linked"),
    [
        (KITTY, True),
        ({"TERM": "alacritty"}, True),
        ({"TERM": "foot-extra"}, True),
        (XTERM | {"TERM_PROGRAM": "iTerm.app"}, True),
        (XTERM | {"TERM_PROGRAM": "vscode"}, True),
        (XTERM | {"TERM_PROGRAM": "ghostty"}, True),
        (XTERM | {"LC_TERMINAL": "iTerm2"}, True),
        (XTERM | {"KITTY_WINDOW_ID": "1"}, True),
        (XTERM | {"KONSOLE_VERSION": "230800"}, True),
        ({"WT_SESSION": "6f1a"}, True),
        (XTERM | {"VTE_VERSION": "7200"}, True),
        (XTERM | {"VTE_VERSION": "5001"}, True),
        (XTERM | {"VTE_VERSION": "5000"}, False),
        (XTERM | {"VTE_VERSION": "4803"}, False),
        (XTERM | {"VTE_VERSION": "new"}, False),
        (XTERM | {"VTE_VERSION": "7200", "TERM_PROGRAM": "Apple_Terminal"}, False),
        (XTERM, False),
        ({}, False),
        (KITTY | {"TMUX": "/tmp/tmux,1,0"}, False),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"}, False),
        ({"TERM": "dumb", "KITTY_WINDOW_ID": "1"}, False),
        (KITTY | {"CI": "true"}, False),
        (KITTY | {"NO_COLOR": "1"}, True),
        (KITTY | {"FORCE_HYPERLINK": "0"}, False),
        (KITTY | {"FORCE_HYPERLINK": "false"}, False),
        (KITTY | {"FORCE_HYPERLINK": ""}, True),
        (XTERM | {"FORCE_HYPERLINK": "1"}, True),
        ({"TERM": "tmux-256color", "FORCE_HYPERLINK": "1"}, True),
        ({"TERM": "dumb", "FORCE_HYPERLINK": "1"}, False),
        (KITTY | {"CI": "true", "FORCE_HYPERLINK": "1"}, False),
    ],
)
def test_links_go_to_terminals_that_are_known_to_have_them(environ, linked):
    assert has_links(Terminal(), environ) is linked


@pytest.mark.parametrize("environ", [KITTY, KITTY | {"FORCE_HYPERLINK": "1"}])
def test_a_pipe_and_a_closed_stream_never_get_links(environ):
    closed = Terminal()
    closed.close()
    for stream in (io.StringIO(), closed):
        assert has_links(stream, environ) is False


@posix
@pytest.mark.parametrize(
    "name",
    [
        "a b%20.png",
        "-",
        "--open",
        "https:/x?y#z",
        "a;b\\c",
        "\x1b]8;;x\x07\n\x9c",
        "狐é",
        "\udcff\udc80.png",
        "..",
        "folder/fox.png",
        "/fox.png",
    ],
)
def test_a_link_is_printable_and_leads_to_the_very_bytes_of_the_name(name):
    address = address_of(name)
    parts = urlsplit(address)
    assert address.isascii()
    assert address.isprintable()
    assert not set(address) & set(" ;\\")
    assert (parts.scheme, parts.netloc) == ("file", os.uname().nodename)
    assert (parts.query, parts.fragment) == ("", "")
    assert unquote_to_bytes(parts.path) == os.fsencode(Path.cwd() / name)


def test_a_link_is_around_the_text():
    assert link("shown", "fox.png") == f"\x1b]8;;{address_of('fox.png')}\x1b\\shown\x1b]8;;\x1b\\"


def test_a_path_with_a_key_in_it_is_no_link():
    Secret("lmnfl_Sup3rS3cretV4lue")
    assert link("***.png", "lmnfl_Sup3rS3cretV4lue.png") == "***.png"


@posix
def test_without_a_working_folder_there_is_no_link(work):
    os.rmdir(work)
    assert link("fox.png", "fox.png") == "fox.png"
