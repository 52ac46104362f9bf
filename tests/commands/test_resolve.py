"""`flux resolve --curl`: the key travels in the header that the provider's row names."""

import shlex

import pytest

from flux_cli.commands.resolve import curl_command
from flux_cli.core.request import Post
from flux_cli.providers.rows import ROWS

POST = Post("https://host.example/v1/images", {"prompt": "a fox"})
KEY_WORDS = {
    "lumenfall": "Authorization: Bearer $LUMENFALL_API_KEY",
    "bfl": "x-key: $BFL_API_KEY",
    "fal": "Authorization: Key $FAL_KEY",
    "replicate": "Authorization: Bearer $REPLICATE_API_TOKEN",
    "openai": "Authorization: Bearer $FLUX_API_KEY",
    "openai.com": "Authorization: Bearer $OPENAI_API_KEY",
    "together": "Authorization: Bearer $TOGETHER_API_KEY",
}


def headers(command: str) -> list[str]:
    words = shlex.split(command)
    return [words[place + 1] for place, word in enumerate(words) if word == "-H"]


@pytest.mark.parametrize("name", ROWS)
def test_every_provider_gets_its_key_in_its_own_header(name):
    expected = ["Content-Type: application/json"]
    if name in KEY_WORDS:
        expected.append(KEY_WORDS[name])
    assert headers(curl_command(POST, ROWS[name], keyed=True)) == expected


def test_without_a_key_no_key_header_is_written():
    assert headers(curl_command(POST, ROWS["bfl"], keyed=False)) == [
        "Content-Type: application/json"
    ]


def test_a_row_may_name_any_header():
    row = ROWS["openai.com"]._replace(key_header="api-key", key_prefix="")
    assert headers(curl_command(POST, row, keyed=True))[-1] == "api-key: $OPENAI_API_KEY"
