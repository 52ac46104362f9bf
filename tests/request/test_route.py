"""The upstream of the gateway: forced, or chosen because it alone honors a parameter."""

import itertools

import pytest

from flux_cli.catalog.find import list_models
from flux_cli.core.errors import UsageError
from flux_cli.core.model import Price
from flux_cli.core.request import Request
from flux_cli.request.resolve import resolve

URL = "https://example.org/x.png"
MODELS = {model.id: model for model in list_models(())}
VALUES = {"boolean": "true", "integer": "32", "number": "0.5", "image": URL}
# Every parameter of the catalog that some upstream ignores, with each route.
RESTRICTED = [
    (model.id, param.name, route.name)
    for model in MODELS.values()
    for param in model.parameters.values()
    for route in model.routes
    if param.upstreams
]


def resolved(name, route=None, reused=(), named=(), model=None, **said):
    model = model or MODELS[name]
    request = Request(model.id, said, "a fox", route, named=named, reused=reused)
    return resolve(request, model)


def notes_on(parameter, result):
    return [note for note in result.notes if note.parameter == parameter]


def value_of(model, parameter):
    return VALUES[MODELS[model].parameters[parameter].kind]


def test_the_catalog_has_parameters_that_some_upstreams_ignore():
    assert {parameter for _, parameter, _ in RESTRICTED} >= {"image_prompt", "enhance_prompt"}


@pytest.mark.parametrize(("model", "parameter", "route"), RESTRICTED)
def test_a_forced_upstream_honors_every_parameter_or_the_line_is_refused(model, parameter, route):
    upstreams = MODELS[model].parameters[parameter].upstreams
    said = {parameter: value_of(model, parameter)}
    if route in upstreams:
        (note,) = notes_on(parameter, resolved(model, route, **said))
        assert (note.reason, note.warning) == ("sent as given", False)
        return
    with pytest.raises(UsageError) as raised:
        resolved(model, route, **said)
    assert raised.value.message == f"{route} ignores {parameter}"
    option = f"--{parameter.replace('_', '-')}"
    assert raised.value.hint == f"use --route {upstreams[0]}, or drop {option}"


@pytest.mark.parametrize(("model", "parameter"), sorted({row[:2] for row in RESTRICTED}))
def test_the_automatic_route_is_one_that_honors_the_parameter(model, parameter):
    result = resolved(model, **{parameter: value_of(model, parameter)})
    assert result.route in MODELS[model].parameters[parameter].upstreams
    assert result.sent_model == f"{result.route}/{model}"
    (note,) = notes_on("route", result)
    assert note.warning
    assert note.reason.startswith(f"only {result.route} honors {parameter}; no failover")
    (note,) = notes_on(parameter, result)
    assert (note.reason, note.warning) == ("sent as given", False)


def test_the_hint_says_the_parameter_as_it_was_typed():
    with pytest.raises(UsageError) as raised:
        resolved("flux1.1-pro", "fal", named=("width",), width="512")
    assert raised.value.hint == "use --route replicate, or drop -p width"


def test_parameters_that_no_upstream_honors_together_are_refused():
    for said in itertools.permutations((("enhance_prompt", "true"), ("image_prompt", URL))):
        with pytest.raises(UsageError) as raised:
            resolved("flux1.1-pro-ultra", **dict(said))
        assert raised.value.message.startswith("no upstream honors both ")
        assert "enhance_prompt (fal)" in raised.value.message
        assert "image_prompt (replicate)" in raised.value.message
        assert "--image-prompt" in raised.value.hint


def test_a_route_in_the_name_of_the_model_is_forced_as_well():
    model = MODELS["flux1.1-pro-ultra"]
    request = Request("fal/flux1.1-pro-ultra", {"image_prompt": URL}, "a fox")
    with pytest.raises(UsageError, match="fal ignores image_prompt"):
        resolve(request, model)


