"""`keep_prompts` takes prompts out of old journals, and touches nothing else."""

import json

import pytest
from journals import lines_of, saved_steps, write_run

from flux_cli.runs.records.archive import prompts
from flux_cli.runs.records.archive.prompts import expire_prompts
from flux_cli.runs.records.listing import read_journal

OLD, NEW = "20250101-120000-00000a", "20990101-120000-00000b"
ALL = {"keep_prompts": "30d", "keep_prompts_of": "all"}
OF_PROJECT = {"keep_prompts": "30d", "keep_prompts_of": "run"}
RECORD = {"delivery": {"record": {"prompt": "fox"}}, "fields": {"slug": "fox", "seed": 7}}
MEDIA = [{"file": "aa", "cost_usd": 0.06, "revised_prompt": "fox"}]
STEPS = (
    {"event": "sent", "call": 1, "seed": 7, **RECORD},
    {"event": "answered", "call": 1, "headers": {"x-prompt": "fox", "x-id": "r"}, "body": "fox"},
    {"event": "failed", "call": 1, "code": "network", "message": "fox", "billed": True},
    {"event": "fetched", "call": 1, "media": MEDIA},
    *saved_steps("/w/fox.jpg")[1:],
)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "runs"


def old(root, *steps, **facts):
    return write_run(root, OLD, *(steps or STEPS), prompt="a fox", **RECORD, **facts)


def test_nothing_of_an_old_prompt_is_left(root):
    path, other = old(root), write_run(root, NEW, *STEPS, prompt="a fox")
    before, kept = read_journal(path), other.read_bytes()
    expire_prompts(root, ALL)
    assert b"fox" not in path.read_bytes()
    assert other.read_bytes() == kept
    after = read_journal(path)
    assert (after.state, after.cost_usd, after.began) == ("complete", 0.06, before.began)
    assert (after.calls[0].seed, after.damaged, after.is_private) == (7, 0, True)
    assert not list(root.glob("*.new"))


def test_it_is_done_once(root, monkeypatch):
    old(root)
    expire_prompts(root, ALL)
    monkeypatch.setattr(prompts, "_rewrite", lambda path: pytest.fail(f"again: {path}"))
    expire_prompts(root, ALL)


@pytest.mark.parametrize("steps", [STEPS[:1], STEPS[:2]], ids=["unclear", "waiting"])
def test_what_is_not_settled_keeps_its_prompt(root, steps):
    path = old(root, *steps)
    expire_prompts(root, ALL)
    assert read_journal(path).prompts[0] == "a fox"


def test_a_run_with_a_folder_keeps_its_prompt(root):
    path = old(root)
    path.with_suffix("").mkdir()
    expire_prompts(root, ALL)
    assert b"a fox" in path.read_bytes()


def test_the_rule_of_a_project_is_for_its_own_runs(root):
    theirs = old(root)
    of_project = write_run(root, OLD[:-1] + "c", *STEPS, prompt="a fox", **OF_PROJECT)
    expire_prompts(root, {})
    assert b"a fox" in of_project.read_bytes()  # no run said yet that there are such rules
    expire_prompts(root, OF_PROJECT)
    assert (b"fox" in theirs.read_bytes(), b"fox" in of_project.read_bytes()) == (True, False)


def test_the_rule_of_a_project_holds_in_later_runs_elsewhere(root):
    root.mkdir()
    expire_prompts(root, OF_PROJECT)
    path = old(root, **OF_PROJECT)
    expire_prompts(root, {})
    assert b"fox" not in path.read_bytes()


def test_without_rules_no_journal_is_opened(root, monkeypatch):
    old(root)
    monkeypatch.setattr(prompts, "_expire", lambda *found: pytest.fail(f"opened: {found}"))
    expire_prompts(root, {})


def test_a_damaged_line_is_left_out(root):
    path = old(root)
    path.write_bytes(path.read_bytes() + b'{"event": "saved", "path": "fox", "crc": "00000000"}\n')
    expire_prompts(root, ALL)
    assert b"fox" not in path.read_bytes()


def test_requests_that_an_older_flux_listed_are_covered(root):
    listed = [{"number": 1, "seed": 7, **RECORD}]
    path = old(root, schema=2, calls=listed)
    expire_prompts(root, ALL)
    assert b"fox" not in path.read_bytes()
    assert json.loads(lines_of(path)[0])["calls"][0]["fields"] == {"slug": "image", "seed": 7}
