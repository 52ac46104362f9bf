"""Requests are resolved by the rules of the model's page, with a note on every decision."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.catalog.find import find_model
from flux_cli.core.errors import UsageError
from flux_cli.core.model import Model, Param, Price, Size
from flux_cli.core.request import Attachment, Note, Request
from flux_cli.request.resolve import resolve

ULTRA = "flux1.1-pro-ultra"


def resolved(model=ULTRA, prompt="a red fox", route=None, output=None, **parameters):
    """The resolved request of a model of the catalog, the way the command line builds it."""
    return resolve(Request(model, parameters, prompt, route, output), find_model(model))


def unknown(model="somebody/else", prompt="a red fox", route=None, output=None, **parameters):
    """The same for a model that is not in the catalog."""
    return resolve(Request(model, parameters, prompt, route, output), None)


def short(notes):
    """Notes without their reasons."""
    return [(note.parameter, note.asked, note.used, note.behavior, note.warning) for note in notes]


def note_on(parameter, result) -> Note:
    (note,) = [note for note in result.notes if note.parameter == parameter]
    return note


# --- size, aspect_ratio, resolution

SENT = "always sent, because the defaults of upstreams differ"


SQUARE = ("size", None, "1024x1024", "default", False)


def check_size(said, size, notes):
    result = resolved(**said)
    assert result.parameters == {"size": size}
    assert result.size.name == size
    assert short(result.notes) == notes


def test_without_a_shape_the_default_size_is_sent():
    check_size({}, "1024x1024", [SQUARE])


@pytest.mark.parametrize(
    ("size", "behavior", "warned"),
    [
        ("1365x768", "passthrough", False),
        ("1365×768", "passthrough", False),
        ("1920x1080", "converted", True),  # the example of the page
        ("1364x768", "converted", True),
        ("16:9", "converted", False),
        ("32:18", "converted", False),
        ("2:1", "converted", True),
    ],
)
def test_a_size_or_ratio_becomes_the_closest_published_size(size, behavior, warned):
    check_size({"size": size}, "1365x768", [("size", size, "1365x768", behavior, warned)])


@pytest.mark.parametrize(
    ("ratio", "used", "size", "warned"),
    [("16:9", "16:9", "1365x768", False), ("7:1", "21:9", "1563x670", True)],
)
def test_any_aspect_ratio_is_mapped(ratio, used, size, warned):
    note = ("aspect_ratio", ratio, used, "converted", warned)
    notes = [note, ("size", None, size, "converted", False)]
    check_size({"aspect_ratio": ratio}, size, notes)


@pytest.mark.parametrize(
    ("resolution", "warned"), [("1K", False), ("1", False), ("4K", True), ("0.25", True), (2, True)]
)
def test_any_resolution_is_mapped(resolution, warned):
    note = ("resolution", str(resolution), "1K", "converted", warned)
    check_size({"resolution": resolution}, "1024x1024", [note, SQUARE])


def test_shape_and_scale_are_independent():
    notes = [
        ("aspect_ratio", "9:16", "9:16", "converted", False),
        ("resolution", "2K", "1K", "converted", True),
        ("size", None, "768x1365", "converted", False),
    ]
    check_size({"aspect_ratio": "9:16", "resolution": "2K"}, "768x1365", notes)


def test_pixels_always_win():
    said = {"size": "1024x1024", "aspect_ratio": "16:9", "resolution": "4K"}
    notes = [
        ("size", "1024x1024", "1024x1024", "passthrough", False),
        ("aspect_ratio", "16:9", None, "ignored", True),
        ("resolution", "4K", None, "ignored", True),
    ]
    check_size(said, "1024x1024", notes)


def test_a_ratio_in_size_wins_over_aspect_ratio_and_says_nothing_of_scale():
    said = {"size": "16:9", "aspect_ratio": "1:1", "resolution": "1K"}
    notes = [
        ("size", "16:9", "1365x768", "converted", False),
        ("aspect_ratio", "1:1", None, "ignored", True),
        ("resolution", "1K", "1K", "converted", False),
    ]
    check_size(said, "1365x768", notes)


@pytest.mark.parametrize(
    ("parameter", "value", "reason"),
    [
        ("size", "1365x768", "published size: 16:9 at 1K"),
        ("size", "1920x1080", "the model has no 1920x1080; using 1365x768 (16:9), the closest"),
        ("size", "16:9", "16:9 is 1365x768"),
        ("size", "2:1", "the model has no 2:1; using 16:9 (1365x768), the closest"),
        ("aspect_ratio", "16:9", "16:9 is 1365x768"),
        ("aspect_ratio", "2:1", "the model has no 2:1; using 16:9 (1365x768), the closest"),
        ("resolution", "1K", "part of size 1024x1024"),
        ("resolution", "2K", "the model has no 2K; using 1K, the closest"),
    ],
)
def test_the_reason_says_what_decided(parameter, value, reason):
    assert note_on(parameter, resolved(**{parameter: value})).reason == reason


def test_the_reason_of_a_size_nobody_gave_is_its_shape_and_scale():
    assert note_on("size", resolved()).reason == f"1:1 at 1K; {SENT}"
    assert note_on("size", resolved(aspect_ratio="4:5")).reason == f"4:5 at 1K; {SENT}"


def test_the_reason_for_ignoring_a_shape_or_scale_is_the_size():
    note = note_on("aspect_ratio", resolved(size="1:1", aspect_ratio="3:2"))
    assert note.reason == "size 1:1 is more specific and overrides it"
    note = note_on("resolution", resolved(size="88x88", resolution="2K"))
    assert note.reason == "size 88x88 is more specific and overrides it"


@pytest.mark.parametrize(
    ("size", "ratio"),
    [
        ("887x1182", "3:4"),
        ("916x1145", "4:5"),
        ("1145x916", "5:4"),
        ("836x1254", "2:3"),
        ("1200x1600", "3:4"),
        ("1600x1000", "3:2"),
        ("1000x1500", "2:3"),
        ("1254x836", "3:2"),
    ],
)
def test_sizes_another_client_gets_wrong_have_their_true_ratio(size, ratio):
    """LiteLLM sends 16:9, 4:3 or 3:4 for these."""
    assert resolved(size=size).size.aspect_ratio == ratio


def model_of(*shapes, default="1024x1024", **fields):
    """A small model with these (size, ratio, tier) rows."""
    sizes = []
    for size, ratio, tier in shapes:
        width, height = map(int, size.split("x"))
        sizes.append(Size(width, height, ratio, tier, None))
    texts = dict.fromkeys(("name", "vendor", "summary", "page"), "")
    rest = {"price": Price(), "prompt_limit": None, "parameters": {}, "native_formats": ("png",)}
    return Model(
        **texts,
        id="small",
        aliases=(),
        default_size=default,
        sizes=tuple(sizes),
        routes=(),
        **(rest | fields),
    )


TIERED = model_of(
    ("512x512", "1:1", "0.5K"),
    ("1024x1024", "1:1", "1K"),
    ("2048x2048", "1:1", "2K"),
    ("2048x512", "4:1", "1K"),
    ("2896x362", "8:1", "1K"),
    ("5793x724", "8:1", "2K"),
)


@pytest.mark.parametrize(
    ("said", "size"),
    [
        ({}, "1024x1024"),
        ({"size": "7:1"}, "2896x362"),
        ({"aspect_ratio": "7:1", "resolution": "4K"}, "5793x724"),
        ({"aspect_ratio": "5:1", "resolution": "4K"}, "2048x512"),  # 4:1 has one tier
        ({"resolution": "0.25"}, "512x512"),
        ({"resolution": "2K"}, "2048x2048"),
        ({"size": "600x600"}, "512x512"),
        ({"size": "4000x4000"}, "2048x2048"),
        ({"size": "1:1"}, "1024x1024"),  # a ratio in size leaves the default scale
        ({"size": "1:1", "resolution": "2K"}, "2048x2048"),
        ({"size": "512x512", "resolution": "2K"}, "512x512"),
    ],
)
def test_a_model_of_several_tiers_is_matched_by_shape_then_scale(said, size):
    assert resolve(Request("small", said, "a fox"), TIERED).size.name == size


def test_the_page_s_priority_holds_for_every_combination():
    """size beats both; aspect_ratio and resolution never change each other's outcome."""
    shapes = {"1:1": {}, "16:9": {"aspect_ratio": "16:9"}, "21:9": {"aspect_ratio": "7:1"}}
    for used, shape in shapes.items():
        for scale in ({}, {"resolution": "1K"}, {"resolution": "4K"}):
            assert resolved(size="3:2", **shape, **scale).size.aspect_ratio == "3:2"
            assert resolved(**shape, **scale).size.aspect_ratio == used


