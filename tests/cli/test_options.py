"""Options are declared once: every field has one, and every given parameter is sent."""

import pytest
from typer.main import get_command

from flux_cli.build.options import BuildOptions
from flux_cli.cli.app import make_app
from flux_cli.cli.spellings.generate import ARGUMENTS, PANELS
from flux_cli.cli.spellings.others import CONVERT
from flux_cli.config.settings import BY_NAME
from flux_cli.core.convert_options import ConvertOptions
from flux_cli.core.options import GenerateOptions, Parameters, Settings, fields_of, fill
from flux_cli.request.command_line import read_parameters
from flux_cli.serve.options import ServeOptions


def read(**typed):
    return read_parameters(GenerateOptions(parameters=Parameters(**typed)))


GROUPS = {
    "generate": GenerateOptions,
    "edit": GenerateOptions,
    "resolve": GenerateOptions,
    "convert": ConvertOptions,
    "build": BuildOptions,
    "serve": ServeOptions,
}


@pytest.mark.parametrize("name", GROUPS)
def test_every_field_of_the_options_can_be_typed(name):
    known = {one.name for one in get_command(make_app()).commands[name].params}
    assert known - {"help", "curl"} == fields_of(GROUPS[name]).keys()


def test_every_spelling_belongs_to_a_field():
    """`curl`, `open_files` and three of `flux sizes` are options of one command alone."""
    spelled = {field for panel in PANELS.values() for field in panel} | ARGUMENTS.keys()
    fields = fields_of(GenerateOptions).keys() | fields_of(ConvertOptions).keys()
    fields |= fields_of(BuildOptions).keys() | fields_of(ServeOptions).keys()
    assert spelled == fields | {"plain", "native", "exact", "curl", "open_files"}
    assert CONVERT.keys() <= fields_of(ConvertOptions).keys()


def test_every_parameter_that_is_said_is_sent():
    """An option that is accepted and silently not sent would be paid for."""
    for field in Parameters._fields:
        if field != "param":
            assert read(**{field: "x"}) == {field: "x"}
    assert read(param=["guidance=3.5"]) == {"guidance": 3.5}


def test_every_option_that_stands_in_for_a_setting_has_its_name():
    assert set(Settings._fields) <= BY_NAME.keys()


def test_no_two_nouns_of_a_command_share_a_field():
    """Flat values find their group by name alone."""
    for kind in (GenerateOptions, ConvertOptions):
        names = [field for group in kind() for field in group._fields]
        assert len(names) == len(set(names))


def test_nouns_are_filled_from_flat_values_and_keep_their_defaults():
    options = fill(GenerateOptions, {"size": "1:1", "as_json": True, "unknown": 3})
    assert options.parameters.size == "1:1"
    assert options.reporting.as_json
    assert (
        options._replace(parameters=Parameters(), reporting=GenerateOptions().reporting)
        == GenerateOptions()
    )
