"""Makes docs/manifest.md: every key of a manifest, from the table that the reader uses."""

from collections.abc import Iterator, Mapping

from flux_cli.build.manifest.schema import help_of
from flux_cli.cli.spellings.generate import SPELLINGS
from flux_cli.request.styles import keys
from flux_cli.request.styles.keys import Key

KINDS = {
    "text": "text",
    "texts": "one or a list",
    "scalar": "text or number",
    "switch": "true or false",
    "list": "one or a list",
    "table": "table",
    "section": "table",
    "axes": "table of lists",
    "tables": "list of tables",
}
TABLES: list[tuple[str, str, Mapping[str, Key]]] = [
    ("Top level", "Keys and tables of the whole manifest.", keys.TOP),
    (
        "Assets",
        "Keys of `[assets.NAME]`. `[defaults]` and `[styles.NAME]` take the same keys.",
        keys.ASSET,
    ),
    ("Groups", "More keys of `[assets.NAME]`, which make several assets of it.", keys.GROUP),
    (
        "Styles",
        "More keys of `[styles.NAME]`. [Presets](settings.md#presets) take them, too.",
        keys.STYLE,
    ),
]


def manifest_md() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Keys of a manifest"
    yield ""
    yield "<!-- made by scripts/generate; do not edit -->"
    yield ""
    yield "[Images as code](build.md) explains how they work together. Keys that are options of"
    yield "`flux generate` mean the same. `flux schema manifest` prints them as a JSON Schema."
    for title, about, table in TABLES:
        yield ""
        yield f"## {title}"
        yield ""
        yield about
        yield ""
        yield "| key | value | meaning |"
        yield "|---|---|---|"
        for name, key in table.items():
            text = help_of(name, key, SPELLINGS).replace("|", "\\|")
            yield f"| `{name}` | {KINDS[key.kind]} | {text} |"
