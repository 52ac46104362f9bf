"""`flux runs` with many journals: limits, filters, and totals."""

import json

import pytest
from journals import saved_steps, write_run

from flux_cli import main

FAILED = {"event": "failed", "call": 1, "code": "network", "message": "", "billed": False}


@pytest.fixture
def root(monkeypatch, tmp_path):
    monkeypatch.setenv("FLUX_STATE", str(tmp_path))
    return tmp_path / "runs"


@pytest.fixture
def many(root):
    """25 runs, of which the third oldest failed and the newest has no known cost."""
    for day in range(1, 26):
        steps = saved_steps(f"/w/{day}.jpg", None if day == 25 else 0.06)
        steps = ({"event": "sent", "call": 1}, FAILED) if day == 3 else steps
        write_run(root, f"202611{day:02}-120000-0000{day:02}", *steps, prompt=f"fox {day}")
    return root


@pytest.fixture
def said(capsys):
    def run(*words):
        code = main.answer(["runs", *words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.mark.usefixtures("many")
def test_the_newest_twenty_are_listed_with_their_totals(said):
    code, out, err = said()
    assert (code, len(out.splitlines())) == (0, 21)
    assert "20261125" in out.splitlines()[1]
    assert err.splitlines() == [
        "flux: 20 runs, 20 images saved, 1.14 USD, cost of 1 run not known in full",
        "flux: note: more runs: 5; --limit all includes them",
    ]


@pytest.mark.usefixtures("many")
def test_all_of_them(said):
    _, out, err = said("--limit", "all")
    assert len(out.splitlines()) == 26
    assert err.startswith("flux: 25 runs, 24 images saved, 1.38 USD")
    assert "note" not in err


@pytest.mark.usefixtures("many")
def test_filters_and_json(said):
    document = json.loads(said("--failed", "--json")[1])
    assert [run["prompt"] for run in document["runs"]] == ["fox 3"]
    assert document["totals"] == {"runs": 1, "saved": 0, "cost_usd": 0, "unpriced": 0}
    found = json.loads(said("--search", "FOX 2", "--limit", "2", "--json")[1])
    assert [run["prompt"] for run in found["runs"]] == ["fox 25", "fox 24"]
    assert found["more"] == 23


@pytest.mark.usefixtures("many")
def test_a_search_says_what_it_did_not_read(said):
    assert "note: older runs were not searched: 24;" in said("--search", "fox", "--limit", "1")[2]
    assert said("--search", "cat")[1:] == ("", "flux: no such runs\n")


@pytest.mark.usefixtures("many")
def test_the_last_one_is_shown_in_full(said):
    _, out, err = said("last")
    assert "20261125-120000-000025" in out
    assert "/w/25.jpg" in out
    assert "runs," not in err


@pytest.mark.usefixtures("root")
def test_without_runs_there_is_no_last_one(said):
    assert said("last") == (0, "", "flux: no runs yet\n")
    assert said("--limit", "2") == (0, "", "flux: no runs yet\n")
    assert said("--failed") == (0, "", "flux: no such runs\n")


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--limit", "0"), "invalid limit '0'"),
        (("--limit", "some"), "invalid limit 'some'"),
        (("--since", "soon"), "invalid time 'soon'"),
        (("last", "--failed"), "select among all runs"),
        (("20200101",), "no run '20200101'"),
    ],
)
def test_wrong_words_are_refused(said, words, message):
    code, out, err = said(*words)
    assert (code, out) == (2, "")
    assert message in err
    assert "hint: " in err


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("words", [("rm",), ("rm", "last"), ("prune", "--older-than", "1d")])
def test_commands_below_are_left_to_typer(said, words):
    assert said(*words) == (None, "", "")
