"""Several models in one run: names that say which, one limit, one journal, and one sheet."""

import json
from pathlib import Path

import pytest
from fakes.gateway import held, image, status
from fakes.images import look

from e2e.recovery import SAFE, journal_says, states

TWO = ("-m", "flux.2-pro", "-m", "flux.2-max", "--seed", "7")
NAMES = ["a-fox-flux.2-pro-7.jpg", "a-fox-flux.2-max-7.jpg"]


def test_each_model_makes_each_image_with_the_same_seeds(generate, gateway):
    result = generate("a fox", *TWO, "-n", "2")
    sent = sorted((body["model"], body["prompt"], body["seed"]) for body in gateway.posts)
    assert sent == [
        ("flux.2-max", "a fox", 7),
        ("flux.2-max", "a fox", 8),
        ("flux.2-pro", "a fox", 7),
        ("flux.2-pro", "a fox", 8),
    ]
    assert (result.code, result.lines) == (
        0,
        [f"a-fox-{model}-{seed}.jpg" for model in ("flux.2-pro", "flux.2-max") for seed in (7, 8)],
    )
    assert all(look(path)[0] == "jpeg" for path in result.lines)
    assert "flux: 4 saved, 0.24 USD" in result.err


def test_a_drawn_seed_is_the_same_for_all_models(generate, gateway):
    generate("a fox", *TWO[:4])
    assert len({body["seed"] for body in gateway.posts}) == 1


def test_json_says_which_model_made_what(generate):
    told = generate("a fox", *TWO, "--json").json
    assert (told["request"], told["resolved"]) == (None, None)
    assert [(part["indexes"], part["request"]["model"]) for part in told["parts"]] == [
        ([1, 1], "flux.2-pro"),
        ([2, 2], "flux.2-max"),
    ]
    assert [(file["index"], file["model"], file["prompt"]) for file in told["files"]] == [
        (1, "flux.2-pro", "a fox"),
        (2, "flux.2-max", "a fox"),
    ]
    assert told["cost_usd"] == 0.12


@pytest.mark.parametrize(
    ("output", "names"),
    [
        ("fox.png", ["fox-flux.2-pro.png", "fox-flux.2-max.png"]),
        ("out/", [f"out/{name}" for name in NAMES]),
        ("{model}/{seed}.jpg", ["flux.2-pro/7.jpg", "flux.2-max/7.jpg"]),
        ("fox.{jpg,webp}", [
            f"fox-{model}.{suffix}"
            for model in ("flux.2-pro", "flux.2-max") for suffix in ("jpg", "webp")
        ]),
    ],
)  # fmt: skip
def test_names_say_which_model(generate, output, names):
    planned = generate("a fox", *TWO, "-o", output, "--dry-run", "--json").json
    assert [file["path"].replace("{ext}", "jpg") for file in planned["files"]] == names
    assert [send["body"]["model"] for send in planned["sends"]] == ["flux.2-pro", "flux.2-max"]


def test_two_upstreams_of_one_model_are_told_apart(generate):
    routes = ("-m", "fal/flux1.1-pro-ultra", "-m", "replicate/flux1.1-pro-ultra")
    planned = generate("a fox", *routes, "--seed", "7", "--dry-run", "--json").json
    assert [file["path"] for file in planned["files"]] == [
        "a-fox-fal-flux1.1-pro-ultra-7.{ext}",
        "a-fox-replicate-flux1.1-pro-ultra-7.{ext}",
    ]


def test_a_limit_counts_all_models(generate, gateway):
    options = ("-m", "flux1.1-pro-ultra", "-m", "flux1.1-pro", "--seed", "7")
    result = generate("a fox", *options, "--max-cost", "0.09")
    assert (result.code, gateway.posts) == (2, [])
    assert "2 images cost 0.10 USD, over the limit of 0.09 USD" in result.err
    assert generate("a fox", *options, "--max-cost", "0.10", "--dry-run").code == 0


def test_a_model_without_a_price_leaves_the_whole_cost_unknown(generate, gateway):
    result = generate("a fox", "-m", "flux1.1-pro", "-m", "other", "--max-cost", "5")
    assert (result.code, gateway.posts) == (2, [])
    assert "the price is unknown" in result.err


