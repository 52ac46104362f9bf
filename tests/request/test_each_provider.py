"""One request at each provider: what is sent, under which name, emulated, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.catalog.find import find_model, read_servers
from flux_cli.core.errors import UsageError
from flux_cli.core.request import DRAWN, Request
from flux_cli.request.plan import plan
from flux_cli.request.resolve import resolve

ULTRA = find_model("flux1.1-pro-ultra")
SERVERS = read_servers()
DIRECT = ("bfl", "fal", "replicate")
each_direct = pytest.mark.parametrize("provider", DIRECT)
ELEVEN = [size.aspect_ratio for size in ULTRA.sizes]


def asked(provider, route=None, **said):
    """Resolved request and plan of Ultra at one of the direct providers."""
    resolved = resolve(Request(ULTRA.id, said, "a red fox", route), ULTRA, ULTRA.dialects[provider])
    return resolved, plan(resolved)


def body(provider, **said):
    """What is sent beside prompt and the shape of a request that names none."""
    sent = dict(asked(provider, **said)[1].calls[0].body)
    assert sent.pop("prompt") == "a red fox"
    return sent


def notes_on(parameter, provider, **said):
    resolved, planned = asked(provider, **said)
    return [note for note in (*resolved.notes, *planned.notes) if note.parameter == parameter]


def at_server(server, model=None, drawn=None, **said):
    """The bodies of a request to one kind of OpenAI-shaped server."""
    resolved = resolve(Request("some-model", said, "a red fox"), model, SERVERS[server])
    return [call.body for call in plan(resolved, DRAWN, drawn).calls]


# --- shapes


@each_direct
def test_an_explicit_shape_is_always_sent_because_defaults_differ(provider):
    assert body(provider) == {"aspect_ratio": "1:1"}


@pytest.mark.parametrize("ratio", ELEVEN)
def test_bfl_and_replicate_get_each_of_the_eleven_shapes_as_it_is(ratio):
    size = next(size for size in ULTRA.sizes if size.aspect_ratio == ratio)
    for provider in ("bfl", "replicate"):
        for said in ({"size": size.name}, {"size": ratio}, {"aspect_ratio": ratio}):
            assert body(provider, **said) == {"aspect_ratio": ratio}


@pytest.mark.parametrize(
    ("ratio", "sent"), [(ratio, {"4:5": "3:4", "5:4": "4:3"}.get(ratio, ratio)) for ratio in ELEVEN]
)
def test_fal_gets_the_nearest_of_its_nine(ratio, sent):
    assert body("fal", aspect_ratio=ratio) == {"aspect_ratio": sent}
    (note,) = notes_on("aspect_ratio", "fal", aspect_ratio=ratio)
    assert note.warning == (ratio != sent)


@pytest.mark.parametrize(
    ("said", "sent", "warned"),
    [
        ({"aspect_ratio": "2:1"}, "2:1", False),
        ({"aspect_ratio": "1.91:1"}, "191:100", False),
        ({"aspect_ratio": "32:18"}, "16:9", False),
        ({"aspect_ratio": "7:1"}, "21:9", True),
        ({"aspect_ratio": "1:7"}, "9:21", True),
        ({"size": "1200x630"}, "40:21", True),
        ({"size": "1365x768"}, "16:9", False),
        ({"size": "1366x768"}, "16:9", True),  # within a hundredth of 16:9, and not 683:384
        ({"size": "2752x1536"}, "16:9", False),
        ({"size": "10000x16"}, "21:9", True),
    ],
)
def test_bfl_takes_any_shape_between_its_ends(said, sent, warned):
    (parameter,) = said
    assert body("bfl", **said) == {"aspect_ratio": sent}
    (note,) = notes_on(parameter, "bfl", **said)
    assert (note.used, note.warning) == (sent, warned)


@given(st.integers(16, 9999), st.integers(16, 9999), st.sampled_from("x:"))
def test_any_size_is_a_shape_each_provider_takes(width, height, separator):
    for provider in DIRECT:
        sent = body(provider, size=f"{width}{separator}{height}")["aspect_ratio"]
        wide, high = map(int, sent.split(":"))
        assert 3 / 7 - 1e-9 <= wide / high <= 7 / 3 + 1e-9
        assert provider == "bfl" or sent in ULTRA.dialects[provider].aspect_ratios


@each_direct
def test_there_is_one_scale_and_other_tiers_are_warned_about(provider):
    assert body(provider, resolution="4K") == {"aspect_ratio": "1:1"}
    (note,) = notes_on("resolution", provider, resolution="4K")
    assert note.warning
    (note,) = notes_on("resolution", provider, resolution="1K")
    assert not note.warning


# --- parameters

IMAGE = "data:image/png;base64,AAAA"


@pytest.mark.parametrize(
    ("said", "bfl", "fal", "replicate"),
    [
        ({"raw": "true"}, {"raw": True}, {"raw": True}, {"raw": True}),
        ({"seed": "7"}, {"seed": 7}, {"seed": 7}, {"seed": 7}),
        (
            {"safety_tolerance": "6"},
            {"safety_tolerance": 6},
            {"safety_tolerance": "6"},
            {"safety_tolerance": 6},
        ),
        ({"enhance_prompt": "true"}, {"prompt_upsampling": True}, {"enhance_prompt": True}, None),
        (
            {"image_prompt": IMAGE},
            {"image_prompt": "AAAA"},
            {"image_url": IMAGE},
            {"image_prompt": IMAGE},
        ),
        (
            {"image_prompt": "https://a.example/b.png"},
            {
                "image_prompt": "<the image at https://a.example/b.png, as base64>"
            },  # until it is fetched
            {"image_url": "https://a.example/b.png"},
            {"image_prompt": "https://a.example/b.png"},
        ),
        ({"sync_mode": "true"}, None, {"sync_mode": True}, None),
        ({"response_format": "b64_json"}, {}, {}, {}),
        ({"response_format": "url"}, {}, {}, {}),
        (
            {"safety_tolerance": "0"},
            {"safety_tolerance": 0},
            None,
            None,
        ),  # BFL alone goes down to 0
        ({"output_format": "png"}, *[{"output_format": "png"}] * 3),
        (
            {"output_format": "jpeg"},
            {"output_format": "jpeg"},
            {"output_format": "jpeg"},
            {"output_format": "jpg"},
        ),
        ({"output_format": "webp"}, *[{"output_format": "png"}] * 3),
        ({"output_format": "gif"}, *[{"output_format": "png"}] * 3),
        ({"output_format": "avif"}, *[{"output_format": "png"}] * 3),
        ({"guidance": "3.5"}, *[{"guidance": 3.5}] * 3),  # unknown: passes straight through
    ],
)
def test_each_parameter_is_sent_in_the_provider_s_own_words_or_refused(said, bfl, fal, replicate):
    for provider, sent in (("bfl", bfl), ("fal", fal), ("replicate", replicate)):
        if sent is None:
            with pytest.raises(UsageError):
                asked(provider, **said)
        else:
            assert body(provider, **said) == {"aspect_ratio": "1:1", **sent}


@pytest.mark.parametrize(
    ("provider", "name", "reason"),
    [
        ("bfl", "sync_mode", "bfl does not support sync_mode: BFL always answers with a task"),
        ("replicate", "sync_mode", "replicate does not support sync_mode"),
        ("replicate", "enhance_prompt", "replicate does not support enhance_prompt"),
    ],
)
def test_what_a_provider_cannot_do_is_refused_with_the_reason_and_the_option(
    provider, name, reason
):
    with pytest.raises(UsageError) as raised:
        asked(provider, **{name: "true"})
    assert raised.value.message.startswith(reason)
    assert f"--{name.replace('_', '-')}" in raised.value.hint


@each_direct
def test_the_ranges_of_the_page_hold_at_every_provider(provider):
    for said in (
        {"safety_tolerance": "7"},
        {"image_prompt_strength": "1.1"},
        {"raw": "yes"},
        {"seed": "x"},
        {"size": "x"},
        {"resolution": ""},
        {"n": "0"},
        {"output_format": "xyz"},
        {"output_compression": "101"},
    ):
        with pytest.raises(UsageError):
            asked(provider, **said)


@each_direct
def test_a_strength_without_an_image_has_no_effect_anywhere_and_that_is_said(provider):
    (note,) = notes_on("image_prompt_strength", provider, image_prompt_strength="0.5")
    assert note.warning
    (note,) = notes_on(
        "image_prompt_strength", provider, image_prompt_strength="0.5", image_prompt=IMAGE
    )
    assert not note.warning


@each_direct
def test_n_images_are_n_calls_with_seeds_of_their_own(provider):
    _, planned = asked(provider, n="3", seed="7")
    assert [call.body["seed"] for call in planned.calls] == [7, 8, 9]
    assert {call.model for call in planned.calls} == {ULTRA.dialects[provider].path}


@each_direct
def test_a_route_is_for_the_gateway_alone(provider):
    with pytest.raises(UsageError, match="is for the gateway"):
        asked(provider, route="fal")


@each_direct
@pytest.mark.parametrize(
    ("asked_format", "behavior"),
    [
        (None, "emulated"),
        ("png", "ignored"),
        ("gif", "ignored"),
        ("jpeg", "emulated"),
        ("webp", "emulated"),
        ("avif", "emulated"),
    ],
)
def test_a_quality_is_applied_here_or_said_to_be_ignored_and_never_lost(
    provider, asked_format, behavior
):
    said = {"output_compression": "80"} | (
        {} if asked_format is None else {"output_format": asked_format}
    )
    (note,) = notes_on("output_compression", provider, **said)
    assert (note.behavior, note.warning) == (behavior, behavior == "ignored")
    sent = body(provider, **said)
    assert "output_compression" not in sent  # none of the three has it
    if asked_format is not None and behavior == "emulated":
        assert sent["output_format"] == "png"  # encoded once, here


@pytest.mark.parametrize(
    ("provider", "asked_format", "used", "behavior", "reason"),
    [
        ("bfl", "jpeg", "jpeg", "passthrough", "the provider makes it itself"),
        ("replicate", "png", "png", "passthrough", "the provider makes it itself"),
        ("replicate", "jpeg", "jpg", "converted", "replicate calls it jpg"),
        ("fal", "avif", "png", "emulated", "received as png, converted to avif by flux"),
    ],
)
def test_the_note_on_a_format_says_who_makes_it(provider, asked_format, used, behavior, reason):
    (note,) = notes_on("output_format", provider, output_format=asked_format)
    assert (note.asked, note.used, note.behavior, note.reason) == (
        asked_format,
        used,
        behavior,
        reason,
    )


@given(
    st.sampled_from(DIRECT),
    st.dictionaries(
        st.sampled_from(sorted(ULTRA.parameters.keys() - {"prompt"})),
        st.sampled_from(
            [
                "true",
                "1",
                "0.5",
                "16:9",
                "1920x1080",
                "1K",
                "png",
                "webp",
                "url",
                IMAGE,
                "5",
                "",
                "\x00",
            ]
        ),
        max_size=5,
    ),
)
def test_any_request_is_spelled_or_refused_and_every_parameter_said_has_a_note(provider, said):
    try:
        resolved, planned = asked(provider, **said)
    except UsageError:
        return
    noted = {note.parameter for note in (*resolved.notes, *planned.notes)}
    assert said.keys() - noted <= {"n"}  # one image needs no word about it
    assert planned.calls[0].body["prompt"] == "a red fox"


# --- OpenAI-shaped servers


@pytest.mark.parametrize(
    ("server", "said", "sent"),
    [
        ("compatible", {"size": "512x512", "steps": "4"}, {"size": "512x512", "steps": 4}),
        ("compatible", {"aspect_ratio": "16:9", "seed": "7"}, {"aspect_ratio": "16:9", "seed": 7}),
        ("openai", {"size": "1024x1536"}, {"size": "1024x1536"}),
        ("openai", {"aspect_ratio": "1:1"}, {"size": "1024x1024"}),
        ("openai", {"response_format": "b64_json"}, {}),  # refused there
        (
            "openai",
            {"output_format": "webp", "output_compression": "80"},
            {},  # DALL-E refuses both
        ),
        ("openai", {"output_format": "avif"}, {}),
        ("openai", {"size": "16:9"}, {"size": "1360x768"}),
        ("localai", {"size": "16:9"}, {"size": "1360x768"}),
        ("together", {"size": "16:9"}, {"width": 1360, "height": 768}),
        (
            "together",
            {"image_prompt": "https://x.example/a.png"},
            {"image_url": "https://x.example/a.png"},
        ),
        ("compatible", {"output_format": "avif", "output_compression": "80"}, {}),
        ("compatible", {"size": "16:9"}, {"aspect_ratio": "16:9"}),
        (
            "compatible",
            {"raw": True, "safety_tolerance": "2"},
            {"raw": True, "safety_tolerance": "2"},
        ),
        ("openai", {"background": "transparent"}, {"background": "transparent"}),
        ("localai", {"size": "512x512"}, {"size": "512x512"}),
        ("localai", {"output_format": "jpeg"}, {}),  # always PNG there
        (
            "sdcpp",
            {"output_format": "webp", "output_compression": "80"},
            {"output_format": "webp", "output_compression": 80},
        ),
        ("sdcpp", {"response_format": "url"}, {}),
        ("together", {"size": "1365x768"}, {"width": 1365, "height": 768}),
        ("together", {"aspect_ratio": "1:1"}, {"width": 1024, "height": 1024}),
        ("together", {"response_format": "b64_json"}, {"response_format": "base64"}),
        ("together", {"response_format": "url"}, {"response_format": "url"}),
        ("vllm", {"response_format": "url"}, {"response_format": "b64_json"}),
        ("vllm", {"seed": "7"}, {"seed": 7}),
        ("sglang", {"seed": "7"}, {"seed": 7}),
    ],
)
def test_each_kind_of_server_gets_what_it_understands(server, said, sent):
    (made,) = at_server(server, **said)
    assert made == {"prompt": "a red fox", **sent}


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("openai", {"seed": "7"}),
        ("openai", {"raw": "true"}),
        ("openai", {"safety_tolerance": "2"}),
        ("localai", {"seed": "7"}),
        *(
            (server, {name: "1"})
            for server in ("localai", "sdcpp", "together", "vllm", "sglang")
            for name in ("raw", "safety_tolerance", "image_prompt_strength", "sync_mode")
        ),
        *(
            (server, {"resolution": "2K"})
            for server in ("openai", "localai", "sdcpp", "together", "vllm", "sglang")
        ),
    ],
)
def test_what_a_server_cannot_do_is_refused(server, said):
    (name,) = said
    with pytest.raises(UsageError, match=f"{server} does not support {name}"):
        at_server(server, **said)


def test_a_server_without_a_seed_field_gets_it_inside_the_prompt():
    made = at_server("sdcpp", seed="7", n="2")
    assert [body["prompt"] for body in made] == [
        'a red fox <sd_cpp_extra_args>{"seed": 7}</sd_cpp_extra_args>',
        'a red fox <sd_cpp_extra_args>{"seed": 8}</sd_cpp_extra_args>',
    ]
    assert all("seed" not in body for body in made)


def test_a_server_whose_default_seed_repeats_one_image_gets_a_fresh_one():
    assert [body["seed"] for body in at_server("sglang", drawn=1000, n="2")] == [1000, 1001]
    assert [body["seed"] for body in at_server("sglang", drawn=1000, seed="7")] == [7]
    assert "seed" not in at_server("sglang")[0]
    prompts = [body["prompt"] for body in at_server("sdcpp", drawn=1000, n="2")]
    assert ['"seed": 1000' in prompts[0], '"seed": 1001' in prompts[1]] == [True, True]


def test_size_wins_where_a_server_spells_both_as_pixels():
    assert at_server("openai", size="512x512", aspect_ratio="16:9") == [
        {"prompt": "a red fox", "size": "512x512"}
    ]
    assert at_server("together", size="512x512", aspect_ratio="16:9") == [
        {"prompt": "a red fox", "width": 512, "height": 512}
    ]
    said = {"size": "512x512", "aspect_ratio": "16:9"}
    (note,) = plan(resolve(Request("some-model", said, "a red fox"), None, SERVERS["openai"])).notes
    assert (note.parameter, note.asked, note.behavior, note.warning) == (
        "aspect_ratio",
        "16:9",
        "ignored",
        True,
    )


@pytest.mark.parametrize("server", sorted(SERVERS))
def test_ultra_s_sizes_are_sent_as_pixels_to_any_server_that_hosts_it(server):
    (made,) = at_server(server, model=ULTRA, size="16:9")
    assert made in (
        {"prompt": "a red fox", "size": "1365x768"},
        {"prompt": "a red fox", "width": 1365, "height": 768},
    )
