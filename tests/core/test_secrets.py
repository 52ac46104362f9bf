"""A key shows itself to nobody but the one header it is for."""

import json
import pickle
from base64 import b64encode, urlsafe_b64encode
from hashlib import sha512
from unicodedata import normalize
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from key_spellings import CANARY, WRITERS, decoded, runs_of

from flux_cli.core.auth import pieces_of, spellings_of
from flux_cli.core.text import Secret, plain, redact

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


@pytest.mark.parametrize("word", ["test", "EMPTY", "localhost", "ollama"])
def test_placeholders_that_local_servers_take_are_no_secrets(word):
    Secret(word)
    assert redact(f"a {word} image") == f"a {word} image"


def test_a_short_key_is_hidden_where_it_is_a_word_of_its_own():
    Secret("12345678")
    Secret("abcdefg")
    Secret("s3c!")
    assert redact("12345678 (abcdefg) 1234567 abcdefgh s3c!") == "*** (***) 1234567 abcdefgh ***"


def test_the_beginning_of_a_key_that_looks_like_words_is_left_in_words():
    Secret("sk-proj-Abc123Def456")
    Secret("lumenfall-black-forest")
    Secret("abcdefgh")
    assert redact("task-proj-1.jpg") == "task-proj-1.jpg"
    assert redact("https://api.lumenfall.ai") == "https://api.lumenfall.ai"
    assert redact("sk-proj-A lumenfall-black abcdefgh") == "*** *** ***"


# Escapes stand for bytes or characters of ASCII: what is written in others cannot be escaped again.
PLAIN_WRITERS = sorted(name for name, write in WRITERS.items() if write(CANARY).isascii())


@given(
    st.integers(0, len(CANARY) - 12),
    st.integers(12, len(CANARY)),
    st.lists(st.sampled_from(PLAIN_WRITERS), max_size=1),
    st.sampled_from(sorted(WRITERS)),
    st.text(max_size=10),
    st.text(max_size=10),
)
def test_a_piece_of_a_key_is_hidden_in_every_mix_of_spellings(
    start, length, names, last, before, after
):
    Secret(CANARY)
    piece = shown = CANARY[start : start + length]
    for name in (*names, last):
        shown = WRITERS[name](shown)
    hidden = redact(f"{before}|{shown}|{after}")
    assert not [run for run in runs_of(piece, 8) if run.lower() in decoded(hidden).lower()]
    assert "***" in hidden


@pytest.mark.parametrize("name", WRITERS)
def test_a_key_is_hidden_in_every_spelling(name):
    Secret(CANARY)
    hidden = redact(f"a fox {WRITERS[name](CANARY)}, and more")
    assert "***" in hidden
    for reading in hidden, unquote(hidden):
        shown = decoded(reading).lower()
        assert not [run for run in runs_of(CANARY, 8) if run.lower() in shown]


@pytest.mark.parametrize("name", WRITERS)
def test_a_key_is_hidden_in_every_spelling_where_text_is_put_on_one_line(name):
    """There, characters in a key become blanks, which its reader leaves out."""
    Secret(CANARY)
    line = plain(f"a fox {WRITERS[name](CANARY)}, and more", 4000)
    assert line.startswith("a fox ***")
    for text in (line, unquote(line), plain(WRITERS[name](CANARY), 60)):
        shown = decoded(text).lower().replace(" ", "")
        assert not [run for run in runs_of(CANARY, 8) if run.lower() in shown]


def test_pieces_of_a_key_of_a_thousand_characters_are_hidden():
    """And there are hardly more of them to search for than of a key of 256 characters."""
    key = b64encode(b"".join(sha512(bytes([part])).digest() for part in range(16))).decode()[:1200]
    Secret(key)
    for start in range(0, len(key) - 40, 7):
        assert redact(f"x {key[start : start + 40]} y") == "x *** y"
        assert redact(f"x {key[start : start + 80].encode().hex()} y") == "x *** y"
    assert redact(f"x {b64encode(key.encode()).decode()} y") == "x *** y"
    pieces = [piece for spelling in spellings_of(key) for piece in pieces_of(spelling)]
    assert len(pieces) < 8 * 70


@pytest.mark.parametrize("length", range(8, len(CANARY)))
def test_a_key_that_is_cut_without_a_mark_is_hidden(length):
    Secret(CANARY)
    for piece in (CANARY[:length], CANARY[-length:], CANARY[2 : 2 + length]):
        for text in (piece, f"x{piece}y", f"key {piece} is wrong", f"é{piece}é"):
            assert redact(text) == text.replace(piece[: len(piece)], "***")


