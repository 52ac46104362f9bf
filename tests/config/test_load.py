"""Settings and keys: which layer wins, what each may set, and how wrong values are refused."""

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.config import folders, keys
from flux_cli.config.addresses import safe_url
from flux_cli.config.load import load_settings
from flux_cli.config.settings import SETTINGS
from flux_cli.config.state import state_folder
from flux_cli.core.errors import ConfigError, UsageError
from flux_cli.core.model import ProviderRow
from flux_cli.core.request import add_path
from flux_cli.disk import pipes
from flux_cli.providers.rows import ROWS

LUMENFALL = "https://api.lumenfall.ai/openai/v1"
KEY = "lmnfl_s3cr3t"


@pytest.fixture
def user():
    """The user's settings folder, made."""
    folder = folders.user_folder()
    folder.mkdir(parents=True)
    return folder


def load(flags=None, environ=None):
    return load_settings(flags or {}, ROWS, environ or {})


def key(variable, environ=None):
    return keys.find(variable, folders.user_folder(), environ)


def write(path, text, mode=None):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    if mode is not None:
        path.chmod(mode)
    return path


# --- layers


def test_nothing_set_means_the_defaults():
    made = load()
    assert made._replace(values={}, providers={}) == (
        "flux1.1-pro-ultra", ROWS["lumenfall"], LUMENFALL, None, None, None, 16, 300.0, 3, None,
        5.0, None, True, "forever", "full", None, None, "es256", "auto", {}, {}, (),
    )  # fmt: skip
    assert {(value.source, value.rank) for value in made.values.values()} == {("default", 4)}


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("model", ("flag", "env", "project", "user")),
        ("output", ("flag", "env", "project", "user")),
        ("output_format", ("png", "gif", "webp", "avif")),
        ("concurrency", (1, 2, 3, 4)),
        ("timeout", (1.5, 2.5, 3.5, 4.5)),
        ("retries", (1, 2, 4, 5)),
        ("max_cost", (1.5, 2.5, 3.5, 4.5)),
        ("progress", ("none", "plain", "none", "plain")),
    ],
)
def test_flags_beat_environment_beats_project_beats_user_beats_default(name, layers, user, work):
    flag, environment, project, own = layers
    sources = []
    flags, environ = {name: str(flag)}, {f"FLUX_{name.upper()}": str(environment)}
    write(work / "flux.toml", f"{name} = {project!r}")
    write(user / "config.toml", f"{name} = {own!r}")
    for expected in (*layers, None):
        made = load(flags, environ)
        if expected is not None:
            assert getattr(made, name) == expected
        sources.append(made.values[name].source)
        if flags:
            flags = {}
        elif environ:
            environ = {}
        elif (work / "flux.toml").exists():
            (work / "flux.toml").unlink()
        else:
            (user / "config.toml").unlink(missing_ok=True)
    option = f"--{name.replace('_', '-')}"
    assert sources == [
        option,
        f"FLUX_{name.upper()}",
        "flux.toml",
        str(user / "config.toml"),
        "default",
    ]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_can_be_set_by_a_variable(setting):
    text = {"text": "lumenfall", "integer": "7", "number": "7.5", "boolean": "False"}.get(
        setting.kind, "30d"
    )
    if setting.name.endswith("base_url"):
        text = "https://example.org/v1"
    text = setting.choices[-1] if setting.choices else text
    made = load({}, {setting.variable: text, "FLUX_PROVIDER": "lumenfall"})
    value = made.values[setting.name]
    assert (str(value.value), value.source, value.rank) == (text, setting.variable, 1)


def test_layers_are_merged_setting_by_setting(user, work):
    write(user / "config.toml", "concurrency = 2\nretries = 9\n")
    write(work / "flux.toml", "concurrency = 4\n")
    made = load({"timeout": "5"}, {"FLUX_MAX_COST": "1"})
    assert (made.concurrency, made.retries, made.timeout, made.max_cost) == (4, 9, 5.0, 1.0)
    assert {
        name: made.values[name].rank
        for name in ("timeout", "max_cost", "concurrency", "retries", "model")
    } == {
        "timeout": 0,
        "max_cost": 1,
        "concurrency": 2,
        "retries": 3,
        "model": 4,
    }


@pytest.mark.parametrize("empty", ["", " ", '""', "''", "\r", "\ufeff", '" "\r\n'])
def test_an_empty_variable_counts_as_not_set(empty):
    environ = {"FLUX_MODEL": empty, "FLUX_CONCURRENCY": empty}
    assert load({}, environ).model == "flux1.1-pro-ultra"
    assert key("LUMENFALL_API_KEY", {"LUMENFALL_API_KEY": empty}) == (None, "")


AROUND = [
    "{}\r",
    "{}\r\n",
    " {} ",
    '"{}"',
    "'{}'",
    '"{}"\r',
    "\ufeff{}",
    '\ufeff"{}" ',
    "\u201c{}\u201d",
]


