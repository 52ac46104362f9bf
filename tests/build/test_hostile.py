"""Rows and locks that somebody else wrote: one sentence, never a traceback, never a CI command."""

import contextlib
import json

from hypothesis import given, settings
from hypothesis import strategies as st
from locks import locks
from manifests import DOCS, ICONS, assets_of
from planning import MemoryDisk, resolve

from flux_cli.build.execution.records import facts_of
from flux_cli.build.lock.reading import Lock, read_lock
from flux_cli.build.lock.text import lock_text
from flux_cli.build.planning.cost import Priced, cost_of
from flux_cli.build.planning.document import build_document
from flux_cli.build.planning.plan import chosen_rows, plan_assets
from flux_cli.build.planning.steps import Wishes
from flux_cli.build.planning.summary import summary_text
from flux_cli.build.planning.text import plan_lines
from flux_cli.core.errors import UsageError

VALID = 'sku,thing,color,seed\nA1,"cup, large",red,1\nA2,pot,blue,\n'
NAMES = ["hero", "og", "install", "::error::x", "\n##[group]", "\x1b[2J"]
odd = st.sampled_from(['"', ",", "\n", "\r", "\0", "{", "}", "\ud800", "..", "/", "\u2028", "::"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
columns = st.sampled_from(["sku", "thing", "color", "seed", "size", "param", "name", "n", "output"])


def expand_rows(suffix, text):
    manifest = ICONS.replace("products.csv", f"products.{suffix}")
    return assets_of(manifest, {f"products.{suffix}": text})


@given(st.text(max_size=80))
def test_no_text_of_rows_gives_a_traceback(text):
    for suffix in ("csv", "jsonl"):
        with contextlib.suppress(UsageError):
            expand_rows(suffix, text)


@given(st.lists(st.tuples(st.integers(0, len(VALID)), odd), max_size=3))
def test_no_damage_of_rows_gives_a_traceback(edits):
    text = VALID
    for place, piece in edits:
        text = text[:place] + piece + text[place:]
    with contextlib.suppress(UsageError):
        expand_rows("csv", text)


@given(st.lists(st.dictionaries(columns, values, max_size=5), max_size=3))
def test_no_json_in_rows_gives_a_traceback(rows):
    text = "\n".join(map(json.dumps, rows))
    with contextlib.suppress(UsageError):
        expand_rows("jsonl", text)


@given(st.permutations([*VALID.splitlines()[1:], "A3,jug,green,3", "A4,can,,4"]))
def test_the_order_of_rows_changes_no_digest(lines):
    text = "\n".join(["sku,thing,color,seed", *lines])
    found = {name: asset.request for name, asset in expand_rows("csv", text).items()}
    assert found == {
        name: asset.request
        for name, asset in expand_rows(
            "csv", "\n".join(["sku,thing,color,seed", *sorted(lines)])
        ).items()
    }


@settings(max_examples=60, deadline=None)
@given(locks, locks, st.lists(st.sampled_from(NAMES), min_size=4, max_size=4), st.booleans())
def test_any_lock_can_be_planned_and_shown(ours, theirs, names, is_offline):
    """Rows that are valid and make no sense: nothing in them stops, misleads or commands."""
    ours = dict(zip(names, ours.values(), strict=False))
    theirs = dict(zip(reversed(names), theirs.values(), strict=False))
    assets = assets_of(DOCS)
    disk = MemoryDisk({path: "x" for row in ours.values() for path in row.files})
    lock = Lock({**theirs, **ours}, theirs, is_conflicted=True)
    rows = chosen_rows(assets, lock, disk)
    steps = plan_assets(assets, rows, disk, Wishes(offline=is_offline), resolve)
    priced = [Priced(step, 0.06 if step.is_requested else 0.0) for step in steps]
    cost = cost_of(priced)
    assert json.dumps(build_document("plan", "ok", priced, cost, None, ()))
    assert len(plan_lines(priced)) <= len(priced)
    page = summary_text("x", priced, cost, None, {})
    assert "::" not in page
    assert "##[" not in page
    assert "\x1b" not in page
    for row in rows.values():
        facts_of(row.generated)
    assert read_lock(lock_text(rows).encode("utf-8", "surrogatepass"), "x").rows == rows
