"""Sets of parameters and dialects that model files share, built-in ones and those of users."""

import pytest
from model_files import HEAD, ONE_SIZE, write_model

from flux_cli.catalog.find import find_model
from flux_cli.catalog.reading import read
from flux_cli.core.errors import CatalogError

ULTRA = find_model("flux1.1-pro-ultra")
FILE = (
    f"{HEAD}{ONE_SIZE}"
    """
parameter_set = "images"

[parameters.resolution]
default = "2K"

[parameters.raw]
type = "boolean"
behavior = "passthrough"
help = "Less processed"

[routes]

[providers.fal]
dialect = "flux.1"
path = "fal-ai/small"
aspect_ratios = ["1:1"]

[providers.fal.parameters]
raw = { behavior = "passthrough" }
seed = { behavior = "unsupported", reason = "none there" }
"""
)


def read_text(folder, text):
    return read(write_model(folder, text))


def test_a_file_of_the_user_takes_a_set_and_says_only_what_differs(tmp_path):
    model = read_text(tmp_path, FILE)
    shared = list(ULTRA.parameters)[:9]
    assert list(model.parameters) == [*shared, "raw"]
    assert model.parameters["seed"] == ULTRA.parameters["seed"]
    assert model.parameters["resolution"] == ULTRA.parameters["resolution"]._replace(default="2K")


def test_a_dialect_gives_the_fields_of_the_model_s_parameters_and_no_others(tmp_path):
    fal = read_text(tmp_path, FILE).dialects["fal"]
    ultra = ULTRA.dialects["fal"]
    assert list(fal.fields) == list(read_text(tmp_path, FILE).parameters)
    assert fal.fields["output_format"] == ultra.fields["output_format"]
    assert fal.fields["seed"] == ("unsupported", "", "", (), {}, "none there", False, False)
    assert (fal.formats, fal.aspect_ratios) == (ultra.formats, ("1:1",))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"images"', '"image"', "parameter_set 'image' is not known; did you mean images?"),
        ('"images"', '"x"', "parameter_set 'x' is not known; shared.toml has images"),
        ('"images"', "5", "parameter_set must be a text"),
        (
            '"flux.1"',
            '"flux.9"',
            "providers.fal.dialect 'flux.9' is not known; did you mean",
        ),
        ("[providers.fal]", "[providers.x]", "providers.x.dialect 'flux.1' is not known; shared"),
        ('default = "2K"', 'defualt = "2K"', "parameters.resolution.defualt is not a known key"),
        ('default = "2K"', "type = 5", "parameters.resolution.type must be a text"),
        (
            "[parameters.raw]",
            "[parameters]\nn = 5\n[parameters.raw]",
            "parameters.n must be a table",
        ),
        ('parameter_set = "images"\n', "", "parameters.resolution.type is missing"),
        ('dialect = "flux.1"\n', "", "providers.fal.parameters lacks aspect_ratio"),
    ],
)
def test_an_error_names_the_file_the_key_and_the_reason(tmp_path, old, new, reason):
    text = FILE.replace(old, new)
    assert text != FILE
    with pytest.raises(CatalogError) as raised:
        read_text(tmp_path, text)
    assert f"small.toml: {reason}" in raised.value.message