@pytest.mark.parametrize("around", AROUND)
def test_what_env_files_leave_around_a_value_is_cut_from_every_variable(around, monkeypatch):
    for setting in SETTINGS:
        text = {"text": "lumenfall", "integer": "7", "number": "7.5", "boolean": "False"}.get(
            setting.kind, "30d"
        )
        if setting.name.endswith("base_url"):
            text = "https://example.org/v1"
        text = setting.choices[-1] if setting.choices else text
        made = load({}, {setting.variable: around.format(text), "FLUX_PROVIDER": "lumenfall"})
        assert str(made.values[setting.name].value) == text
    secret, source = key("FAL_KEY", {"FAL_KEY": around.format(KEY)})
    assert (secret.reveal(), source) == (KEY, "FAL_KEY")
    assert state_folder({"FLUX_STATE": around.format("/some/where")}) == "/some/where"
    monkeypatch.setenv("XDG_CONFIG_HOME", around.format("/my/config"))
    assert folders.user_path() == "/my/config/flux-image-cli"


def test_quotes_and_blanks_inside_a_value_stay():
    for text in ('a "b" c', "it's", '"a" and "b', "don't 'quote"):
        assert load({}, {"FLUX_OUTPUT": text}).output == text


def test_the_environment_of_the_process_is_the_default(monkeypatch):
    monkeypatch.setenv("FLUX_MODEL", "from-the-process")
    assert load_settings({}, ROWS).model == "from-the-process"


def test_a_home_in_the_output_is_expanded_and_its_last_slash_stays(home):
    assert load({"output": "~/images/"}).output == f"{home}/images/"


# --- files


def test_the_project_file_is_found_up_to_the_top_of_the_repository(work, monkeypatch):
    (work / ".git").mkdir()
    write(work / "flux.toml", "concurrency = 5")
    deep = work / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert load().concurrency == 5
    write(work / "a" / "flux.toml", "concurrency = 6")
    assert load().concurrency == 6


def test_the_project_file_is_not_looked_for_above_the_repository(work, monkeypatch):
    write(work / "flux.toml", "concurrency = 5")
    repository = work / "repository"
    (repository / ".git").mkdir(parents=True)
    monkeypatch.chdir(repository)
    assert load().concurrency == 16


def test_outside_a_repository_only_this_folder_counts(work, monkeypatch):
    write(work / "flux.toml", "concurrency = 5")
    assert load().concurrency == 5
    (work / "a").mkdir()
    monkeypatch.chdir(work / "a")
    assert load().concurrency == 16


def test_a_working_folder_that_was_deleted_is_no_error(work, monkeypatch):
    gone = work / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert load().model == "flux1.1-pro-ultra"


@pytest.mark.parametrize("name", ["base_url", "lumenfall_base_url"])
def test_a_project_file_must_not_say_where_the_key_goes(name, work, user):
    """A folder somebody cloned is not the person at the keyboard."""
    write(work / "flux.toml", f'{name} = "https://evil.example/v1"')
    with pytest.raises(ConfigError) as raised:
        load()
    assert f"{name} cannot be set in a project's flux.toml" in raised.value.message
    assert str(work / "flux.toml") in raised.value.message
    (work / "flux.toml").unlink()
    write(user / "config.toml", f'{name} = "https://mine.example/v1"\nprovider = "lumenfall"')
    assert load().base_url == "https://mine.example/v1"


