"""The strict reader: what a manifest may say, and the message for everything else."""

import json
import tomllib

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifests import DOCS, ICONS, ONE, PRODUCTS, assets_of, manifest_of

from flux_cli.build.manifest.document import read_document
from flux_cli.build.manifest.reading import read_manifest
from flux_cli.build.manifest.schema import manifest_schema
from flux_cli.cli.spellings.generate import SPELLINGS
from flux_cli.core.errors import ManifestError
from flux_cli.request.styles import keys

# The keys that come from options. An option that is added to `generate` appears here on purpose.
FROM_OPTIONS = """
    model route output size aspect_ratio resolution n seed raw enhance_prompt image_prompt
    image_prompt_strength safety_tolerance background output_compression param output_format fit
    focus pad_color upscale width max_bytes lossless effort no_metadata no_prompt_metadata sidecar
"""


def test_options_about_the_image_are_keys():
    assert list(keys.OPTIONS) == FROM_OPTIONS.split()


def test_a_key_is_the_first_long_name_of_its_option():
    for field in keys.OPTIONS:
        flags = SPELLINGS[field].flags.split("/")[0].split()
        long = next(flag for flag in flags if flag.startswith("--"))
        assert long.removeprefix("--").replace("-", "_") == field


# A manifest, and words of the message and the hint.
WRONG = [
    ("", "has no assets", "[assets.hero]"),
    ("x = ", "not valid TOML", "quotes"),
    ("assets = 3", "assets must be a table", ""),
    ("[assets]\nhero = 3", "assets.hero must be a table", "[assets.NAME]"),
    (ONE + 'promt = "x"', "unknown key 'promt'", "did you mean prompt?"),
    (ONE + "quality = 80", "unknown key 'quality'", "output_compression"),
    (ONE + 'image-prompt = "x"', "unknown key", "image_prompt"),
    (ONE + 'provider = "openai"', "cannot be in a manifest", "option"),
    (ONE + 'base_url = "http://evil"', "cannot be in a manifest", "option"),
    (ONE + 'api_key = "sk-1"', "cannot be in a manifest", "option"),
    (ONE + 'param = { base_url = "x" }', "cannot be in a manifest", "option"),
    (ONE + "param = { seed = 3 }", "param cannot set seed", "write seed"),
    ("concurrency = 3\n" + ONE, "unknown key 'concurrency'", ""),
    (ONE + 'style = "brnd"\n[styles.brand]', "no style 'brnd'", "did you mean brand?"),
    (ONE + "seed = true", "seed must be text or a number", ""),
    (ONE + 'frozen = "maybe"', "frozen must be true or false", ""),
    (ONE + "seed = 1979-05-27", "seed must be", ""),
    (ONE + "param = { when = 1979-05-27 }", "param must be a table", ""),
    ("max_cost = -1\n" + ONE, "max_cost must be at least 0", "5.00"),
    ('[vars]\nname = "x"\n' + ONE, "name cannot be set", ""),
    ("[vars]\nx = [1]\n" + ONE, "x must be text", ""),
    (ONE.replace("hero]", '"a/b"]'), "cannot name an asset", "a-b"),
    (ONE + "n = 0", "n must be from 1", ""),
    (ONE + 'name = "x"', "name needs rows or a matrix", "[assets.hero]"),
    (ONE.replace('model = "m"', ""), "model is missing", "flux1.1-pro-ultra"),
    (ONE.replace('output = "hero.png"', ""), "output is missing", "{name}"),
    (ONE.replace("a cat", " "), "the prompt is empty", "describe"),
    (ONE + 'fit = "covr"', "invalid choice 'covr'", "cover"),
    (ONE + 'fit = "cover"', "needs a size", ""),
    (ONE + "lossless = true\noutput_compression = 80", "contradict", ""),
    (ONE.replace("hero.png", "hero"), "names no format", "hero.webp"),
    (ONE.replace("hero.png", "img/"), "is a folder", "img/{name}"),
    (ONE.replace("hero.png", "hero.tga"), "cannot write .tga", ""),
    (ONE.replace("hero.png", "{id}.png"), "no field {id}", "same in every build"),
    (ONE.replace("hero.png", "{nam}.png"), "no field {nam}", "mean name"),
    (ONE.replace("hero.png", "{name:3}.png"), "a field is a name", "{{"),
    (ONE.replace("hero.png", "../hero.png"), "leaves the folder", ""),
    (ONE.replace("hero.png", "/tmp/hero.png"), "must be relative", ""),
    (ONE.replace("hero.png", ".git/hooks/x.png"), "not for images", ""),
    (ONE.replace("a cat", "@../x.txt"), "", ""),
    (ONE + 'rows = "a.csv"', "a.csv cannot be read", ""),
    (ONE + "matrix = { a = [] }", "matrix must be a table of lists", ""),
    (ONE + "matrix = { a = [1] }", "name is missing", 'name = "{a}"'),
    (ONE + 'matrix = { a = [1] }\nname = "{b}"', "no field {b}", "{a}"),
    (ONE + 'matrix = { provider = [1] }\nname = "x"', "cannot be in a manifest", ""),
    (ONE + 'matrix = { rows = [1] }\nname = "x"', "unknown key 'rows'", ""),
    (ONE + 'matrix = { ab = [1] }\nname = "{ab}"\nexclude = [{ abc = 1 }]', "{abc}", "ab"),
    (ONE + 'matrix = { seed = ["x"] }\nn = 2\nname = "{seed}"', "seed must be a whole number", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "hint"), WRONG)
