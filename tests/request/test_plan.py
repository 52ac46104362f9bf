"""From one resolved request to single-image calls: seeds, n, and the requested format."""

import pytest

from flux_cli.catalog.find import find_model, read_servers
from flux_cli.core.errors import UsageError
from flux_cli.core.options import Input
from flux_cli.core.request import DERIVED, DRAWN, TYPED, Call, Request
from flux_cli.images.formats import FORMATS
from flux_cli.providers.rows import ROWS
from flux_cli.request.plan import GATEWAY, choose_seed, plan
from flux_cli.request.resolve import resolve

ULTRA = "flux1.1-pro-ultra"


def planned(model=ULTRA, route=None, **said):
    return plan(resolve(Request(model, said, "a red fox", route), find_model(model)))


def planned_unknown(named=(), **said):
    """A model that nobody knows. `named` are the parameters that were typed with -p."""
    return plan(resolve(Request("else", said, "a red fox", named=named), None))


def short(notes):
    return [(note.parameter, note.asked, note.used, note.behavior, note.warning) for note in notes]


def test_a_plain_request_is_one_call_with_an_explicit_shape_and_nothing_else():
    (call,) = planned().calls
    assert (call.number, call.seed) == (1, None)
    assert call.model == ULTRA
    assert call.body == {"prompt": "a red fox", "size": "1024x1024"}


def test_everything_said_is_in_the_body_under_the_gateway_s_names():
    (call,) = planned(
        route="fal",
        size="16:9",
        seed="7",
        raw="true",
        safety_tolerance="6",
        response_format="b64_json",
        guidance="3.5",
    ).calls
    assert call.model == "fal/flux1.1-pro-ultra"
    assert call.body == {
        "prompt": "a red fox",
        "size": "1365x768",
        "seed": 7,
        "raw": True,
        "safety_tolerance": "6",
        "response_format": "b64_json",
        "guidance": 3.5,
    }


def test_the_gateway_is_asked_only_for_the_formats_of_its_documentation(monkeypatch):
    """Whatever else flux can write is made from a format that the gateway can."""
    assert GATEWAY.formats == ("png", "jpeg", "gif", "webp", "avif")
    monkeypatch.setitem(FORMATS, "xyz", FORMATS["png"]._replace(name="xyz"))
    resolved = resolve(Request("else", {}, "a red fox"), None, GATEWAY)._replace(format="xyz")
    assert plan(resolved).calls[0].body["output_format"] == "png"


@pytest.mark.parametrize("name", ["aspect_ratio", "resolution", "n"])
def test_shape_scale_and_count_are_never_sent_because_flux_has_decided_them(name):
    for call in planned(aspect_ratio="16:9", resolution="2K", n="2").calls:
        assert name not in call.body


@pytest.mark.parametrize(
    ("n", "seed", "seeds"),
    [(1, 7, [7]), (3, 7, [7, 8, 9]), (2, None, [None] * 2)],
)
def test_n_images_are_n_calls_with_seeds_counting_up(n, seed, seeds):
    said = {} if seed is None else {"seed": seed}
    calls = planned(n=n, **said).calls
    assert [call.number for call in calls] == list(range(1, n + 1))
    assert [call.seed for call in calls] == seeds
    assert [call.body.get("seed") for call in calls] == seeds


def test_without_a_seed_none_is_sent():
    assert all("seed" not in call.body for call in planned(n=4).calls)


def test_listed_seeds_are_sent_one_by_one_and_said():
    result = planned(seed="9,1..2")
    assert [call.seed for call in result.calls] == [9, 1, 2]
    assert [call.body["seed"] for call in result.calls] == [9, 1, 2]
    (note,) = [note for note in result.notes if note.parameter == "n"]
    assert note.reason == "3 parallel requests for one image, each with its own seed"
    assert result.seed_origin == TYPED


@pytest.mark.parametrize("named", [(), ("seed",)])
@pytest.mark.parametrize("seed", ["abc", "true", True, "1.5", 1.5, "-2", [7], None])
def test_a_seed_is_a_whole_number_whoever_the_model_is_and_however_it_is_named(seed, named):
    with pytest.raises(UsageError, match=r"^seed must be"):
        planned_unknown(named, seed=seed)
    with pytest.raises(UsageError, match=r"^seed must be"):
        planned(seed=seed)


def chosen(model=ULTRA, dialect=None, *, hosted=True, no_seed=False, draw=None, **said):
    resolved = resolve(Request(model, said, "a red fox"), find_model(model), dialect)
    return choose_seed(
        resolved, ROWS["lumenfall" if hosted else "offline"], Input(no_seed=no_seed), draw
    )


