"""Model files: reading, finding, and refusing wrong ones with file, key and reason."""

import contextlib
import os
import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_files import write_model

from flux_cli.catalog.find import find_model, list_models, similar_model
from flux_cli.catalog.reading import BUILT_IN, read
from flux_cli.catalog.toml_table import MAX_BYTES
from flux_cli.core.errors import CatalogError
from flux_cli.core.model import UNKNOWN_PRICE, Price

ULTRA = "flux1.1-pro-ultra"
GOOD = """
id = "small"
aliases = ["tiny"]
name = "Small"
vendor = "Somebody"
summary = "A model"
page = "https://example.org"
price_usd = 0.01
prompt_limit = 500
native_formats = ["png"]
default_size = "1024x1024"

[[sizes]]
size = "1024x1024"
aspect_ratio = "1:1"
resolution = "1K"
native = "2048x2048"

[[sizes]]
size = "1365x768"
aspect_ratio = "16:9"
resolution = "1K"

[parameters.raw]
type = "boolean"
behavior = "passthrough"
help = "Less processed"

[parameters.steps]
type = "integer"
behavior = "renamed"
help = "Steps"
default = 28
minimum = 1
maximum = 50
upstreams = ["fal"]
needs = "raw"

[parameters.style]
type = "string"
behavior = "passthrough"
help = "Style"
choices = ["vivid", "natural"]

[routes.fal]
model = "fal/small"
upstream = "fal-ai/small"
aspect_ratios = ["1:1"]
"""


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "models"
    path.mkdir()
    return path


def changed(old, new):
    assert GOOD.count(old) >= 1, old
    return GOOD.replace(old, new, 1)


# --- good files


@pytest.mark.parametrize("path", sorted(BUILT_IN.glob("*.toml")), ids=lambda path: path.stem)
def test_each_built_in_file_loads_under_its_own_name(path):
    assert read(path).id == path.stem


def test_a_whole_file_is_read_key_by_key(folder):
    model = read(write_model(folder, GOOD))
    assert model[:4] == ("small", "Small", "Somebody", "A model")
    assert model[4:10] == (
        "https://example.org",
        Price(0.01),
        500,
        ("tiny",),
        ("png",),
        "1024x1024",
    )
    assert model.dialects == {}
    assert model.sizes == ((1024, 1024, "1:1", "1K", (2048, 2048)), (1365, 768, "16:9", "1K", None))
    assert model.parameters["steps"] == (
        "steps", "integer", "renamed", "Steps", 28, 1.0, 50.0, (), ("fal",), "raw",
    )  # fmt: skip
    assert model.parameters["style"].choices == ("vivid", "natural")
    assert model.routes == (("fal", "fal/small", "fal-ai/small", ("1:1",), UNKNOWN_PRICE),)


def test_a_file_may_leave_out_what_is_optional(folder):
    optional = re.compile(
        r"^(aliases|page|price_usd|prompt_limit|native_formats|native|aspect_ratios) = .*\n",
        re.MULTILINE,
    )
    text, count = optional.subn("", GOOD)
    assert count == 7
    model = read(write_model(folder, text))
    assert (model.aliases, model.page, model.native_formats) == ((), "", ())
    assert (model.price, model.prompt_limit) == (UNKNOWN_PRICE, None)
    assert model.routes[0].aspect_ratios == ()


@pytest.mark.parametrize("price", ["1", "0", "0.0", "1e-3"])
def test_whole_numbers_and_nothing_are_prices_too(folder, price):
    path = write_model(folder, changed("price_usd = 0.01", f"price_usd = {price}"))
    assert read(path).price == Price(float(price))


def test_a_file_may_be_as_large_as_the_limit(folder):
    assert read(write_model(folder, GOOD + "#" * (MAX_BYTES - len(GOOD)))).id == "small"


# --- wrong files


def deleted(line):
    return changed(line + "\n", "")


SIZES = GOOD[GOOD.index("[[sizes]]") : GOOD.index("[parameters.raw]")]
PARAMETERS = GOOD[GOOD.index("[parameters.raw]") : GOOD.index("[routes.fal]")]
ROUTES = GOOD[GOOD.index("[routes.fal]") :]

