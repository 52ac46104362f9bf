"""Keys and headers: which variables they come from, which provider gets them, and what is said."""

import base64
from pathlib import Path

import pytest

from flux_cli.commands.resolve import curl_command
from flux_cli.config import folders
from flux_cli.config.credentials import find_auth, forms_of, missing_key_error, variables_of
from flux_cli.config.load import load_settings
from flux_cli.core.errors import ConfigError
from flux_cli.core.request import Post
from flux_cli.core.text import redact
from flux_cli.providers.rows import ROWS

KEY = "k3y-0f-s0mebody"
SECOND = "s3c0nd-s3cret"
OTHER = "https://other.example/v1"


def sent(**flags):
    """The headers that go to the provider."""
    auth = find_auth(load_settings(flags, ROWS))
    return auth.fields() if auth else {}


@pytest.fixture
def table(monkeypatch):
    """Write the table of a provider, and set variables."""
    folder = folders.user_folder()
    folder.mkdir(parents=True)

    def write(text, **variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        (folder / "config.toml").write_text(f'[providers.mine]\nbase_url = "{OTHER}"\n{text}\n')

    return write


@pytest.mark.parametrize(
    ("provider", "variable", "header"),
    [
        ("fal", "FAL_API_KEY", f"Key {KEY}"),
        ("replicate", "REPLICATE_API_KEY", f"Bearer {KEY}"),
        ("together", "TOGETHERAI_API_KEY", f"Bearer {KEY}"),
        ("together", "TOGETHER_AI_API_KEY", f"Bearer {KEY}"),
    ],
)
def test_names_of_keys_that_other_tools_use_are_taken(provider, variable, header, monkeypatch):
    monkeypatch.setenv(variable, KEY)
    assert sent(provider=provider) == {"Authorization": header}
    monkeypatch.setenv(ROWS[provider].key_variables[0], SECOND)
    assert SECOND in sent(provider=provider)["Authorization"]


def test_only_the_gateway_gets_the_gateways_key(monkeypatch):
    monkeypatch.setenv("LUMENFALL_API_KEY", KEY)
    gateway = {"Authorization": f"Bearer {KEY}"}
    assert sent() == gateway
    assert sent(base_url="https://api.lumenfall.ai/openai/v2") == gateway
    assert sent(base_url=OTHER) == {}
    assert sent(provider="openai", base_url=OTHER) == {}
    assert sent(provider="lumenfall", base_url=OTHER) == gateway
    for near in ("https://api.lumenfall.ai:444/v1", "https://api.lumenfall.ai.example/v1"):
        assert sent(base_url=near) == {}
    monkeypatch.setenv("LUMENFALL_BASE_URL", OTHER)
    assert sent() == gateway
    assert sent(base_url=f"{OTHER}/more") == gateway
    assert sent(base_url="https://third.example/v1") == {}
    monkeypatch.setenv("FLUX_API_KEY", SECOND)
    assert sent(base_url="https://third.example/v1") == {"Authorization": f"Bearer {SECOND}"}


def test_openais_url_goes_with_openais_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", '"https://litellm.example/v1"\r')
    for provider in ("openai.com", "openai"):
        auth = find_auth(load_settings({"provider": provider}, ROWS))
        assert (auth.base, auth.variable) == ("https://litellm.example/v1", "OPENAI_API_KEY")
    assert (
        sent(provider="openai", base_url=OTHER) == {}
    )  # a URL that OpenAI's variables do not name
    assert sent(base_url=OTHER) == {}
    monkeypatch.setenv("OPENAI_BASE_URL", "http://litellm:4000/v1")
    with pytest.raises(ConfigError, match="unencrypted") as raised:
        sent(provider="openai.com")
    assert raised.value.hint.startswith("set FLUX_HTTP_HOSTS=litellm")
    monkeypatch.setenv("FLUX_HTTP_HOSTS", "litellm")
    assert sent(provider="openai.com") == {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("flags", "variables", "message", "hints"),
    [
        ({}, {}, "LUMENFALL_API_KEY", ["export LUMENFALL_API_KEY=", "--offline"]),
        ({"provider": "fal"}, {}, "FAL_KEY", ["https://fal.ai/dashboard/keys"]),
        (
            {"base_url": OTHER},
            {"LUMENFALL_API_KEY": KEY},
            "FLUX_API_KEY",
            ["--no-key", "LUMENFALL_API_KEY is set, and is sent only with --provider lumenfall"],
        ),
        (
            {"provider": "openai", "base_url": OTHER},
            {"OPENAI_API_KEY": KEY},
            "FLUX_API_KEY",
            ["OPENAI_API_KEY is set, and is sent only with --provider openai.com"],
        ),
        ({}, {"FAL_API_KEY": KEY}, "LUMENFALL_API_KEY", ["only with --provider fal"]),
    ],
)
def test_a_missing_key_is_named_and_so_is_the_one_that_is_set(
    flags, variables, message, hints, monkeypatch
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    error = missing_key_error(load_settings(flags, ROWS))
    assert error.message == f"no key: {message} is not set"
    assert all(hint in error.hint for hint in hints)
    assert (".env" in error.hint, KEY in error.hint) == (False, False)


@pytest.mark.parametrize("name", [".env", ".env.local"])
def test_a_missing_key_says_that_env_files_are_not_read_where_there_is_one(name):
    Path(name).write_text(f"LUMENFALL_API_KEY={KEY}\n")
    hint = missing_key_error(load_settings({}, ROWS)).hint
    assert f"flux does not read {name}" in hint
    assert f"set -a; . ./{name}; set +a" in hint
    assert f"uv run --env-file {name} flux" in hint


def test_headers_of_a_provider_get_their_values_from_variables(table):
    table(
        'key = "MY_KEY"\nheaders = { CF-Access-Client-Id = "$CF_ID", X-Org = "org-1", '
        'X-Both = "a ${CF_ID} $$" }',
        MY_KEY=KEY,
        CF_ID=f'"{SECOND}"\r',
    )
    assert sent(provider="mine") == {
        "Authorization": f"Bearer {KEY}",
        "CF-Access-Client-Id": SECOND,
        "X-Org": "org-1",
        "X-Both": f"a {SECOND} $",
    }
    assert SECOND not in redact(f"it said {SECOND}")
    assert redact("it said org-1") == "it said org-1"
    settings = load_settings({"provider": "mine"}, ROWS)
    assert variables_of(settings.provider) == ("MY_KEY", "CF_ID", "CF_ID")
    assert "Authorization" not in find_auth(settings, no_key=True).fields()
    assert find_auth(settings, no_key=True).fields()["CF-Access-Client-Id"] == SECOND


def test_a_header_without_its_variable_is_an_error_only_for_that_provider(table):
    table('headers = { X-Token = "$MISSING" }', LUMENFALL_API_KEY=KEY)
    assert sent() == {"Authorization": f"Bearer {KEY}"}
    with pytest.raises(ConfigError, match="the header X-Token of provider mine needs MISSING"):
        sent(provider="mine")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('key_header = "api-key"', {"api-key": "u:p"}),
        ('key_header = "X-Key"\nkey_prefix = "Token "', {"X-Key": "Token u:p"}),
        ('key_prefix = "Key "', {"Authorization": "Key u:p"}),
        ('key_scheme = "basic"', {"Authorization": f"Basic {base64.b64encode(b'u:p').decode()}"}),
        ('protocol = "bfl"', {"x-key": "u:p"}),
    ],
)
def test_the_key_is_sent_as_the_table_says(text, expected, table):
    table(f'key = "MY_KEY"\n{text}', MY_KEY="u:p")
    assert sent(provider="mine") == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("headers = 5", "headers must be a table"),
        ("headers = { X = 5 }", "X must be ASCII text"),
        ('headers = { X = "a\\nb" }', "X must be ASCII text"),
        ('headers = { X = "é" }', "X must be ASCII text"),
        ('headers = { X = "$" }', "X must be ASCII text"),
        ('headers = { "X Y" = "a" }', "is not a header"),
        ('headers = { "X:" = "a" }', "is not a header"),
        ('headers = { Host = "evil" }', "is not a header"),
        ('headers = { content-length = "1" }', "is not a header"),
        ('key_header = "a\\nb"', "must be text"),
        ('key_header = "a b"', "is not a header"),
        ('key_scheme = "digest"', "key_scheme must be basic"),
    ],
)
def test_a_wrong_header_is_refused_with_its_place(text, reason, table):
    table(text)
    with pytest.raises(ConfigError, match=reason) as raised:
        load_settings({}, ROWS)
    assert "config.toml: providers.mine" in raised.value.message


