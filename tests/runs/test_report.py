"""The one result of a run: exit code, status, cost, and the JSON document."""

import itertools
import json

import pytest

from flux_cli.catalog.find import find_model
from flux_cli.core.errors import (
    AuthError,
    DiskError,
    FluxError,
    Interrupted,
    ModerationError,
    NetworkError,
    NotSentError,
    PaymentError,
    ProviderError,
    UsageError,
)
from flux_cli.core.outcome import Facts, Outcome, SavedImage
from flux_cli.core.request import Call, Request
from flux_cli.request.plan import plan
from flux_cli.request.resolve import resolve
from flux_cli.runs.documents import failure_document, report_document
from flux_cli.runs.fields import error_document
from flux_cli.runs.progress.summary import summarize
from flux_cli.runs.report import Report

ULTRA = "flux1.1-pro-ultra"
IMAGE = ("jpeg", 2752, 1536, 5, True)


def outcome(number=1, *, saved=0, error=None, kept=(), cost=None, seed=None, **facts):
    files = tuple(
        SavedImage(f"fox-{number}-{i}.jpg", *IMAGE, Facts(cost_usd=cost, **facts))
        for i in range(saved)
    )
    return Outcome(Call(number, seed, "m", {}), files, error, kept, 1.23456)


def report(*outcomes, interrupted=False, prompt="a red fox", output=None, **said):
    resolved = resolve(Request(ULTRA, said, prompt, output=output), find_model(ULTRA))
    notes = (*resolved.notes, *plan(resolved).notes)
    return Report(resolved, notes, "lumenfall", True, outcomes, interrupted)


OK, SKIPPED = outcome(saved=1), outcome(kept=("fox.png",))
AUTH, PAYMENT, MODERATION, PROVIDER, DISK, NETWORK, HELD, STOPPED = (
    outcome(error=kind("x"))
    for kind in (
        AuthError,
        PaymentError,
        ModerationError,
        ProviderError,
        DiskError,
        NetworkError,
        NotSentError,
        Interrupted,
    )
)
BOTH = outcome(saved=1, error=ProviderError("one of two was no image"))
NEITHER = outcome()


@pytest.mark.parametrize(
    ("outcomes", "exit_code", "status"),
    [
        ([OK], 0, "ok"),
        ([OK, OK], 0, "ok"),
        ([SKIPPED], 0, "ok"),
        ([OK, SKIPPED], 0, "ok"),
        ([NEITHER], 0, "ok"),
        ([OK, PROVIDER], 3, "partial"),
        ([OK, AUTH], 3, "partial"),
        ([OK, MODERATION, PAYMENT], 3, "partial"),
        ([OK, HELD], 3, "partial"),
        ([SKIPPED, PROVIDER], 3, "partial"),
        ([SKIPPED, MODERATION], 3, "partial"),
        ([BOTH], 3, "partial"),
        ([BOTH, AUTH], 3, "partial"),
        ([PROVIDER], 1, "failed"),
        ([DISK], 1, "failed"),
        ([PROVIDER, NETWORK, DISK], 1, "failed"),
        ([AUTH], 4, "failed"),
        ([AUTH, AUTH], 4, "failed"),
        ([AUTH, PAYMENT], 4, "failed"),
        ([AUTH, HELD, HELD], 4, "failed"),  # what was held back does not hide why
        ([HELD, PAYMENT], 4, "failed"),
        ([MODERATION], 5, "failed"),
        ([MODERATION, MODERATION], 5, "failed"),
        ([MODERATION, PROVIDER], 1, "failed"),
        ([AUTH, MODERATION], 1, "failed"),
        ([AUTH, PROVIDER], 1, "failed"),
        ([HELD], 1, "failed"),
        ([outcome(error=UsageError("x"))], 2, "failed"),
    ],
)
def test_the_exit_code_says_whether_all_some_or_none_came_and_why(outcomes, exit_code, status):
    for order in itertools.permutations(outcomes):
        result = report(*order)
        assert (result.exit_code, result.status) == (exit_code, status)


