"""Parameters that a model or a provider does not have are refused before anything is sent."""

import pytest

from flux_cli.catalog.find import find_model
from flux_cli.core.errors import UsageError
from flux_cli.core.model import Param
from flux_cli.core.request import DRAWN, Request
from flux_cli.providers.rows import ROWS, dialect_of, most_in_flight
from flux_cli.request.files.like import Reuse, drop_refused
from flux_cli.request.plan import plan
from flux_cli.request.resolve import resolve

ULTRA = find_model("flux1.1-pro-ultra")
BFL = ULTRA.dialects["bfl"]
STRICT = BFL._replace(strict=True)
SEED = Param("seed", "integer", "unsupported", "the model has no seed")
WITHOUT_RAW = {name: param for name, param in ULTRA.parameters.items() if name != "raw"}
# A model without a seed and without --raw
PLAIN = ULTRA._replace(parameters={**WITHOUT_RAW, "seed": SEED}, on_gateway=False)
FIELDS = {name: field for name, field in BFL.fields.items() if name != "raw"}
AT_BFL = BFL._replace(fields=FIELDS)


def refused(model, dialect, named=(), **said):
    with pytest.raises(UsageError) as raised:
        resolve(Request(model.id, said, "a fox", named=named), model, dialect)
    return raised.value


def test_a_parameter_that_the_model_does_not_have_is_refused_at_the_gateway_with_the_reason():
    error = refused(PLAIN, None, seed="7")
    assert error.message == f"{PLAIN.id} does not support seed: the model has no seed"
    assert error.hint == "drop --seed, or use another model"


def test_an_option_that_the_model_does_not_have_is_refused_at_a_direct_provider():
    error = refused(PLAIN, AT_BFL, raw="true")
    assert error.message == f"{PLAIN.id} has no raw at bfl"
    assert "--raw" in error.hint
    sent = resolve(Request(PLAIN.id, {"raw": True}, "a fox", named=("raw",)), PLAIN, AT_BFL)
    assert sent.parameters["raw"] is True  # what -p names is the user's own word


def test_a_strict_provider_gets_no_field_that_it_does_not_know():
    error = refused(ULTRA, STRICT, named=("guidance",), guidance="3")
    assert error.message == f"{ULTRA.id} has no guidance, and bfl refuses what it does not know"
    assert "-p guidance" in error.hint
    assert resolve(Request(ULTRA.id, {"raw": True}, "a fox"), ULTRA, STRICT).parameters["raw"]


def test_what_an_image_of_another_model_brings_is_dropped_with_a_warning():
    reuse = Reuse("a fox", None, {"seed": 7, "raw": True, "size": "1024x1024"}, ())
    kept = drop_refused(reuse, PLAIN, None)
    assert kept.parameters == {"raw": True, "size": "1024x1024"}
    (note,) = kept.notes
    assert (note.parameter, note.behavior, note.warning) == ("seed", "ignored", True)
    assert drop_refused(reuse, ULTRA, BFL) == reuse


def test_a_legacy_model_says_what_replaces_it():
    old = ULTRA._replace(legacy="FLUX.2 replaces it")
    (note, *_) = resolve(Request(old.id, {}, "a fox"), old).notes
    assert (note.reason, note.warning) == ("a legacy model: FLUX.2 replaces it", True)


def test_a_model_that_the_gateway_lacks_names_the_providers_that_have_it():
    with pytest.raises(UsageError) as raised:
        dialect_of(ROWS["lumenfall"], PLAIN)
    assert raised.value.message == f"flux does not support {PLAIN.id} at lumenfall"
    assert raised.value.hint == "use --provider with one of these: bfl, fal, replicate"
    assert dialect_of(ROWS["offline"], PLAIN) is None
    assert dialect_of(ROWS["openai"], PLAIN).provider == "compatible"
    assert dialect_of(ROWS["bfl"], PLAIN) == BFL


def test_a_format_is_requested_where_the_server_s_own_would_be_lossy():
    field = BFL.fields["output_format"]._replace(
        required=True, reason="the default is webp", values={"png": "PNG"}
    )
    dialect = BFL._replace(formats=("png", "jpeg"), fields={**BFL.fields, "output_format": field})
    for said, sent in (({}, "PNG"), ({"output_format": "jpeg"}, "jpeg")):
        planned = plan(resolve(Request(ULTRA.id, said, "a fox"), ULTRA, dialect), DRAWN, 7)
        assert planned.calls[0].body["output_format"] == sent
    planned = plan(resolve(Request(ULTRA.id, {}, "a fox"), ULTRA, dialect))
    (note,) = [note for note in planned.notes if note.parameter == "output_format"]
    assert (note.asked, note.behavior, note.reason) == (None, "default", "the default is webp")
    planned = plan(
        resolve(Request(ULTRA.id, {"output_compression": "50"}, "a fox"), ULTRA, dialect)
    )
    (note,) = [note for note in planned.notes if note.parameter == "output_compression"]
    assert (note.behavior, note.reason.split(":")[0]) == ("ignored", "png is lossless")


def test_a_model_may_have_fewer_requests_at_once_than_its_provider():
    assert most_in_flight(ROWS["bfl"], BFL) == ROWS["bfl"].in_flight == 24
    assert most_in_flight(ROWS["bfl"], BFL._replace(in_flight=6)) == 6
    assert most_in_flight(ROWS["lumenfall"], None) == 256
