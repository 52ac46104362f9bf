"""The whole command line for reading: `docs/cli.md` and the man page, from the same rows."""

import re
from textwrap import wrap

from flux_cli.cli.topics import EXIT_CODES, TOPICS, explain
from flux_cli.core.settings import SETTINGS, VARIABLES
from generating.app import Command, Option, commands

EDITION = "2026-11-25"  # when the page got its form; man pages carry a day


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
            lines += [".TP", f".I {_roff(one.metavar)}", *_prose(one.help)]
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
    lines += [".SH EXIT STATUS"]
    for code, meaning in EXIT_CODES:
        lines += [".TP", f".B {code}", _roff(meaning)]
    lines += [".SH ENVIRONMENT"]
    for setting in (*SETTINGS, *VARIABLES):
        lines += [".TP", f".B {setting.variable}", _roff(setting.help)]
    for name, (about, _) in TOPICS.items():
        if name != "exit-codes":
            lines += [f".SH {name.upper()}", _roff(f"{about[:1].upper()}{about[1:]}."), *_block(explain(name))]
    return "\n".join(lines) + "\n"


def _paragraphs(text: str) -> list[str]:
    first, *rest = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text)]
    return [*_prose(first), *(line for part in rest for line in (".PP", *_prose(part)))]


def _block(text: str) -> list[str]:
    """Lines as they are."""
    return [".PP", ".nf", *(_roff(line) for line in text.splitlines()), ".fi"]


def _roff(text: str) -> str:
    """One line that no formatter takes for a request. Dashes are what people type."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = "".join(char if char.isascii() else f"\\[u{ord(char):04X}]" for char in text)
    return f"\\&{text}" if text.startswith((".", "'")) else text


def _prose(text: str) -> list[str]:
    """Words in lines of the length that formatters ask for."""
    return [_roff(line) for line in wrap(text, 72, break_on_hyphens=False)]


def man_alias() -> str:
    """`man/flux-image.1`: the other name leads to the same page."""
    return ".so man1/flux.1\n"
