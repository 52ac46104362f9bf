"""House rules that a machine can check: imports, sizes, docstrings, dependencies."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from importlib.metadata import version
from pathlib import Path

import flux_cli
from flux_cli.images.formats import FORMATS

PACKAGE = Path(flux_cli.__file__).parent
ROOT = Path(__file__).parents[1]
HEAVY = {"httpx", "PIL", "rich", "asyncio", "pydantic"}

# Modules that decide and touch nothing: no I/O, clock, environment or randomness. Values alone can
# test them.
PURE = (
    "build/candidates/*.py",
    "build/digests.py",
    "build/lock/checks.py",
    "build/lock/reading.py",
    "build/lock/rows.py",
    "build/lock/text.py",
    "build/manifest/collection.py",
    "build/manifest/document.py",
    "build/manifest/expansion.py",
    "build/manifest/outputs.py",
    "build/manifest/paths.py",
    "build/manifest/reading.py",
    "build/manifest/rows.py",
    "build/manifest/schema.py",
    "build/manifest/settings.py",
    "build/manifest/templates.py",
    "build/planning/*.py",
    "build/references/binding.py",
    "build/references/checks.py",
    "build/references/sources.py",
    "build/references/stages.py",
    "build/references/waiting.py",
    "build/resolution.py",
    "build/shards/choice.py",
    "build/shards/division.py",
    "build/shards/joining.py",
    "build/shards/merging.py",
    "build/review/candidates.py",
    "build/review/cards.py",
    "build/review/commands.py",
    "build/review/content.py",
    "build/review/differences.py",
    "build/review/elements.py",
    "build/review/facts.py",
    "build/review/markup.py",
    "build/review/page.py",
    "build/review/sections.py",
    "build/review/style.py",
    "build/starter.py",
    "build/stores/addresses.py",
    "build/stores/texts.py",
    "build/stream/lines.py",
    "build/stream/survey.py",
    "catalog/gateway/notes.py",
    "catalog/gateway/parameters.py",
    "catalog/gateway/price.py",
    "catalog/gateway/reading.py",
    "catalog/gateway/schema.py",
    "config/ages.py",
    "config/editing/lines.py",
    "config/settings.py",
    "core/*.py",
    "core/redaction/*.py",
    "http/datauri.py",
    "http/replies/*.py",
    "http/trust.py",
    "images/containers/*.py",
    "images/destination.py",
    "images/digests.py",
    "images/details.py",
    "images/finish.py",
    "images/formats.py",
    "images/metadata/*.py",
    "images/metadata/transfer/*.py",
    "images/names.py",
    "images/naming/cut.py",
    "images/outputs.py",
    "images/pixels/border_color.py",
    "images/sheet.py",
    "providers/missing.py",
    "providers/reading/*.py",
    "request/files/comparison.py",
    "request/files/finishing.py",
    "request/references/sending.py",
    "request/references/shape.py",
    "request/references/taken.py",
    "request/dialect.py",
    "request/digest.py",
    "request/expansion/cells.py",
    "request/expansion/combinations.py",
    "request/expansion/prompts.py",
    "request/expansion/rows.py",
    "request/expansion/strict_json.py",
    "request/expansion/templates.py",
    "request/expansion/variables.py",
    "request/plan.py",
    "request/styles/keys.py",
    "request/styles/origins.py",
    "request/styles/prompts.py",
    "request/styles/tables.py",
    "request/styles/values.py",
    "request/resolve.py",
    "request/route.py",
    "request/seeds.py",
    "request/size.py",
    "request/sketch.py",
    "request/unknown_model.py",
    "runs/documents.py",
    "runs/combined/documents.py",
    "runs/failures.py",
    "runs/fields.py",
    "runs/spending/budget.py",
    "runs/spending/limits.py",
    "terminal/table.py",
    "runs/progress/estimate.py",
    "runs/progress/page.py",
    "runs/progress/summary.py",
    "runs/records/history.py",
    "runs/records/lines.py",
    "runs/records/past.py",
    "runs/records/privacy.py",
    "runs/report.py",
    "runs/saving/delivery.py",
    "runs/saving/differences.py",
    "runs/saving/existing.py",
    "serve/answering/refusals.py",
    "serve/asking/access.py",
    "serve/asking/asked.py",
    "serve/asking/scripted.py",
    "serve/options.py",
    "terminal/capabilities.py",
    "terminal/emulators.py",
    "terminal/graphics.py",
    "terminal/markdown.py",
)
PURE_PATHS = {path for pattern in PURE for path in PACKAGE.glob(pattern)}
PURE_LIBRARIES = ("PIL.ImageColor",)  # colors from text
PURE_STANDARD_LIBRARY = """
    __future__ array base64 binascii bisect collections contextlib
    contextvars csv datetime difflib email functools hashlib hmac html importlib ipaddress itertools
    json math re shlex string textwrap struct tomllib typing unicodedata urllib xml zlib