def test_what_is_wrong_is_one_sentence_with_a_hint(text, message, hint):
    with pytest.raises(ManifestError) as caught:
        assets_of(text)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "flux-build.toml" in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.exit_code == 2


def test_json_has_the_same_structure():
    document = json.dumps(tomllib.loads(DOCS))
    assert manifest_of(document, "x.json") == manifest_of(DOCS)._replace(path="x.json")


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity"])
def test_json_refuses_a_number_that_no_lock_could_hold(number):
    text = '{"assets": {"a": {"prompt": "x", "param": {"b": NUMBER}}}}'
    with pytest.raises(ManifestError, match="is not a number"):
        manifest_of(text.replace("NUMBER", number), "flux-build.json")


def test_json_refuses_a_name_that_is_given_twice():
    with pytest.raises(ManifestError, match="given twice"):
        manifest_of('{"assets": {}, "assets": {}}', "flux-build.json")


SCHEMA = manifest_schema(SPELLINGS)


@pytest.mark.parametrize(
    "text", [DOCS, ICONS, ONE, ONE + 'width = 3\nraw = true\neffort = "small"']
)
def test_the_schema_accepts_what_the_reader_accepts(text):
    jsonschema.Draft4Validator.check_schema(SCHEMA)
    jsonschema.Draft4Validator(SCHEMA).validate(tomllib.loads(text))


@pytest.mark.parametrize(
    "line", ['promt = "x"', 'fit = "covr"', 'seed = "x"', "raw = 3", "rows = 3"]
)
def test_the_schema_refuses_what_is_wrong(line):
    assert list(jsonschema.Draft4Validator(SCHEMA).iter_errors(tomllib.loads(ONE + line)))


def test_every_key_is_explained():
    for table in SCHEMA["definitions"].values():
        for name, node in table["properties"].items():
            assert node["description"], name


def test_explanations_name_keys_and_not_the_options_that_set_them():
    properties = SCHEMA["definitions"]["asset"]["properties"]
    texts = {name: node["description"] for name, node in properties.items()}
    assert {name for name, text in texts.items() if "--" in text} == {"alt"}  # --html is no key
    assert "stdout" not in texts["output"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=12,
)
names = st.sampled_from([*keys.TOP, *keys.ASSET_KEYS, "x"])
tables = st.dictionaries(
    names, json_values | st.dictionaries(names, json_values, max_size=4), max_size=4
)


@given(st.dictionaries(names, json_values | st.dictionaries(names, tables, max_size=2), max_size=4))
def test_no_document_gives_a_traceback(document):
    try:
        manifest = read_manifest(document, "m.json")
    except ManifestError:
        return
    assert manifest.groups


@given(st.binary(max_size=60), st.sampled_from(["a.toml", "a.json"]))
def test_no_bytes_give_a_traceback(data, name):
    try:
        read_document(data, name)
    except ManifestError:
        return


def test_products_of_the_documentation():
    assets = assets_of(ICONS, {"products.csv": PRODUCTS})
    assert len(assets) == 199
    assert "A17-dark" not in assets
    assert assets["A3-dark"].requested["seed"] == 3
