"""Errors on demand."""

import pytest

from flux_cli.serve.answering.refusals import Refusal
from flux_cli.serve.asking.scripted import refuse_on_demand, seconds_on_demand


@pytest.mark.parametrize(
    ("prompt", "status", "code"),
    [
        ("flux:error:429", 429, "rate_limit_exceeded"),
        ("flux:error:moderation", 422, "content_policy_violation"),
        (" flux:error:402 ", 402, "insufficient_quota"),
        ("flux:error:500", 500, "server_error"),
    ],
)
def test_a_prompt_asks_for_an_error(prompt, status, code):
    with pytest.raises(Refusal) as refusal:
        refuse_on_demand(prompt)
    assert (refusal.value.status, refusal.value.code) == (status, code)
    assert ("retry-after" in refusal.value.headers) == (status == 429)


@pytest.mark.parametrize("prompt", ["", "500", "a fox", "flux:error:", "flux:error:418"])
def test_other_prompts_are_prompts(prompt):
    refuse_on_demand(prompt)


@pytest.mark.parametrize(
    ("prompt", "seconds"),
    [
        ("flux:slow:10", 10),
        ("flux:slow:9999", 600),
        ("flux:slow:-1", 0),
        ("flux:slow:", 0),
        ("flux:slow:1.5", 0),
        ("flux:slow:\u0663", 0),
        ("a fox", 0),
        ("10", 0),
    ],
)
def test_a_prompt_asks_for_a_slow_answer(prompt, seconds):
    assert seconds_on_demand(prompt) == seconds
