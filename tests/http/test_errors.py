"""Errors of the network in the words of people."""

import pytest

from flux_cli.http.errors import root_cause


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("illegal status line: bytearray(b'HTTP/9 x')", "illegal status line: 'HTTP/9 x'"),
        ("illegal header line: b'a\\x00b'", "illegal header line: 'a\\x00b'"),
        ('bad "b" name', 'bad "b" name'),
    ],
)
def test_bytes_are_quoted_as_people_write_them(fault, words):
    assert root_cause(ValueError(fault)) == words