@pytest.mark.parametrize("where", ["user", "project"])
@pytest.mark.parametrize(
    ("text", "reason", "hint"),
    [
        ("modle = 'x'", "'modle' is not a setting", "did you mean model?"),
        ("xyzzy = 1", "'xyzzy' is not a setting", "settings: model,"),
        ("api_key = 'x'", "'api_key' is not a setting", "LUMENFALL_API_KEY"),
        ("LUMENFALL_API_KEY = 'x'", "is not a setting", "credentials.toml"),
        ("[model]\nid = 'x'", "model must be text", ""),
        ("model = 5", "model must be text", 'write model = "flux1.1-pro-ultra"'),
        ("model = ''", "model must be text, not ''", ""),
        ("model = '  '", "model must be text", ""),
        ("model = true", "model must be text", ""),
        ("output = ['a']", "output must be text", ""),
        ('output = "~\\u0000"', "output must be text", ""),
        (
            "concurrency = 0",
            "concurrency must be a whole number from 1 to 256, not '0'",
            "write concurrency = 16",
        ),
        ("concurrency = 257", "concurrency must be a whole number from 1 to 256", ""),
        ("concurrency = 1.5", "concurrency must be a whole number", ""),
        ("concurrency = true", "concurrency must be a whole number", ""),
        ("concurrency = 'many'", "concurrency must be a whole number", ""),
        ("concurrency = [1]", "concurrency must be a whole number", ""),
        ("concurrency = 1979-05-27", "concurrency must be a whole number", ""),
        ("concurrency = nan", "concurrency must be a whole number", ""),
        ("concurrency = inf", "concurrency must be a whole number", ""),
        ("concurrency = 1" + "0" * 400, "concurrency must be a whole number", ""),
        ("timeout = 0", "timeout must be a number from 0.001 to 86400", ""),
        ("timeout = nan", "timeout must be a number", ""),
        ("timeout = inf", "timeout must be a number", ""),
        ("timeout = -1", "timeout must be a number", ""),
        ("retries = -1", "retries must be a whole number from 0 to 20", ""),
        ("retries = 21", "retries must be a whole number from 0 to 20", ""),
        ("max_cost = -0.01", "max_cost must be a number", "write max_cost = 1"),
        ("max_cost = inf", "max_cost must be a number", "write max_cost = 1"),
        ("max_cost = nan", "max_cost must be a number", ""),
        ("max_cost = {a = 1}", "max_cost must be a number", ""),
        (
            "journal_prompts = 'perhaps'",
            "journal_prompts must be true or false",
            "write journal_prompts = true",
        ),
        (
            "keep_prompts = 'a month'",
            "keep_prompts must be forever, never, or an age such as 30d, not 'a month'",
            'write keep_prompts = "forever"',
        ),
        ("keep_prompts = 30", "keep_prompts must be forever, never, or an age", ""),
        ("progress = 'plian'", "progress must be auto or plain or none", "did you mean plain?"),
        ("model", "is not valid TOML", ""),
        ("model = 'a'\nmodel = 'b'", "is not valid TOML", ""),
        (b"model = '\xff'", "is not valid TOML", ""),
        (b"\x00", "is not valid TOML", ""),
        ("x = " + "[" * 20_000, "is not valid TOML", ""),
        ("retries = " + "9" * 5000, "is not valid TOML", ""),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_wrong_file_is_refused_with_its_name_and_the_reason(
    where, text, reason, hint, user, work
):
    path = write(user / "config.toml" if where == "user" else work / "flux.toml", text)
    with pytest.raises(ConfigError) as raised:
        load()
    assert path.name in raised.value.message
    assert reason in raised.value.message
    assert hint in raised.value.hint


def test_the_hint_is_written_as_the_wrong_value_was():
    for flags, environ, hint in (
        ({"retries": "many"}, {}, "write --retries 3"),
        ({"max_cost": "-1"}, {}, "write --max-cost 1"),
        ({}, {"FLUX_RETRIES": "many"}, "write FLUX_RETRIES=3"),
        ({}, {"FLUX_METADATA": "all"}, "leave FLUX_METADATA out for the default, full"),
        (
            {"output": " "},
            {},
            "leave --output out, or give it a value",
        ),  # only the person knows a right one
        ({}, {"FLUX_OUTPUT": "a\x00b"}, "leave FLUX_OUTPUT out, or give it a value"),
        ({"max_cost": "inf"}, {}, "write --max-cost 1"),
        ({}, {"FLUX_MAX_COST": "1e400"}, "write FLUX_MAX_COST=1"),
    ):
        with pytest.raises(UsageError) as raised:
            load_settings(flags, ROWS, environ)
        assert raised.value.hint == hint


def test_a_settings_file_that_cannot_be_read_is_refused(user):
    (user / "config.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot read"):
        load()


@pytest.mark.parametrize("where", ["user", "project"])
def test_an_endless_settings_file_is_not_read_by_half(where, user, work):
    """What stands behind the limit must not be dropped in silence."""
    write(
        user / "config.toml" if where == "user" else work / "flux.toml",
        "#" * (1 << 20) + "\nconcurrency = 4\n",
    )
    with pytest.raises(ConfigError, match="larger"):
        load()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("concurrency", "0"),
        ("concurrency", "257"),
        ("concurrency", "1.5"),
        ("concurrency", "ten"),
        ("concurrency", "1_0"),
        ("concurrency", "0x10"),
        ("concurrency", "\uff11\uff10"),
        ("concurrency", "9" * 5000),
        ("timeout", "soon"),
        ("timeout", "nan"),
        ("timeout", "1e999"),
        ("timeout", "-1"),
        ("retries", "21"),
        ("max_cost", "1,50"),
        ("max_cost", "$1"),
        ("model", "a\x00b"),
        ("output", "a\x00b"),
    ],
)
def test_wrong_options_and_variables_are_refused_by_their_own_name(name, text):
    option, variable = f"--{name.replace('_', '-')}", f"FLUX_{name.upper()}"
    with pytest.raises(UsageError, match=f"^{option}: {name} must be") as raised:
        load({name: text})
    assert type(raised.value) is UsageError
    with pytest.raises(ConfigError, match=f"^{variable}: {name} must be") as raised:
        load({}, {variable: text})
    assert len(raised.value.message) < 200


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("concurrency", "1", 1),
        ("concurrency", "256", 256),
        ("concurrency", "8.0", 8),
        ("timeout", "0.001", 0.001),
        ("timeout", "86400", 86400),
        ("retries", "0", 0),
        ("max_cost", "0", 0),
        ("max_cost", ".5", 0.5),
        ("max_cost", "1e-2", 0.01),
    ],
)
def test_the_edges_of_the_ranges_are_accepted(name, text, value):
    assert getattr(load({name: text}), name) == value


# --- provider and address

LOCAL, OTHER = "http://localhost:8080/v1", "https://other.example/v1"
SKETCH = ROWS["offline"].base_url


