"""Who is there: a person, a CI service, and somebody who wants colors or none."""

import io

import pytest

from flux_cli.terminal.environment import is_github, is_on, is_terminal, uses_color

YES = ("true", "True", "1", "yes", "on", "woodpecker", "3")
NO = ("false", "False", "0", "no", "off", "", "  ")


class Terminal(io.StringIO):
    def isatty(self):
        if self.closed:
            raise ValueError
        return True


@pytest.mark.parametrize(("words", "on"), [(YES, True), (NO, False)])
def test_a_variable_is_on_unless_it_says_no(words, on):
    for word in words:
        assert is_on("CI", {"CI": word}) is on
        assert is_terminal(Terminal(), {"CI": word}) is not on
        assert is_github({"GITHUB_ACTIONS": word}) is on
        assert uses_color(io.StringIO(), {"FORCE_COLOR": word}) is on
    assert is_on("CI", {}) is False


@pytest.mark.parametrize(
    ("stream", "environ", "watched"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {"TERM": "unknown"}, False),
        (Terminal(), {"CI": "true"}, False),
        (Terminal(), {"CI": "true", "FORCE_COLOR": "1"}, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_a_person_watches_a_terminal_that_is_neither_dumb_nor_a_robot_s(stream, environ, watched):
    assert is_terminal(stream, environ) is watched


def test_a_closed_stream_is_watched_by_nobody():
    stream = Terminal()
    stream.close()
    assert is_terminal(stream, {}) is False


@pytest.mark.parametrize(
    ("stream", "environ", "colored"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"WT_SESSION": "6f1a"}, True),
        (Terminal(), {}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        (Terminal(), {"TERM": "xterm", "CI": "true"}, False),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "0"}, False),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "xterm", "FORCE_COLOR": "0"}, True),
        (io.StringIO(), {"TERM": "xterm"}, False),
        (io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
        (io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colors_go_to_terminals_and_wherever_they_are_forced_and_never_where_nobody_wants_them(
    stream, environ, colored
):
    assert uses_color(stream, environ) is colored