@pytest.mark.parametrize(
    "outcomes", [[], [OK], [OK, STOPPED], [STOPPED], [AUTH], [SKIPPED, STOPPED], [BOTH]]
)
def test_an_interrupted_run_ends_with_130_whatever_was_saved(outcomes):
    result = report(*outcomes, interrupted=True)
    assert (result.exit_code, result.status) == (130, "interrupted")


@pytest.mark.parametrize(
    ("outcomes", "cost"),
    [
        ([], 0),
        ([outcome(saved=1, cost=0.06)], 0.06),
        ([outcome(saved=1, cost=0.06), outcome(saved=1, cost=0.04)], 0.10),
        ([outcome(saved=1, cost=0.06), outcome(saved=1)], None),  # one came without a figure
        ([outcome(saved=1, cost=0.0)], 0),
        ([outcome(saved=1, cost=0.06), SKIPPED], 0.06),
        ([outcome(saved=2, cost=0.06)], 0.06),  # one call, one bill
        ([outcome(saved=1, cost=0.06), outcome(error=ModerationError("no"))], 0.06),
        ([outcome(saved=1, cost=0.06), outcome(error=NetworkError("cut off", billed=True))], None),
        ([outcome(error=NetworkError("cut off", billed=True))], None),
        ([outcome(error=AuthError("no"))], 0),
    ],
)
def test_the_cost_is_what_providers_say_or_unknown(outcomes, cost):
    assert report(*outcomes).cost_usd == (None if cost is None else pytest.approx(cost))


@pytest.mark.parametrize(
    ("outcomes", "cost", "known"),
    [
        ([outcome(saved=1, cost=0.06), outcome(saved=1)], None, 0.06),
        (
            [outcome(saved=1, cost=0.06), outcome(error=NetworkError("cut off", billed=True))],
            None,
            0.06,
        ),
        ([outcome(error=DiskError("full", billed=True))._replace(cost_usd=0.06)], 0.06, 0.06),
        ([outcome(error=AuthError("no"))], 0, 0),
    ],
)
def test_what_was_named_is_known_even_where_the_rest_is_not(outcomes, cost, known):
    assert (report(*outcomes).cost_usd, report(*outcomes).known_cost_usd) == (cost, known)


@pytest.mark.parametrize(
    ("outcomes", "sentence"),
    [
        ([outcome(saved=1, cost=0.06), outcome(saved=3, cost=0.06)], "2 saved, 0.12 USD, 6 s"),
        ([outcome(saved=1), outcome(saved=1)], "2 saved, 6 s"),
        ([outcome(saved=1, cost=0.0)], "1 saved, 6 s"),
        ([outcome(saved=1, cost=0.06), outcome(saved=1)], "2 saved, at least 0.06 USD, 6 s"),
        (
            [outcome(saved=1, cost=0.06), SKIPPED, PROVIDER],
            "1 saved, 1 already there, 1 failed, 0.06 USD, 6 s",
        ),
        ([PAYMENT, HELD, HELD], "0 saved, 1 failed, 2 not sent, 6 s"),
        (
            [outcome(saved=1, cost=0.06), outcome(error=Interrupted("x", billed=True)), HELD],
            "1 saved, 1 interrupted, 1 not sent, at least 0.06 USD, 6 s",
        ),
    ],
)
def test_the_sum_of_a_run_is_one_line(outcomes, sentence):
    assert summarize(report(*outcomes)._replace(seconds=6.2)) == sentence


def test_what_stood_in_the_way_of_a_run_is_its_failure():
    result = report()._replace(faults=(AuthError("no key"),), run="20260101-000000-abcdef")
    made = report_document(result)
    assert (made["run"], made["status"], made["exit_code"]) == (
        "20260101-000000-abcdef",
        "failed",
        4,
    )
    assert made["errors"] == [error_document(result.faults[0])]