# --- model and route


@pytest.mark.parametrize(
    ("model", "route", "dialect", "forced"),
    [
        (ULTRA, None, ULTRA, None),
        ("flux-pro-1.1-ultra", None, ULTRA, None),
        (ULTRA, "fal", "fal/flux1.1-pro-ultra", "fal"),
        (ULTRA, "replicate", "replicate/flux1.1-pro-ultra", "replicate"),
        ("fal/flux1.1-pro-ultra", None, "fal/flux1.1-pro-ultra", "fal"),
        ("replicate/flux1.1-pro-ultra", None, "replicate/flux1.1-pro-ultra", "replicate"),
        ("fal/flux1.1-pro-ultra", "fal", "fal/flux1.1-pro-ultra", "fal"),
        ("fal/flux-pro-1.1-ultra", None, "fal/flux1.1-pro-ultra", "fal"),
        ("flux-pro-1.1-ultra", "replicate", "replicate/flux1.1-pro-ultra", "replicate"),
        ("flux1.1-pro", "fal", "fal/flux1.1-pro", "fal"),
    ],
)
def test_a_route_is_forced_by_option_or_prefix_and_an_alias_by_neither(
    model, route, dialect, forced
):
    result = resolved(model, route=route)
    assert (result.sent_model, result.route) == (dialect, forced)


