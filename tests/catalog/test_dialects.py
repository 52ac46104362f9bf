"""How providers take a model: built-in tables are complete, and wrong ones are refused."""

import pytest
from model_files import HEAD, ONE_SIZE, write_model

from flux_cli.catalog.find import find_model, list_models, read_servers
from flux_cli.catalog.reading import read
from flux_cli.core.errors import CatalogError
from flux_cli.core.model import Price
from flux_cli.core.options import Parameters
from flux_cli.core.ratio import parse_ratio
from flux_cli.images.formats import FORMATS

MODELS = list_models()
DIALECTS = [(model, dialect) for model in MODELS for dialect in model.dialects.values()]
NAMES = [f"{model.id} at {dialect.provider}" for model, dialect in DIALECTS]
each_wire = pytest.mark.parametrize(("model", "dialect"), DIALECTS, ids=NAMES)
ULTRA = find_model("flux1.1-pro-ultra")

# parameter: what BFL, fal and Replicate make of it; renamed ones with their name there.
HANDLED = {
    "prompt": ("passthrough", "passthrough", "passthrough"),
    "seed": ("passthrough", "passthrough", "passthrough"),
    "size": ("converted", "converted", "converted"),
    "aspect_ratio": ("converted", "converted", "converted"),
    "resolution": ("emulated", "emulated", "emulated"),
    "n": ("emulated", "emulated", "emulated"),
    "response_format": ("emulated", "emulated", "emulated"),
    "output_format": ("passthrough", "passthrough", "converted"),
    "output_compression": ("emulated", "emulated", "emulated"),
    "enhance_prompt": ("renamed", "passthrough", "unsupported"),
    "image_prompt": ("converted", "renamed", "passthrough"),
    "image_prompt_strength": ("passthrough", "passthrough", "passthrough"),
    "raw": ("passthrough", "passthrough", "passthrough"),
    "safety_tolerance": ("converted", "passthrough", "converted"),
    "sync_mode": ("unsupported", "passthrough", "unsupported"),
}


@pytest.mark.parametrize(("name", "handled"), HANDLED.items())
def test_ultra_s_parameters_are_handled_as_the_providers_document_them(name, handled):
    fields = [ULTRA.dialects[provider].fields for provider in ("bfl", "fal", "replicate")]
    assert tuple(field[name].behavior for field in fields) == handled


def test_ultra_is_at_three_providers_for_the_same_price_under_their_names():
    found = {name: (wire.path, wire.price.per_image) for name, wire in ULTRA.dialects.items()}
    assert found == {
        "bfl": ("flux-pro-1.1-ultra", 0.06),
        "fal": ("fal-ai/flux-pro/v1.1-ultra", 0.06),
        "replicate": ("black-forest-labs/flux-1.1-pro-ultra", 0.06),
    }


@each_wire
def test_a_provider_speaks_of_every_parameter_and_of_no_other(model, dialect):
    assert dialect.fields.keys() == model.parameters.keys()


@each_wire
def test_what_is_renamed_has_another_name_and_what_passes_has_its_own(model, dialect):
    assert model
    for name, field in dialect.fields.items():
        if field.behavior == "passthrough":
            assert field.name == name
        elif field.behavior == "renamed":
            assert field.name not in ("", name)
        elif field.behavior in ("emulated", "unsupported"):
            assert field.name == ""


@each_wire
def test_shapes_and_formats_of_a_provider_are_known_ones(model, dialect):
    assert set(dialect.formats) <= set(FORMATS)
    assert set(dialect.aspect_ratios) <= {size.aspect_ratio for size in model.sizes}
    assert all(parse_ratio(ratio) for ratio in dialect.any_ratio or ())


def test_a_wire_and_the_gateway_s_route_to_it_agree():
    for model in MODELS:
        for route in model.routes:
            dialect = model.dialects.get(route.name)
            if dialect:
                assert dialect.path == route.upstream
            if dialect and route.aspect_ratios:
                assert set(dialect.aspect_ratios) == set(route.aspect_ratios)


@pytest.mark.parametrize(
    "server", ["compatible", "openai", "localai", "sdcpp", "together", "vllm", "sglang"]
)
def test_every_kind_of_server_is_there(server):
    dialect = read_servers()[server]
    assert dialect.provider == server
    assert dialect.path == ""
    assert set(dialect.formats) <= set(FORMATS)
    assert dialect.formats


def test_a_compatible_server_gets_everything_but_what_flux_can_do_itself():
    fields = read_servers()["compatible"].fields
    assert fields.keys() == {"output_format", "output_compression"}
    assert all(field.behavior == "emulated" and field.by_name for field in fields.values())


