"""Runs `flux build` until something is true, and then stops it with a signal."""

import json
import subprocess
import threading

SMALL = """
[defaults]
model = "flux1.1-pro-ultra"
size = "1:1"
width = [64]
output = "img/{name}.png"
[assets.a]
n = 8
prompt = "a cat"
"""


class Builder:
    """Runs `flux build` in the working folder, whole or until something is true."""

    def __init__(self, command, env, gateway, work):
        self.line, self.env, self.gateway, self.work = [command, "build"], env, gateway, work
        self.folder = None  # that of the test
        (work / "flux-build.toml").write_text(SMALL)

    def start(self, *words):
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([*self.line, *words], env=self.env, cwd=self.folder, **streams)

    def run(self, *words):
        before = len(self.gateway.posts)
        with self.start(*words) as process:
            out, err = process.communicate(timeout=60)
        assert "Traceback" not in err, err
        return process.returncode, len(self.gateway.posts) - before, out, err

    def stop(self, number, when, *words):
        """Send a signal as soon as something is true. Returns the exit code and stderr."""
        tick = threading.Event()
        with self.start(*words) as process:
            while not when():
                assert process.poll() is None, process.stderr.read()
                tick.wait(0.002)
            process.send_signal(number)
            _, err = process.communicate(timeout=60)
        assert "Traceback" not in err, err
        return process.returncode, err

    def rows(self):
        path = self.work / "flux-build.lock"
        return json.loads(path.read_text())["assets"] if path.exists() else {}

    def images(self):
        return len([*self.work.glob("img/*.png")])