def test_a_seed_is_drawn_for_every_model_that_is_known_to_take_one():
    draw = lambda: 5  # noqa: E731 - the only line of a stand-in for chance
    assert chosen(draw=draw) == (DRAWN, 5)
    assert chosen() == (DRAWN, None)
    assert chosen(draw=draw, no_seed=True) == ("", None)
    assert chosen(draw=draw, seed="7") == (TYPED, 7)
    assert chosen("else", draw=draw) == ("", None)
    for provider, dialect in find_model(ULTRA).dialects.items():
        assert chosen(dialect=dialect, draw=draw) == (DRAWN, 5), provider
    takes = {name for name, row in read_servers().items() if chosen("else", row, draw=draw)[0]}
    assert takes == {"together", "sdcpp", "vllm", "sglang"}
    needs = {
        name
        for name, row in read_servers().items()
        if chosen("else", row, no_seed=True, draw=draw)[0]
    }
    assert needs == {"sdcpp", "sglang"}


def test_minus_one_asks_for_a_random_seed_wherever_a_seed_can_be_sent():
    draw = lambda: 5  # noqa: E731 - the only line of a stand-in for chance
    for seed in ("-1", -1):
        assert chosen(draw=draw, seed=seed) == (DRAWN, 5)
        assert chosen("else", draw=draw, seed=seed) == (DRAWN, 5)
        assert chosen(draw=draw, hosted=False, seed=seed) == (DRAWN, 5)
    with pytest.raises(UsageError, match="no seed"):
        chosen("else", read_servers()["openai"], seed="-1")


def test_a_drawn_seed_counts_up_like_a_typed_one_and_is_said():
    resolved = resolve(Request(ULTRA, {"n": "3"}, "a red fox"), find_model(ULTRA))
    result = plan(resolved, DRAWN, 40)
    assert [call.body["seed"] for call in result.calls] == [40, 41, 42]
    (note,) = [note for note in result.notes if note.parameter == "seed"]
    assert (note.asked, note.used, note.behavior) == (None, 40, "default")
    assert resolved.seed is None
    (later,) = [note for note in plan(resolved, DRAWN, None).notes if note.parameter == "seed"]
    assert (later.used, later.reason) == (
        None, "a random seed is drawn for each run; --no-seed sends none"
    )  # fmt: skip
    assert all("seed" not in call.body for call in plan(resolved, DRAWN, None).calls)


def test_a_sketch_has_the_seed_of_its_request():
    origin, seed = chosen(hosted=False)
    assert origin == DERIVED
    assert 1 <= seed < 2**31 - 10_000
    assert chosen(hosted=False, no_seed=True) == (DERIVED, seed)
    for same in ({"n": "4"}, {"output_format": "png"}, {"badge": False}, {"sync_mode": True}):
        assert chosen(hosted=False, **same) == (DERIVED, seed), same
    for other in ({"size": "16:9"}, {"raw": True}, {"guidance": 3}):
        assert chosen(hosted=False, **other) != (DERIVED, seed), other


def test_an_option_has_its_own_type_where_nobody_knows_the_model():
    body = (
        planned_unknown(seed="7", safety_tolerance="2", image_prompt_strength="0.5", size="1024")
        .calls[0]
        .body
    )
    assert body == {
        "prompt": "a red fox", "seed": 7, "safety_tolerance": "2",
        "image_prompt_strength": 0.5, "size": "1024",
    }  # fmt: skip
    named = planned_unknown(("safety_tolerance",), safety_tolerance=2).calls[0].body
    assert named["safety_tolerance"] == 2


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ({"size": "16:9"}, {"aspect_ratio": "16:9"}),
        ({"size": "1.91:1"}, {"aspect_ratio": "1.91:1"}),
        ({"size": "16:9", "aspect_ratio": "1:1"}, {"aspect_ratio": "16:9"}),
        ({"size": "1024x768"}, {"size": "1024x768"}),
        ({"size": "auto"}, {"size": "auto"}),
    ],
)
def test_a_ratio_as_the_size_is_a_ratio_where_nobody_knows_the_sizes(said, sent):
    assert planned_unknown(**said).calls[0].body == {"prompt": "a red fox", **sent}
    by_name = planned_unknown(("size",), **said).calls[0].body
    assert by_name["size"] == said["size"]


