"""Answers that are tasks are told from answers that are not, and so are their states."""

import pytest

from flux_cli.core.outcome import Reply
from flux_cli.providers.reading.tasks import (
    Task,
    find_task,
    has_failed,
    states_of,
    task_headers,
    usual_address,
)

POLL = "https://api.example/poll"
TASKS = {
    "APIMart": ({"code": 200, "data": [{"status": "submitted", "task_id": "t"}]}, Task("t", "")),
    "an id alone": ({"data": [{"task_id": "t"}]}, Task("t", "")),
    "a number as id": ({"taskId": 17}, Task("17", "")),
    "EvoLink": ({"id": "t", "object": "image.generation.task", "status": "pending"}, Task("t", "")),
    "DashScope": ({"output": {"task_status": "PENDING", "task_id": "t"}, "request_id": "r"}, Task("t", "")),
    "ModelsLab": ({"id": 1, "status": "processing", "fetch_result": POLL}, Task("1", POLL)),
    "a page of its own": ({"id": "t", "status": "queued", "url": POLL}, Task("t", POLL)),
    "BFL": ({"id": "t", "polling_url": POLL}, Task("t", POLL)),
    "fal": ({"request_id": "t", "status": "IN_QUEUE", "status_url": POLL}, Task("t", POLL)),
    "Replicate": ({"id": "t", "status": "starting", "urls": {"get": POLL, "cancel": "x"}}, Task("t", POLL)),
    "an outer status of another kind": ({"status": "success", "data": {"job_id": "t", "status": "In Progress"}}, Task("t", "")),
}  # fmt: skip


@pytest.mark.parametrize(("body", "task"), TASKS.values(), ids=TASKS)
def test_a_task_is_known_by_its_id_or_its_address(body, task):
    assert find_task(Reply(200, {}, b""), body) == task


def test_the_headers_of_an_accepted_request_lead_to_its_task():
    headers = {"operation-location": POLL}
    assert find_task(Reply(200, headers, b""), None) == Task("", POLL)
    assert find_task(Reply(202, {"location": POLL}, b""), {"id": "t"}) == Task("t", POLL)
    assert find_task(Reply(200, {"location": POLL}, b""), {"id": "t"}) is None


@pytest.mark.parametrize(
    "body",
    [
        None, {}, {"data": []}, {"id": "req_1", "created": 1}, {"request_id": "r", "data": []},
        {"id": "t", "status": "failed"}, {"task_id": "t", "status": "completed"},
        {"input": {"task_id": "t"}},
    ],
)  # fmt: skip
def test_other_answers_are_no_tasks(body):
    assert find_task(Reply(200, {}, b""), body) is None


STATES = {
    "running": ("notRunning", "TASK_STATUS_PROCESSING", "processing: 50%", "queued", "IN_PROGRESS", "in progress", "Not-Start", "processing"),
    "failed": ("Request Moderated", "Task not found", "FAILED", "error", "canceled"),
    "done": ("Ready", "succeeded", "COMPLETED"),
    "": ("blue", "", None, 5),
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_states_are_read_in_every_spelling(state):
    for word in STATES[state]:
        assert states_of({"status": word}) == ([state] if state else [])


def test_the_innermost_status_is_the_last():
    """An outer one says that the question was answered."""
    body = {"status": "success", "data": {"task_status": "processing"}}
    assert states_of(body) == ["done", "running"]


def test_an_answer_fails_by_its_outermost_status():
    assert has_failed({"status": "failed", "image": "https://a/input.png"})
    assert not has_failed({"data": [{"url": "https://a/b", "status": "ok"}], "status": "done"})
    assert not has_failed([])
    assert has_failed({"data": [{"status": "failed"}, {"status": "failed"}]})
    assert not has_failed({"data": [{"status": "failed"}, {"status": "succeeded"}]})
    assert not has_failed({"attempts": [{"status": "timeout"}], "data": []})


def test_only_headers_that_lead_to_a_task_are_kept_of_an_answer():
    headers = {"operation-location": POLL, "server": "x"}
    assert task_headers(Reply(200, headers, b"")) == {"operation-location": POLL}
    assert task_headers(Reply(202, {"location": POLL}, b"")) == {"operation-location": POLL}
    assert task_headers(Reply(200, {"location": POLL}, b"")) == {}


def test_an_id_cannot_leave_its_place_in_the_usual_address():
    assert usual_address(Task("../../x?y#z", "")) == "tasks/..%2F..%2Fx%3Fy%23z"