WRONG = {
    "unknown key": (
        changed("vendor =", "vendr = 'x'\nvendor ="),
        "vendr is not a known key; did you mean vendor?",
    ),
    "far unknown key": (changed("vendor =", "xyzzy = 1\nvendor ="), "xyzzy is not a known key"),
    "unknown key of a size": (
        changed('native = "', 'nativ = "'),
        "sizes[0].nativ is not a known key; did you mean native?",
    ),
    "unknown key of a parameter": (
        changed("minimum = 1", "minimun = 1"),
        "parameters.steps.minimun is not a known key; did you mean minimum?",
    ),
    "unknown key of a route": (
        changed("upstream = ", "upstreem = 'x'\nupstream = "),
        "routes.fal.upstreem is not a known key",
    ),
    "missing id": (deleted('id = "small"'), "id is missing"),
    "missing name": (deleted('name = "Small"'), "name is missing"),
    "missing vendor": (deleted('vendor = "Somebody"'), "vendor is missing"),
    "missing summary": (deleted('summary = "A model"'), "summary is missing"),
    "missing default_size": (deleted('default_size = "1024x1024"'), "default_size is missing"),
    "missing size": (deleted('size = "1365x768"'), "sizes[1].size is missing"),
    "missing ratio": (deleted('aspect_ratio = "16:9"'), "sizes[1].aspect_ratio is missing"),
    "missing tier": (deleted('resolution = "1K"'), "sizes[0].resolution is missing"),
    "missing type": (deleted('type = "boolean"'), "parameters.raw.type is missing"),
    "missing behavior": (deleted('behavior = "renamed"'), "parameters.steps.behavior is missing"),
    "missing help": (deleted('help = "Steps"'), "parameters.steps.help is missing"),
    "missing upstream": (deleted('upstream = "fal-ai/small"'), "routes.fal.upstream is missing"),
    "missing model of a route": (deleted('model = "fal/small"'), "routes.fal.model is missing"),
    "no parameters": (
        changed(PARAMETERS, ""),
        "parameters is missing",
    ),
    "no routes": (changed(ROUTES, ""), "routes is missing"),
    "no sizes": (changed(SIZES, ""), "sizes is missing"),
    "empty": ("", "id is missing"),
    "id is a number": (changed('id = "small"', "id = 5"), "id must be a text, not 5"),
    "id is another": (
        changed('id = "small"', 'id = "other"'),
        "id must be the name of the file, 'small', not 'other'",
    ),
    "price is a text": (
        changed("price_usd = 0.01", 'price_usd = "0.01"'),
        "price_usd must be a number, not '0.01'",
    ),
    "price is a truth value": (
        changed("price_usd = 0.01", "price_usd = true"),
        "price_usd must be a number, not True",
    ),
    "price is negative": (
        changed("price_usd = 0.01", "price_usd = -1"),
        "price_usd must not be negative",
    ),
    "price is infinite": (changed("price_usd = 0.01", "price_usd = inf"), "price_usd must"),
    "price is not a number": (changed("price_usd = 0.01", "price_usd = nan"), "price_usd must"),
    "price is astronomical": (
        changed("price_usd = 0.01", "price_usd = 1" + "0" * 400),
        "price_usd must",
    ),
    "limit is a half": (
        changed("prompt_limit = 500", "prompt_limit = 0.5"),
        "prompt_limit must be a whole number, not 0.5",
    ),
    "limit is a truth value": (
        changed("prompt_limit = 500", "prompt_limit = true"),
        "prompt_limit must be a whole number",
    ),
    "limit is a date": (
        changed("prompt_limit = 500", "prompt_limit = 1979-05-27"),
        "prompt_limit must be a whole number",
    ),
    "aliases is a text": (changed('["tiny"]', '"tiny"'), "aliases must be a list, not 'tiny'"),
    "aliases holds a number": (
        changed('["tiny"]', '["tiny", 5]'),
        "aliases must be a list of texts",
    ),
    "unknown native format": (
        changed('["png"]', '["png", "xyz"]'),
        "native_formats 'xyz' is not one of png, jpeg,",
    ),
    "sizes is a table": (
        changed(SIZES, '[sizes]\nsize = "1024x1024"\n'),
        "sizes must be a list",
    ),
    "sizes is empty": (
        "sizes = []\n" + changed(SIZES, ""),
        "sizes is empty",
    ),
    "a size is a text": (
        'sizes = ["1024x1024"]\n' + changed(SIZES, ""),
        "sizes[0] must be a table",
    ),
    "size is no size": (
        changed('size = "1365x768"', 'size = "wide"'),
        "sizes[1].size invalid size 'wide'",
    ),
    "size is a ratio": (
        changed('size = "1365x768"', 'size = "16:9"'),
        "sizes[1].size must be pixels such as 1024x1024",
    ),
    "size is zero": (changed('size = "1365x768"', 'size = "0x768"'), "sizes[1].size"),
    "ratio is pixels": (
        changed('aspect_ratio = "16:9"', 'aspect_ratio = "16x9"'),
        "sizes[1].aspect_ratio",
    ),
    "ratio is nonsense": (
        changed('aspect_ratio = "16:9"', 'aspect_ratio = "wide"'),
        "sizes[1].aspect_ratio",
    ),
    "tier is nonsense": (changed('resolution = "1K"', 'resolution = "HD"'), "sizes[0].resolution"),
    "native is a ratio": (
        changed('native = "2048x2048"', 'native = "1:1"'),
        "sizes[0].native must be pixels",
    ),
    "native is a number": (
        changed('native = "2048x2048"', "native = 2048"),
        "sizes[0].native must be a text",
    ),
    "duplicate shape": (
        changed('aspect_ratio = "16:9"', 'aspect_ratio = "1:1"'),
        "sizes has two rows with the same aspect_ratio",
    ),
    "default is not there": (
        changed('default_size = "1024x1024"', 'default_size = "512x512"'),
        "default_size '512x512' is not among the sizes",
    ),
    "parameter is a text": (
        changed("[parameters.raw]", "[parameters]\nraw = 5\n[parameters.x]"),
        "parameters.raw must be a table",
    ),
    "unknown type": (
        changed('type = "boolean"', 'type = "bool"'),
        "parameters.raw.type must be one of string, integer,",
    ),
    "unknown behavior": (
        changed('behavior = "renamed"', 'behavior = "maybe"'),
        "parameters.steps.behavior must be one of",
    ),
    "default is a list": (
        changed("default = 28", "default = [28]"),
        "parameters.steps.default must be a text, a number,",
    ),
    "minimum is a text": (
        changed("minimum = 1", 'minimum = "1"'),
        "parameters.steps.minimum must be a number",
    ),
    "minimum is astronomical": (
        changed("minimum = 1", "minimum = -1" + "0" * 400),
        "parameters.steps.minimum must",
    ),
    "choices are numbers": (
        changed('["vivid", "natural"]', "[1, 2]"),
        "parameters.style.choices must be a list of texts",
    ),
    "needs is a list": (
        changed('needs = "raw"', 'needs = ["raw"]'),
        "parameters.steps.needs must be a text",
    ),
    "unknown route": (
        changed('upstreams = ["fal"]', 'upstreams = ["fall"]'),
        "parameters.steps.upstreams 'fall' is not a route",
    ),
    "routes is a list": (
        changed(ROUTES, '[[routes]]\nmodel = "x"\n'),
        "routes must be a table",
    ),
    "no TOML": ("id = ", "is not valid TOML"),
    "twice the same key": (
        changed('name = "Small"', 'name = "Small"\nname = "Small"'),
        "is not valid TOML",
    ),
    "JSON": ('{"id": "small"}', "is not valid TOML"),
    "not UTF-8": (GOOD.encode().replace(b"Somebody", b"\xff\xfe"), "is not valid TOML"),
    "binary": (bytes(range(256)), "is not valid TOML"),
    "nested without end": ("id = " + "[" * 20_000, "is not valid TOML"),
    "a number of five thousand digits": (
        changed("prompt_limit = 500", "prompt_limit = " + "9" * 5000),
        "is not valid TOML",
    ),
    "a byte too long": (
        GOOD + "#" * (MAX_BYTES - len(GOOD) + 1),
        f"is larger than {MAX_BYTES:,} bytes",
    ),
    "huge": (GOOD + "# " + "x" * MAX_BYTES, f"is larger than {MAX_BYTES:,} bytes"),
    "huge within a text": (
        GOOD.replace("A model", "x" * MAX_BYTES),
        f"is larger than {MAX_BYTES:,} bytes",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_refused_with_file_key_and_reason(folder, case):
    text, reason = WRONG[case]
    path = write_model(folder, text)
    with pytest.raises(CatalogError) as raised:
        read(path)
    assert raised.value.message.startswith((f"model file {path}: ", f"model file {path} is "))
    assert reason in raised.value.message
    assert raised.value.exit_code == 2
    assert len(raised.value.message) < 1000


def test_a_file_that_cannot_be_read_is_refused(folder):
    (folder / "small.toml").mkdir()
    for path in (folder / "small.toml", folder / "absent.toml"):
        with pytest.raises(CatalogError, match="cannot be read"):
            read(path)


LINES = GOOD.splitlines()


@given(
    st.integers(0, len(LINES) - 1),
    st.sampled_from(
        ["", "x = 1", "= 5", '""', "[x]", "[[x]]", "[parameters]", "size = 5", "id = [[]]", "\x00"]
    )
    | st.text(max_size=10),
)
def test_any_changed_line_is_a_model_or_a_catalog_error(tmp_path_factory, at, line):
    path = tmp_path_factory.getbasetemp() / "small.toml"
    path.write_text("\n".join([*LINES[:at], line, *LINES[at + 1 :]]), encoding="utf-8")
    with contextlib.suppress(CatalogError):
        assert read(path).id == "small"


# --- finding


@pytest.mark.parametrize(
    ("name", "model"),
    [
        (ULTRA, ULTRA),
        ("flux-pro-1.1-ultra", ULTRA),
        ("fal/flux1.1-pro-ultra", ULTRA),
        ("replicate/flux1.1-pro-ultra", ULTRA),
        ("fal/flux-pro-1.1-ultra", ULTRA),
        ("runware/flux1.1-pro-ultra", ULTRA),  # whether the route leads there is not decided here
        ("flux1.1-pro", "flux1.1-pro"),
        ("flux-pro-1.1", "flux1.1-pro"),
    ],
)
def test_a_model_is_found_by_id_alias_and_behind_a_route(name, model):
    assert find_model(name).id == model


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("flux1.1-pro-ulta", f"did you mean {ULTRA}?"),
        ("FLUX1.1-PRO-ULTRA", f"did you mean {ULTRA}?"),
        ("flux-pro-1.1-utra", "did you mean flux-pro-1.1-ultra?"),
        ("flux1.1-pr0", "did you mean flux1.1-pro?"),
        ("stable-diffusion", ""),
        ("", ""),
        ("/", ""),
        ("..", ""),
        ("/etc/passwd", ""),
        ("__init__", ""),
        ("\x00", ""),
        ("\ud800", ""),
        ("*", ""),
        ("x" * 300, ""),
        ("fal/" + "x" * 5000, ""),
    ],
)
def test_an_unknown_name_finds_nothing_but_perhaps_a_near_one(name, hint):
    assert find_model(name) is None
    assert similar_model(name) == hint