"""

# What a lookup may load of the standard library: only what is compiled into Python. `typing` or
# `json` would double the price.
COMPILED = {
    "__future__",
    "_collections",
    "_contextvars",
    "_math_integer",  # half of `math` since Python 3.15
    "_operator",
    "collections",  # `NamedTuple` is made with it; it loads the next three
    "keyword",
    "operator",
    "reprlib",
    "contextvars",
    "gc",
    "itertools",
    "math",
}

# Each command line needs no network and no pixels; with the exit code it must have.
LIGHT_LINES = [
    (["sizes"], 0),
    (["sizes", "16:9", "--json"], 0),
    (["resolve", "a cat", "--size", "1920x1080", "-f", "avif"], 0),
    (["resolve", "a cat", "--curl"], 0),
    (["models"], 0),
    (["show", str(ROOT / "docs/images/lake.jpg"), "--json"], 0),
    (["config"], 0),
    (["generate", "a cat", "--seed", "x"], 2),
    (["generate", "a cat"], 4),
    (["generate", "a cat", "--dry-run"], 0),
    (["--help"], 0),
    (["generate", "--help"], 0),
    (["--version"], 0),
    (["schema"], 0),
    (["completion", "zsh"], 0),
    (["help", "environment"], 0),
    (["help", "generate"], 0),
]
LOOKUPS = [
    ["--version"],
    ["sizes"],
    ["sizes", "7:1", "--json"],
    ["models"],
    ["models", "flux1.1-pro"],
    ["resolve", "a cat", "--size", "1920x1080"],
    ["resolve", "a cat", "-n", "3", "--seed", "7", "--json"],
]
PLAIN_LINES = [
    ["generate", "a cat", "--dry-run", "-n", "2", "-f", "avif", "-f", "webp"],
    ["convert", "nope.png", "-f", "webp"],
    ["show", "nope.png", "--json"],
    ["runs"],
    ["recover", "--json"],
    ["generate"],
    ["sizes", "banana"],
]

# Runs command lines one after the other in one interpreter. Prints the exit code of each, and the
# modules that are loaded afterward and were not at the start.
PROGRAM = """
import sys
before = set(sys.modules)
from {module} import {function} as answer
lines, results = {lines!r}, []
for line in lines:
    code = answer(line)
    results.append((code, sorted(set(sys.modules) - before)))