@pytest.mark.parametrize(
    ("flags", "environ", "provider", "base_url"),
    [
        ({}, {}, "lumenfall", LUMENFALL),
        ({"provider": "lumenfall"}, {}, "lumenfall", LUMENFALL),
        ({"provider": "offline"}, {}, "offline", SKETCH),
        ({"provider": "openai", "base_url": LOCAL}, {}, "openai", LOCAL),
        ({"base_url": LOCAL}, {}, "openai", LOCAL),  # an address alone means any compatible server
        ({"base_url": LUMENFALL}, {}, "lumenfall", LUMENFALL),
        (
            {"base_url": "https://API.LUMENFALL.AI/other"},
            {},
            "lumenfall",
            "https://API.LUMENFALL.AI/other",
        ),
        (
            {"base_url": "https://api.lumenfall.ai.evil.example/v1"},
            {},
            "openai",
            "https://api.lumenfall.ai.evil.example/v1",
        ),
        ({}, {"FLUX_BASE_URL": LOCAL}, "openai", LOCAL),
        ({}, {"FLUX_PROVIDER": "openai", "FLUX_BASE_URL": LOCAL}, "openai", LOCAL),
        ({}, {"FLUX_PROVIDER": "lumenfall", "FLUX_BASE_URL": OTHER}, "lumenfall", OTHER),
        ({}, {"LUMENFALL_BASE_URL": OTHER}, "lumenfall", OTHER),
        ({}, {"LUMENFALL_BASE_URL": OTHER, "FLUX_BASE_URL": LOCAL}, "openai", LOCAL),
        # Where LUMENFALL_BASE_URL says that the gateway is, its key may go
        ({"base_url": f"{OTHER}/2"}, {"LUMENFALL_BASE_URL": OTHER}, "lumenfall", f"{OTHER}/2"),
        (
            {"base_url": "https://other.example:444"},
            {"LUMENFALL_BASE_URL": OTHER},
            "openai",
            "https://other.example:444",
        ),
        ({"provider": "openai.com"}, {"OPENAI_BASE_URL": OTHER}, "openai.com", OTHER),
        ({"provider": "openai"}, {"OPENAI_BASE_URL": OTHER}, "openai", OTHER),
        ({"provider": "openai", "base_url": LOCAL}, {"OPENAI_BASE_URL": OTHER}, "openai", LOCAL),
        ({}, {"OPENAI_BASE_URL": OTHER}, "lumenfall", LUMENFALL),
        ({"provider": "openai"}, {"FLUX_BASE_URL": LOCAL}, "openai", LOCAL),
        (
            {"provider": "offline"},
            {"FLUX_BASE_URL": LOCAL},
            "offline",
            SKETCH,
        ),  # the stronger word wins
        ({"base_url": LOCAL}, {"FLUX_PROVIDER": "offline"}, "openai", LOCAL),
        ({"base_url": LOCAL}, {"FLUX_PROVIDER": "lumenfall"}, "openai", LOCAL),
        ({"provider": "lumenfall"}, {"FLUX_BASE_URL": OTHER}, "lumenfall", LUMENFALL),
        ({"base_url": "https://a.example/v1///"}, {}, "openai", "https://a.example/v1"),
        ({"base_url": "http://[::1]:8080/v1"}, {}, "openai", "http://[::1]:8080/v1"),
        ({"base_url": "HTTPS://a.example"}, {}, "openai", "HTTPS://a.example"),
    ],
)
def test_provider_and_address_belong_together(flags, environ, provider, base_url):
    made = load(flags, environ)
    assert (made.provider.name, made.base_url) == (provider, base_url)


def test_a_project_may_choose_the_provider_and_the_person_the_address(user, work):
    write(work / "flux.toml", 'provider = "openai"')
    with pytest.raises(UsageError, match="needs a URL"):
        load()
    write(user / "config.toml", f'base_url = "{LOCAL}"')
    assert load().base_url == LOCAL


@pytest.mark.parametrize(
    ("provider", "hint"),
    [("lumenfal", "did you mean lumenfall?"), ("opnai", "did you mean openai?")],
)
def test_an_unknown_provider_is_refused(provider, hint):
    with pytest.raises(UsageError, match="unknown provider") as raised:
        load({"provider": provider})
    assert raised.value.hint == hint


def test_openai_without_an_address_is_refused():
    with pytest.raises(UsageError, match="provider openai needs a URL") as raised:
        load({"provider": "openai"})
    assert "--base-url" in raised.value.hint


MINE = '[providers.mine]\nbase_url = "http://localhost:9/v1/"\n'


def test_a_user_may_add_providers(user):
    write(user / "config.toml", f'{MINE}key = "MY_KEY"\nserver = "sglang"\n')
    made = load({"provider": "mine"})
    assert made.provider == ProviderRow(
        "mine", "openai", "http://localhost:9/v1/", ("MY_KEY",), server="sglang"
    )
    assert made.base_url == "http://localhost:9/v1"
    assert list(made.providers) == [*ROWS, "mine"]


def test_an_added_provider_needs_no_key_and_speaks_openai_to_any_server_unless_said(user):
    write(
        user / "config.toml",
        f'{MINE}[providers.direct]\nprotocol = "bfl"\nbase_url = "https://bfl.example"\n',
    )
    rows = load().providers
    assert rows["mine"] == ProviderRow(
        "mine", "openai", "http://localhost:9/v1/", (), server="compatible"
    )
    assert rows["direct"] == ProviderRow("direct", "bfl", "https://bfl.example", (), "x-key", "")


def test_an_added_provider_can_be_the_default(user):
    write(user / "config.toml", f'provider = "mine"\n{MINE}')
    assert load().provider.name == "mine"
    assert load({"provider": "lumenfall"}).provider.name == "lumenfall"


