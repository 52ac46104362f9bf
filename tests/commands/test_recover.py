"""Which runs `flux recover` works on: none for ever, and every one that may still be saved."""

import json

import pytest
from journals import saved_steps, write_run

from flux_cli import main
from flux_cli.runs.records.listing import read_journal

NAME = "20261125-101502-4f3a1c"
SENT = {"event": "sent", "call": 1}
TOLD = {"event": "told", "time": 5.0}
SERVER = {"provider": "openai", "base_url": "http://127.0.0.1:9/v1"}


@pytest.fixture
def root(monkeypatch, tmp_path):
    monkeypatch.setenv("FLUX_STATE", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789abcdefghij")
    return tmp_path / "runs"


@pytest.fixture
def recovered(capsys):
    def run(*words):
        main.answer(["recover", "--json", *words])
        return [one["run"] for one in json.loads(capsys.readouterr().out)["runs"]]

    return run


def test_what_nobody_can_tell_is_worked_on_once(root, recovered):
    path = write_run(root, NAME, SENT, **SERVER)
    assert recovered() == [NAME]
    assert read_journal(path).state == "unrecoverable"
    assert recovered() == []
    assert recovered(NAME) == [NAME]


def test_a_provider_that_keeps_a_history_is_asked_again(root, recovered):
    write_run(root, NAME, SENT, TOLD, provider="lumenfall", base_url="http://127.0.0.1:9/v1")
    assert recovered() == [NAME]


def test_a_provider_that_is_gone_from_the_settings_is_not_told_of_again(root, recovered):
    write_run(root, NAME, SENT, TOLD, provider="mine")
    assert recovered() == []


def test_a_received_file_is_worked_on_again(root, recovered):
    write_run(root, NAME, SENT, TOLD, **SERVER)
    (root / NAME).mkdir()
    (root / NAME / "aa").write_bytes(b"half an image")
    assert recovered() == [NAME]


def test_an_image_that_waits_is_worked_on_whatever_was_told(root):
    answered = {"event": "answered", "call": 1, "headers": {}, "body": "{}"}
    path = write_run(root, NAME, SENT, TOLD, answered)
    assert read_journal(path).state == "recoverable"


def test_a_saved_run_stays_complete(root):
    path = write_run(root, NAME, *saved_steps("/w/1.jpg"), TOLD)
    assert read_journal(path).state == "complete"
