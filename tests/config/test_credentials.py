"""Keys and headers: which variables they come from, which provider gets them, and what is said."""

import base64
from pathlib import Path

import pytest

from flux_cli.config import folders
from flux_cli.config.credentials import find_auth, missing_key_error, variables_of
from flux_cli.config.load import load_settings
from flux_cli.core.errors import ConfigError
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


def test_headers_need_an_encrypted_connection_like_keys(table):
    table('headers = { X-Token = "a" }')
    with pytest.raises(ConfigError, match="unencrypted"):
        sent(provider="mine", base_url="http://nas:8080/v1")


def test_a_project_decides_nothing_about_keys():
    for text in ('http_hosts = "evil"', 'openai_base_url = "https://evil.example"'):
        Path("flux.toml").write_text(text)
        with pytest.raises(ConfigError, match=r"cannot be set in a project's flux\.toml"):
            load_settings({}, ROWS)