@pytest.mark.parametrize(
    ("text", "reason", "hint"),
    [
        (f'{MINE}kye = "X"', "providers.mine.kye is not a known key", "did you mean key?"),
        (f"{MINE}key = 5", "providers.mine.key must be text on one line", ""),
        (
            f'{MINE}hosts = ["a"]',
            "providers.mine.hosts is not a known key",
            "keys: protocol, base_url, key, key_header, key_prefix, key_scheme, server, headers",
        ),
        (
            f'{MINE}protocol = "smtp"',
            "providers.mine.protocol must be one of openai, bfl, fal, replicate",
            "",
        ),
        ("providers = 5", "providers must be tables", ""),
        ("providers = []", "providers must be tables", ""),
        ("[[providers]]\nbase_url = 'x'", "providers must be tables", ""),
        ("[providers]\nmine = 5", "providers.mine", ""),
    ],
)
def test_a_wrong_provider_is_refused_with_the_file_and_the_key(text, reason, hint, user):
    write(user / "config.toml", text)
    with pytest.raises(ConfigError) as raised:
        load()
    assert reason in raised.value.message
    assert str(user / "config.toml") in raised.value.message
    assert hint in raised.value.hint


def test_an_added_provider_without_an_address_or_with_a_wrong_one_is_refused_when_it_is_asked(user):
    write(user / "config.toml", '[providers.mine]\n[providers.odd]\nbase_url = "ftp://x"\n')
    assert load().provider.name == "lumenfall"
    for name, message in (("mine", "provider mine needs a URL"), ("odd", "invalid base URL")):
        with pytest.raises(UsageError, match=message):
            load({"provider": name})


def test_a_project_adds_no_providers(work):
    write(work / "flux.toml", MINE)
    with pytest.raises(ConfigError, match=r"providers cannot be set in a project's flux\.toml"):
        load()


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.base_url])
def test_every_provider_flux_brings_along_is_asked_at_its_own_address(name):
    made = load({"provider": name})
    assert (made.provider, made.base_url) == (ROWS[name], ROWS[name].base_url)


@pytest.mark.parametrize("name", ["bfl", "fal", "replicate", "together", "openai.com"])
def test_an_address_from_the_environment_does_not_redirect_a_provider_named_on_the_command_line(
    name,
):
    """Its key must not go to a server that was meant for another."""
    assert load({"provider": name}, {"FLUX_BASE_URL": OTHER}).base_url == ROWS[name].base_url


BAD_URLS = [
    "localhost:8080/v1",
    "example.org",
    "//example.org/v1",
    "ftp://example.org",
    "file:///etc/passwd",
    "https://",
    "https:///v1",
    "http://:8080",
    "http://host:port/v1",
    "http://host:99999/v1",
    "http://host:-1/v1",
    "http://host:0/v1",
    "http://[::1/v1",
    "https://exa mple.org/v1",
    "https://example.org/\x00",
    "https://ex\u00e4mple.org/v1",
    "https://example.org\u2024evil.example/v1",
    "https://user@example.org/v1",
    "https://user:pass@example.org/v1",
    "https://@example.org/v1",
    "https://example.org/v1?key=1",
    "https://example.org/v1?api-version=1&subscription-key=1",
    "https://example.org/v1?CODE=1",
    "https://example.org/v1?sig",
    "https://example.org/v1#top",
    "https://example.org/v1#",
    "\ud800",
    "x" * 5000,
]


@pytest.mark.parametrize("url", BAD_URLS, ids=lambda url: repr(url[:40]))
@pytest.mark.parametrize("variable", ["FLUX_BASE_URL", "LUMENFALL_BASE_URL"])
def test_an_address_that_is_none_is_refused(url, variable):
    with pytest.raises(ConfigError):
        load({}, {variable: url})


@pytest.mark.parametrize("url", [" https://example.org/v1", "https://example.org/v1\n"])
def test_blanks_around_an_address_are_refused_where_nothing_leaves_them(url):
    with pytest.raises(UsageError):
        load({"base_url": url})
    assert load({}, {"FLUX_BASE_URL": url}).base_url == "https://example.org/v1"


def test_a_query_stays_behind_the_address():
    """As Azure's `?api-version=…` does."""
    url = "https://a.example/deployments/x/?api-version=2025-04-01&x=a/"
    made = load({"base_url": url}).base_url
    assert made == url.replace("x/?", "x?")
    assert add_path(made, "/images") == url.replace("x/?", "x/images?")
    assert load({"base_url": "https://a.example/v1/?"}).base_url == "https://a.example/v1"


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2@example.org/v1",
        "https://user:hunter2@example.org:99999/v1",
        "https://u:hunter2@a b/v1",
    ],
)
def test_a_password_in_an_address_is_never_shown(url):
    with pytest.raises(ConfigError) as raised:
        load({"base_url": url})
    assert "hunter2" not in raised.value.message + raised.value.hint


@given(
    st.text(max_size=30) | st.text("htps:/@?#[].1:8080example ", max_size=30).map("http://".__add__)
)
def test_any_address_is_usable_or_refused(url):
    try:
        made = load_settings({"base_url": url}, ROWS, {})
    except UsageError:
        return
    assert made.base_url.isascii()
    assert not made.base_url.partition("?")[0].endswith("/")
    assert "@" not in made.base_url.split("/")[2]


