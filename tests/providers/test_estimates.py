"""Dry runs of the gateway: what is sent, and how the price is read."""

import json
from pathlib import Path

import pytest

from flux_cli.core.errors import ProviderError
from flux_cli.core.outcome import Reply
from flux_cli.core.request import Post
from flux_cli.providers.answers import read_estimate
from flux_cli.providers.openai import estimate_request

RECORDED = sorted((Path(__file__).parents[1] / "replies" / "openai" / "estimates").glob("*.json"))


def reply(body):
    return Reply(200, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def test_a_dry_run_is_the_same_request_with_one_more_word_in_its_address():
    post = Post("https://api.lumenfall.ai/openai/v1/images/generations", {"prompt": "a fox"})
    assert estimate_request(post) == post._replace(url=f"{post.url}?dryRun=true")


@pytest.mark.parametrize("path", RECORDED, ids=[path.stem for path in RECORDED])
def test_every_recorded_estimate_is_read(path):
    assert read_estimate(reply(path.read_bytes())) == pytest.approx(0.06)


def test_an_estimate_in_the_other_documented_form_is_read():
    assert read_estimate(reply({"metadata": {"cost": 0.05}})) == 0.05


NO_ESTIMATES = {
    "nothing known": {"estimated": True},
    "text": {"total_cost_micros": "a lot"},
    "less than nothing": {"total_cost_micros": -60000},
    "more than there is": {"total_cost_micros": 1e300},
    "not a number": b'{"total_cost_micros": NaN}',
    "another currency": {"total_cost_micros": 60000, "currency": "EUR"},
    "another currency of the cost": {"metadata": {"cost": 0.06, "cost_currency": "EUR"}},
    "a truth": {"total_cost_micros": True},
    "not finite": b'{"total_cost_micros": 1e999}',
    "HTML": b"<html></html>",
}


@pytest.mark.parametrize("body", NO_ESTIMATES.values(), ids=NO_ESTIMATES)
def test_what_is_no_estimate_is_not_taken_for_one(body):
    with pytest.raises(ProviderError, match="no price") as caught:
        read_estimate(reply(body))
    assert not caught.value.billed


def test_an_image_in_place_of_an_estimate_may_have_been_billed():
    with pytest.raises(ProviderError, match="no price") as caught:
        read_estimate(reply({"data": [{"url": "/a"}], "metadata": {"cost": 0.06}}))
    assert caught.value.billed
    assert "--estimate" in caught.value.hint
