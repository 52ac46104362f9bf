"""`flux generate` adds its result to the page of a CI run, which obeys nothing in a prompt."""

import pytest
from fakes.gateway import image, status

HOSTILE = "a | b\n\n## x `c` <img src=x> <!-- [d](http://e) ::error::f @team"


@pytest.fixture
def page(work):
    return work / "summary.md"


@pytest.fixture
def env(page):
    return {"GITHUB_STEP_SUMMARY": str(page), "FLUX_METADATA": "full"}


def test_files_and_failures_are_listed_and_nothing_is_obeyed(generate, gateway, env, page):
    refusal = status(400, code="content_policy_violation", message="no <b>fox</b> | here")
    gateway.answers(image(), refusal)
    line = (HOSTILE, "-n", "2", "--concurrency", "1", "--seed", "7", "--max-cost", "1")
    result = generate(*line, "-o", "x-{seed}.jpg", env=env)
    assert result.code == 3
    text = page.read_text()
    assert "1 saved, 1 failed" in text
    assert "limit 1.00 USD" in text
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert [len(row) for row in rows] == [6, 6, 3, 3]
    assert rows[1][0] == "| x&#45;7.jpg"
    assert rows[1][3] == "7"
    assert rows[3][:2] == ["| 2", "moderation"]
    for harmful in ("<img", "<!--", "<b>", "](", "::", "`", "@team", "\n## "):
        assert harmful not in text


@pytest.mark.parametrize(
    ("words", "more"),
    [
        (["--no-prompt-metadata"], {}),
        ([], {"FLUX_JOURNAL_PROMPTS": "false"}),
        ([], {"FLUX_KEEP_PROMPTS": "never"}),
        ([], {"FLUX_METADATA": "none"}),
    ],
)
def test_private_prompts_are_not_shown(generate, gateway, env, page, words, more):
    gateway.answers(status(400, code="content_policy_violation", message="no secretfox here"))
    generate("a secretfox", "-o", "x.jpg", *words, env=env | more)
    assert "moderation" in page.read_text()
    assert "secretfox" not in page.read_text()


def test_a_page_that_cannot_be_written_is_a_note_and_a_dry_run_adds_nothing(generate, env, page):
    unwritable = env | {"GITHUB_STEP_SUMMARY": "/nonexistent/x"}
    result = generate("a fox", "-o", "x.jpg", env=unwritable)
    assert result.code == 0
    assert "note: cannot write GITHUB_STEP_SUMMARY" in result.err
    assert generate("a fox", "--dry-run", env=env).code == 0
    assert generate("a fox", "--seed", "x", env=env).code == 2
    assert not page.exists()
