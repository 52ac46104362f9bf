"""What a run costs: told before, limited, reported after, and never guessed."""

import base64
from pathlib import Path

import pytest
from fakes.gateway import image, status, together
from fakes.images import pixels_as
from fakes.messages import reply
from sample_images import IMAGES


def test_a_dry_run_makes_nothing(generate, gateway):
    result = generate("a fox", "-n", "3", "--seed", "7", "-o", "new/{seed}.png", "--dry-run")
    assert (result.code, gateway.requests) == (0, [])
    assert "cost 0.18 USD (catalog price)" in result.lines
    files = [line for line in result.lines if line.startswith("file")]
    assert files == ["file new/7.png", "file new/8.png", "file new/9.png"]
    address = f"POST {gateway.url}/images/generations "
    (line,) = [line for line in result.lines if address in line]
    assert line.startswith(f"3 x {address}")
    assert line.endswith(', "seed": 7}, seeds 7 to 9')
    assert list(Path().iterdir()) == []


def test_a_dry_run_as_json(generate, gateway):
    document = generate(
        "a fox", "-n", "2", "--seed", "7", "-s", "1920x1080", "--dry-run", "--json"
    ).json
    assert (document["status"], document["cost_usd"], document["cost_source"]) == (
        "dry_run",
        0.12,
        "catalog price",
    )
    assert [(file["path"], file["index"], file["seed"]) for file in document["files"]] == [
        ("a-fox-7.{ext}", 1, 7),
        ("a-fox-8.{ext}", 2, 8),
    ]
    assert document["sends"] == [
        {
            "method": "POST",
            "url": f"{gateway.url}/images/generations",
            "body": {
                "model": "flux1.1-pro-ultra",
                "prompt": "a fox",
                "size": "1365x768",
                "seed": 7,
            },
            "count": 2,
            "seeds": [[7, 8]],
        }
    ]
    assert gateway.posts == []


def test_a_dry_run_lists_files_with_the_keys_they_have_after_the_run(generate):
    options = (
        "a fox",
        "-n",
        "2",
        "--seed",
        "7",
        "-o",
        "{seed}.png",
        "-s",
        "16:9",
        "--sidecar",
        "--json",
    )
    Path("7.png").write_bytes(IMAGES["png"])
    Path("7.json").touch()
    planned = generate(*options, "--skip-existing", "--dry-run").json
    made = generate(*options, "--skip-existing").json
    assert (
        planned["skipped"] == made["skipped"] == [{"index": 1, "path": "7.png", "verified": False}]
    )
    (before,), (after,) = planned["files"], made["files"]
    assert before.keys() == after.keys()
    known = {name: value for name, value in before.items() if value is not None}
    assert {"path", "index", "seed", "format"} <= known.keys()
    assert known.items() <= after.items()


def test_a_dry_run_without_a_key_takes_the_catalogs_price_and_sends_nothing(flux, gateway):
    result = flux(
        "generate", "a fox", "-n", "2", "--dry-run", env={"LUMENFALL_BASE_URL": gateway.url}
    )
    assert (result.code, gateway.requests) == (0, [])
    assert "cost 0.12 USD (catalog price)" in result.lines


def test_a_dry_run_at_the_gateway_s_variable_asks_no_server_that_is_not_known(generate, gateway):
    """A server that does not know `dryRun` would make an image, and bill it."""
    assert generate("a fox", "--dry-run").code == 0
    assert gateway.requests == []


@pytest.mark.parametrize("more", [(), ("--no-key",)], ids=["key", "no key"])
def test_a_dry_run_never_asks_another_server_which_would_make_and_bill_an_image(
    generate, gateway, more
):
    result = generate(
        "a fox", "--dry-run", "--provider", "openai", "--base-url", gateway.url, *more
    )
    assert (result.code, gateway.requests) == (0, [])
    assert "cost unknown" in result.out


def test_a_dry_run_refuses_what_a_run_would_refuse(generate, gateway):
    Path("fox.jpg").write_bytes(IMAGES["jpeg"])
    assert generate("a fox", "-o", "fox.jpg", "--dry-run").code == 2
    assert gateway.requests == []


