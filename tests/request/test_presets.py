"""Presets: what they give where nothing was typed, and what a project's may not."""

import pytest

import flux_cli
from flux_cli.catalog.find import find_model
from flux_cli.config import folders
from flux_cli.core.errors import ConfigError, UsageError
from flux_cli.core.model import Param
from flux_cli.core.options import GenerateOptions, Preset, fill
from flux_cli.request.command_line import prompt_of, with_preset
from flux_cli.request.expansion.combine import combine
from flux_cli.request.prepare import prepare
from flux_cli.request.styles import keys
from flux_cli.request.styles.presets import ONLY_BUILD, check_images, read_presets


@pytest.fixture
def project(work):
    def write(text):
        (work / "flux.toml").write_text(f"[presets.hero]\n{text}")

    return write


@pytest.fixture
def user():
    folder = folders.user_folder()
    folder.mkdir(parents=True)

    def write(text):
        (folder / "config.toml").write_text(f"[presets.hero]\n{text}")

    return write


def options(**typed):
    values = {"preset": "hero", "prompt": ["a fox"], **typed}
    return with_preset(fill(GenerateOptions, values))


def prepared(**typed):
    given = options(**typed)
    return prepare(given, prompt_of(given))


LOOK = 'aspect_ratio = "16:9"\nsize = "1200x630"\nfit = "cover"\nfocus = "top"\n'
MERGED = [
    ('size = "4:3"', {"size": "1:1"}, {"size": "1:1"}),
    ('size = "4:3"', {"aspect_ratio": "1:1"}, {"size": None, "aspect_ratio": "1:1"}),
    ('size = "320x"', {"aspect_ratio": "1:1"}, {"size": "320x", "aspect_ratio": "1:1"}),
    ('aspect_ratio = "4:3"', {"size": "1:1"}, {"aspect_ratio": None}),
    ('aspect_ratio = "4:3"', {"size": "320x"}, {"aspect_ratio": "4:3", "size": "320x"}),
    (LOOK, {}, {"size": "1200x630", "fit": "cover", "focus": "top"}),
    (LOOK, {"fit": "pad"}, {"size": "1200x630", "fit": "pad", "focus": None}),
    (LOOK, {"fit": "cover"}, {"fit": "cover", "focus": "top"}),
    (LOOK, {"size": "320x"}, {"fit": None, "focus": None, "aspect_ratio": "16:9"}),
    (LOOK, {"aspect_ratio": "1:1"}, {"fit": None, "focus": None, "size": None}),
    ('fit = "cover"', {}, {"fit": None}),
    ('fit = "cover"', {"size": "800x600"}, {"fit": "cover"}),
    ("raw = true", {"raw": False}, {"raw": False}),
    ("seed = 7\nn = 3", {}, {"seed": ["7"], "n": "3"}),
    ("seed = 7", {"no_seed": True}, {"seed": None}),
    ("width = [320, 640]", {"width": ["800"]}, {"width": ["800"]}),
    ('output_format = "webp,avif"', {}, {"output_format": ["webp", "avif"]}),
    ('output_format = "webp"', {"output": "x.png"}, {"output_format": None}),
    ('output_format = "webp"', {"output": "out/"}, {"output_format": ["webp"]}),
    ("output_compression = 70", {"lossless": True}, {"output_compression": None}),
    ("no_metadata = true", {"no_prompt_metadata": True}, {"no_metadata": False}),
    ("param = { mood = '5' }", {}, {"param": ['mood="5"']}),
    ("param = { mood = 'a' }", {"param": ["mood=b"]}, {"param": ["mood=b"]}),
    ("safety_tolerance = 3", {"param": ["safety-tolerance=2"]}, {"safety_tolerance": None}),
]


@pytest.mark.parametrize(("preset", "typed", "expected"), MERGED)
def test_what_is_typed_wins_over_the_preset(preset, typed, expected, project):
    project(preset)
    given = options(**typed)
    groups = (given.parameters, given.output, given.finish, given.metadata)
    found = {name: value for group in groups for name, value in group._asdict().items()}
    assert {name: found[name] for name in expected} == expected


def test_a_preset_wins_over_settings_and_options_over_both(project, monkeypatch):
    monkeypatch.setenv("FLUX_MODEL", "flux.2-pro")
    monkeypatch.setenv("FLUX_OUTPUT", "env/")
    project('model = "flux.2-max"\noutput = "img/{slug}.webp"')
    settings = prepared().settings
    assert (settings.model, settings.output) == ("flux.2-max", "img/{slug}.webp")
    assert settings.values["model"].source == "preset hero"
    settings = prepared(model=["flux.2-flex"], output="x.png").settings
    assert (settings.model, settings.output) == ("flux.2-flex", "x.png")


def test_notes_name_the_preset(project):
    project('prompt_suffix = "soft light"\nsize = "16:9"\nparam = { guidance = 3.5 }\nalt = "x"')
    notes = {note.parameter: note for note in prepared().resolved.notes}
    for name in ("prompt_suffix", "size", "guidance"):
        assert "from preset hero" in notes[name].reason
    assert notes["alt"].behavior == "ignored"
    typed = {note.parameter: note for note in prepared(size="1:1").resolved.notes}
    assert "preset" not in typed["size"].reason


