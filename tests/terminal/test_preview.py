"""Images on a real terminal device: drawn within bounds, and the terminal is never queried."""

import base64
import fcntl
import io
import itertools
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
import threading
import time
from functools import cache

import pytest
from PIL import Image
from screens import blocks_read, kitty_read, sixel_read

from flux_cli.core.errors import ConfigError, ImageError
from flux_cli.terminal.capabilities import PROTOCOLS
from flux_cli.terminal.preview import write_preview

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 60), (30, 60, 220), (250, 250, 250)


def quarters(size=(800, 450)):
    image = Image.new("RGB", (2, 2))
    image.putdata([RED, GREEN, BLUE, WHITE])
    stream = io.BytesIO()
    image.resize(size, Image.Resampling.NEAREST).save(stream, "png")
    return stream.getvalue()


IMAGE = quarters()
SMALL = quarters((160, 90))


class Screen:
    """A pseudo-terminal of a given size; everything written there is kept."""

    def __init__(self, columns, rows, cell=(0, 0), encoding="utf-8"):
        self._ours, theirs = pty.openpty()
        size = struct.pack("HHHH", rows, columns, columns * cell[0], rows * cell[1])
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
        self.stream = open(theirs, "w", encoding=encoding, newline="\n")  # noqa: SIM115
        self._kept = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        try:
            while data := os.read(self._ours, 65536):
                self._kept.append(data)
        except OSError:  # how Linux says that the other side has gone
            pass

    def text(self):
        self.stream.close()
        self._reader.join()
        os.close(self._ours)
        return b"".join(self._kept).decode().replace("\r\n", "\n")


def shown(way, *images, screen=None, environ=None):
    screen = screen or Screen(100, 40)
    try:
        count = write_preview(images, screen.stream, {"FLUX_PREVIEW": way} | (environ or {}))
    finally:
        text = screen.text()
    return count, text


def as_image(rows):
    """Rows of colors in per cent, as sixels have them."""
    image = Image.new("RGB", (len(rows[0]), len(rows)))
    image.putdata(list(map(of_percents, itertools.chain(*rows))))
    return image


@cache
def of_percents(color):
    return tuple(round(part * 2.55) for part in color)