def test_saved_files_and_errors_keep_the_order_asked():
    result = report(outcome(1, saved=2), AUTH, outcome(3, saved=1))
    assert [saved.path for saved in result.saved] == ["fox-1-0.jpg", "fox-1-1.jpg", "fox-3-0.jpg"]
    assert [error.code for error in result.errors] == ["auth"]


def seen(asked=None, used=None, size=None, received=(2752, 1536)):
    """The warnings of one saved file of a model nobody knows."""
    saved = SavedImage("fox.jpg", "jpeg", *received, 5, True, Facts(seed=used), received=received)
    body = {} if size is None else {"size": size}
    resolved = resolve(Request("else", {}, "a fox"), None)
    return Report(
        resolved, (), "openai", True, (Outcome(Call(1, asked, "else", body), (saved,)),)
    ).warnings


@pytest.mark.parametrize(
    ("facts", "warnings"),
    [
        ({}, ()),
        ({"asked": 7, "used": 7}, ()),
        ({"asked": 7}, ()),
        ({"used": 8}, ()),
        ({"asked": 7, "used": 8}, ("fox.jpg: the server used seed 8, not 7",)),
        ({"asked": 7, "used": 0}, ("fox.jpg: the server used seed 0, not 7",)),
        ({"size": "2752x1536"}, ()),
        ({"size": "512x512"}, ("fox.jpg: the server made 2752x1536, not 512x512",)),
        ({"size": "auto"}, ()),
        ({"size": 5}, ()),
    ],
)
def test_what_a_server_silently_did_otherwise_is_said(facts, warnings):
    assert seen(**facts) == warnings


def test_the_larger_pixels_of_a_known_model_are_no_warning():
    assert report(outcome(saved=1), size="16:9").warnings == ()


# --- the JSON document


def test_the_document_has_every_key_and_is_strict_json():
    error = outcome(
        2,
        seed=8,
        error=ModerationError("no", hint="rephrase", billed=True, status=400, request_id="r1"),
    )
    made = report_document(
        report(
            outcome(
                1,
                saved=1,
                seed=7,
                cost=0.06,
                provider="fal",
                request_id="r0",
                revised_prompt="a fox",
            ),
            error,
            outcome(3, kept=("fox-3.jpg", "fox-3.png")),
            size="1920x1080",
            seed="7",
            n="3",
        )
    )
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert {
        key: made[key]
        for key in ("schema", "status", "exit_code", "provider", "hosted", "cost_usd")
    } == {
        "schema": 1,
        "status": "partial",
        "exit_code": 3,
        "provider": "lumenfall",
        "hosted": True,
        "cost_usd": None,
    }
    assert made["files"] == [
        {
            "path": "fox-1-0.jpg",
            "index": 1,
            "seed": 7,
            "format": "jpeg",
            "bytes": 5,
            "requested_size": "1920x1080",
            "nominal_size": "1365x768",
            "received_size": "2752x1536",
            "width": 2752,
            "height": 1536,
            "as_received": True,
            "quality": None,
            "variant": None,
            "provider": "fal",
            "request_id": "r0",
            "cost_usd": 0.06,
            "revised_prompt": "a fox",
            "seconds": 1.235,
        }
    ]
    assert made["errors"] == [
        {
            "index": 2,
            "seed": 8,
            "code": "moderation",
            "message": "no",
            "hint": "rephrase",
            "may_have_been_billed": True,
            "http_status": 400,
            "request_id": "r1",
        }
    ]
    assert made["skipped"] == [
        {"index": 3, "path": "fox-3.jpg", "verified": True},
        {"index": 3, "path": "fox-3.png", "verified": True},
    ]
    assert made["outdated"] == []
    assert [note["parameter"] for note in made["notes"]] == ["size", "seed", "n"]
    assert set(made["notes"][0]) == {"parameter", "asked", "used", "behavior", "reason", "warning"}


