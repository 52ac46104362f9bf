"""How terminals read escape sequences: the other end of `terminal/graphics.py`."""

import base64
import re

ESC = "\x1b"


def kitty_read(text):
    """Settings of the first piece and the bytes of all, as kitty puts them together."""
    sequences = re.findall(r"\x1b_G.*?\x1b\\", text)
    assert "".join(sequences) == text
    settings, data = {}, ""
    for number, sequence in enumerate(sequences):
        head, payload = re.fullmatch(r"\x1b_G([^;]*);([A-Za-z0-9+/=]*)\x1b\\", sequence).groups()
        pairs = dict(pair.split("=") for pair in head.split(","))
        assert len(payload) <= 4096
        assert payload
        assert len(payload) % 4 == 0
        assert pairs["m"] == ("1" if number < len(sequences) - 1 else "0")
        assert pairs["q"] == "2"  # no answer, which a shell would take for typing
        settings = settings or pairs
        data += payload
    return settings, base64.b64decode(data, validate=True)


def sixel_read(sequence):
    """Rows of colors, as a VT340 draws them; None where nothing was drawn."""
    width, height, body = re.fullmatch(
        r'\x1bPq"1;1;(\d+);(\d+)(.*)\x1b\\', sequence, re.DOTALL
    ).groups()
    rows = [[None] * int(width) for _ in range(-(-int(height) // 6) * 6)]
    colors, color, x, top = {}, 0, 0, 0
    for token in re.finditer(r"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)([?-~])|([?-~])|([$-])", body):
        number, red, green, blue, count, run, one, move = token.groups()
        if red is not None:
            colors[int(number)] = (int(red), int(green), int(blue))
        elif number is not None:
            color = int(number)
        elif move:
            x, top = 0, top + 6 * (move == "-")
        else:
            end = x + int(count or 1)
            for bit in (bit for bit in range(6) if (ord(run or one) - 63) >> bit & 1):
                assert rows[top + bit][x:end] == [None] * (end - x), (
                    "one pixel is drawn once, inside the image"
                )
                rows[top + bit][x:end] = [colors[color]] * (end - x)
            x = end
    assert all(pixel is None for row in rows[int(height) :] for pixel in row)
    return rows[: int(height)]


def blocks_read(text):
    """Rows of color codes, two for each line of cells."""
    rows = []
    for line in text.split("\n"):
        assert line.endswith(f"{ESC}[0m")
        ink, paper, upper, lower = None, None, [], []
        for token in re.finditer(r"\x1b\[([\d;]*)m|(.)", line):
            codes, cell = token.groups()
            if cell:
                assert cell == "\u2580"
                upper.append(ink)
                lower.append(paper)
            for ground, code in re.findall(r"([34]8);(2;\d+;\d+;\d+|5;\d+)", codes or ""):
                ink, paper = (code, paper) if ground == "38" else (ink, code)
        rows += [upper, lower]
    return rows