def cube(number):
    levels = (0, 95, 135, 175, 215, 255)
    if number >= 232:
        return (8 + 10 * (number - 232),) * 3
    return tuple(levels[(number - 16) // step % 6] for step in (36, 6, 1))


def decoded(way, text):
    """The image a terminal would show for what was written."""
    assert text.endswith("\n")
    text = text[:-1]
    if way == "kitty":
        return Image.open(io.BytesIO(kitty_read(text)[1]))
    if way == "iterm":
        payload = re.fullmatch(r"\x1b\]1337;File=[^:]*:(.*)\x07", text)[1]
        return Image.open(io.BytesIO(base64.b64decode(payload)))
    if way == "sixel":
        return as_image(sixel_read(text))
    rows = blocks_read(text)
    image = Image.new("RGB", (len(rows[0]), len(rows)))
    image.putdata(list(map(of_code, itertools.chain(*rows))))
    return image


@cache
def of_code(code):
    """The color of `2;RED;GREEN;BLUE` or `5;NUMBER`."""
    numbers = tuple(map(int, code.split(";")[1:]))
    return numbers if len(numbers) == 3 else cube(*numbers)


def quarter_colors(image):
    small = image.convert("RGB").resize((8, 8), Image.Resampling.BOX)
    return [small.getpixel(place) for place in ((1, 1), (6, 1), (1, 6), (6, 6))]


@pytest.mark.parametrize("way", PROTOCOLS)
def test_every_way_shows_the_image_in_its_colors_and_shape(way):
    count, text = shown(way, IMAGE)
    assert count == 1
    image = decoded(way, text)
    for seen, meant in zip(quarter_colors(image), (RED, GREEN, BLUE, WHITE), strict=True):
        assert max(abs(one - other) for one, other in zip(seen, meant, strict=True)) < 26
    assert image.width / image.height == pytest.approx(16 / 9, rel=0.04)


@pytest.mark.parametrize("way", PROTOCOLS)
@pytest.mark.parametrize("count", [1, 5, 40])
@pytest.mark.parametrize(
    ("columns", "rows", "cell"),
    [(50, 20, (9, 18)), (40, 12, (0, 0)), (30, 10, (20, 40)), (5, 3, (8, 16))],
)
def test_nothing_is_written_beyond_the_window(way, count, columns, rows, cell):
    number, text = shown(way, *[SMALL] * count, screen=Screen(columns, rows, cell))
    assert 1 <= number <= count
    image = decoded(way, text)
    across, down = cell if cell[0] else (10, 20)
    if way == "kitty":
        assert int(re.search(r"c=(\d+)", text)[1]) < columns
    if way == "iterm":
        width, height = map(int, re.search(r"width=(\d+);height=(\d+)", text).groups())
        assert width < columns
        assert height <= max(1, rows - 4)
    if way in ("truecolor", "256"):
        across, down = 1, 2
    assert image.width <= max(1, columns - 1) * across
    assert image.height <= max(1, rows - 4) * down


@pytest.mark.parametrize("way", PROTOCOLS)
def test_the_terminal_is_asked_nothing(way):
    """No request for device attributes, status, size, color, or an answer to an image."""
    text = shown(way, IMAGE)[1]
    assert not re.search(r"\x1b\[[?>=]?[\d;]*[cnt]", text)
    assert not re.search(r"\x1b\]1[01];\?", text)
    assert not re.search(r"\x1b_G(?![^;]*q=2)", text)


def test_several_images_are_one_sheet_of_them():
    red, blue = (io.BytesIO(), io.BytesIO())
    Image.new("RGB", (900, 900), RED).save(red, "png")
    Image.new("RGB", (900, 900), BLUE).save(blue, "png")
    count, text = shown("truecolor", red.getvalue(), blue.getvalue())
    image = decoded("truecolor", text)
    assert count == 2
    assert image.getpixel((image.width // 4, image.height // 2)) == RED
    assert image.getpixel((3 * image.width // 4, image.height // 2)) == BLUE


def test_images_that_would_be_too_small_to_tell_are_left_out_and_counted():
    count, _ = shown("truecolor", *[IMAGE] * 40, screen=Screen(80, 24))
    assert count == (79 // 14) * (20 // 5)


def test_paths_are_shown_as_bytes_are(work):
    (work / "a.png").write_bytes(IMAGE)
    assert shown("truecolor", "a.png") == shown("truecolor", IMAGE)


@pytest.mark.parametrize(
    "environ", [{"TERM": "dumb"}, {}, {"TERM": "xterm-256color", "FLUX_PREVIEW": "off"}]
)
def test_a_terminal_that_shows_no_images_gets_not_a_byte(environ):
    screen = Screen(100, 40)
    assert write_preview([IMAGE], screen.stream, environ) == 0
    assert screen.text() == ""


def test_blocks_are_not_written_where_the_encoding_has_none():
    assert shown("truecolor", IMAGE, screen=Screen(100, 40, encoding="ascii")) == (0, "")
    assert shown("sixel", IMAGE, screen=Screen(100, 40, encoding="ascii"))[0] == 1


def test_a_broken_image_is_an_image_error_and_writes_nothing():
    screen = Screen(100, 40)
    with pytest.raises(ImageError):
        write_preview([b"broken"], screen.stream, {"FLUX_PREVIEW": "sixel"})
    assert screen.text() == ""


def test_a_wrong_setting_is_an_error():
    with pytest.raises(ConfigError):
        write_preview([IMAGE], io.StringIO(), {"FLUX_PREVIEW": "vga"})


def test_a_stream_that_is_no_terminal_is_taken_for_one_of_the_given_or_usual_size():
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
    environ = {"FLUX_PREVIEW": "truecolor"}
    assert write_preview([quarters((900, 900))], stream, environ, columns=41, rows=14) == 1
    stream.seek(0)
    rows = blocks_read(stream.read()[:-1])
    assert (len(rows[0]), len(rows)) == (20, 20)


class Impatient(io.StringIO):
    """A terminal where somebody presses Ctrl-C while an image is written."""

    def write(self, text):
        if len(text) > 1000:
            super().write(text[:1000])
            raise KeyboardInterrupt
        return super().write(text)


@pytest.mark.parametrize("way", ["kitty", "iterm", "sixel"])
def test_an_interrupted_image_is_closed(way):
    """Otherwise the terminal would take the shell's prompt for more of it."""
    stream = Impatient()
    with pytest.raises(KeyboardInterrupt):
        write_preview([IMAGE], stream, {"FLUX_PREVIEW": way})
    assert stream.getvalue().endswith("\x1b\\\x1b[0m\n")


@pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")
def test_a_real_terminal_shows_the_blocks_and_goes_on_below_them(work):
    """tmux interprets what is written and tells what its screen holds."""
    (work / "a.png").write_bytes(IMAGE)
    (work / "show.py").write_text(
        "import sys\n"
        "from flux_cli.terminal.preview import write_preview\n"
        "write_preview(['a.png'], sys.stdout)\n"
    )
    (work / "run.sh").write_text(f'"{sys.executable}" show.py; echo below; exec sleep 60')
    tmux = ("tmux", "-f", "/dev/null", "-S", str(work / "tmux"))
    kept = ("PATH", "HOME", "LC_ALL", "LANG")
    environ = {name: os.environ[name] for name in kept if name in os.environ}
    environ |= {"COLORTERM": "truecolor", "TERM": "xterm-256color", "PYTHONUTF8": "1"}
    start = (*tmux, "-u", "new-session", "-d", "-x", "100", "-y", "40", "sh run.sh")
    subprocess.run(start, check=True, env=environ)
    try:
        for _ in range(300):
            done = subprocess.run(
                [*tmux, "capture-pane", "-e", "-p"], capture_output=True, check=True, env=environ
            )
            lines = done.stdout.decode().split("\n")
            found = [number for number, line in enumerate(lines) if line.endswith("below")]
            if found:
                break
            time.sleep(0.1)
    finally:
        subprocess.run([*tmux, "kill-server"], check=True, env=environ)
    image = lines[: found[0]]
    assert [line.count("\u2580") for line in image] == [71] * 20
    image = decoded("truecolor", "\n".join(f"{line}\x1b[0m" for line in image) + "\n")
    for seen, meant in zip(quarter_colors(image), (RED, GREEN, BLUE, WHITE), strict=True):
        assert max(abs(one - other) for one, other in zip(seen, meant, strict=True)) < 10


class Gone(io.StringIO):
    """A terminal that was closed."""

    def write(self, _text):
        raise OSError(5, "Input/output error")


def test_a_terminal_that_has_gone_is_no_failure_of_a_run():
    assert write_preview([IMAGE], Gone(), {"FLUX_PREVIEW": "sixel"}) == 1


def test_the_largest_windows_get_no_more_pixels_than_a_line_carries_in_a_moment():
    for way, most in (("kitty", 1600), ("sixel", 1000)):
        text = shown(way, quarters((4096, 2304)), screen=Screen(400, 200, (20, 40)))[1]
        assert decoded(way, text).size == (most, (most * 9 + 8) // 16)