def test_a_dry_run_with_skip_existing_counts_what_is_missing(generate, gateway):
    Path("8.jpg").write_bytes(IMAGES["jpeg"])
    result = generate(
        "a fox", "-o", "{seed}.jpg", "--seed", "7", "-n", "3", "--skip-existing", "--dry-run"
    )
    assert "cost 0.12 USD (catalog price)" in result.lines
    assert "kept 8.jpg" in result.lines
    assert gateway.posts == []


def test_a_dry_run_is_quiet_when_asked(generate):
    assert generate("a fox", "-a", "7:1", "--dry-run", "--quiet").err == ""


LIMITS = {
    "exactly enough": (("-n", "3", "--max-cost", "0.18"), 0),
    "a cent less": (("-n", "3", "--max-cost", "0.17"), 2),
    "nothing": (("--max-cost", "0"), 2),
    "a cheaper model": (("-m", "flux1.1-pro", "--max-cost", "0.04"), 0),
    "a forced route costs the same": (("--route", "fal", "--max-cost", "0.05"), 2),
    "a model without a price": (("-m", "unheard-of", "--max-cost", "100"), 2),
    "a server without a price": (
        ("--provider", "openai", "--no-key", "--base-url", "{url}", "--max-cost", "100"),
        2,
    ),
}


@pytest.mark.parametrize(("options", "code"), LIMITS.values(), ids=LIMITS)
def test_max_cost_refuses_before_the_first_call(generate, gateway, options, code):
    result = generate("a fox", *(word.format(url=gateway.url) for word in options))
    assert result.code == code
    assert bool(gateway.requests) == (code == 0)
    assert ("hint: " in result.err) == (code == 2)


def test_max_cost_counts_only_what_is_missing(generate, gateway):
    Path("7.jpg").write_bytes(IMAGES["jpeg"])
    options = (
        "-o",
        "{seed}.jpg",
        "--seed",
        "7",
        "-n",
        "2",
        "--skip-existing",
        "--max-cost",
        "0.06",
    )
    assert generate("a fox", *options).code == 0
    assert len(gateway.posts) == 1


def test_nothing_to_do_is_never_too_dear(generate, gateway):
    Path("fox.jpg").write_bytes(IMAGES["jpeg"])
    options = ("-o", "fox.jpg", "--skip-existing", "--max-cost", "0", "--base-url", gateway.url)
    assert (generate("a fox", *options).code, gateway.requests) == (0, [])


def test_a_limit_in_the_environment_counts(generate, gateway):
    assert generate("a fox", env={"FLUX_MAX_COST": "0.05"}).code == 2
    assert gateway.requests == []


def costing(*costs: float | None):
    """Each call costs the next of these, the last one repeats. None: the server does not say."""
    script = list(costs)

    def answer(_request):
        cost = script.pop(0) if len(script) > 1 else script[0]
        return image(cost=cost)

    return answer


RISING = {
    "dearer than the catalog says": (
        (0.12,),
        ("-n", "10", "--max-cost", "0.6", "--concurrency", "1"),
        5,
    ),
    "dearer and dearer": (
        (0.06, 0.1, 0.2),
        ("-n", "9", "--max-cost", "0.6", "--concurrency", "1"),
        4,
    ),
    "cheaper": ((0.01,), ("-n", "10", "--max-cost", "0.6"), 10),
    "as it says": ((0.06,), ("-n", "10", "--max-cost", "0.6"), 10),
    "nobody says": ((None,), ("-n", "10", "--max-cost", "0.6"), 10),
}


@pytest.mark.parametrize(("costs", "options", "sent"), RISING.values(), ids=RISING)
def test_max_cost_holds_while_the_costs_arrive(generate, gateway, costs, options, sent):
    gateway.answers(costing(*costs))
    document = generate("a fox", *options, "--json").json
    assert len(gateway.posts) == sent
    held_back = [error for error in document["errors"] if error["code"] == "not_sent"]
    assert len(held_back) == int(options[1]) - sent
    assert all("the limit is 0.60 USD" in error["message"] for error in held_back)
    assert not any(error["may_have_been_billed"] for error in held_back)
    assert document["exit_code"] == (3 if held_back else 0)
    assert document["cost_usd"] is None or document["cost_usd"] <= 0.6 + 1e-9


