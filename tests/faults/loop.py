"""Runs command lines from stdin, a JSON list each, and answers each with a line of JSON.

A script of its own, started by batch.py. It calls the same `main` as the installed command.
"""

import contextlib
import io
import json
import sys
from typing import Any


def tried(words: list[str]) -> dict[str, Any]:
    """Exit code and streams of one command line; `escaped` names an exception that got out."""
    from flux_cli.cli.app import main

    out, err = (
        io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape", write_through=True)
        for _ in range(2)
    )
    code, escaped = None, ""
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(words)
        except BaseException as fault:  # noqa: BLE001 - this is what is looked for
            escaped = repr(fault)
    texts = [stream.buffer.getvalue().decode("utf-8", "replace") for stream in (out, err)]  # type: ignore[attr-defined]
    return {"code": code, "escaped": escaped, "out": texts[0], "err": texts[1]}


if __name__ == "__main__":
    lines, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO())  # no prompt is read from here
    for line in lines:
        print(json.dumps(tried(json.loads(line))), flush=True)