def test_the_plain_model_leaves_no_note_and_an_alias_or_route_does():
    assert not [note for note in resolved(ULTRA).notes if note.parameter == "model"]
    alias = note_on("model", resolved("flux-pro-1.1-ultra"))
    assert alias == Note("model", "flux-pro-1.1-ultra", ULTRA, "renamed", "an alias")
    forced = note_on("model", resolved(ULTRA, route="fal"))
    reason = "forces the upstream fal-ai/flux-pro/v1.1-ultra; no failover to another"
    assert forced == Note("model", ULTRA, "fal/flux1.1-pro-ultra", "renamed", reason)


@pytest.mark.parametrize(
    ("model", "route", "message", "hint"),
    [
        ("fal/flux1.1-pro-ultra", "replicate", "already names a route", "only one of them"),
        (ULTRA, "fall", "flux1.1-pro-ultra has no route 'fall'", "did you mean fal?"),
        (ULTRA, "xyz", "has no route", "routes: fal, replicate"),
        ("runware/flux1.1-pro-ultra", None, "has no route", "routes: fal, replicate"),
        ("/flux1.1-pro-ultra", None, "has no route ''", "routes: fal, replicate"),
        ("../flux1.1-pro-ultra", None, "has no route '..'", "routes: fal, replicate"),
    ],
)
def test_routes_that_lead_nowhere_or_contradict_are_refused(model, route, message, hint):
    with pytest.raises(UsageError) as raised:
        resolved(model, route=route)
    assert message in raised.value.message
    assert hint in raised.value.hint


def test_an_unknown_model_passes_everything_on_unchecked_with_a_warning():
    result = unknown("black-forest-labs/x", size="banana", raw="perhaps", steps="28", seed="7")
    assert result.sent_model == "black-forest-labs/x"
    assert result.parameters == {"size": "banana", "raw": "perhaps", "steps": 28}
    assert result.seed == 7
    assert (result.size, result.route, result.model, result.price_usd) == (None,) * 4
    note = note_on("model", result)
    assert (note.behavior, note.warning) == ("passthrough", True)