def test_what_comes_from_another_image_yields_to_what_was_typed():
    said = {"image_prompt": URL, "enhance_prompt": True}
    result = resolved("flux1.1-pro-ultra", reused=("enhance_prompt",), **said)
    assert result.route == "replicate"
    (note,) = notes_on("enhance_prompt", result)
    assert (note.reason, note.warning) == (
        "only fal honors it, and the route is replicate",
        True,
    )
    forced = resolved(
        "flux1.1-pro-ultra", "replicate", reused=("enhance_prompt",), enhance_prompt=True
    )
    assert notes_on("enhance_prompt", forced)[0].warning


def test_what_comes_from_another_image_chooses_the_route_if_nothing_else_does():
    said = {"enhance_prompt": True}
    assert resolved("flux1.1-pro-ultra", reused=("enhance_prompt",), **said).route == "fal"


def test_the_cheapest_of_several_routes_is_chosen():
    own = MODELS["flux1.1-pro-ultra"]
    first, second = own.routes
    parameters = dict(own.parameters)
    raw = parameters["raw"]
    parameters["raw"] = raw._replace(upstreams=("fal", "replicate"))
    third = first._replace(name="other", model="other/x")
    dear = own._replace(
        routes=(first._replace(price=Price(0.08)), second._replace(price=Price(0.05)), third),
        parameters=parameters,
    )
    result = resolved("", model=dear, raw="true")
    assert (result.route, dear.price_of(result.route)) == ("replicate", Price(0.05))
    (note,) = notes_on("route", result)
    assert note.reason.startswith("only fal or replicate honors raw")
    prices = [dear.price_of(name).per_image for name in (None, "fal", "other")]
    assert prices == [0.06, 0.08, 0.06]


# --- shapes: fal lists nine ratios, Replicate all eleven

ULTRA = "flux1.1-pro-ultra"
RARE = [{"size": "4:5"}, {"aspect_ratio": "5:4"}, {"size": "916x1145"}, {"size": "1856x2304"}]


@pytest.mark.parametrize("said", RARE)
def test_a_ratio_that_one_upstream_does_not_list_chooses_the_other(said):
    result = resolved(ULTRA, **said)
    assert result.sent_model == f"replicate/{ULTRA}"
    (note,) = notes_on("route", result)
    ratio = result.size.aspect_ratio
    assert (note.warning, note.reason.startswith(f"only replicate honors the ratio {ratio};")) == (
        True,
        True,
    )


@pytest.mark.parametrize("said", RARE)
def test_a_ratio_that_the_forced_upstream_does_not_list_is_refused(said):
    with pytest.raises(UsageError, match=r"^fal ignores the ratio (4:5|5:4)$") as raised:
        resolved(ULTRA, "fal", **said)
    option = f"--{next(iter(said)).replace('_', '-')}"
    assert raised.value.hint == f"use --route replicate, or drop {option}"
    assert notes_on("route", resolved(ULTRA, "replicate", **said)) == []


@pytest.mark.parametrize("said", [{}, {"size": "16:9"}, {"size": "21:9", "aspect_ratio": "4:5"}])
def test_a_ratio_that_all_upstreams_list_decides_nothing(said):
    assert resolved(ULTRA, **said).route is None
    assert notes_on("route", resolved(ULTRA, "fal", **said)) == []
    assert resolved("flux1.1-pro", size="4:5").route is None  # its upstreams list no ratios


def test_a_ratio_and_a_parameter_that_no_upstream_honors_together_are_refused():
    with pytest.raises(UsageError) as raised:
        resolved(ULTRA, size="4:5", enhance_prompt="true")
    assert raised.value.message == (
        "no upstream honors both the ratio 4:5 (replicate) and enhance_prompt (fal)"
    )


def test_a_ratio_of_another_image_yields_to_a_forced_upstream():
    result = resolved(ULTRA, "fal", reused=("size",), size="4:5")
    (note,) = notes_on("route", result)
    assert note.reason == "fal does not list 4:5: the gateway may send its closest ratio"
    assert resolved(ULTRA, reused=("size",), size="4:5").route == "replicate"
