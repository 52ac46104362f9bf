"""How a command ends: every failure becomes one fitting message and an exit code."""

import json

import pytest

from flux_cli.commands.exit import run_command


@pytest.fixture(autouse=True)
def no_annotations(monkeypatch):
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


def test_an_error_of_the_operating_system_is_told_with_its_own_words_and_file(capsys, tmp_path):
    missing = tmp_path / "nowhere.txt"
    assert run_command(missing.read_text, []) == 1
    assert capsys.readouterr().err == f"flux: error: {missing}: No such file or directory\n"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("odd"), "odd"),
        (OSError(), "OSError"),
    ],
)
def test_an_error_without_a_file_is_not_taken_for_one_of_standard_output(capsys, fault, words):
    def work():
        raise fault

    assert run_command(work, []) == 1
    assert capsys.readouterr().err == f"flux: error: {words}\n"


def test_an_error_of_the_operating_system_is_a_document_too(capsys, tmp_path):
    assert run_command((tmp_path / "nowhere").read_text, ["show", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["status"], document["exit_code"]) == ("failed", 1)
    assert document["errors"][0]["message"].endswith("nowhere: No such file or directory")