def test_headers_need_an_encrypted_connection_like_keys(table, monkeypatch):
    table('key = "MY_KEY"\nheaders = { X-Token = "a", X-B = "b" }')
    url = "http://nas:8080/v1"
    named = r"headers of provider mine \(X-Token, X-B\) would be sent to nas:8080 unencrypted"
    for flags in ({"no_key": False}, {"no_key": True}):  # the variable of the key is not set
        with pytest.raises(ConfigError, match=named) as raised:
            find_auth(load_settings({"provider": "mine", "base_url": url}, ROWS), **flags)
        assert "FLUX_HTTP_HOSTS=nas:8080" in raised.value.hint
        assert "--no-key" not in raised.value.hint
    monkeypatch.setenv("MY_KEY", KEY)
    with pytest.raises(ConfigError, match="the key would be sent to nas unencrypted"):
        sent(provider="mine", base_url=url)
    monkeypatch.delenv("MY_KEY")
    monkeypatch.setenv("FLUX_HTTP_HOSTS", "nas:8080")
    assert sent(provider="mine", base_url=url) == {"X-Token": "a", "X-B": "b"}


def test_a_project_decides_nothing_about_keys():
    for text in ('http_hosts = "evil"', 'openai_base_url = "https://evil.example"'):
        Path("flux.toml").write_text(text)
        with pytest.raises(ConfigError, match=r"cannot be set in a project's flux\.toml"):
            load_settings({}, ROWS)


