"""Names of models at each provider: which ones are sent, and which could change a URL."""

import pytest

from flux_cli.core.errors import UsageError
from flux_cli.core.options import GenerateOptions
from flux_cli.providers.rows import ROWS, check_model
from flux_cli.request.prepare import prepare

IN_PATH = ("bfl", "fal", "replicate")


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("fal", "fal-ai/flux/dev"),
        ("fal", "fal-ai/flux-pro/v1.1-ultra"),
        ("bfl", "flux-pro-1.1"),
        ("replicate", "owner/name"),
        ("replicate", "owner/some.name_2:5f24084160c9"),
        ("replicate", "5f24084160c9"),
        ("lumenfall", "fal/flux1.1-pro-ultra"),
        ("openai", "black-forest-labs/FLUX.1-dev:free"),
        ("openai", "@cf/black-forest-labs/flux-1-schnell"),
        ("openai", "/models/Flux dev (fp8).safetensors"),
        ("vllm", "./модель"),
    ],
)
def test_usual_names_are_sent_as_they_are(provider, name):
    check_model(ROWS[provider], name)


@pytest.mark.parametrize("provider", IN_PATH)
@pytest.mark.parametrize(
    "name",
    [
        "a/b?fal_webhook=https://evil.example/hook",
        "a/b#x",
        "../../storage/upload/initiate",
        "a/../b",
        "./a",
        "/a/b",
        "a//b",
        "a/",
        "a/b:",
        ":1",
        "a:1/b",
        "a/b:1:2",
        "a/%2e%2e/b",
        "a\\..\\b",
        "a b",
        "a;b",
        "modèle",
    ],
)
def test_a_name_that_would_change_the_url_is_refused(provider, name):
    with pytest.raises(UsageError, match="the model name"):
        check_model(ROWS[provider], name)


@pytest.mark.parametrize("name", ["a\tb", "a\x00", " a", "a ", "a\u202eb", "a\n"])
def test_a_name_with_control_characters_is_refused_at_every_provider(name):
    for row in ROWS.values():
        with pytest.raises(UsageError, match="control characters, or blanks"):
            check_model(row, name)


@pytest.mark.parametrize("name", ["owner/name/more", "owner/name/more:1"])
def test_replicate_has_no_names_of_three_parts(name):
    check_model(ROWS["fal"], name)
    with pytest.raises(UsageError, match="more than 2 parts"):
        check_model(ROWS["replicate"], name)


def test_the_model_of_a_flux_toml_is_checked_before_anything_is_sent(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = 'provider = "fal"\nmodel = "fal-ai/flux/dev?fal_webhook=https://evil.example"\n'
    (tmp_path / "flux.toml").write_text(text)
    with pytest.raises(UsageError, match="has '\\?'"):
        prepare(GenerateOptions(), "a red fox")
