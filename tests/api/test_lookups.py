"""`resolve` and `sizes` answer without a key and a network, as their commands do."""

import ast
import json
import subprocess
import sys

import pytest

import flux_cli

PROGRAM = """
import sys
before = set(sys.modules)
import flux_cli
at_first = sorted(set(sys.modules) - before)
flux_cli.sizes("16:9"), flux_cli.resolve("a fox", size="16:9")
print([at_first, sorted(name for name in ("httpx", "PIL", "asyncio") if name in sys.modules)])
"""


def test_the_import_loads_nothing_and_a_lookup_neither_network_nor_pixels():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    assert ast.literal_eval(done.stdout.decode()) == [["flux_cli"], []]


def test_sizes_are_those_of_the_command(flux):
    listed = flux("sizes", "--json").json["sizes"]
    assert [(size.name, size.native_size) for size in flux_cli.sizes()] == [
        (one["size"], one["native_size"]) for one in listed
    ]
    (closest,) = flux_cli.sizes("1920x1080")
    assert (closest.name, closest.aspect_ratio, closest.width) == ("1365x768", "16:9", 1365)


def test_sizes_of_an_unknown_model_are_refused():
    with pytest.raises(flux_cli.UsageError, match="not in the catalog") as caught:
        flux_cli.sizes(model="unheard-of")
    assert caught.value.__notes__ == [f"hint: {caught.value.hint}"]


def test_a_resolution_is_that_of_the_command(flux):
    document = flux("resolve", "a fox", "-s", "1920x1080", "-n", "2", "--seed", "7", "--json").json
    found = flux_cli.resolve("a fox", size="1920x1080", n=2, seed=7)
    assert found.size.name == document["resolved"]["size"]
    assert (found.n, found.seeds, found.price_usd) == (2, (7,), 0.12)
    assert (found.url, found.body) == (document["sends"][0]["url"], document["sends"][0]["body"])
    notes = json.loads(json.dumps([vars(note) for note in found.notes]))
    assert notes == document["notes"]


def test_a_resolution_needs_no_prompt_and_heeds_settings(monkeypatch):
    monkeypatch.setenv("FLUX_MODEL", "flux.2-pro")
    assert flux_cli.resolve().model == "flux.2-pro"
    monkeypatch.setenv("FLUX_MAX_COST", "0.1")
    with pytest.raises(flux_cli.BudgetError):
        flux_cli.resolve(model="flux1.1-pro-ultra", n=2)


def test_a_resolution_has_one_model():
    with pytest.raises(flux_cli.UsageError, match="several models"):
        flux_cli.resolve("a fox", model=["flux.2-pro", "flux.2-max"])