def test_an_unknown_model_still_has_n_format_and_quality_checked_because_flux_acts_on_them():
    result = unknown(n="3", output_format="JPG", output_compression="80")
    assert (result.n, result.format, result.quality, result.parameters) == (3, "jpeg", 80, {})
    for said in ({"n": "0"}, {"output_format": "xyz"}, {"output_compression": "101"}):
        with pytest.raises(UsageError):
            unknown(**said)


def test_a_route_prefixes_an_unknown_model():
    assert unknown("new-model", route="fal").sent_model == "fal/new-model"


# --- prompt


@pytest.mark.parametrize("prompt", ["", " ", "\n\t", "\u3000"])
def test_an_empty_prompt_is_refused_before_anything_is_paid(prompt):
    with pytest.raises(UsageError, match="the prompt is empty"):
        resolved(prompt=prompt)


def test_no_prompt_at_all_is_fine_for_a_preview():
    assert resolved(prompt=None).prompt == ""


@pytest.mark.parametrize(
    "prompt",
    ["a red fox", "  two  spaces ", "line\nbreak", "狐", "🦊" * 10, '"quotes" \\ {braces}'],
)
def test_a_prompt_is_sent_as_written(prompt):
    assert resolved(prompt=prompt).prompt == prompt


@pytest.mark.parametrize(("length", "warned"), [(1000, False), (1001, True), (20_000, True)])
def test_a_prompt_over_a_thousand_characters_is_warned_about_and_sent_whole(length, warned):
    result = resolved(prompt="ä" * length)
    assert len(result.prompt) == length
    notes = [note for note in result.notes if note.parameter == "prompt"]
    assert [note.warning for note in notes] == [True] * warned
    if warned:
        assert notes[0].reason == "longer than 1,000 characters: the gateway may refuse it"
        assert notes[0].asked == f"{length:,} characters"


def test_an_unknown_model_has_no_known_limit():
    assert not [note for note in unknown(prompt="x" * 5000).notes if note.parameter == "prompt"]


NOT_UTF8 = {
    "prompt": lambda: resolved(prompt="fox \udcff"),
    "prompt of an unknown model": lambda: unknown(prompt="\ud800"),
    "model": lambda: unknown("model-\udcff"),
    "size": lambda: resolved(size="\udcff"),
    "name of a parameter": lambda: resolved(**{"na\udcffme": "x"}),
    "unknown parameter": lambda: resolved(style="\udcff"),
    "unknown parameter of an unknown model": lambda: unknown(style="\udcff"),
}


@pytest.mark.parametrize("build", NOT_UTF8.values(), ids=NOT_UTF8)
def test_bytes_that_are_no_utf8_are_refused_wherever_they_stand(build):
    with pytest.raises(UsageError, match="not UTF-8"):
        build()


# --- parameters


@pytest.mark.parametrize(
    ("name", "said", "sent", "behavior"),
    [
        ("raw", "true", True, "passthrough"),
        ("raw", False, False, "passthrough"),
        ("safety_tolerance", "6", "6", "passthrough"),
        ("safety_tolerance", 2, "2", "passthrough"),  # a text: one upstream refuses numbers
        ("response_format", "b64_json", "b64_json", "emulated"),
        ("response_format", "url", "url", "emulated"),
        ("guidance", "3.5", 3.5, "passthrough"),  # unknown to the model: passes straight through
        ("loras", '[{"path": "x"}]', [{"path": "x"}], "passthrough"),
        ("style", "vivid", "vivid", "passthrough"),
    ],
)
def test_parameters_are_sent_in_their_type_with_the_behavior_of_the_page(
    name, said, sent, behavior
):
    result = resolved(**{name: said})
    assert result.parameters == {"size": "1024x1024", name: sent}
    assert note_on(name, result).behavior == behavior


URL = "https://x/y.png"
UNCHECKED = "not in the catalog: sent unchecked"


@pytest.mark.parametrize(
    ("name", "value", "route", "reason"),
    [
        ("image_prompt_strength", "0.5", None, "has no effect without image_prompt"),
        ("safety_tolerence", "1", None, f"{UNCHECKED}; did you mean safety_tolerance?"),
    ],
)
def test_what_may_have_no_effect_is_warned_about(name, value, route, reason):
    note = note_on(name, resolved(route=route, **{name: value}))
    assert (note.warning, note.reason) == (True, reason)


