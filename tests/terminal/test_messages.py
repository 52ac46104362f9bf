"""What is said of a failure, in words."""

import pytest

from flux_cli.core.errors import NetworkError
from flux_cli.terminal import messages


@pytest.mark.parametrize(
    ("said", "billed", "line"),
    [
        ("the server hung up.", True, "the server hung up; it may have been billed (request r1)"),
        ("the server hung up", True, "the server hung up; it may have been billed (request r1)"),
        ("the server hung up.", False, "the server hung up. (request r1)"),
    ],
)
def test_a_bill_goes_on_with_the_sentence_of_somebody_else(said, billed, line, capsys, monkeypatch):
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    messages.error(NetworkError(said, billed=billed, request_id="r1"))
    assert capsys.readouterr().err == f"flux: error: {line}\n"
