"""Chromium without a window, driven by its own protocol through two pipes, as a person uses it.

It notes every request, and whatever the browser complains about.
"""

import base64
import contextlib
import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",  # root, in a container
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
PATIENCE = 30.0  # seconds
TICK = 0.02  # seconds
KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), "Space": (32, " "), "ArrowDown": (40, "")}


class Page:
    """One tab. `requests` are URLs; `complaints` what the console or the policy say."""

    def __init__(self, call: Callable[..., Any], session: str, context: str) -> None:
        self._call, self._session, self._context = call, session, context
        self.requests: list[str] = []
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        return self._call(method, self._session, **parameters)

    def note(self, event: str, about: dict[str, Any]) -> None:
        """Keep what the browser tells on its own."""
        if event == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        if event in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Audits.issueAdded"):
            self.complaints.append(json.dumps(about))
        if event == "Log.entryAdded":
            self.complaints.append(about["entry"]["text"])

    def look(self, *, width: int, scheme: str, height: int = 900, motion: str = "reduce") -> None:
        """Set the size of the window and what the person prefers."""
        preferences = {"prefers-color-scheme": scheme, "prefers-reduced-motion": motion}
        features = [{"name": name, "value": value} for name, value in preferences.items()]
        self.call("Emulation.setEmulatedMedia", features=features)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.wait(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript is worth."""
        parameters = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        answer = self.call("Runtime.evaluate", **parameters)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self, identity: str) -> str:
        return self.value(f"document.getElementById({json.dumps(identity)}).textContent.trim()")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true."""
        for _ in range(round(PATIENCE / TICK)):
            if self.value(condition):
                return
            threading.Event().wait(TICK)
        raise AssertionError(f"never true: {condition}; {self.complaints}")

    def press(self, key: str) -> None:
        code, text = KEYS[key]
        name = " " if key == "Space" else key
        about = {"key": name, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
        self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def press_with_control(self, letter: str) -> None:
        about = {"key": letter, "code": f"Key{letter.upper()}", "modifiers": 2}
        about |= {"windowsVirtualKeyCode": ord(letter.upper()), "commands": ["selectAll"]}
        self.call("Input.dispatchKeyEvent", type="keyDown", **about)
        self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def focus(self) -> str:
        """The element that has the focus: its id, else its label, else its text."""
        return self.value(
            "(({id, ariaLabel, textContent}) => id || ariaLabel || textContent.trim())"
            "(document.activeElement)"
        )

    def tab_to(self, element: str) -> None:
        """Press Tab until an element has the focus."""
        seen: list[str] = []
        while self.focus() != element:
            assert len(seen) < 60, f"Tab never reaches {element}, only {seen}"
            self.press("Tab")
            seen.append(self.focus())

    def stops(self) -> dict[str, str]:
        """All elements that Tab reaches, and the outline of each."""
        found: dict[str, str] = {}
        outline = (
            "(({outlineStyle, outlineWidth}) => `${outlineStyle} ${outlineWidth}`)"
            "(getComputedStyle(document.activeElement))"
        )
        self.press("Tab")
        while (stop := self.focus()) not in found:
            found[stop] = self.value(outline)
            self.press("Tab")
        return found

    def is_dark(self) -> bool:
        """Whether the text is lighter than what is behind it."""
        styles = "(({color, backgroundColor}) => [color, backgroundColor])"
        text, ground = self.value(f"{styles}(getComputedStyle(document.body))")
        return brightness(text) > brightness(ground)

    def allow_the_clipboard(self, origin: str) -> None:
        kinds = ["clipboardReadWrite", "clipboardSanitizedWrite"]
        about = {"permissions": kinds, "origin": origin, "browserContextId": self._context}
        self._call("Browser.grantPermissions", **about)

    def screenshot(self, path: Path) -> None:
        """The whole page as a PNG file."""
        parameters = {"format": "png", "captureBeyondViewport": True}
        data = self.call("Page.captureScreenshot", **parameters)["data"]
        path.write_bytes(base64.b64decode(data))


class Browser:
    """A running Chromium."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._pages: dict[str, Page] = {}
        self._waiting: dict[int, Queue[dict[str, Any]]] = {}
        self._last = 0
        threading.Thread(target=self._read, args=(answers,), daemon=True).start()

    def _read(self, answers: int) -> None:
        with open(answers, "rb") as stream:
            rest = b""
            while part := stream.read1(1 << 20):
                *whole, rest = (rest + part).split(b"\0")
                for message in whole:
                    self._take(json.loads(message))
        for queue in list(self._waiting.values()):
            queue.put({"error": "the browser has ended"})

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._waiting[message["id"]].put(message)
        elif page := self._pages.get(message.get("sessionId", "")):
            page.note(message["method"], message["params"])

    def call(self, method: str, session: str = "", **parameters: Any) -> Any:
        """Call a method of the protocol, and return its result."""
        self._last += 1
        number, queue = self._last, Queue()
        self._waiting[number] = queue
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        answer = queue.get(timeout=PATIENCE)
        del self._waiting[number]
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    @contextlib.contextmanager
    def page(self, *, scripts: bool = True) -> Iterator[Page]:
        """A tab with no history, no cache and no storage."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        place = {"url": "about:blank", "browserContextId": context}
        target = self.call("Target.createTarget", **place)["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        session = attached["sessionId"]
        page = self._pages[session] = Page(self.call, session, context)
        page.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        try:
            yield page
        finally:
            self.call("Target.disposeBrowserContext", browserContextId=context)


def brightness(color: str) -> int:
    """The sum of red, green and blue of a color such as `rgb(1, 2, 3)`."""
    return sum(int(part) for part in re.findall(r"\d+", color))


@contextlib.contextmanager
def chromium(command: str, folder: Path) -> Iterator[Browser]:
    """Run Chromium until the block ends. `folder` is its home."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    pipes = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'  # where it expects them
    line = ["bash", "-c", pipes, "bash", command, *FLAGS, f"--user-data-dir={folder / 'profile'}"]
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            line,
            env={"PATH": os.defpath, "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(theirs_in, theirs_out),
        )
    os.close(theirs_in)
    os.close(theirs_out)
    browser = Browser(ours_out, ours_in)
    try:
        yield browser
        browser.call("Browser.close")
    finally:
        os.close(ours_out)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