@pytest.mark.parametrize(
    ("name", "value", "route", "reason"),
    [
        ("enhance_prompt", "true", "fal", "sent as given"),
        ("image_prompt", URL, "replicate", "sent as given"),
        ("raw", "true", None, "sent as given"),
        ("unheard_of", "1", None, UNCHECKED),
    ],
)
def test_what_has_an_effect_is_noted_without_a_warning(name, value, route, reason):
    note = note_on(name, resolved(route=route, **{name: value}))
    assert (note.warning, note.reason) == (False, reason)


def test_notes_come_in_the_order_of_the_catalog_and_unknown_parameters_last():
    said = {"zoom": "1", "sync_mode": "true", "raw": "true", "seed": "1", "angle": "2"}
    names = [note.parameter for note in resolved(**said, response_format="url").notes]
    assert names == [
        "model", "route", "size", "seed", "response_format", "raw", "sync_mode", "zoom", "angle"
    ]  # fmt: skip


def test_image_prompt_strength_with_its_image_needs_no_warning():
    result = resolved(route="replicate", image_prompt=URL, image_prompt_strength="0.5")
    assert not note_on("image_prompt_strength", result).warning


def test_a_local_image_is_sent_as_data_and_noted_by_its_name():
    attachment = Attachment("fox.png", "data:image/png;base64," + "A" * 500)
    result = resolved(route="replicate", image_prompt=attachment)
    assert result.parameters["image_prompt"].endswith("AAAA")
    note = note_on("image_prompt", result)
    assert note.asked == "fox.png"
    assert note.used == "data:image/png;base64,AAAAAAAAAAAAA… (522 characters)"


@pytest.mark.parametrize(
    ("said", "seed"), [("0", 0), ("+7", 7), (42, 42), (str(2**63 - 1), 2**63 - 1)]
)
def test_a_seed_is_kept_beside_the_parameters_because_each_call_has_its_own(said, seed):
    result = resolved(seed=said)
    assert result.seed == seed
    assert "seed" not in result.parameters
    assert note_on("seed", result).asked == said
    assert note_on("seed", result).used == seed


def test_several_seeds_set_the_number_of_images():
    result = resolved(seed="1,5..7")
    assert (result.seeds, result.seed, result.n) == ((1, 5, 6, 7), 1, 4)
    note = note_on("seed", result)
    assert (note.asked, note.used) == ("1,5..7", "1, 5, 6, 7")
    assert resolved(seed="1,5", n="2").n == 2
    for n in ("1", "3"):
        with pytest.raises(UsageError, match=f"^2 seeds are listed, but n is {n}$") as raised:
            resolved(seed="1,5", n=n)
        assert raised.value.hint == "drop -n: there is one image per seed"


def test_a_single_seed_is_no_list_and_minus_one_names_none():
    assert (resolved(seed="7..7", n="3").seeds, resolved(seed="7", n="3").n) == ((7,), 3)
    result = resolved(seed="-1", n="3")
    assert (result.seeds, result.seed, result.n) == ((), None, 3)


def test_what_was_not_said_is_not_sent():
    result = resolved()
    assert result.parameters == {"size": "1024x1024"}
    assert (result.seed, result.n, result.format, result.quality) == (None, 1, None, None)