def test_a_model_that_fails_does_not_lose_the_others(generate, gateway):
    def by_model(request):
        return status(422) if request.json["model"] == "flux.2-max" else image()

    gateway.answers(by_model)
    result = generate("a fox", *TWO, "--json")
    told = result.json
    assert (result.code, [file["model"] for file in told["files"]]) == (3, ["flux.2-pro"])
    assert [error["model"] for error in told["errors"]] == ["flux.2-max"]
    assert (
        "flux: error: flux.2-max: the provider refused with HTTP 422: not this time" in result.err
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-m", "flux.2-pro", "-m", "flux.2-pro"), "model flux.2-pro is given twice"),
        (("-m", "flux-2-pro", "-m", "flux.2-pro"), "flux-2-pro and flux.2-pro are the same model"),
        ((*TWO, "-n", "5001"), "makes at most 10,000"),
        ((*TWO, "-o", "-"), "-o - takes one image, not several"),
        ((*TWO, "--safety-tolerance", "6"), "flux.2-pro: safety_tolerance"),
        ((*TWO, "--like", "-"), "reads standard input, which several requests need"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(generate, gateway, words, message):
    result = generate("a fox", *words)
    assert (result.code, gateway.requests) == (2, [])
    assert message in result.err
    assert "hint: " in result.err


def test_a_model_that_the_provider_lacks_is_refused(flux, environment):
    env = environment | {"BFL_API_KEY": "k"}
    result = flux("generate", "a fox", "--provider", "bfl", *TWO, "-m", "flux.2-dev", env=env)
    assert result.code == 2
    assert "flux does not support flux.2-dev at bfl" in result.err
    assert "hint: use --provider with one of these" in result.err


def test_a_sheet_says_which_model_is_which(generate):
    result = generate("a fox", *TWO, "--sheet", "--json")
    assert result.json["sheet"] == "a-fox-flux-sheet.jpg"
    assert look("a-fox-flux-sheet.jpg")[0] == "jpeg"


def test_existing_files_are_kept_for_each_model(generate, gateway):
    full = {"FLUX_METADATA": "full"}
    generate("a fox", *TWO[:2], "--seed", "7", "-o", "{model}.jpg", env=full)
    result = generate("a fox", *TWO, "-o", "{model}.jpg", "--update", "--json", env=full)
    told = result.json
    assert (result.code, [body["model"] for body in gateway.posts]) == (
        0,
        ["flux.2-pro", "flux.2-max"],
    )
    assert [(one["path"], one["model"], one["verified"]) for one in told["skipped"]] == [
        ("flux.2-pro.jpg", "flux.2-pro", True)
    ]
    assert [file["path"] for file in told["files"]] == ["flux.2-max.jpg"]
    changed = generate("an owl", *TWO, "-o", "{model}.jpg", "--skip-existing", env=full)
    assert (changed.code, len(gateway.posts)) == (2, 2)


def test_a_killed_run_is_recovered_with_each_model_s_name(
    killed, recover, gateway, release, flux, state
):
    def by_model(request):
        return image() if request.json["model"] == "flux.2-pro" else held(release)

    gateway.answers(by_model)
    killed(*TWO, *SAFE, when=journal_says(state, "whole"))
    release.set()
    while gateway.history[-1]["status"] != "completed":
        pass
    result = recover("--json")
    (told,) = result.json["runs"]
    files = [(file["path"], file["model"]) for file in told["files"]]
    assert (result.code, files) == (0, [(f"{Path.cwd()}/{NAMES[1]}", "flux.2-max")])
    assert states(flux) == ["complete"]
    (run,) = flux("runs", "--json").json["runs"]
    assert (run["model"], run["prompt"]) == (None, "a fox")
    assert [entry["model"] for entry in run["entries"]] == ["flux.2-pro", "flux.2-max"]
    shown = flux("runs", run["run"]).out
    assert "2 models" in shown
    assert "flux.2-max" in shown


def test_a_log_lists_the_parts(generate):
    generate("a fox", *TWO, "--log-file", "log.jsonl")
    first, *_ = map(json.loads, Path("log.jsonl").read_text().splitlines())
    assert [part["request"]["model"] for part in first["parts"]] == ["flux.2-pro", "flux.2-max"]


def test_html_and_paths_keep_the_order_of_the_models(generate):
    result = generate("a fox", *TWO, "--html")
    assert [line.count("<img") for line in result.lines if "<img" in line] == [1, 1]
    assert result.out.index(NAMES[0]) < result.out.index(NAMES[1])


def test_resolve_shows_every_model(flux):
    result = flux("resolve", "a fox", *TWO)
    assert result.code == 0
    assert [line for line in result.lines if line.startswith("POST")] != []
    assert result.out.count('"model"') == 2
    told = flux("resolve", "a fox", *TWO, "--json").json
    assert [part["resolved"]["model"] for part in told["parts"]] == ["flux.2-pro", "flux.2-max"]
    assert len(flux("resolve", "a fox", *TWO, "--curl").lines) == 2
