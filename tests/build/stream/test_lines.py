"""JSON lines: each is an asset or an error with its number, whatever its bytes are."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.build.stream.lines import MAX_LINE, LineReader, lines_of
from flux_cli.core.errors import UsageError

DEFAULTS = {"model": "flux1.1-pro-ultra", "output": "img/{name}.webp"}


def read(data, defaults=DEFAULTS):
    """The assets by name, and the messages for lines that are none."""
    reader = LineReader(defaults, None, "a.jsonl")
    assets, wrong = {}, []
    for line in lines_of(io.BytesIO(data)):
        try:
            asset = reader.asset(line)
        except UsageError as error:
            wrong.append(error.message)
        else:
            assets[asset.name] = asset
    return assets, wrong


def test_a_line_is_an_asset_with_the_options_as_defaults():
    assets, wrong = read(b'{"name": "fox", "prompt": "a {fox}", "seed": 7}\r\n\n{"name": "b"}')
    fox = assets["fox"]
    assert (fox.prompt, fox.seed, list(fox.files)) == ("a {fox}", 7, ["img/fox.webp"])
    assert wrong == ["a.jsonl, line 3: b: the prompt is empty"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not valid JSON: "),
        (b"[1]", "not a JSON object with keys"),
        (b'{"name": "a", "name": "b", "prompt": "x"}', "not valid JSON: 'name' is given twice"),
        (b'{"name": "a", "promt": "x"}', "unknown key 'promt'"),
        (b'{"name": "a", "prompt": "x", "n": 3}', "unknown key 'n'"),
        (b'{"name": "a", "prompt": "x", "api_key": "k"}', "api_key cannot be in a manifest"),
        (b'{"prompt": "x"}', "name is missing"),
        (b'{"name": "", "prompt": "x"}', "name is missing"),
        (b'{"name": "a", "prompt": "\xff"}', "not valid UTF-8"),
        (b'{"name": "a", "prompt": "x", "output": "../a.webp"}', "output: '../a.webp' leaves"),
        (b'{"name": "a", "prompt": "x", "width": {}}', "width must be "),
    ],
)
def test_a_wrong_line_is_named_by_its_number(line, reason):
    assets, (message,) = read(b'{"name": "z", "prompt": "a fox"}\n' + line)
    assert message.startswith(f"a.jsonl, line 2: {reason}"), message
    assert list(assets) == ["z"]


def test_a_line_without_an_end_takes_no_memory_and_hides_no_other():
    long = b'{"name": "' + b"x" * (3 * MAX_LINE) + b'"}\n'
    assets, wrong = read(long + b'{"name": "a", "prompt": "x"}\n')
    assert (list(assets), wrong) == (["a"], ["a.jsonl, line 1: longer than 1 MiB"])


def test_names_stay_in_the_folder():
    assets, _ = read(b'{"name": "../../etc/passwd", "prompt": "x"}')
    (asset,) = assets.values()
    assert list(asset.files) == [f"img/{asset.name}.webp"]
    assert "/" not in asset.name


def test_settings_of_lines_are_not_collected():
    reader = LineReader(DEFAULTS, None, "a.jsonl")
    rows = [{"name": f"a{width}", "prompt": "x", "width": width + 1} for width in range(1500)]
    data = "\n".join(map(json.dumps, rows)).encode()
    for line in lines_of(io.BytesIO(data)):
        reader.asset(line)
    assert len(reader._settings) <= 1001
    assert reader._templates == {}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
keys = st.sampled_from(["name", "prompt", "seed", "width", "size", "param", "style", "output"])


@given(st.binary(max_size=200) | st.dictionaries(keys, values).map(json.dumps).map(str.encode))
def test_arbitrary_bytes_are_assets_or_errors(data):
    assets, wrong = read(data)
    assert len(assets) + len(wrong) <= data.count(b"\n") + 1


@given(st.lists(st.binary(max_size=20).filter(lambda one: b"\n" not in one)))
def test_every_line_is_found_again_at_its_place(parts):
    data = b"\n".join(parts)
    file = io.BytesIO(data)
    for line in list(lines_of(file)):
        file.seek(line.place)
        assert next(lines_of(file, line.number - 1)) == line
        assert data[line.place :].startswith(line.data)