@pytest.mark.parametrize("name", ["MY_KEY", "$MY_KEY", "${MY_KEY}"])
def test_the_variable_of_a_key_may_be_written_as_in_headers(name, table):
    table(f'key = "{name}"', MY_KEY=KEY)
    assert sent(provider="mine") == {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize(
    "written",
    [
        '"sk-bench-0123456789abcdef"',
        '"r8_0123456789abcdefghijABCD"',  # has only characters that a variable may have
        '"$r8_0123456789abcdefghijABCD"',
        '"0123456789abcdef0123456789abcdef"',
        '"b8a1c2d3-1111-2222-3333-444455556666:0123"',
        '"user:my password"',
        '"${MK"',
        '"$"',
        '"sk-0123456789\\nabcdef"',
        '["sk-0123456789abcdef"]',
    ],
)
def test_a_key_in_place_of_its_variable_is_refused_and_not_quoted(written, table):
    table(f"key = {written}")
    with pytest.raises(ConfigError, match=r"providers\.mine\.key must be") as raised:
        load_settings({}, ROWS)
    said = raised.value.message + raised.value.hint
    assert not any(part in said for part in ("0123", "2222", "password"))


@pytest.mark.parametrize(
    ("header", "text", "secret"),
    [
        ("Authorization", "Bearer sk-bench-1", "sk-bench-1"),
        ("Authorization", "Bearer sk-bench-1", "Bearer sk-bench-1"),
        ("cookie", "session=abcdefgh", "session=abcdefgh"),
        ("X-Api-Key", "f00b4r", "f00b4r"),
        ("CF-Access-Client-Secret", "f00b4r", "f00b4r"),
        ("X-Mine", "a1b2c3d4e5f6a7b8c9d0", "a1b2c3d4e5f6a7b8c9d0"),
        ("X-Token", "f00$$b4r", "f00$b4r"),
    ],
)
def test_keys_written_into_headers_are_hidden(header, text, secret, table):
    table(f'headers = {{ {header} = "{text}" }}')
    assert sent(provider="mine") == {header: text.replace("$$", "$")}
    assert secret not in redact(f"it said {secret}")
    row = load_settings({"provider": "mine"}, ROWS).provider
    shown = curl_command(Post(f"{OTHER}/images", {}), row, keyed=True)
    assert (secret in shown, f"{header}: $" in shown) == (False, True)


def test_headers_and_logins_may_have_blanks(table):
    login = "jürgen:my pass words"
    table(
        'key = "LOGIN"\nkey_scheme = "basic"\nheaders = { X-Two = "$V", Cookie = "$C" }',
        LOGIN=login,
        V="Bearer abc",
        C="a=1; b=2",
    )
    encoded = base64.b64encode(login.encode()).decode()
    expected = {"Authorization": f"Basic {encoded}", "X-Two": "Bearer abc", "Cookie": "a=1; b=2"}
    assert sent(provider="mine") == expected
    assert "my pass" not in redact("the password is my pass words")
    row = load_settings({"provider": "mine"}, ROWS).provider
    assert forms_of(row) == {"LOGIN": "login", "V": "header", "C": "header"}


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ('key = "V"', "a b", "the key from V has spaces"),
        ('key = "V"', "schlüssel", "the key from V has spaces or invalid"),
        ('key = "V"\nkey_scheme = "basic"', "user:a\tb", "no login may have"),
        ('key = "V"\nkey_scheme = "basic"', "user:a\udcffb", "no login may have"),
        ('headers = { X-A = "$V" }', "schlüssel", "no header may have"),
        ('headers = { X-A = "$V" }', "a\nX-B: c", "no header may have"),
    ],
)
def test_a_value_that_cannot_be_sent_is_refused_and_not_quoted(text, value, reason, table):
    table(text, V=value)
    with pytest.raises(ConfigError, match=reason) as raised:
        sent(provider="mine")
    assert value not in raised.value.message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('key = "MY_KEY"\nheaders = { authorization = "a" }', "is the header of the key"),
        ('key = "MY_KEY"\nheaders = { Authorization = "a" }', "is the header of the key"),
        ('key = "K"\nkey_header = "X-Key"\nheaders = { x-key = "a" }', "header of the key"),
        ('headers = { X-A = "1", x-a = "2" }', "headers has x-a twice"),
    ],
)
def test_a_header_is_not_sent_twice(text, reason, table):
    table(text, MY_KEY=KEY)
    with pytest.raises(ConfigError, match=reason):
        load_settings({}, ROWS)


def test_a_provider_without_a_key_may_have_the_header_of_a_key(table):
    table('headers = { authorization = "Token zzz" }')
    assert sent(provider="mine") == {"authorization": "Token zzz"}