@pytest.mark.parametrize(
    "url",
    [
        "https://api.lumenfall.ai/openai/v1",
        "https://example.org",
        "http://localhost:8080/v1",
        "http://LOCALHOST/v1",
        "http://127.0.0.1/v1",
        "http://127.1.2.3:9/v1",
        "http://[::1]:8080/v1",
    ],
)
def test_a_key_may_travel_encrypted_or_within_this_machine(url):
    keys.check_transport(url, None)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/v1",
        "http://192.168.1.5/v1",
        "http://10.0.0.1/v1",
        "http://localhost.evil.example/v1",
        "http://127.0.0.1.evil.example/v1",
        "http://127.evil.example/v1",
        "http://evil.example/127.0.0.1",
        "http://[2001:db8::1]/v1",
    ],
)
def test_a_key_never_crosses_a_network_in_the_clear(url):
    with pytest.raises(ConfigError, match="unencrypted") as raised:
        keys.check_transport(url, "other.example, example.com")
    assert "--no-key" in raised.value.hint


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://litellm:4000/v1", "litellm"),
        ("http://LiteLLM./v1", "ollama, litellm"),
        ("http://192.168.1.5/v1", "litellm 192.168.1.5"),
        ("http://[2001:db8::1]/v1", "2001:db8::1"),
        ("http://[2001:db8::1]/v1", "[2001:db8::1]"),
        ("http://litellm:4000/v1", "litellm:4000"),
        ("http://litellm:4000/v1", "http://litellm:4000/"),
    ],
)
def test_a_key_may_cross_a_network_whose_host_the_user_allows(url, allowed):
    keys.check_transport(url, allowed)
    with pytest.raises(ConfigError, match="unencrypted"):
        keys.check_transport(url, "other, lite, litellm:1, ellm")


@pytest.mark.parametrize(
    ("proxy", "allowed"),
    [
        ("http://127.0.0.1:3128", "litellm"),
        ("socks5://[::1]:1080", None),
        ("http://proxy:3128", "litellm, Proxy"),
        ("https://proxy:443", "proxy:443"),
        ("http://[2001:db8::1]:3128", "[2001:db8::1]:3128"),
    ],
)
def test_a_proxy_may_see_a_key_if_it_is_on_this_machine_or_allowed(proxy, allowed):
    keys.check_proxy("http://litellm:4000/v1", proxy, allowed)


def test_any_other_proxy_never_sees_a_key():
    url = "http://litellm:4000/v1"
    for proxy in ("http://proxy:3128", "https://192.0.2.2:443", "socks5h://127.evil.example:1"):
        with pytest.raises(ConfigError, match="unencrypted through the proxy") as raised:
            keys.check_proxy(url, proxy, "litellm proxy:1")
        assert raised.value.hint.startswith("list litellm in NO_PROXY, or set FLUX_HTTP_HOSTS=")
    keys.check_proxy("https://litellm/v1", "http://proxy:3128", None)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host/v1?key=lmnfl_s3cr3t", "https://host/v1"),
        ("https://host/v1#lmnfl_s3cr3t", "https://host/v1"),
        ("ftp://host/v1?lmnfl_s3cr3t", "ftp://host/v1"),
        ("https://lmnfl_s3cr3t@host/v1", ""),
        ("https://me:lmnfl_s3cr3t@host/v1?x", ""),
        ("host?lmnfl_s3cr3t", "host"),
    ],
)
def test_a_url_with_a_key_in_it_is_refused_without_showing_it(url, shown):
    with pytest.raises(ConfigError) as raised:
        load({"base_url": url})
    assert KEY not in raised.value.message + raised.value.hint
    assert shown in raised.value.message


def test_safe_urls_have_no_user_and_no_query():
    assert safe_url("https://me:x@host:8/v1?y#z") == "https://host:8/v1"
    assert safe_url("me:x@host?y") == "host"
    assert safe_url("https://sk-x@h/a://y") == "https://h/a://y"
    assert safe_url("https://me:pass/word@h/a") == "https://***@h/a"
    assert safe_url("ftp://me:x@h") == "***@h"


# --- keys

NAME = "LUMENFALL_API_KEY"


def revealed(found):
    secret, source = found
    return (secret.reveal() if secret else None, source)


def test_no_key_anywhere_is_none_and_no_error():
    assert key(NAME, {}) == (None, "")


def test_a_key_comes_from_the_variable_then_the_named_file_then_the_user_s_credentials(user, work):
    credentials = write(user / "credentials.toml", f'{NAME} = " {KEY}-3 "', 0o600)
    named = write(work / "key", f"{KEY}-2\n", 0o600)
    everything = {NAME: f" {KEY}-1\n", f"{NAME}_FILE": str(named)}
    assert revealed(key(NAME, everything)) == (f"{KEY}-1", NAME)
    assert revealed(key(NAME, {**everything, NAME: ""})) == (f"{KEY}-2", str(named))
    assert revealed(key(NAME, {})) == (f"{KEY}-3", str(credentials))
    assert key("OTHER_KEY", {}) == (None, "")


