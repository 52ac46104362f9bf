"""JSON documents about runs: typed values, one shape for errors and files, a truthful `ok`."""

import documents
import pytest

from flux_cli.catalog.find import find_model
from flux_cli.commands.history.runs import run_document
from flux_cli.core.errors import AuthError, NetworkError, UnclearError
from flux_cli.core.outcome import Facts, Media, Outcome, SavedImage
from flux_cli.core.request import Attachment, Call, Request
from flux_cli.images.names import Name
from flux_cli.request.resolve import resolve
from flux_cli.runs.documents import recovery_document, report_document
from flux_cli.runs.fields import (
    FILE,
    PLANNED_FILE,
    file_document,
    planned_file_document,
    request_document,
)
from flux_cli.runs.records.past import PastCall, PastRun
from flux_cli.runs.report import Report

ULTRA = "flux1.1-pro-ultra"
CALL = Call(1, 7, "m", {})
SAVED = Outcome(CALL, (SavedImage("fox.jpg", "jpeg", 2752, 1536, 5, True, Facts(cost_usd=0.06)),))


def resolved(**said):
    return resolve(Request(ULTRA, said, "a red fox"), find_model(ULTRA))


def report(*outcomes, faults=(), interrupted=False):
    return Report(resolved(), (), "lumenfall", True, outcomes, interrupted, faults=faults)


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("seed", "7", 7),
        ("n", "2", 2),
        ("raw", "true", True),
        ("output_compression", "80", 80),
        ("image_prompt_strength", "0.5", 0.5),
        ("image_prompt_strength", "1.0", 1),
        ("size", "1920x1080", "1920x1080"),
        ("aspect_ratio", "7:1", "7:1"),
        ("safety_tolerance", "5", "5"),  # a choice, which is sent as text
        ("image_prompt", Attachment("fox.png", "data:image/png;base64,AAAA"), "fox.png"),
        ("unknown", "3.5", 3.5),
        ("unknown", "sunny", "sunny"),
    ],
)
def test_a_request_has_what_was_typed_in_the_type_that_is_sent(name, typed, value):
    asked = request_document(resolved(**{name: typed}))[name]
    assert (asked, type(asked)) == (value, type(value))


def test_a_planned_file_has_the_keys_of_a_saved_one():
    made = file_document(SAVED.saved[0], SAVED, resolved(size="16:9"))
    planned = planned_file_document("fox.jpg", "jpeg", CALL, resolved(size="16:9"))
    assert list(made) == list(planned) == list(FILE) == list(PLANNED_FILE)
    known = {name: value for name, value in planned.items() if value is not None}
    assert known == {name: made[name] for name in known}


NAME = Name("fox", {})
UNCLEAR = UnclearError("not known yet", billed=True)


@pytest.mark.parametrize(
    ("one", "unclear", "exit_code", "status"),
    [
        (report(SAVED), 0, 0, "ok"),
        (report(), 0, 0, "ok"),
        (report(), 1, 0, "unclear"),
        (report(SAVED), 1, 0, "unclear"),
        (report(faults=(UNCLEAR,)), 1, 3, "unclear"),
        (report(SAVED, faults=(UNCLEAR,)), 1, 3, "unclear"),
        (report(faults=(AuthError("no key"),)), 1, 4, "failed"),
        (report(SAVED, Outcome(CALL, error=NetworkError("x"))), 1, 3, "partial"),
        (report(SAVED, interrupted=True), 1, 130, "interrupted"),
    ],
)
def test_a_recovery_is_ok_only_where_everything_is_known(one, unclear, exit_code, status):
    calls = tuple(PastCall(number, 7, "m", NAME, sent=True) for number in range(unclear))
    made = recovery_document(exit_code, [(one, PastRun("1", {}, calls), ())])
    assert (made["status"], made["runs"][0]["status"]) == (status, status)
    assert (made["runs"][0]["cost_usd"] is None) == bool(unclear)
    documents.check(made, "recover")


def test_a_job_that_was_canceled_says_whether_the_provider_confirmed_it():
    made = report_document(report(SAVED)._replace(canceled=(("job-7", True), ("job-8", False))))
    assert made["canceled_jobs"] == [
        {"id": "job-7", "confirmed": True},
        {"id": "job-8", "confirmed": False},
    ]
    documents.check(made, "generate")


def test_a_request_of_an_earlier_run_has_errors_and_files_of_the_usual_shape():
    failure = {
        "code": "validation",
        "message": "no",
        "billed": False,
        "status": 400,
        "request_id": "r9",
    }
    media = (Media("a", Facts(request_id="r1", cost_usd=0.06)),)
    calls = (
        PastCall(
            1,
            7,
            "m",
            Name("x", {}),
            True,
            media=media,
            saved=("/w/7.jpg",),
            whole=True,
            cost_usd=0.06,
        ),
        PastCall(2, 8, "m", Name("x", {}), True, failure=failure),
        PastCall(3, 9, "m", Name("x", {})),
        PastCall(4, 10, "m", Name("x", {}), True, saved=("",), whole=True),  # a private journal
    )
    made = run_document(
        PastRun("r", {"time": 5.0, "prompt": None}, calls), "partial", "1970-01-01T00:00:05Z"
    )
    assert made["requests"] == 4
    assert [entry["state"] for entry in made["entries"]] == ["saved", "failed", "not_sent", "saved"]
    assert [entry["files"] for entry in made["entries"]] == [
        [{"path": "/w/7.jpg"}],
        [],
        [],
        [{"path": None}],
    ]
    assert made["entries"][1]["error"] == {
        "code": "validation",
        "message": "no",
        "hint": "",
        "may_have_been_billed": False,
        "http_status": 400,
        "request_id": "r9",
    }
    assert [entry["request_id"] for entry in made["entries"]] == ["r1", "r9", None, None]
    totals = {"runs": 1, "saved": 2, "cost_usd": 0.06, "unpriced": 1}
    listed = {"schema": 1, "folder": "/s", "runs": [made], "more": 0, "totals": totals}
    documents.check(listed, "runs")