def test_calls_under_way_count_at_the_highest_price_seen(generate, gateway):
    """Three calls are under way when the first cost arrives; no other may follow them."""
    gateway.answers(costing(0.2))
    document = generate(
        "a fox", "-n", "10", "--max-cost", "0.6", "--concurrency", "3", "--json"
    ).json
    assert (len(gateway.posts), round(document["cost_usd"], 2)) == (3, 0.6)


def test_an_unknown_price_needs_yes_and_then_the_first_call_goes_alone(generate, gateway):
    """Nobody knows what one costs until the first has come."""
    gateway.answers(costing(0.25))
    line = ("a fox", "-m", "unheard-of", "-n", "8", "--max-cost", "0.6", "--concurrency", "8")
    refused = generate(*line)
    assert (refused.code, gateway.posts, "--yes" in refused.err) == (2, [], True)
    result = generate(*line, "--yes")
    assert (result.code, len(result.lines), len(gateway.posts)) == (3, 2, 2)
    assert result.err.count("the limit is 0.60 USD") > 0


def test_an_unknown_price_that_nobody_names_goes_one_by_one_after_yes(generate, gateway):
    """The first that names a cost is then the only one in flight."""
    gateway.answers(costing(None, None, None, 0.6))
    result = generate("a fox", "-m", "unheard-of", "-n", "8", "--max-cost", "0.6", "--yes")
    assert (result.code, len(gateway.posts)) == (3, 4)


def test_a_price_that_is_wrong_is_noticed_by_the_first_call_which_goes_alone(generate, gateway):
    gateway.answers(costing(0.5))
    result = generate("a fox", "-n", "16", "--max-cost", "1")
    assert (result.code, len(result.lines), len(gateway.posts)) == (3, 2, 2)
    assert "the limit is 1.00 USD" in result.err


def test_after_the_first_call_all_others_go_together_if_the_price_is_right(generate, gateway):
    gateway.answers(costing(0.06), together(7, costing(0.06)))
    assert generate("a fox", "-n", "8", "--max-cost", "0.48").code == 0


def test_what_may_have_been_billed_counts_as_paid(generate, gateway):
    gateway.answers(status(504))
    document = generate(
        "a fox", "-n", "9", "--max-cost", "0.6", "--concurrency", "1", "--json"
    ).json
    assert [error["code"] for error in document["errors"]] == 9 * ["provider"]
    gateway.answers(costing(0.12), status(504), costing(0.12))
    before = len(gateway.posts)
    generate("a fox", "-n", "10", "--max-cost", "0.6", "--concurrency", "1")
    assert len(gateway.posts) - before == 5


def test_what_could_not_be_saved_is_paid_all_the_same(generate, gateway, work):
    out = work / "out"
    # The folder appears with the first image: until then, a file can take its place.
    gateway.answers(lambda _request: (out.touch(), image())[-1])
    document = generate("a fox", "-n", "4", "-o", "out/", "--concurrency", "1", "--json").json
    assert [error["code"] for error in document["errors"]] == ["disk", *3 * ["not_sent"]]
    assert (document["errors"][0]["may_have_been_billed"], document["cost_usd"]) == (True, 0.06)
    assert len(gateway.posts) == 1


def test_two_images_of_one_call_cost_what_the_call_cost(generate, gateway):
    inline = {"b64_json": base64.b64encode(pixels_as("png", 20, 20)).decode()}
    gateway.answers(reply({"data": [inline, inline], "metadata": {"cost": 0.06}}))
    document = generate("a fox", "--json").json
    assert (len(document["files"]), document["cost_usd"]) == (2, 0.06)


def test_the_cost_of_a_run_that_may_have_been_billed_is_unknown(generate, gateway):
    gateway.answers(status(504))
    assert generate("a fox", "--json").json["cost_usd"] is None


def test_a_run_that_was_refused_cost_nothing(generate, gateway):
    gateway.answers(status(400))
    assert generate("a fox", "--json").json["cost_usd"] == 0
