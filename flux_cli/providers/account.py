"""Checks a key with a request that costs nothing, where a provider documents one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.core.errors import FluxError, ProviderError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.values import read_amount, show_amount
from flux_cli.http.replies import BILLED_HINT, is_good, parse_json, reply_error
from flux_cli.http.trust import host_and_port

if TYPE_CHECKING:
    from flux_cli.core.auth import Auth
    from flux_cli.core.model import Json, ProviderRow
    from flux_cli.http.client import Http

IMAGES_PATH = "/openai/v1"  # where Lumenfall has its images; its account is beside it
USD_PER_CREDIT = 0.01  # of Black Forest Labs


class Question(NamedTuple):
    """What to ask about an account: a path, and a key that every good answer has."""

    path: str
    key: str = ""  # "": the answer is a list


# By the name of the provider. fal documents nothing that is free and needs its key.
QUESTIONS = {
    "lumenfall": Question("/v1/balance", "available"),
    "bfl": Question("/v1/credits", "credits"),
    "replicate": Question("/account", "username"),
    "openai.com": Question("/models", "data"),
    "together": Question("/models"),
}


def question_url(row: ProviderRow, base: str) -> str:
    """The URL that tells whether a key is good; "" if the provider documents none."""
    question = QUESTIONS.get(row.name)
    return f"{base.removesuffix(IMAGES_PATH)}{question.path}" if question and base else ""


async def check_key(row: ProviderRow, base: str, auth: Auth, http: Http) -> str:
    """Ask whether the key is good, and return what there is to say about the account, or "".

    The provider must have a `question_url`. Raises AuthError if the key is refused, ProviderError
    for an answer that does not say, and the FluxError of a request that fails.
    """
    url = question_url(row, base)
    try:
        reply = await http.get(url, auth)
        if not is_good(reply):
            raise reply_error(reply, auth, url=url)
        answer = parse_json(reply.data)
    except FluxError as fault:
        fault.billed = False  # `get` is made for images that are paid for
        fault.hint = "" if fault.hint == BILLED_HINT else fault.hint
        raise
    if not _is_expected(answer, QUESTIONS[row.name].key):
        raise ProviderError(f"the answer of {host_and_port(url)} says nothing about the key")
    return _balance(answer)


def _is_expected(answer: Json, key: str) -> bool:
    """Whether this is what the provider answers, and not the page of a hotel or a company."""
    if key:
        return isinstance(answer, dict) and key in answer
    return isinstance(answer, list)


def _balance(answer: Json) -> str:
    """What an account may still spend; "" if the answer does not say."""
    if not isinstance(answer, dict):
        return ""
    available = answer.get("available")
    amount = read_amount(available.get("amount")) if isinstance(available, dict) else None
    credit = read_amount(answer.get("credits"))
    if credit is not None:
        amount = credit * USD_PER_CREDIT
    return "" if amount is None else f"balance {show_amount(amount)} USD"
