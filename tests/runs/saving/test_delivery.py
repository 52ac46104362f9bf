"""Deliveries through the journal and back: nothing is lost, and garbage does no harm."""

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.errors import UsageError
from flux_cli.core.image import Inspection
from flux_cli.core.ratio import Shape, parse_side
from flux_cli.images.finish import FITS, FOCUSES, Finish
from flux_cli.images.formats import EFFORTS, FORMATS
from flux_cli.images.metadata.record import Record
from flux_cli.images.names import fixed
from flux_cli.images.outputs import MAX_SIDE
from flux_cli.runs.saving.delivery import (
    Delivery,
    delivery_document,
    expected_files,
    plan_outputs,
    read_delivery,
)

SIDES = st.integers(1, MAX_SIDE)
FINISHES = st.builds(
    Finish,
    target=st.none()
    | st.builds(Shape, SIDES.map(float), SIDES.map(float), st.booleans())
    | st.sampled_from([parse_side("320x"), parse_side("x300")]),
    fit=st.sampled_from(FITS),
    focus=st.sampled_from([*FOCUSES, "0.3,0.7"]),
    pad_color=st.sampled_from([None, "#00000000", "#ff8800ff"]),
    upscale=st.booleans(),
    widths=st.lists(SIDES, max_size=3).map(tuple),
    formats=st.lists(st.sampled_from(sorted(FORMATS)), max_size=3).map(tuple),
    quality=st.none() | st.integers(1, 100),
    lossless=st.booleans(),
    max_bytes=st.none() | st.integers(1, 10**12),
    effort=st.none() | st.sampled_from(EFFORTS),
    keep_original=st.booleans(),
    only_widths=st.booleans(),
)
DELIVERIES = st.builds(
    Delivery,
    finish=FINISHES,
    record=st.builds(
        Record,
        prompt=st.text(),
        model=st.text(min_size=1),
        parameters=st.just({"raw": True}),
        finish=st.just({"fit": "cover"}),
    ),
    kept=st.just(frozenset()),
    suffixes=st.dictionaries(
        st.sampled_from(sorted(FORMATS)), st.sampled_from(["jpeg", "JPG", "tif"])
    ),
    metadata=st.booleans(),
    sidecar=st.booleans(),
)
WORDS = st.text(max_size=5) | st.sampled_from(FITS + FOCUSES)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
FIELDS = st.sampled_from([*Finish._fields, *Delivery._fields])
DAMAGED = st.dictionaries(FIELDS, JUNK | st.dictionaries(FIELDS, JUNK))


@given(DELIVERIES)
def test_the_journal_tells_what_was_wanted(delivery):
    document = json.loads(json.dumps(delivery_document(delivery, private=False)))
    assert read_delivery(document) == delivery


@given(DELIVERIES)
def test_a_private_prompt_is_not_kept(delivery):
    assert read_delivery(delivery_document(delivery, private=True)).record.prompt == ""


@given(JUNK | DAMAGED)
def test_a_damaged_journal_still_tells_how_to_save(said):
    delivery = read_delivery(said)
    assert read_delivery(delivery_document(delivery, private=False)) == delivery
    with suppress(UsageError):
        assert plan_outputs(delivery, Inspection("jpeg", 2752, 1536, 1000))
    with suppress(UsageError):
        assert expected_files(delivery, fixed("a.jpg"), (2752, 1536))