@pytest.mark.parametrize("name", sorted(set(read_servers()) - {"compatible"}))
def test_a_known_kind_of_server_says_what_it_does_with_every_option(name):
    """Nothing is dropped there in silence. These three are what every server knows."""
    listed = read_servers()[name].fields.keys() | {"size", "n", "seed", "response_format"}
    assert set(Parameters._fields) - {"param"} <= listed


# --- wrong tables

MODEL = (
    f"{HEAD}{ONE_SIZE}"
    """

[parameters.raw]
type = "boolean"
behavior = "passthrough"
help = "Less processed"

[routes]

[providers.fal]
path = "fal-ai/small"
price_usd = 0.01
formats = ["png"]
aspect_ratios = ["1:1"]
any_ratio = ["1:2", "2:1"]

[providers.fal.parameters]
RAW
"""
)
RAW = (
    'raw = { behavior = "renamed", name = "less", choices = ["a"], values = { a = "b" }'
    ', reason = "why", required = true }\n'
)
MODEL = MODEL.replace("RAW\n", RAW)
PROVIDER = MODEL[MODEL.index("[providers.fal]") :]
FIELDS = "providers.fal.parameters"


def test_a_good_table_is_read_key_by_key(tmp_path):
    dialect = read(write_model(tmp_path, MODEL)).dialects["fal"]
    assert dialect[:6] == ("fal", "fal-ai/small", Price(0.01), ("png",), ("1:1",), ("1:2", "2:1"))
    assert dialect.fields["raw"] == ("renamed", "less", "", ("a",), {"a": "b"}, "why", True, False)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (RAW, "", f"{FIELDS} lacks raw"),
        ('"renamed"', '"maybe"', f"{FIELDS}.raw.behavior must be one of passthrough,"),
        ('behavior = "renamed", ', "", f"{FIELDS}.raw.behavior is missing"),
        ('name = "less"', 'spelling = "loud"', f"{FIELDS}.raw.spelling must be one of text,"),
        ('name = "less"', 'nmae = "less"', f"{FIELDS}.raw.nmae is not a known key; did you mean"),
        ("required = true", 'required = "yes"', f"{FIELDS}.raw.required must be true or false"),
        ('{ a = "b" }', "5", f"{FIELDS}.raw.values must be a table"),
        (RAW, 'raw = { behavior = "unsupported" }', f"{FIELDS}.raw.reason is missing"),
        (RAW, 'raw = "renamed"', f"{FIELDS}.raw must be a table"),
        ("price_usd = 0.01", 'price_usd = "free"', "providers.fal.price_usd must be a number"),
        ("price_usd = 0.01", "price_usd = -1", "providers.fal.price_usd must"),
        ("price_usd = 0.01", "price_usd = nan", "providers.fal.price_usd must"),
        ('formats = ["png"]', 'formats = ["xyz"]', "providers.fal.formats 'xyz' is not one of"),
        ('formats = ["png"]', "formats = [5]", "providers.fal.formats must be a list of texts"),
        ('aspect_ratios = ["1:1"]', 'aspect_ratios = ["wide"]', "providers.fal.aspect_ratios"),
        # The model has no size of this ratio.
        ('aspect_ratios = ["1:1"]', 'aspect_ratios = ["3:2"]', "providers.fal.aspect_ratios"),
        ('["1:2", "2:1"]', '["1:2"]', "any_ratio must be the narrowest and the widest ratio"),
        ('["1:2", "2:1"]', '["1:2", "wide"]', "providers.fal.any_ratio"),
        ('["1:2", "2:1"]', '["2:1", "1:2"]', "providers.fal.any_ratio"),  # narrowest first
        ('path = "fal', 'strict = 1\npath = "fal', "providers.fal.strict must be true or false"),
        ('path = "fal', 'in_flight = 0\npath = "fal', "providers.fal.in_flight must be at least 1"),
        (', reason = "why"', "", f"{FIELDS}.raw.required needs a field to send, and a reason"),
        ("path = ", "pth = ", "providers.fal.pth is not a known key; did you mean path?"),
        (PROVIDER, "[providers]\nfal = 5", "providers.fal must be a table"),
    ],
)
def test_a_wrong_table_is_refused_with_file_key_and_reason(tmp_path, old, new, reason):
    assert MODEL.count(old) == 1
    with pytest.raises(CatalogError) as raised:
        read(write_model(tmp_path, MODEL.replace(old, new)))
    assert reason in raised.value.message
    assert "small.toml" in raised.value.message
