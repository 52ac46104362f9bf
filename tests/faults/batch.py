"""Many command lines in one process, so that thousands can be tried. loop.py answers them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from fakes.providers import ENDPOINTS
from fakes.server import Server

from faults.row import KEY
from faults.run import environment

LOOP = Path(__file__).parent / "loop.py"


class Batch:
    """A process that tries command lines one after the other, against a server that counts."""

    def __init__(self, root: Path, server: Server) -> None:
        home, self.work, self.server = root / "home", root / "work", server
        home.mkdir()
        self.work.mkdir()
        keys = {endpoint.key_variable: KEY for endpoint in ENDPOINTS.values()}
        self.env = environment(home) | keys | {"LUMENFALL_BASE_URL": server.origin + "/v1"}

    def __enter__(self) -> Self:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(
            [sys.executable, LOOP], cwd=self.work, env=self.env, text=True, **pipes
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def __call__(self, *words: str) -> dict[str, Any]:
        """What became of one line, and how many POSTs it cost."""
        before = self.server.charges
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        seen = json.loads(self._process.stdout.readline())
        assert seen["escaped"] == "", words
        assert "Traceback" not in seen["err"]
        assert "internal error" not in seen["err"]
        assert KEY not in seen["out"] + seen["err"]
        return {**seen, "posts": self.server.charges - before}
