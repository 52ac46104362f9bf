"""What a terminal can show is told from its environment; what an image gets of its window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.errors import ConfigError
from flux_cli.terminal.capabilities import (
    PROTOCOLS,
    Window,
    choose_protocol,
    size_in_cells,
    usable_area,
)

XTERM = {"TERM": "xterm-256color"}
TRUE = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        (TRUE | {"TERM_PROGRAM": "WarpTerminal"}, "kitty"),
        (TRUE | {"TERM_PROGRAM": "iTerm.app"}, "iterm"),
        (XTERM | {"LC_TERMINAL": "iTerm2"}, "iterm"),
        (TRUE | {"TERM_PROGRAM": "WezTerm"}, "iterm"),
        (XTERM | {"TERM_PROGRAM": "mintty"}, "iterm"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "foot-extra"}, "sixel"),
        ({"TERM": "mlterm-256color"}, "sixel"),
        (TRUE, "truecolor"),
        ({"TERM": "xterm-direct"}, "truecolor"),
        (XTERM, "256"),
        ({"TERM": "xterm"}, None),
        ({"TERM": "linux"}, None),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, None),
        ({}, None),
        (XTERM | {"TERM_PROGRAM": "Apple_Terminal"}, "256"),
        (XTERM | {"TERM_PROGRAM": "vscode"}, "truecolor"),
        ({"WT_SESSION": "6f0e"}, "truecolor"),
        (XTERM | {"VTE_VERSION": "7600"}, "truecolor"),
        ({"TERM": "xterm", "XTERM_VERSION": "XTerm(379)"}, "256"),
    ],
)
def test_each_terminal_gets_the_best_it_surely_shows(environ, found):
    assert choose_protocol(environ) == found


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        (XTERM | {"KITTY_WINDOW_ID": "1", "XTERM_VERSION": "XTerm(379)"}, "256"),
        (TRUE | {"KITTY_WINDOW_ID": "1", "TERM_PROGRAM": "vscode"}, "truecolor"),
        (TRUE | {"WEZTERM_PANE": "0", "TERM_PROGRAM": "Hyper"}, "truecolor"),
        (XTERM | {"KITTY_WINDOW_ID": "1"}, "kitty"),
    ],
)
def test_signs_inherited_from_the_terminal_outside_do_not_count_against_a_name(environ, found):
    assert choose_protocol(environ) == found


@pytest.mark.parametrize(
    "outside",
    [
        {"TMUX": "/tmp/tmux-0/default,1,0"},
        {"STY": "1.pts"},
        {"ZELLIJ": "0"},
        {"TERM": "screen-256color"},
    ],
)
def test_a_multiplexer_gets_half_blocks_whatever_terminal_is_around_it(outside):
    assert choose_protocol({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"} | outside) == "256"
    assert (
        choose_protocol(
            {"TERM": "tmux-256color", "COLORTERM": "truecolor", "LC_TERMINAL": "iTerm2"} | outside
        )
        == "truecolor"
    )


@pytest.mark.parametrize("asked", PROTOCOLS)
def test_a_multiplexer_gets_what_was_asked_for_only_if_it_shows_it(asked):
    """Who names kitty for all shells works in tmux too."""
    shown = "256" if asked in ("kitty", "iterm") else asked
    assert choose_protocol({"TERM": "tmux-256color", "FLUX_PREVIEW": asked}) == shown


@pytest.mark.parametrize("name", PROTOCOLS)
def test_flux_preview_names_the_way_outright(name):
    assert choose_protocol({"TERM": "dumb", "FLUX_PREVIEW": f" {name.upper()} "}) == name


def test_flux_preview_can_say_off_and_nothing_is_as_good_as_unset():
    assert choose_protocol(TRUE | {"FLUX_PREVIEW": "off"}) is None
    assert choose_protocol(TRUE | {"FLUX_PREVIEW": ""}) == "truecolor"


def test_a_wrong_flux_preview_is_an_error_with_the_nearest_right_one():
    with pytest.raises(ConfigError, match="'sixels'") as caught:
        choose_protocol({"FLUX_PREVIEW": "sixels"})
    assert "sixel" in caught.value.hint
    with pytest.raises(ConfigError) as caught:
        choose_protocol({"FLUX_PREVIEW": "?"})
    assert "off" in caught.value.hint


@given(
    st.dictionaries(
        st.sampled_from(["TERM", "TERM_PROGRAM", "COLORTERM", "TMUX", "VTE_VERSION"]), st.text()
    )
)
def test_any_environment_has_an_answer(environ):
    assert choose_protocol(environ) in (*PROTOCOLS, None)


@pytest.mark.parametrize(("rows", "kept"), [(24, 20), (40, 20), (60, 30), (3, 1), (1, 1)])
def test_an_image_leaves_rows_for_what_was_said_before_it(rows, kept):
    assert usable_area(Window(80, rows)).rows == kept
    assert usable_area(Window(80, rows)).columns == 79


sides = st.integers(1, 20_000)
windows = st.builds(
    Window,
    st.integers(1, 500),
    st.integers(1, 200),
    st.tuples(st.integers(1, 40), st.integers(1, 80)),
)


@given(st.tuples(sides, sides), windows, st.booleans())
def test_an_image_never_leaves_its_window(size, window, blocks):
    columns, rows = size_in_cells(size, window, half_blocks=blocks)
    assert 1 <= columns <= window.columns
    assert 1 <= rows <= window.rows


@given(st.tuples(st.integers(200, 4000), st.integers(200, 4000)))
def test_an_image_keeps_its_shape_to_half_a_cell(size):
    window = Window(100, 30, (10, 20))
    columns, rows = size_in_cells(size, window, half_blocks=False)
    scale = min(1000 / size[0], 600 / size[1], 1)
    assert abs(columns * 10 - size[0] * scale) <= 5 + 1e-6
    assert abs(rows * 20 - size[1] * scale) <= 10 + 1e-6


def test_a_small_image_is_not_enlarged_beyond_its_pixels():
    assert size_in_cells((64, 64), Window(100, 30), half_blocks=False) == (6, 3)
    assert size_in_cells((16, 16), Window(100, 30), half_blocks=True) == (16, 8)