def test_the_environment_of_the_process_holds_the_key_by_default(monkeypatch):
    monkeypatch.setenv(NAME, KEY)
    assert revealed(key(NAME)) == (KEY, NAME)


posix = pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away"
)


@posix
@pytest.mark.parametrize("depth", [0, 1])
def test_a_key_file_in_a_folder_that_everybody_may_write_to_is_refused(depth, user, work):
    open_folder = work / "open"
    inner = open_folder / "a" if depth else open_folder
    inner.mkdir(parents=True)
    named = write(inner / "key", KEY, 0o600)
    open_folder.chmod(0o777)
    with pytest.raises(ConfigError, match="every user can replace the key file") as raised:
        key(NAME, {f"{NAME}_FILE": str(named)})
    assert raised.value.hint == f"chmod o-w {open_folder}"
    open_folder.chmod(0o1777)  # as /tmp: nobody can replace the files of others
    assert revealed(key(NAME, {f"{NAME}_FILE": str(named)}))[0] == KEY
    write(user / "credentials.toml", f'{NAME} = "{KEY}"', 0o600)
    user.chmod(0o777)
    with pytest.raises(ConfigError, match="every user can replace"):
        key(NAME, {})


@posix
def test_the_folder_of_a_linked_key_file_is_that_of_its_target(work):
    (work / "open").mkdir()
    (work / "open").chmod(0o777)
    target = write(work / "open" / "key", KEY, 0o600)
    (work / "link").symlink_to(target)
    with pytest.raises(ConfigError, match="every user can replace"):
        key(NAME, {f"{NAME}_FILE": str(work / "link")})


@root
def test_a_key_file_or_its_folder_of_another_user_is_refused(home, monkeypatch):
    work = home
    (work / "private").mkdir(mode=0o700)
    named = write(work / "private" / "key", KEY, 0o600)
    os.chown(named, 1234, 1234)
    with pytest.raises(ConfigError, match=f"the key file {named} belongs to another user") as file:
        key(NAME, {f"{NAME}_FILE": str(named)})
    assert file.value.hint == f'sudo chown "$(id -u)" {named}'
    monkeypatch.setenv("SUDO_UID", "1234")  # `sudo flux` by the owner of the file
    assert revealed(key(NAME, {f"{NAME}_FILE": str(named)}))[0] == KEY
    monkeypatch.delenv("SUDO_UID")
    os.chown(named, 0, 0)
    os.chown(work / "private", 1234, 1234)
    with pytest.raises(ConfigError, match="of the key file belongs to another user"):
        key(NAME, {f"{NAME}_FILE": str(named)})


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o777, 0o601, 0o620])
def test_a_key_file_at_home_that_others_may_touch_is_refused(mode, user, home):
    named = write(home / "key", KEY, mode)
    with pytest.raises(ConfigError) as raised:
        key(NAME, {f"{NAME}_FILE": str(named)})
    assert f"(mode {mode:04o})" in raised.value.message
    assert raised.value.hint == f"chmod 600 {named}"
    write(user / "credentials.toml", f'{NAME} = "{KEY}"', mode)
    with pytest.raises(ConfigError, match="other users can read"):
        key(NAME, {})


@posix
@pytest.mark.parametrize("mode", [0o444, 0o644, 0o440, 0o640, 0o400])
@pytest.mark.parametrize("owner", [None, 1234])
def test_a_secret_outside_of_the_home_folder_may_have_any_owner_and_readers(mode, owner, work):
    """Docker mounts its secrets with 0444, Kubernetes with 0644, and of users of their own."""
    if owner and os.geteuid() != 0:
        pytest.skip("only root can give files away")
    (work / "..data").mkdir()
    target = write(work / "..data" / "key", f'\ufeff"{KEY}"\r\n', mode)
    (work / "key").symlink_to("..data/key")  # as Kubernetes does
    if owner:
        os.chown(target, owner, owner)
        os.chown(target.parent, owner, owner)
    assert revealed(key(NAME, {f"{NAME}_FILE": str(work / "key")})) == (KEY, str(work / "key"))


@posix
def test_a_secret_that_everybody_can_change_is_refused_everywhere(work):
    named = write(work / "key", KEY, 0o646)
    with pytest.raises(ConfigError, match="every user can change the key file") as raised:
        key(NAME, {f"{NAME}_FILE": str(named)})
    assert raised.value.hint == f"chmod o-w {named}"


@posix
def test_a_link_into_the_home_folder_is_judged_by_its_target(work, home):
    write(home / "key", KEY, 0o644)
    (work / "key").symlink_to(home / "key")
    with pytest.raises(ConfigError, match="other users can read"):
        key(NAME, {f"{NAME}_FILE": str(work / "key")})


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_key_files_of_windows_are_read(encoding, user, work):
    named = write(work / "key", f"{KEY}\r\n".encode(encoding), 0o600)
    assert revealed(key(NAME, {f"{NAME}_FILE": str(named)})) == (KEY, str(named))
    path = write(user / "credentials.toml", f'{NAME} = "{KEY}"\r\n'.encode(encoding), 0o600)
    assert revealed(key(NAME, {})) == (KEY, str(path))
    write(user / "config.toml", "retries = 1\r\n".encode(encoding))
    assert load().retries == 1


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_file_of_its_owner_alone_is_read(mode, work):
    named = write(work / "key", KEY, mode)
    assert revealed(key(NAME, {f"{NAME}_FILE": str(named)})) == (KEY, str(named))


