"""The whole command line for reading: `docs/cli.md` and the man page, from the same rows."""

import re
from textwrap import wrap

from flux_cli.cli.topics import TOPICS, Part, explain
from flux_cli.config.folders import APP
from flux_cli.config.load import PROJECT_FILE
from flux_cli.core.table import table
from generating.app import Command, Option, commands

EDITION = "2026-11-29"  # when the page got its form; man pages carry a day
NAMED = {"exit-codes": "EXIT STATUS"}  # topics whose section has a name of its own
FILES = (
    (f"~/.config/{APP}/config.toml", "the user's settings; flux config path prints where this file is"),
    (f"~/.config/{APP}/credentials.toml", "keys, in a file that only its owner can read"),
    (f"~/.config/{APP}/models/*.toml", "models of the user's own"),
    (PROJECT_FILE, "settings of a project: in this folder or in one above it, up to the top of the repository"),
    (f"~/.local/state/{APP}/", "the journal of runs, and images that are paid for and not saved yet"),
)
SEE_ALSO = ("curl", "exiftool", "jq")


def cli_md() -> str:
    """`docs/cli.md`."""
    top, *rows = commands()
    parts = ["# The command line", "Made by `scripts/generate` from the program itself.", top.about]
    parts.append(
        "\n".join(f"- [`flux {row.path[0]}`](#flux-{row.path[0]}): {row.summary}" for row in rows if len(row.path) == 1)
    )
    for row in rows:
        parts += _section(row)
    parts += ["## Topics", "`flux help TOPIC` prints these."]
    for name, (about, _) in TOPICS.items():
        parts += [f"### {name}", f"{about[:1].upper()}{about[1:]}.", f"```text\n{explain(name)}\n```"]
    return "\n\n".join(parts) + "\n"


def _section(row: Command) -> list[str]:
    parts = [f"## flux {' '.join(row.path)}", f"`{_usage(row)}`", row.about]
    if row.arguments:
        lines = [f"| `{one.metavar}` | {_cell(one.help)} |" for one in row.arguments]
        parts.append("\n".join(["| argument | |", "|---|---|", *lines]))
    for title, options in row.groups.items():
        lines = [f"| {_spelled(one)} | {_cell(one.help)} |" for one in options]
        parts.append("\n".join([f"| {title.lower()} | |", "|---|---|", *lines]))
    if row.examples:
        parts.append("```sh\n" + "\n".join(row.examples) + "\n```")
    return parts


def _usage(row: Command) -> str:
    words = " ".join(one.metavar for one in row.arguments)
    return " ".join(filter(None, ("flux", *row.path, "[OPTIONS]", words, "[COMMAND]" if row.commands else "")))


def _spelled(one: Option) -> str:
    words = [f"`{flag}`" for flag in (*one.flags, *one.negatives)]
    return ", ".join(words) + (f" `{one.metavar}`".replace("|", "\\|") if one.metavar else "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


# --- man ------------------------------------------------------------------------------------------------------------


def man() -> str:
    """`man/flux.1`, in the man macros that every formatter knows."""
    top, *rows = commands()
    lines = [
        '.\\" Made by scripts/generate: change that, not this.',
        f'.TH FLUX 1 {EDITION} "flux" "User Commands"',
        ".ds AD l",  # newer formatters adjust every paragraph as this says
        ".ad l",
        ".nh",
        ".SH NAME",
        f"flux \\- {_roff(top.summary[:1].lower() + top.summary[1:])}",
        ".SH SYNOPSIS",
    ]
    for place, row in enumerate(rows):
        name = " ".join(("flux", *row.path))
        lines += [*([".br"] if place else []), f".B {name}", _roff(_usage(row).removeprefix(name).strip())]
    lines += [".SH DESCRIPTION", *_prose(top.about), ".SH COMMANDS"]
    for row in rows:
        lines += [f".SS flux {' '.join(row.path)}", *_paragraphs(row.about)]
        for one in row.arguments:
            lines += _defined("I", one.metavar, one.help)
        for title, options in row.groups.items():
            lines += [".PP", f".B {_roff(title)}"]
            for option in options:
                flags = ", ".join(f"\\fB{_roff(flag)}\\fR" for flag in (*option.flags, *option.negatives))
                lines += [
                    ".TP",
                    flags + (f" \\fI{_roff(option.metavar)}\\fR" if option.metavar else ""),
                    *_prose(option.help),
                ]
        if row.examples:
            lines += [".PP", ".B Examples", *_block("\n".join(row.examples))]
    for name in sorted(TOPICS, key=lambda name: name in ("exit-codes", "environment")):  # these stand last in manuals
        about, parts = TOPICS[name]
        lines += [f".SH {NAMED.get(name, name.upper())}", _roff(f"{about[:1].upper()}{about[1:]}.")]
        lines += [line for part in parts() for line in _part(part)]
    lines += [".SH FILES", *(line for row in FILES for line in _defined("I", *row))]
    lines += [".SH SEE ALSO", *(f".BR {name} (1)," for name in SEE_ALSO[:-1]), f".BR {SEE_ALSO[-1]} (1)"]
    return "\n".join(lines) + "\n"


def _part(part: Part) -> list[str]:
    """Prose, or a table: one of two columns as definitions, others as they are."""
    if isinstance(part, str):
        return [".PP", *_prose(part)]
    heading, *rows = part
    if len(heading) > len(("term", "meaning")):
        return _block(table(part))
    return [".PP", f"{_roff(' '.join(heading))}:", *(line for row in rows for line in _defined("B", *row))]


def _defined(font: str, term: str, meaning: str) -> list[str]:
    return [".TP", f".{font} {_roff(term)}", *_prose(meaning)]


def _paragraphs(text: str) -> list[str]:
    first, *rest = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text)]
    return [*_prose(first), *(line for part in rest for line in (".PP", *_prose(part)))]


def _block(text: str) -> list[str]:
    """Lines as they are."""
    return [".PP", ".nf", *(_roff(line) for line in text.splitlines()), ".fi"]


def _roff(text: str) -> str:
    """One line that no formatter takes for a request. Dashes are what people type, tildes too; long words may break."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti")
    text = re.sub(r"\S{20,}", lambda word: re.sub(r"(?<=[/|,}])(?=\w)", r"\\:", word[0]), text)
    text = "".join(char if char.isascii() else f"\\[u{ord(char):04X}]" for char in text)
    return f"\\&{text}" if text.startswith((".", "'")) else text


def _prose(text: str) -> list[str]:
    """Words in lines of the length that formatters ask for."""
    return [_roff(line) for line in wrap(text, 72, break_on_hyphens=False)]


def man_alias() -> str:
    """`man/flux-image.1`: the other name leads to the same page."""
    return ".so man1/flux.1\n"
