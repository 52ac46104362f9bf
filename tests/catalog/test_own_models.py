"""The built-in models against their pages: every size, parameter and value, written out."""

import math

import pytest

from flux_cli.catalog.find import find_model
from flux_cli.core.model import Param
from flux_cli.core.ratio import nominal, parse_ratio, parse_tier
from flux_cli.core.request import Request
from flux_cli.images.formats import FORMATS
from flux_cli.request.resolve import resolve

ULTRA = find_model("flux1.1-pro-ultra")
PRO = find_model("flux1.1-pro")

# Output, aspect_ratio and native pixels, in the order of the page.
ULTRA_SIZES = [
    ("1183x887", "4:3", (2368, 1792)),
    ("916x1145", "4:5", (1856, 2304)),
    ("1145x916", "5:4", (2304, 1856)),
    ("1024x1024", "1:1", (2048, 2048)),
    ("887x1182", "3:4", (1792, 2368)),
    ("836x1254", "2:3", (1664, 2496)),
    ("1254x836", "3:2", (2496, 1664)),
    ("768x1365", "9:16", (1536, 2752)),
    ("1365x768", "16:9", (2752, 1536)),
    ("670x1564", "9:21", (1344, 3136)),
    ("1563x670", "21:9", (3136, 1344)),
]
PRO_RATIOS = {"16:9", "9:16", "3:2", "2:3", "3:4", "1:1", "5:4", "4:5", "4:3"}

# name, type, default, values, routes that honor it: the page's parameter reference.
ULTRA_PARAMETERS = [
    ("prompt", "string", None, (), ()),
    ("seed", "integer", None, (), ()),
    ("size", "string", None, (), ()),
    ("aspect_ratio", "string", None, (), ()),
    ("resolution", "string", "1K", (), ()),
    ("response_format", "string", "url", ("url", "b64_json"), ()),
    ("output_format", "string", None, tuple(FORMATS), ()),  # flux adds its own to those of the page
    ("output_compression", "integer", None, (), ()),
    ("n", "integer", 1, (), ()),
    ("enhance_prompt", "boolean", None, (), ("fal",)),
    ("image_prompt", "image", None, (), ("replicate",)),
    ("image_prompt_strength", "number", None, (), ()),
    ("raw", "boolean", None, (), ()),
    ("safety_tolerance", "string", None, ("1", "2", "3", "4", "5", "6"), ()),
    ("sync_mode", "boolean", None, (), ("fal",)),
]
BOTH = pytest.mark.parametrize("model", [ULTRA, PRO], ids=lambda model: model.id)
MODEL_SIZES = {
    f"{model.id}-{size.name}": (model, size) for model in (ULTRA, PRO) for size in model.sizes
}
EVERY_SIZE = pytest.mark.parametrize(("model", "size"), MODEL_SIZES.values(), ids=MODEL_SIZES)


def test_ultra_has_the_eleven_sizes_of_its_page_in_their_order():
    assert [(size.name, size.aspect_ratio, size.native) for size in ULTRA.sizes] == ULTRA_SIZES
    assert {size.resolution for size in ULTRA.sizes} == {"1K"}


def test_pro_has_nine_sizes_of_which_each_is_also_ultra_s():
    assert {size.aspect_ratio for size in PRO.sizes} == PRO_RATIOS
    assert len(PRO.sizes) == 9
    ultra = {(size.name, size.aspect_ratio, size.resolution) for size in ULTRA.sizes}
    assert {(size.name, size.aspect_ratio, size.resolution) for size in PRO.sizes} < ultra


@EVERY_SIZE
def test_every_size_follows_the_page_s_formula(model, size):
    """h = round_half_up(sqrt(2**20 / r)), w = round_half_up(h * r)."""
    assert (size.width, size.height) == nominal(size.aspect_ratio), model.id


@EVERY_SIZE
def test_every_size_resolves_to_itself_however_it_is_asked(model, size):
    for said in (
        {"size": size.name},
        {"size": size.aspect_ratio},
        {"aspect_ratio": size.aspect_ratio},
        {"aspect_ratio": size.aspect_ratio, "resolution": size.resolution},
        {"size": size.aspect_ratio, "resolution": size.resolution},
    ):
        resolved = resolve(Request(model.id, said, "a fox"), model)
        assert resolved.size == size
        assert resolved.parameters == {"size": size.name}
        warned = {note.parameter for note in resolved.notes if note.warning}
        assert warned <= {"route"}  # of a ratio that only one upstream lists


@EVERY_SIZE
def test_portrait_and_landscape_come_in_pairs(model, size):
    mirrored = ":".join(reversed(size.aspect_ratio.split(":")))
    (other,) = [other for other in model.sizes if other.aspect_ratio == mirrored]
    assert size.native is None or other.native == size.native[::-1]