@pytest.mark.parametrize("content", ["", "\n", " \n\t"])
def test_an_empty_key_file_is_refused_instead_of_sending_an_empty_key(content, work):
    named = write(work / "key", content, 0o600)
    with pytest.raises(ConfigError, match="key"):
        key(NAME, {f"{NAME}_FILE": str(named)})


def test_a_blank_key_in_the_credentials_is_no_key(user):
    """Refused or taken for none, but never sent."""
    write(user / "credentials.toml", f'{NAME} = "  "', 0o600)
    try:
        secret, _ = key(NAME, {})
    except ConfigError:
        return
    assert secret is None


@pytest.mark.parametrize(
    "text", [f"{KEY} x", f"{KEY}\nx", f"{KEY}\x00", f"{KEY}\u00e9", f"{KEY}\x7f", f"x\t{KEY}"]
)
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(text, work):
    named = write(work / "key", text, 0o600)
    for environ in ({NAME: text}, {f"{NAME}_FILE": str(named)}):
        with pytest.raises(ConfigError, match="has spaces or invalid characters") as raised:
            key(NAME, environ)
        assert KEY not in raised.value.message + raised.value.hint


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"{NAME} = {KEY}", id="unquoted"),
        pytest.param(f"{NAME} = '{KEY}", id="unfinished"),
        pytest.param(f'{NAME} = "{KEY}"\n{NAME} = "{KEY}"', id="twice"),
        pytest.param("x = " + "[" * 20_000, id="nested"),
    ],
)
def test_credentials_that_are_no_toml_are_refused_without_showing_the_key(content, user):
    write(user / "credentials.toml", content, 0o600)
    with pytest.raises(ConfigError, match=r"credentials\.toml is not valid TOML") as raised:
        key(NAME, {})
    assert KEY not in raised.value.message + raised.value.hint


def test_a_key_file_that_is_no_text_or_not_there_is_refused(work):
    named = write(work / "key", b"k\xff\xfe", 0o600)
    with pytest.raises(ConfigError, match="is not a text file"):
        key(NAME, {f"{NAME}_FILE": str(named)})
    for path in (work / "absent", work):
        with pytest.raises(ConfigError, match="cannot read"):
            key(NAME, {f"{NAME}_FILE": str(path)})


def test_a_key_is_never_part_of_the_settings(user):
    write(user / "credentials.toml", f'{NAME} = "{KEY}"', 0o600)
    assert KEY not in repr(load({}, {NAME: KEY}))
    assert KEY not in repr(key(NAME, {NAME: KEY}))


# --- folders and terminals


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="other platforms have other folders"
)
def test_folders_are_the_platform_s_and_move_with_xdg(home, monkeypatch, tmp_path):
    assert folders.user_folder() == home / ".config" / "flux-image-cli"
    assert folders.model_folders() == (str(home / ".config" / "flux-image-cli" / "models"),)
    assert state_folder() == str(home / ".local" / "state" / "flux-image-cli")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
    assert folders.user_folder() == tmp_path / "elsewhere" / "flux-image-cli"


@pytest.mark.parametrize("name", ["sdcpp", "localai"])
def test_servers_that_make_one_image_at_a_time_have_defaults_of_their_own(name):
    made = load({"provider": name}, {})
    assert (made.concurrency, made.timeout) == (1, 3600)
    assert made.values["timeout"].source == f"default for {name}"
    made = load({"provider": name, "concurrency": "4"}, {"FLUX_TIMEOUT": "20"})
    assert (made.concurrency, made.timeout) == (4, 20)
    assert load({"provider": "vllm"}, {}).concurrency == 16


@posix
def test_no_settings_or_key_file_waits_forever_for_the_writer_of_a_pipe(user, work, monkeypatch):
    monkeypatch.setattr(pipes, "PATIENCE", 0.0)
    os.mkfifo(work / "key", 0o600)
    with pytest.raises(ConfigError, match=r"cannot read key file .*nobody writes into this pipe"):
        key(NAME, {f"{NAME}_FILE": str(work / "key")})
    os.mkfifo(user / "credentials.toml", 0o600)
    with pytest.raises(ConfigError, match="nobody writes into this pipe"):
        key(NAME, {})
    os.mkfifo(user / "config.toml")
    with pytest.raises(ConfigError, match=r"config\.toml is a pipe, not a file"):
        load()


def test_a_key_file_that_is_too_long_is_refused_instead_of_cut(work):
    named = write(work / "key", KEY + "a" * (1 << 20), 0o600)
    with pytest.raises(ConfigError, match="is larger than 1,048,576 bytes"):
        key(NAME, {f"{NAME}_FILE": str(named)})


@pytest.mark.parametrize("value", ["5", "true", f'["{KEY}"]', f'{{ key = "{KEY}" }}'])
def test_a_key_in_the_credentials_that_is_no_text_is_refused(value, user):
    write(user / "credentials.toml", f"{NAME} = {value}", 0o600)
    with pytest.raises(ConfigError, match=f"{NAME} in .* must be text") as raised:
        key(NAME, {})
    assert KEY not in raised.value.message + raised.value.hint
