"""docs/models.md: its example is valid, and it names every key and word of model files."""

import inspect
import re
import tomllib
from pathlib import Path

import pytest

from flux_cli.catalog import dialects, prices, reading, shared, sizes
from flux_cli.catalog.find import list_models
from flux_cli.core.model import BEHAVIORS, KINDS, SPELLINGS

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
SOURCES = "".join(map(inspect.getsource, (reading, dialects, shared, prices, sizes)))
TAKEN = re.findall(r"\b(?:row|cell|table|shapes)\.(?:take\w*|rows|tables?)\(\s*\"(\w+)\"", SOURCES)


def test_the_example_is_a_valid_model_file(tmp_path):
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "my-model.toml"
    path.write_text(example)
    model = reading.read(path)
    assert model.id == tomllib.loads(example)["id"]
    assert model.dialects.keys() == {"replicate"}


def test_the_keys_are_found_in_the_reader():
    expected = {"id", "sizes", "behavior", "spelling", "any_ratio", "required", "needs", "native"}
    assert expected <= set(TAKEN)


@pytest.mark.parametrize("key", sorted({*TAKEN} - {"servers"}))
def test_every_key_is_in_a_table(key):
    first_cells = [line.split(" | ")[0] for line in PAGE.splitlines() if line.startswith("| `")]
    names = set(re.findall(r"`(?:\[\[?)?(\w+)", " ".join(first_cells)))
    assert key in names


@pytest.mark.parametrize("word", [*BEHAVIORS, *filter(None, SPELLINGS)])
def test_every_behavior_and_spelling_has_a_row(word):
    assert f"\n| `{word}` |" in PAGE


def test_every_type_of_a_parameter_is_named():
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| `type` |")]
    assert re.findall(r"`(\w+)`", row)[1:] == list(KINDS)


def test_no_table_is_cut_by_a_blank_line():
    """A row after a blank line belongs to no table: each begins with a heading and a rule."""
    blocks = [block for block in PAGE.split("\n\n") if block.startswith("|")]
    assert len(blocks) > 6
    assert all(block.splitlines()[1].startswith("|---") for block in blocks)


@pytest.mark.parametrize("model", list_models(), ids=lambda model: model.id)
def test_every_built_in_model_is_in_the_list_with_its_seed_and_its_prices(model):
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{model.id}` |")]
    *_, seed, price, _ = row.split("|")
    assert (seed.strip() == "yes") == (model.parameters["seed"].behavior != "unsupported")
    known = [model.price, *(dialect.price for dialect in model.dialects.values())]
    prices = {each.usd(model.default) for each in known} - {None}
    assert {float(usd) for usd in re.findall(r"0\.\d+", price)} == prices
    assert ("legacy" in row) == bool(model.legacy)