print(results, file=sys.stderr)
"""


def run_lines(module: str, function: str, lines: list[list[str]]) -> list[tuple[int, set[str]]]:
    """Exit code and loaded modules after each command line, in one fresh interpreter."""
    program = PROGRAM.format(module=module, function=function, lines=lines)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    results = ast.literal_eval(done.stderr.splitlines()[-1])
    return [(code, set(modules)) for code, modules in results]


def top_level(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_what_needs_no_network_and_no_pixels_loads_none_of_their_libraries():
    """Lookups, help, wrong lines and missing keys must not load httpx, Pillow or Rich."""
    results = run_lines("flux_cli.cli.app", "main", [line for line, _ in LIGHT_LINES])
    for (line, code), (found, modules) in zip(LIGHT_LINES, results, strict=True):
        assert (line, found) == (line, code)
        assert (line, top_level(modules) & HEAVY) == (line, set())


def test_a_lookup_at_the_door_loads_nothing_but_flux():
    results = run_lines("flux_cli.main", "answer", LOOKUPS)
    for line, (code, modules) in zip(LOOKUPS, results, strict=True):
        assert (line, code) == (line, 0)
        assert (line, top_level(modules) - COMPILED) == (line, {"flux_cli"})


def test_plain_lines_are_carried_out_without_typer():
    """To read a line with Typer costs more than most of them do."""
    lines = [*PLAIN_LINES, ["build", "--plan", "--only", "icon-*"]]
    results = run_lines("flux_cli.main", "answer", lines)
    for line, (code, modules) in zip(lines, results, strict=True):
        assert code is not None, line
        assert (line, modules & {"flux_cli.cli.app", "typer"}) == (line, set())


def test_only_flux_build_loads_what_builds():
    lines = [*LOOKUPS, *PLAIN_LINES]
    for line, (_, modules) in zip(lines, run_lines("flux_cli.main", "answer", lines), strict=True):
        loaded = {name for name in modules if name.startswith("flux_cli.build")}
        assert (line, loaded) == (line, set())


def test_what_gateways_say_is_loaded_only_for_models_that_no_catalog_knows():
    lines = [*LOOKUPS, ["resolve", "a cat", "-m", "unheard-of"]]
    for line, (_, modules) in zip(lines, run_lines("flux_cli.main", "answer", lines), strict=True):
        loaded = {name for name in modules if name.startswith("flux_cli.catalog.gateway")}
        assert (line, loaded) == (line, set())


def test_progress_that_moves_is_loaded_only_on_a_terminal(tmp_path):
    """A pipeline pays nothing for it, nor for the HTTP client of the network."""
    line = ["generate", "a cat", "--offline", "-o", f"{tmp_path}/cat.jpg", "--size", "1:1"]
    ((code, modules),) = run_lines("flux_cli.cli.app", "main", [line])
    assert code == 0
    assert "flux_cli.http.client" in modules
    assert "flux_cli.runs.progress.live" not in modules
    assert "httpx" not in modules


def modules_of(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def short(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def test_every_module_says_what_lives_in_it():
    """Each module begins with a docstring whose first paragraph is made of whole sentences."""
    docstrings = {short(path): ast.get_docstring(parse(path)) or "" for path in modules_of(PACKAGE)}
    first_paragraphs = {name: text.split("\n\n")[0] for name, text in docstrings.items()}
    ends = (".", "?", ":", '"')
    assert [name for name, text in first_paragraphs.items() if not text.endswith(ends)] == []


@cache
def imported_names(path: Path) -> set[str]:
    """The dotted names of the modules that a file imports, at the top or in a function."""
    names = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module)
    return names


def is_pure(name: str) -> bool:
    """Whether a module of this dotted name is pure, or a package with only a docstring."""
    if not name.startswith("flux_cli"):
        return name in PURE_LIBRARIES or name.partition(".")[0] in PURE_STANDARD_LIBRARY.split()
    path = PACKAGE.parent / name.replace(".", "/")
    return path.with_suffix(".py") in PURE_PATHS or (path / "__init__.py").is_file()


def test_pure_modules_import_only_pure_modules_and_pure_parts_of_the_standard_library():
    """No I/O, clock, environment or randomness: values alone can test what decides."""
    impure = {}
    for path in PURE_PATHS:
        names = {name for name in imported_names(path) if not is_pure(name)}
        if names:
            impure[short(path)] = names
    assert impure == {}


GENERATED = ("cli/table.py", "catalog/own_models.py", "catalog/own_servers.py")


def test_modules_stay_small():
    """At most 300 lines in a module that people read."""
    paths = {path.relative_to(PACKAGE).as_posix(): path for path in modules_of(PACKAGE)}
    written = {name: path for name, path in paths.items() if name not in GENERATED}
    sizes = {name: len(path.read_text().splitlines()) for name, path in written.items()}
    assert {name: lines for name, lines in sizes.items() if lines > 300} == {}


BLOCKS = (ast.stmt, ast.excepthandler, ast.match_case)
IDEAS = (ast.IfExp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def hand_written_trees() -> dict[str, ast.Module]:
    """The syntax trees of all modules that are not generated, by path."""
    paths = {path.relative_to(PACKAGE).as_posix(): path for path in modules_of(PACKAGE)}
    return {name: parse(path) for name, path in paths.items() if name not in GENERATED}


def count_ideas(node: ast.AST) -> int:
    """Ternaries and comprehensions in a statement, or in the header of a block, not in its body."""
    parts = [part for part in ast.iter_child_nodes(node) if not isinstance(part, BLOCKS)]
    return isinstance(node, IDEAS) + sum(map(count_ideas, parts))


def test_statements_hold_one_idea():
    """At most one ternary or comprehension in a statement: name the first, then use the name."""
    crowded = [
        f"{name}:{node.lineno}"
        for name, tree in hand_written_trees().items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.stmt, ast.match_case)) and count_ideas(node) > 1
    ]
    assert crowded == [], "more than one ternary or comprehension in a statement"


def test_functions_stay_small():
    """At most 40 lines in a function, with its signature and docstring."""
    long = [
        f"{name}:{node.lineno} {node.name}"
        for name, tree in hand_written_trees().items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.end_lineno - node.lineno >= 40
    ]
    assert long == [], "more than 40 lines in a function"


def test_folders_stay_small():
    """At most 13 modules in a folder: one that grows beyond 15 is split by subject."""
    folders = Counter(path.parent for path in modules_of(PACKAGE) if path.name != "__init__.py")
    assert {folder.name: count for folder, count in folders.items() if count > 13} == {}


def test_every_image_format_has_a_module_of_its_name():
    """`containers.registry` loads the module by the name of the row in `formats`."""
    paths = (PACKAGE / "images/containers").glob("*.py")
    containers = {path.stem for path in paths if "\nCONTAINER = " in path.read_text()}
    assert containers == set(FORMATS)


def test_containers_know_nothing_of_metadata():
    """Formats are told what to write; they import neither records nor XMP, and no pixels."""
    for path in modules_of(PACKAGE / "images/containers"):
        subpackages = {".".join(name.split(".")[:3]) for name in imported_names(path)}
        forbidden = {"flux_cli.images.metadata", "flux_cli.images.pixels"}
        assert (path.name, subpackages & forbidden) == (path.name, set())


def test_no_module_is_a_drawer_for_odds_and_ends():
    drawers = {"utils", "helpers", "common", "base", "manager", "services", "misc"}
    assert [short(path) for path in modules_of(PACKAGE) if path.stem in drawers] == []


def test_every_core_dependency_is_declared_and_no_other_is_imported():
    """What the package imports from outside is exactly what pyproject.toml declares."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    extras = ("c2pa", "serve", "store", "dask")
    lines = sum((optional[extra] for extra in extras), project["dependencies"])
    declared = {re.match(r"[\w-]+", line).group() for line in lines}
    declared.remove("python-multipart")  # Starlette imports it
    imported = set()
    for path in modules_of(PACKAGE):
        imported |= top_level(imported_names(path))
    outside = imported - set(sys.stdlib_module_names) - {"flux_cli"}
    distributions = {"PIL": "pillow", "c2pa": "c2pa-python"}
    assert {distributions.get(name, name) for name in outside} == declared


def test_typer_is_below_the_release_that_loads_pydantic():
    """Lift the cap in pyproject.toml when a newer Typer passes the tests of imports above."""
    major, minor = (int(part) for part in version("typer").split(".")[:2])
    assert (0, 26) <= (major, minor) < (0, 29)