def test_a_ratio_that_a_size_overrides_is_said():
    resolved = resolve(Request("else", {"size": "16:9", "aspect_ratio": "1:1"}, "a"), None)
    assert ("aspect_ratio", "1:1", None, "ignored", True) in short(resolved.notes)


def test_a_split_leaves_a_note_and_one_image_leaves_none():
    assert planned().notes == ()
    (note,) = planned(n="4").notes
    assert (note.parameter, note.asked, note.used, note.behavior) == ("n", 4, 1, "emulated")
    assert note.reason == "4 parallel requests for one image"
    (note,) = planned(n="4", seed="1").notes
    assert note.reason == "4 parallel requests for one image, each with the next seed"


@pytest.mark.parametrize(
    ("asked", "dialect", "behavior"),
    [
        ("png", "png", "passthrough"),
        ("jpeg", "jpeg", "passthrough"),
        ("jpg", "jpeg", "passthrough"),
        ("webp", "png", "emulated"),
        ("gif", "png", "emulated"),
        ("avif", "png", "emulated"),
    ],
)
def test_the_provider_is_asked_only_for_formats_it_makes_itself(asked, dialect, behavior):
    result = planned(output_format=asked)
    assert result.calls[0].body["output_format"] == dialect
    assert [note.behavior for note in result.notes] == [behavior]


def test_without_a_format_the_provider_chooses():
    result = planned()
    assert "output_format" not in result.calls[0].body
    assert result.notes == ()


@pytest.mark.parametrize("asked", ["png", "jpeg", "webp", "gif", "avif"])
def test_an_unknown_model_is_asked_for_a_format_only_by_name(asked):
    """It may refuse the parameter, and flux makes every format itself."""
    made = planned_unknown(output_format=asked)
    assert made.calls[0].body == {"prompt": "a red fox"}
    assert short(made.notes) == [("output_format", asked, None, "emulated", False)]
    made = planned_unknown(("output_format",), output_format=asked)
    assert made.calls[0].body["output_format"] == asked


@pytest.mark.parametrize(
    ("asked", "dialect", "notes"),
    [
        (None, 80, [("output_compression", 80, 80, "passthrough", False)]),
        ("jpeg", 80, [("output_compression", 80, 80, "passthrough", False)]),
        ("webp", None, [("output_compression", 80, 80, "emulated", False)]),
        ("avif", None, [("output_compression", 80, 80, "emulated", False)]),
        ("png", None, [("output_compression", 80, None, "ignored", True)]),
        ("gif", None, [("output_compression", 80, None, "ignored", True)]),
    ],
)
def test_quality_goes_to_whoever_encodes_and_lossless_formats_have_none(asked, dialect, notes):
    said = {"output_compression": "80"} | ({} if asked is None else {"output_format": asked})
    result = planned(**said)
    assert result.calls[0].body.get("output_compression") == dialect
    assert [note for note in short(result.notes) if note[0] == "output_compression"] == notes


@pytest.mark.parametrize("asked", ["jpeg", "webp", "avif"])
def test_an_unknown_model_gets_a_quality_only_by_name_even_if_it_is_zero(asked):
    said = {"output_format": asked, "output_compression": "0"}
    assert planned_unknown(**said).calls[0].body == {"prompt": "a red fox"}
    body = planned_unknown(("output_format", "output_compression"), **said).calls[0].body
    assert body["output_compression"] == 0


def test_the_best_native_format_is_png_where_there_is_one_else_the_first():
    ultra = find_model(ULTRA)
    request = Request(ULTRA, {"output_format": "avif"}, "a fox")
    for native, dialect in (
        (("jpeg", "png"), "png"),
        (("jpeg", "webp"), "jpeg"),
        (("avif",), "avif"),
        ((), "avif"),
    ):
        result = plan(resolve(request, ultra._replace(native_formats=native)))
        assert result.calls[0].body["output_format"] == dialect


def test_a_plan_of_many_calls_keeps_the_rest_of_every_body_alike():
    first, *others = planned(n="5", seed="1", raw="true", output_format="webp").calls
    for call in others:
        assert call.body | {"seed": None} == first.body | {"seed": None}


@pytest.mark.parametrize(
    ("body", "images"),
    [
        ({}, 1),
        ({"n": 4}, 4),
        ({"num_images": 3, "n": "7"}, 7),
        ({"num_images": 4.0}, 4),
        ({"n": "seven", "num_images": None}, 1),
        ({"num_outputs": -2}, 1),
    ],
)
def test_a_call_knows_how_many_images_its_body_asks_for(body, images):
    assert Call(1, None, "model", body).images == images