def test_the_texts_of_a_preset_are_around_every_prompt(project, work):
    project('prompt_prefix = "watercolor"\nprompt_suffix = " soft light "')
    assert prepared().resolved.prompt == "watercolor, a fox, soft light"
    assert prepare(options(prompt=None), None).resolved.prompt == ""
    with pytest.raises(UsageError, match="prompt is empty"):
        prepared(prompt=[" "])
    (work / "prompts.txt").write_text("a fox\nan owl\n")
    rows = combine(options(prompt=None, prompts="prompts.txt"))
    assert [one.resolved.prompt for one, _ in rows] == [
        "watercolor, a fox, soft light",
        "watercolor, an owl, soft light",
    ]


def test_with_var_the_texts_of_a_preset_have_fields_as_prompts_do(project):
    project('prompt_suffix = "in {style}"')
    found = combine(options(var=["style=oil,ink"]))
    assert [one.resolved.prompt for one, _ in found] == ["a fox, in oil", "a fox, in ink"]
    assert prepared().resolved.prompt == "a fox, in {style}"


def test_an_image_gives_what_neither_line_nor_preset_says(project):
    project('prompt_suffix = "soft light"\naspect_ratio = "16:9"')
    flux_cli.generate("a fox", offline=True, preset="hero", seed=7, output="fox.png")
    again = prepared(prompt=None, like="fox.png", offline=True).resolved
    assert (again.prompt, again.seed) == ("a fox, soft light", 7)
    project('prompt_suffix = "in ink"\naspect_ratio = "1:1"\nmodel = "flux.2-max"')
    other = prepared(prompt=None, like="fox.png", offline=True)
    assert other.resolved.prompt == "a fox, soft light, in ink"
    assert other.resolved.size.aspect_ratio == "1:1"
    assert other.settings.model == "flux.2-max"


WRONG = [
    ('szie = "1:1"', "unknown key 'szie'", "did you mean size?"),
    ('base_url = "http://x"', "cannot be in a manifest or a preset", "config.toml"),
    ("max_cost = 100", "unknown key 'max_cost'", ""),
    ("size = [1]", "size must be text or a number", ""),
    ('raw = "maybe"', "raw must be true or false", ""),
    ('param = { api_key = "x" }', "cannot be in a manifest or a preset", ""),
    ('param = { size = "1:1" }', "param cannot set size", "size ="),
]


@pytest.mark.parametrize(("text", "message", "hint"), WRONG)
def test_presets_are_read_strictly(text, message, hint, project):
    project(text)
    with pytest.raises(ConfigError, match=message) as caught:
        options()
    assert "presets.hero" in caught.value.message
    assert hint in (caught.value.hint or "")
    with pytest.raises(ConfigError, match=message):
        read_presets()


STRANGE = [
    'image_prompt = "/etc/passwd"',
    'image_prompt = "https://evil.example/x.png"',
    'param = { mood = "@/etc/passwd" }',
    'param = { webhook = "https://evil.example" }',
    'param = { nested = { url = "http://evil.example" } }',
    'output = "../out.png"',
    'output = "~/out.png"',
    'output = ".git/hooks/x"',
]


@pytest.mark.parametrize("text", STRANGE)
def test_a_project_names_no_files_and_urls_in_presets(text, project, user):
    project(text)
    with pytest.raises(ConfigError):
        options()
    project("raw = true")
    user(text)
    assert options().applied.taken == {"raw": True}  # the project's own has that name


@pytest.mark.parametrize("text", STRANGE)
def test_the_users_own_presets_may(text, user):
    user(text)
    assert options().applied.name == "hero"


def test_an_image_of_a_model_is_not_read_for_a_project():
    photo = Param("photo", "image", "passthrough", "")
    model = find_model("flux1.1-pro-ultra", ())._replace(parameters={"photo": photo})
    preset = Preset("hero", is_project=True, taken={"photo": "secret.png"})
    with pytest.raises(ConfigError, match="photo cannot name a file"):
        check_images(preset, model)


def test_a_preset_that_is_not_there_is_refused_with_a_hint(project):
    project("raw = true")
    with pytest.raises(UsageError, match="no preset 'hreo'") as caught:
        options(preset="hreo")
    assert caught.value.hint == "did you mean hero?"


def test_every_key_of_a_style_is_one_of_presets(user):
    """A table of `[styles]` can be copied."""
    examples = {"text": '"x"', "scalar": '"1"', "switch": "true", "list": '["1"]', "table": "{}"}
    examples["texts"] = '["x"]'
    user("\n".join(f"{name} = {examples[key.kind]}" for name, key in keys.STYLE_KEYS.items()))
    applied = options().applied
    assert set(applied.ignored) == set(ONLY_BUILD)
    known = {*applied.taken, *ONLY_BUILD, "param"}
    assert set(keys.STYLE_KEYS) == known


def test_commands_take_presets(flux, project):
    project('prompt_suffix = "soft light"\noutput_format = "webp"')
    found = flux("resolve", "a fox", "--preset", "hero", "--json").json
    assert {"from preset hero"} <= {note["reason"] for note in found["notes"]}
    assert found["sends"][0]["body"]["prompt"] == "a fox, soft light"
    made = flux("generate", "a fox", "--preset", "hero", "--offline", "-o", "a-{id}")
    assert made.out.strip().endswith(".webp")
    edited = flux("edit", made.out.strip(), "an owl", "--preset", "hero", "--dry-run", "--json")
    assert edited.json["sends"][0]["body"]["prompt"] == "an owl, soft light"
    assert flux("config", "--json").json["presets"]["hero"]["source"] == "flux.toml"
    assert "hero" in flux("config").out
    missing = flux("generate", "a fox", "--preset", "none", "--offline")
    assert (missing.code, missing.out) == (2, "")
