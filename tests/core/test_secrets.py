"""A key shows itself to nobody but the one header it is for."""

import json
import pickle
from urllib.parse import quote

import pytest

from flux_cli.core.text import Secret, redact

KEY = "lmnfl_s3cr3t"


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        "{}".format,
        "{0!r}".format,
        "{0!s}".format,
        "{0!a}".format,
        "%s".__mod__,
        "%r".__mod__,
        lambda secret: f"{secret}",
        lambda secret: repr([secret]),
        lambda secret: repr({"key": secret}),
        lambda secret: repr(vars(secret)) if hasattr(secret, "__dict__") else "",
        lambda secret: repr(ValueError(secret)),
        lambda secret: json.dumps({"key": secret}, default=str),
    ],
)
def test_no_way_of_printing_shows_the_key(show):
    assert KEY not in show(Secret(KEY))


def test_it_is_shown_as_stars_so_that_people_see_there_is_one():
    assert f"{Secret(KEY)}" == repr(Secret(KEY)) == "***"


def test_only_reveal_gives_the_key():
    assert Secret(KEY).reveal() == KEY


def test_a_server_that_quotes_the_key_does_not_print_it():
    quoted = f"Incorrect API key {KEY} (you sent 'Bearer {KEY}')"
    Secret(KEY)
    assert redact(quoted) == "Incorrect API key *** (you sent 'Bearer ***')"


ODD = "canary\"Sup3r&S3cr3t'V4lue%+/=<>\\x"


@pytest.mark.parametrize(
    "spell",
    [
        str,
        repr,
        json.dumps,
        quote,
        lambda key: quote(key, safe=""),
        lambda key: repr(key.encode()),
        lambda key: json.dumps(repr(key)),
        lambda key: json.dumps({"url": f"https://host/{quote(key)}"}),
        lambda key: repr(quote(key)),
        lambda key: f"{key[:20]}…",
        lambda key: json.dumps(f"wrong: {key[:20]}…"),
    ],
)
def test_a_key_of_odd_letters_is_hidden_in_every_spelling(spell):
    """Addresses, JSON and quotes each write some letters in a way of their own."""
    Secret(ODD)
    hidden = redact(f"wrong key: {spell(ODD)}")
    assert "***" in hidden
    assert "Sup3r" not in hidden
    assert "canary" not in hidden


def test_it_holds_nothing_but_the_key():
    with pytest.raises(AttributeError):
        Secret(KEY).note = "x"


def test_it_cannot_be_found_in_what_json_or_format_specifications_refuse():
    for attempt in (lambda: json.dumps(Secret(KEY)), lambda: f"{Secret(KEY):>40}"):
        with pytest.raises(TypeError) as raised:
            attempt()
        assert KEY not in str(raised.value)


def test_pickling_is_not_how_it_leaves_either():
    """A pickle holds the secret, so flux pickles nothing. Round trips keep it hidden."""
    assert repr(pickle.loads(pickle.dumps(Secret(KEY)))) == "***"


def test_what_is_left_of_a_key_after_a_message_was_cut_is_hidden_too():
    Secret("sk-0123456789abcdef")
    for length in range(8, 20):
        assert redact(f"bad key: {'sk-0123456789abcdef'[:length]}…") == "bad key: ***…"
    assert redact("bad key: sk-0123…") == "bad key: sk-0123…"  # too short to be anybody's


def test_every_key_of_a_run_is_hidden_and_everything_else_is_left_alone():
    Secret("first-key-0001")
    Secret("second-key-0002")
    text = "first-key-0001, then second-key-0002, then first-key-0001 again; a red fox"
    assert redact(text) == "***, then ***, then *** again; a red fox"
    assert redact("nothing secret here") == "nothing secret here"
    assert redact("") == ""


def test_what_is_too_short_to_be_a_key_tears_no_words_apart():
    Secret("fox")
    assert redact("a red fox") == "a red fox"


def test_eight_characters_are_the_shortest_key():
    Secret("12345678")
    Secret("abcdefg")
    assert redact("12345678 abcdefg 1234567") == "*** abcdefg 1234567"