HOSTILE = (
    "", " ", "\x00", "nonsense", "-1", "1e999", "NaN", "\u221e", "9" * 5000, True, [], {"a": 1},
    ["x"] * 3,
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=8),
    st.text("0123456789x:.K", max_size=9),
    st.integers(),
    st.booleans(),
)
NAMES = st.sampled_from(sorted(find_model(ULTRA).parameters)) | st.text(max_size=8)
ODD_SIZES = (
    "", "x", "0x0", "-1x5", "1e9x2", "16:9:3", "auto", "\uff11\uff16:\uff19", 5, True, ["1x1"],
)  # fmt: skip
REFUSED = {
    "size": ODD_SIZES,
    "aspect_ratio": ("", "0:1", "1920x1080", "wide", 1.5, False),
    "resolution": ("", "K", "0", "0K", "-1K", "HD", "1e3", False, []),
    "n": ("", "0", "-1", "1.5", "10001", "1e3", "two", 0, True, [], {}),
    "seed": ("", "1.5", "x", "-+5", str(2**63), "9" * 5000, True, []),
    "output_compression": ("", "-1", "101", "50%", "1.5", True, []),
    "output_format": ("", "xyz", "p n g", "jpeg2000", 5, True, []),
    "response_format": ("", "b64", "URL", "base64", True),
    "raw": ("", "yes", "1", 1, []),
    "enhance_prompt": ("", "on", 0),
    "sync_mode": ("", "True", 1.0),
    "safety_tolerance": ("", "0", "7", "-1", "high", "1.0", True),
    "image_prompt": ("", "fox.png", "file:///etc/passwd", "data:text/plain,x", 5),
    "image_prompt_strength": ("", "-0.1", "1.1", "nan", "1e999", "half", True),
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in REFUSED.items() for value in values],
    ids=lambda value: repr(value)[:20],
)
def test_values_out_of_range_or_type_are_refused_by_name(name, value):
    with pytest.raises(UsageError, match=name):
        resolved(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("n", "1"), ("n", 10_000), ("output_compression", "0"), ("output_compression", 100)],
)
def test_the_edges_of_the_ranges_are_accepted(name, value):
    result = resolved(**{name: value})
    assert {"n": result.n, "output_compression": result.quality}[name] == int(value)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_any_request_is_resolved_to_something_json_can_say_or_refused(said):
    for model in (find_model(ULTRA), None):
        try:
            result = resolve(Request(ULTRA, said, "a fox"), model)
        except UsageError:
            continue
        notes = [note._asdict() for note in result.notes]
        json.dumps([result.parameters, result.seed, notes], allow_nan=False)
        assert all(isinstance(note, Note) and note.reason for note in result.notes)


# --- format of the files


@pytest.mark.parametrize(
    ("said", "output", "chosen"),
    [
        (None, None, None),
        ("png", None, "png"),
        ("JPG", None, "jpeg"),
        (".webp", None, "webp"),
        ("image/avif", None, "avif"),
        (None, "fox.jpg", "jpeg"),
        (None, "fox.JPEG", "jpeg"),
        (None, "a.png/fox", None),
        (None, "v1.5", None),
        (None, "{slug}.{ext}", None),
        ("jpeg", "fox.jpg", "jpeg"),
        ("webp", "fox", "webp"),
        ("webp", "fox.{ext}", "webp"),
    ],
)
def test_the_format_comes_from_option_or_suffix(said, output, chosen):
    parameters = {} if said is None else {"output_format": said}
    assert resolved(output=output, **parameters).format == chosen


def test_a_format_chosen_by_a_suffix_leaves_a_note():
    note = note_on("output_format", resolved(output="out/fox.jpg"))
    reason = "selected by the suffix of out/fox.jpg"
    assert note == Note("output_format", None, "jpeg", "default", reason)


def test_a_suffix_of_a_format_flux_does_not_write_is_refused():
    with pytest.raises(UsageError, match=r"cannot write \.svg files"):
        resolved(output="fox.svg")


# --- price


def test_the_price_is_that_of_one_image_times_n_and_unknown_where_it_is_unknown():
    assert resolved(n="3").price_usd is None  # until somebody says what this provider takes
    assert resolved(n="3")._replace(unit_price_usd=0.06).price_usd == pytest.approx(0.18)
    assert resolved()._replace(unit_price_usd=0.0).price_usd == 0


def test_a_parameter_with_only_an_upper_bound_is_refused_above_it():
    """A user's model file may say `maximum` alone."""
    steps = Param("steps", "integer", "passthrough", "", maximum=50)
    bounded = TIERED._replace(parameters={"steps": steps})
    assert resolve(Request("small", {"steps": "50"}, "a fox"), bounded).parameters["steps"] == 50
    with pytest.raises(UsageError, match="steps must be"):
        resolve(Request("small", {"steps": "51"}, "a fox"), bounded)
