"""Errors on demand, so that people can test how their programs handle them. Only offline. Pure."""

from __future__ import annotations

from flux_cli.serve.answering.refusals import Refusal

PREFIX = "flux:error:"
SLOW = "flux:slow:"
MOST_SECONDS = 600.0


def refuse_on_demand(prompt: str) -> None:
    """Raise the Refusal that a prompt asks for, if it is `flux:error:` and a known word."""
    word = prompt.strip().removeprefix(PREFIX)
    if word == prompt.strip():
        return
    refusals = {
        "429": Refusal(
            429,
            "too many requests (on demand)",
            kind="rate_limit_error",
            code="rate_limit_exceeded",
            seconds=1,
        ),
        "moderation": Refusal(
            422, "the prompt was refused (on demand)", code="content_policy_violation"
        ),
        "402": Refusal(
            402,
            "no balance is left (on demand)",
            kind="insufficient_quota",
            code="insufficient_quota",
        ),
        "500": Refusal(
            500, "the provider failed (on demand)", kind="server_error", code="server_error"
        ),
    }
    if word in refusals:
        raise refusals[word]


def seconds_on_demand(prompt: str) -> float:
    """For how long a prompt such as `flux:slow:10` asks to wait; 0.0 for any other."""
    word = prompt.strip().removeprefix(SLOW)
    if word == prompt.strip() or not word.isascii() or not word.isdecimal():
        return 0.0
    return min(float(word), MOST_SECONDS)