def test_the_document_says_what_is_meant():
    made = report(
        OK, size="16:9", seed="7", n="2", output_format="jpeg", output_compression="80", raw="true"
    )
    made = report_document(made._replace(resolved=made.resolved._replace(unit_price_usd=0.06)))
    assert made["resolved"] == {
        "model": ULTRA,
        "route": None,
        "size": "1365x768",
        "aspect_ratio": "16:9",
        "resolution": "1K",
        "native_size": "2752x1536",
        "n": 2,
        "seed": 7,
        "seeds": [7],
        "output_format": "jpeg",
        "output_compression": 80,
        "parameters": {"size": "1365x768", "raw": True},
        "price_usd": pytest.approx(0.12),
    }


def test_the_document_says_everything_that_was_asked():
    said = {
        "size": "16:9",
        "seed": "7",
        "raw": "true",
        "output_format": "webp",
        "output_compression": "80",
    }
    asked = report_document(report(OK, **said))["request"]
    assert asked["prompt"] == "a red fox"
    assert asked["n"] == 1
    for name in said:
        assert name in asked, name


@pytest.mark.parametrize(
    ("said", "requested"),
    [
        ({}, None),
        ({"size": "99x99"}, "99x99"),
        ({"aspect_ratio": "2:1"}, "2:1"),
        ({"size": "1:1", "aspect_ratio": "2:1"}, "1:1"),
    ],
)
def test_the_requested_size_is_what_the_person_typed(said, requested):
    assert report_document(report(OK, **said))["files"][0]["requested_size"] == requested


@pytest.mark.parametrize(
    ("asked", "used", "shown"),
    [(7, None, 7), (7, 8, 8), (7, 0, 0), (None, 5, 5), (None, None, None)],
)
def test_the_seed_of_a_file_is_what_the_provider_used_else_what_was_asked(asked, used, shown):
    saved = SavedImage("x", *IMAGE, Facts(seed=used))
    made = report_document(report(Outcome(Call(1, asked, "m", {}), (saved,))))
    assert made["files"][0]["seed"] == shown


def test_long_values_are_shortened():
    made = report_document(report(OK, image_prompt="data:image/png;base64," + "A" * 10_000))
    assert len(json.dumps(made)) < 3000


def test_an_unknown_model_has_no_sizes_and_no_price():
    resolved = resolve(Request("else", {"size": "16:9"}, "a fox"), None)
    made = report_document(Report(resolved, resolved.notes, "openai", True, (OK,)))
    assert (
        made["resolved"]["size"],
        made["resolved"]["native_size"],
        made["resolved"]["price_usd"],
    ) == (None,) * 3
    assert (made["status"], made["exit_code"]) == ("ok", 0)
    assert made["files"][0]["nominal_size"] is None
    assert made["files"][0]["requested_size"] == "16:9"


def test_a_run_that_never_started_has_a_document_too():
    made = failure_document(UsageError("invalid size 'x'", hint="write 16:9"))
    assert (made["schema"], made["status"], made["exit_code"], made["files"]) == (
        1,
        "failed",
        2,
        [],
    )
    assert made["errors"] == [error_document(UsageError("invalid size 'x'", hint="write 16:9"))]


def test_an_error_without_a_request_id_says_null():
    made = error_document(FluxError("x"))
    assert made == {
        "code": "error",
        "message": "x",
        "hint": "",
        "may_have_been_billed": False,
        "http_status": None,
        "request_id": None,
    }


def test_what_was_asked_for_may_differ_from_request_to_request():
    def made(size, **said):
        asked = resolve(Request(ULTRA, {"size": size, **said}, "a fox"), find_model(ULTRA))
        saved = SavedImage("fox.jpg", *IMAGE, received=(2752, 1536))
        return Outcome(Call(1, None, "m", {}), (saved,), resolved=asked)

    result = report(made("16:9"), made("1:1"))
    assert result.warnings == ("fox.jpg: the server made 2752x1536, not 1:1",)
    files = report_document(result)["files"]
    assert [file["requested_size"] for file in files] == ["16:9", "1:1"]
