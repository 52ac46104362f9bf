"""The program blocks of docs/python.md run as printed, and the page leaves nothing public out."""

import re
from pathlib import Path

import flux_cli
from flux_cli.api.results import Image, Note, Result

PAGE = (Path(__file__).parents[2] / "docs/python.md").read_text(encoding="utf-8")


def test_the_programs_run_offline_as_printed(monkeypatch, capsys):
    monkeypatch.setenv("FLUX_PROVIDER", "offline")
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    names = {}
    for block in blocks:
        exec(block, names)
    assert len(names["result"].images) == 3
    assert [len(one.images) for one in names["results"]] == [1, 1]
    made = sorted(path.parent.name for path in Path().rglob("*.jpg"))
    assert made == ["", "", "foxes", "foxes", "foxes", "images", "images"]
    assert capsys.readouterr().out.count("2752 1536") == 2


def test_every_public_name_and_field_is_documented():
    fields = {*Image.__match_args__, *Note.__match_args__, *Result.__match_args__}
    returned = {"Image", "Note", "Size", "Resolution"}  # nobody makes them
    for name in {*flux_cli.__all__, *fields} - returned:
        assert re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", PAGE), name