@given(
    st.binary(max_size=9), st.binary(max_size=9), st.sampled_from([b64encode, urlsafe_b64encode])
)
def test_a_key_in_base64_is_hidden_wherever_it_begins(before, after, encode):
    Secret(CANARY)
    hidden = redact(encode(before + CANARY.encode() + after).decode())
    assert not [
        run for run in runs_of(b64encode(CANARY.encode()).decode()[:-3], 16) if run in hidden
    ]
    assert "***" in hidden
    assert redact(CANARY.encode().hex()) == redact(CANARY.encode().hex().upper()) == "***"


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=9)), st.integers(0, 30))
def test_a_document_stays_json_when_a_key_is_taken_out(values, at):
    key = "nabcdefg\\u00e9/t0123456789"
    Secret(key)
    values |= {"a": f"\n{key[at:]}", "b": f"{key[:at]}\\", "c": json.dumps({"d": key}), "d": key}
    for ascii_only in (True, False):
        json.loads(redact(json.dumps(values, ensure_ascii=ascii_only)))


@given(st.text() | st.text("lmnf_Sup3r\\%&#;u0x\u200b\n"))
def test_text_without_a_key_stays_as_it_is(text):
    Secret("0123456789-nowhere-in-here")
    assert redact(text) == text


@pytest.mark.parametrize(
    "part", ["%41", "%25", "\\", "&amp;", "\u200b", CANARY[:7], CANARY[:10].upper(), CANARY, "雪"]
)
def test_a_long_text_is_searched_in_parts_that_overlap(part):
    """The limits of the windows must not show: 280,000 characters are one and a bit."""
    Secret(CANARY)
    filler = part * (140_000 // len(part))
    hidden = redact(f"{filler}{CANARY}{filler}")
    assert CANARY not in hidden
    assert "***" in hidden


def test_a_key_is_found_at_every_place_of_a_long_text():
    Secret(CANARY)
    for place in range((1 << 18) - 60, (1 << 18) + 20, 11):
        assert redact(f"{'x' * place}{CANARY}{'y' * 50_000}") == f"{'x' * place}***{'y' * 50_000}"


WIDE = [
    "a\u00e91b\u00fc2c\u00f63d\u00e44",
    "\u043f\u0430\u0440\u043e\u043b\u044c-\u0441\u0435\u043a\u0440\u0435\u0442",
    "\u043a\u043b\u044e\u0447",
    "p\u00e4ssw\u00f6rt",
    "\u0130stanbul\u015f12",
    "\u65e5\u672c\u8a9e\u30d1\u30b9",
    "ab\u00a9\u00bc\u00aa\u00ba\u00b2",
]


@pytest.mark.parametrize("key", WIDE, ids=ascii)
@pytest.mark.parametrize(
    "spell",
    [
        str,
        str.upper,
        quote,
        lambda key: quote(key).lower(),
        lambda key: json.dumps(key)[1:-1],
        lambda key: repr(key.encode())[2:-1],
        lambda key: key.encode().decode("latin-1"),
        lambda key: "".join(f"&#{ord(char)};" for char in key),
        lambda key: json.dumps(quote(quote(key)))[1:-1],
        "\u200b".join,
        lambda key: normalize("NFD", key),
    ],
)
def test_a_secret_of_any_letters_is_hidden_in_every_spelling(key, spell):
    Secret(key)
    assert redact(f"me:{spell(key)} was refused") == "me:*** was refused"


@pytest.mark.parametrize("key", WIDE, ids=ascii)
def test_a_secret_of_any_letters_is_hidden_in_base64_and_hex(key):
    Secret(key)
    data = key.encode()
    shown = b64encode(b"me:" + data + b"!").decode()
    assert len(redact(shown)) < len(shown)
    assert data.hex() not in redact(f"it is {data.hex()}")


def test_bytes_that_are_no_text_are_hidden_as_well():
    Secret("secret12\udcffx")
    assert redact("me:secret12\u00ffx") == redact("me:secret12%FFx") == "me:***"
    shown = b64encode(b"secret12\xffx").decode().rstrip("=")
    assert shown not in redact(f"it is {shown}")
    Secret("abcd\ud800efgh")
    assert "efgh" not in redact("it is abcd\ud800efgh")
