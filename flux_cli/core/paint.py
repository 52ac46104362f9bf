"""Colors in what is said to a person: one word a line, the one that says what kind of line it is."""

RED, GREEN, YELLOW, CYAN = "31", "32", "33", "36"
KINDS = {"error:": RED, "failed:": RED, "note:": YELLOW, "kept": YELLOW, "saved": GREEN, "hint:": CYAN}
EARLY = 3  # words; behind `flux:` there may be the number of a call


def painted(line: str) -> str:
    """The line with its kind in color; without it, it is the same line."""
    words = line.split(" ")
    for place, word in enumerate(words[:EARLY]):
        if word in KINDS:
            words[place] = f"\x1b[{KINDS[word]}m{word}\x1b[0m"
            break
    return " ".join(words)