@pytest.mark.parametrize(
    "size", [size for size in ULTRA.sizes if size.native], ids=lambda size: size.aspect_ratio
)
def test_native_sizes_have_the_area_of_2048_squared_in_steps_of_64(size):
    ratio = parse_ratio(size.aspect_ratio)
    assert size.native == (
        64 * math.floor(math.sqrt(2048**2 * ratio) / 64 + 0.5),
        64 * math.floor(math.sqrt(2048**2 / ratio) / 64 + 0.5),
    )
    width, height = size.native
    assert width * height == pytest.approx(2048**2, rel=0.03)
    assert width / height == pytest.approx(ratio, rel=0.01)


@BOTH
def test_tiers_and_ratios_of_the_table_are_ones_a_person_can_type(model):
    for size in model.sizes:
        assert parse_tier(size.resolution) == 1024**2
        assert parse_ratio(size.aspect_ratio) == pytest.approx(size.width / size.height, rel=0.002)


@BOTH
def test_the_default_is_the_square_the_gateway_documents(model):
    assert model.default_size == model.default.name == "1024x1024"
    assert (model.default.aspect_ratio, model.default.resolution) == ("1:1", "1K")


@pytest.mark.parametrize(("name", "kind", "default", "choices", "upstreams"), ULTRA_PARAMETERS)
def test_every_parameter_of_the_page_is_there_with_type_default_values_and_routes(
    name, kind, default, choices, upstreams
):
    param = ULTRA.parameters[name]
    assert (param.name, param.kind, param.default) == (name, kind, default)
    assert (param.choices, param.upstreams) == (choices, upstreams)


def test_no_parameter_is_there_that_the_page_does_not_name():
    assert set(ULTRA.parameters) == {row[0] for row in ULTRA_PARAMETERS}


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("image_prompt_strength", 0, 1),
        ("output_compression", 0, 100),
        ("n", 1, None),
        ("seed", None, None),
    ],
)
def test_ranges_are_those_of_the_page(name, low, high):
    param = ULTRA.parameters[name]
    assert (param.minimum, param.maximum) == (low, high)


@pytest.mark.parametrize(
    ("name", "behavior"),
    [
        ("prompt", "renamed"),
        ("size", "converted"),
        ("aspect_ratio", "converted"),
        ("resolution", "converted"),
        ("n", "emulated"),
        ("response_format", "emulated"),
        ("output_format", "emulated"),
    ],
)
def test_parameters_are_handled_in_the_way_the_page_says(name, behavior):
    assert ULTRA.parameters[name].behavior == behavior


def test_pro_differs_from_ultra_in_the_parameters_its_page_names():
    assert set(ULTRA.parameters) - set(PRO.parameters) == {"raw", "image_prompt_strength"}
    assert set(PRO.parameters) - set(ULTRA.parameters) == {"width", "height"}
    shared = set(ULTRA.parameters) & set(PRO.parameters)
    assert {name for name in shared if ULTRA.parameters[name] != PRO.parameters[name]} == set()


def test_the_values_of_output_format_are_the_formats_flux_writes():
    assert ULTRA.parameters["output_format"].choices == tuple(FORMATS)


@BOTH
def test_every_parameter_has_a_line_of_help(model):
    for param in model.parameters.values():
        assert isinstance(param, Param)
        assert param.help
        assert "\n" not in param.help
        assert not param.needs or param.needs in model.parameters


@pytest.mark.parametrize(
    ("model", "route", "dialect", "upstream"),
    [
        (ULTRA, "fal", "fal/flux1.1-pro-ultra", "fal-ai/flux-pro/v1.1-ultra"),
        (ULTRA, "replicate", "replicate/flux1.1-pro-ultra", "black-forest-labs/flux-1.1-pro-ultra"),
        (PRO, "fal", "fal/flux1.1-pro", "fal-ai/flux-pro/v1.1"),
        (PRO, "replicate", "replicate/flux1.1-pro", "black-forest-labs/flux-1.1-pro"),
    ],
    ids=lambda value: getattr(value, "id", None),
)
def test_routes_name_the_gateway_s_model_and_the_upstream_s(model, route, dialect, upstream):
    (row,) = [row for row in model.routes if row.name == route]
    assert (row.model, row.upstream) == (dialect, upstream)


def test_fal_lists_nine_of_ultra_s_shapes_and_replicate_all_eleven():
    fal, replicate = (set(row.aspect_ratios) for row in ULTRA.routes)
    every = {size.aspect_ratio for size in ULTRA.sizes}
    assert every - fal == {"4:5", "5:4"}
    assert replicate == every


@BOTH
def test_prices_limits_and_native_formats(model):
    assert model.price.per_image == {ULTRA.id: 0.06, PRO.id: 0.04}[model.id]
    assert model.prompt_limit == 1000
    assert model.native_formats == ("jpeg", "png")