def test_a_name_never_leaves_the_folders(folder, tmp_path):
    write_model(tmp_path, GOOD)
    assert find_model("../small", (folder,)) is None
    assert find_model(str(tmp_path / "small"), (folder,)) is None


def test_a_user_s_model_is_found_beside_the_built_in_ones(folder):
    write_model(folder, GOOD)
    for name in ("small", "tiny", "fal/small", "fal/tiny"):
        assert find_model(name, (folder,)).name == "Small"
    assert similar_model("smal", (folder,)) == "did you mean small?"
    assert {"flux1.1-pro", ULTRA, "small"} <= {model.id for model in list_models((folder,))}


def test_a_user_s_file_replaces_the_built_in_one_of_the_same_id(folder):
    text = (BUILT_IN / f"{ULTRA}.toml").read_text(encoding="utf-8")
    write_model(folder, text.replace("price_usd = 0.06", "price_usd = 0.05"), ULTRA)
    for name in (ULTRA, "flux-pro-1.1-ultra", f"fal/{ULTRA}"):
        assert find_model(name, (folder,)).price == Price(0.05)
    prices = {model.id: model.price for model in list_models((folder,))}
    assert prices[ULTRA] == Price(0.05)
    assert len(prices) == len(list_models())


def test_a_wrong_file_of_the_user_is_an_error_only_where_it_is_needed(folder):
    write_model(folder, "nonsense")
    assert find_model(ULTRA, (folder,)).id == ULTRA  # found by its file name alone
    for name in ("small", "flux-pro-1.1-ultra", "unheard-of"):
        with pytest.raises(CatalogError):
            find_model(name, (folder,))
    with pytest.raises(CatalogError):
        list_models((folder,))


def test_folders_that_are_not_there_are_no_error(tmp_path):
    assert find_model(ULTRA, (tmp_path / "absent",)).id == ULTRA
    assert list_models((tmp_path / "absent",)) == list_models()


def test_the_built_in_files_say_nothing_the_loader_drops():
    for path in BUILT_IN.glob("*.toml"):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        model = read(path)
        assert set(table["parameters"]) <= set(model.parameters)
        sizes = [row["size"] for row in table.get("sizes", ())]
        assert not sizes or sizes == [size.name for size in model.sizes]
        assert set(table.get("providers", ())) == set(model.dialects)
        assert list(table["routes"]) == [route.name for route in model.routes]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_model_file_of_windows_is_read(encoding, tmp_path):
    marked = tmp_path / "small.toml"
    marked.write_bytes(GOOD.replace("\n", "\r\n").encode(encoding))
    found = read(marked)
    marked.write_text(GOOD)
    assert found == read(marked)


@pytest.mark.skipif(os.name != "posix", reason="other systems have no named pipes")
def test_a_pipe_in_place_of_a_model_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "mine.toml")
    with pytest.raises(CatalogError, match=r"mine\.toml is a pipe, not a file"):
        find_model("mine", [str(tmp_path)])
