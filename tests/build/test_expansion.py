"""How tables of a manifest become assets: merging, templates, rows, axes, numbers, digests."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifests import DOCS, ICONS, ONE, PRODUCTS, assets_of

from flux_cli.build.manifest import paths
from flux_cli.core.errors import ManifestError

LAYERS = """
[vars]
who = "fox"
[defaults]
model = "m"
output = "{name}.png"
size = "1:1"
seed = 1
style = ["low", "high"]
param = { a = 1, b = 1 }
[styles.low]
size = "2:1"
prompt_prefix = "low"
prompt_suffix = "soft {who}"
param = { b = 2, c = 2 }
[styles.high]
size = "3:1"
prompt_prefix = "high"
prompt_suffix = "end"
[assets.plain]
prompt = "a {who}"
style = []
[assets.styled]
prompt = "a {who}"
[assets.own]
prompt = "a {who}"
size = "4:1"
param = { c = 3 }
[assets.icon]
prompt = "a {who} {size}"
size = "4:1"
name = "icon-{size}"
matrix = { size = ["5:1", "6:1"] }
"""


def test_later_layers_replace_earlier_ones():
    assets = assets_of(LAYERS)
    shown = {name: asset.requested["size"] for name, asset in assets.items()}
    assert shown == {
        "plain": "1:1", "styled": "3:1", "own": "4:1", "icon-5-1": "5:1", "icon-6-1": "6:1",
    }  # fmt: skip
    assert assets["own"].requested["c"] == 3
    assert assets["own"].requested["b"] == 2
    assert assets["plain"].requested["b"] == 1


def test_prefixes_and_suffixes_of_styles_add_up():
    assets = assets_of(LAYERS)
    assert assets["styled"].prompt == "low, high, a fox, soft fox, end"
    assert assets["plain"].prompt == "a fox"
    assert assets["icon-5-1"].prompt == "low, high, a fox 5:1, soft fox, end"


def test_prompts_are_literal_where_nothing_can_be_filled_in():
    asset = assets_of(ONE.replace("a cat", "{'scene': '{name}'} }{"))["hero"]
    assert asset.prompt == "{'scene': '{name}'} }{"


def test_doubled_braces_are_literal_in_templates():
    text = "[vars]\nx = 1\n" + ONE.replace("a cat", "{{x}} {x}")
    assert assets_of(text)["hero"].prompt == "{x} 1"


def test_prompt_files_are_filled_in_and_stripped():
    text = "[vars]\nx = 1\n" + ONE.replace("a cat", "@p/{name}.txt")
    assert assets_of(text, {"p/hero.txt": "no {x}"})["hero"].prompt == "no 1"
    assert assets_of(ONE.replace("a cat", "@@x"))["hero"].prompt == "@x"


def test_widths_are_the_only_files():
    files = assets_of(DOCS)["hero"].files
    assert len(files) == 9
    assert "docs/img/hero-320.avif" in files
    assert list(assets_of(DOCS)["og"].files) == ["docs/img/og.jpg"]


def test_a_sidecar_is_a_file_of_its_own():
    assert list(assets_of(ONE + "sidecar = true")["hero"].files) == ["hero.png", "hero.json"]


def test_n_numbers_names_and_seeds():
    assets = assets_of(ONE.replace("hero.png", "{name}.png") + "n = 3\nseed = 7")
    assert {name: asset.seed for name, asset in assets.items()} == {
        "hero-1": 7, "hero-2": 8, "hero-3": 9,
    }  # fmt: skip
    one = assets_of(ONE.replace("hero.png", "{name}.png") + "n = 1")
    assert list(one) == ["hero-1"]


def test_rows_and_axes_make_every_combination_but_those_excluded():
    assets = assets_of(ICONS, {"products.csv": PRODUCTS})
    assert len(assets) == 199
    assert assets["A3-light"].requested == {
        "model": "flux1.1-pro-ultra", "size": "512x512", "seed": 3,
        "prompt": "icon of a red cup, light background, flat, centered",
    }  # fmt: skip
    assert list(assets["A3-light"].files) == ["shop/icons/A3-light.webp"]


ROWS = ONE + 'rows = "r.{}"\nname = "{{id}}"\n'


def rows_of(suffix, text):
    manifest = ROWS.format(suffix).replace("hero.png", "{name}.png")
    return assets_of(manifest, {f"r.{suffix}": text})


def test_an_empty_cell_sets_no_key():
    assets = rows_of("csv", "id,seed,prompt\na,,\nb,3,a dog\n")
    assert (assets["a"].seed, assets["a"].prompt) == (None, "a cat")
    assert (assets["b"].seed, assets["b"].prompt) == (3, "a dog")


def test_json_lines_have_lists_and_tables():
    text = '{"id": "a", "width": [64, 32], "param": {"x": true}}\n\n{"id": "b", "seed": 1}\n'
    assets = rows_of("jsonl", text)
    assert list(assets["a"].files) == ["a-64.png", "a-32.png"]
    assert assets["a"].requested["x"] is True
    assert assets["b"].seed == 1


def test_a_column_called_name_is_the_name():
    text = ONE.replace("hero.png", "{name}.png") + 'rows = "r.csv"\n'
    assert list(assets_of(text, {"r.csv": "name,seed\nx,1\n"})) == ["x"]


@pytest.mark.parametrize(
    ("suffix", "text", "message"),
    [
        ("csv", "", "is empty"),
        ("csv", "a,a\n1,2\n", "the column 'a' twice"),
        ("csv", "a,\n1,2\n", "a column without a name"),
        ("csv", "id,b\n1\n", "line 2: 1 cells"),
        ("csv", 'id,b\n"1', "line 2"),
        ("csv", "id,provider\n1,x\n", "cannot be in a manifest"),
        ("csv", "id,raw\n1,x\n", "raw must be true or false"),
        ("csv", "x,y\n1,2\n", "no field {id}"),
        ("jsonl", "[]", "not a JSON object"),
        ("jsonl", '{"id": 1}\n{', "line 2: not valid JSON"),
        ("jsonl", '{"id": 1, "id": 2}', "given twice"),
        ("jsonl", '{"id": null}', "must be a string"),
        ("jsonl", "[" * 100_000, "not valid JSON"),
        ("txt", "id\n1\n", ".csv or .jsonl"),
    ],
)
def test_wrong_rows_are_named_by_file_and_line(suffix, text, message):
    with pytest.raises(ManifestError) as caught:
        rows_of(suffix, text)
    assert message in caught.value.message


def test_fields_in_names_pass_the_sanitizer():
    assets = rows_of("csv", "id\n../../etc/passwd\n")
    (asset,) = assets.values()
    assert list(asset.files) == ["-..-etc-passwd.png"]


@given(st.text(max_size=30))
def test_no_cell_leads_out_of_the_folder(cell):
    quoted = '"' + cell.replace('"', '""').replace("\0", "") + '"'
    try:
        assets = rows_of("csv", f"id\n{quoted}\n")
    except ManifestError:
        return
    for asset in assets.values():
        for path in asset.files:
            assert "/" not in path
            assert paths.objection(path) == ""


@pytest.mark.parametrize("output", [".{id}./x.png", "{id}/x.png", "a/{id}"])
def test_fields_do_not_complete_a_path_that_leads_out(output):
    manifest = ROWS.format("csv").replace("hero.png", output).replace('name = "{id}"', 'name = "x"')
    with pytest.raises(ManifestError):
        assets_of(manifest, {"r.csv": "id\n.\n"})


def shuffled(manifest, seed):
    """The manifest with its tables and the keys within them in another order."""
    head, *tables = manifest.strip().split("\n[")
    assert not head.startswith("[") or head
    tables = [head.removeprefix("["), *tables] if head.startswith("[") else tables
    order = random.Random(seed)
    order.shuffle(tables)
    mixed = []
    for table in tables:
        title, *lines = table.split("\n")
        order.shuffle(lines)
        mixed.append("\n".join(["[" + title, *lines]))
    start = "" if head.startswith("[") else head + "\n"
    return start + "\n".join(mixed)


@given(st.integers())
def test_order_changes_no_digest(seed):
    def content(assets):
        return {name: (asset.request, asset.files) for name, asset in assets.items()}

    assert content(assets_of(shuffled(DOCS, seed))) == content(assets_of(DOCS))
    rows = PRODUCTS.split("\n")[1:-1]
    random.Random(seed).shuffle(rows)
    files = {"products.csv": "\n".join(["sku,thing,color,seed", *rows])}
    expected = content(assets_of(ICONS, {"products.csv": PRODUCTS}))
    assert content(assets_of(shuffled(ICONS, seed), files)) == expected


SAME = [
    ("seed = 7", 'seed = "7"'),
    ("width = 640", "width = [640]"),
    ('output_format = "png"', 'output_format = ["png"]'),
    ('max_bytes = "300kB"', "max_bytes = 300000"),
    ("seed = 7", 'seed = 7\nroute = "fal"'),
    ("seed = 7", 'seed = 7\nalt = "x"'),
    ("seed = 7", "seed = 7\nfrozen = true"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_equal_values_have_equal_digests(one, other):
    first, second = (assets_of(ONE + line)["hero"] for line in (one, other))
    assert (first.request, first.files) == (second.request, second.files)


DIFFERENT = [
    ("seed = 7", "seed = 8"),
    ("seed = 7", ""),
    ('size = "1:1"', 'aspect_ratio = "1:1"'),
    ("raw = true", ""),
    ("raw = true", "raw = false"),
    ("param = { a = 1 }", 'param = { a = "1" }'),
    ('image_prompt = "a.png"', 'image_prompt = "b.png"'),
    ('image_prompt = "a.png"', 'image_prompt = "https://x/a.png"'),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_requests_have_different_digests(one, other):
    files = {"a.png": "a", "b.png": "b"}
    first, second = (assets_of(ONE + line, files)["hero"] for line in (one, other))
    assert first.request != second.request
    assert first.files == second.files


def test_references_count_by_their_bytes():
    def digest(files, name):
        return assets_of(f'{ONE}image_prompt = "{name}"', files)["hero"].request

    assert digest({"a.png": "x"}, "a.png") == digest({"b.png": "x"}, "b.png")
    assert digest({"a.png": "x"}, "a.png") != digest({"a.png": "y"}, "a.png")


FINISHING = [
    "width = 64",
    'size = "64x64"\nfit = "cover"',
    'size = "64x64"\nfit = "contain"',
    'size = "64x64"\nfit = "pad"',
    'size = "64x64"\nfit = "pad"\npad_color = "navy"',
    'size = "64x64"\nfit = "cover"\nfocus = "top"',
    'size = "64x64"\nfit = "cover"\nfocus = "0.3,0.7"',
    'size = "64x"',
    'size = "x64"',
    "output_compression = 80",
    "lossless = true",
    'max_bytes = "20kB"',
    'effort = "small"',
    "upscale = true",
    "no_metadata = true",
    "no_prompt_metadata = true",
]


def test_every_finishing_key_is_in_the_digest_of_an_output():
    digests = [*assets_of(ONE)["hero"].files.values()]
    for line in FINISHING:
        digests += assets_of(ONE + line)["hero"].files.values()
    assert len(set(digests)) == len(FINISHING) + 1


def test_a_size_without_fit_is_not_about_the_files():
    plain = assets_of(ONE)["hero"]
    sized = assets_of(ONE + 'size = "64x64"')["hero"]
    assert plain.files == sized.files
    assert plain.request != sized.request


def test_a_size_with_one_side_is_about_the_files_alone():
    plain, sided = (assets_of(ONE + line)["hero"] for line in ("", 'size = "64x"'))
    assert plain.request == sided.request
    assert plain.files != sided.files


@pytest.mark.parametrize("color", ["white", "White", "#fff", "#FFFFFF", "ffffffff"])
def test_equal_colors_have_equal_digests(color):
    text = ONE + 'size = "1:1"\nfit = "pad"\npad_color = '
    assert assets_of(f'{text}"{color}"')["hero"].files == assets_of(f'{text}"#fff"')["hero"].files


def test_more_assets_than_a_lock_is_for_are_refused():
    axes = ", ".join(f"a{number} = [1,2,3,4,5,6,7,8,9,10]" for number in range(5))
    name = "-".join(f"{{a{number}}}" for number in range(5))
    text = ONE.replace("hero.png", "{name}.png") + f'matrix = {{ {axes} }}\nname = "{name}"'
    with pytest.raises(ManifestError, match="more than 20,000"):
        assets_of(text)
