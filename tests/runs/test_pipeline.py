"""Runs of tasks that have little in common: models, prices, deliveries, originals."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.gateway import Gateway, by_seed, image, status
from fakes.images import look, noise

from flux_cli.config.load import Settings, load_settings
from flux_cli.core.errors import DiskError
from flux_cli.core.outcome import Event, Outcome
from flux_cli.core.request import Call
from flux_cli.images.files import Folder
from flux_cli.images.finish import Finish
from flux_cli.images.metadata.record import Record
from flux_cli.images.names import Name
from flux_cli.providers.rows import ROWS, connect
from flux_cli.runs.event_loop import run_job
from flux_cli.runs.job import Job, Original, Task
from flux_cli.runs.records import journal, store
from flux_cli.runs.records.listing import find_run, read_journal
from flux_cli.runs.records.rescue import resume
from flux_cli.runs.recovery import arrived, job_of
from flux_cli.runs.report import RunResult
from flux_cli.runs.saving.delivery import Delivery

COST = 0.06  # USD that the gateway names for each image
THUMBNAIL = Finish(widths=(32,), formats=("webp",), only_widths=True)
SMALL = Delivery(THUMBNAIL, Record(prompt="a fox", model="a"))
PLAIN = Delivery(Finish(), Record(prompt="a cat", model="b"), sidecar=True)


def task(number: int, delivery: Delivery = PLAIN, model: str = "b", **more: Any) -> Task:
    body = {"model": model, "prompt": delivery.record.prompt, "seed": number}
    name = Name(f"out/{number}.{{ext}}", {})
    return Task(Call(number, number, model, body), name, delivery, **more)


class Bench:
    """Runs jobs at a gateway, in the current folder. `events` are those of the last one."""

    def __init__(self, gateway: Gateway, root: Path) -> None:
        self.gateway, self.root = gateway, root
        self.events: list[Event] = []

    @property
    def settings(self) -> Settings:
        return load_settings({"base_url": self.gateway.url, "provider": "lumenfall"}, ROWS)

    def book(self) -> journal.Journal:
        facts = {"provider": "lumenfall", "base_url": self.gateway.url, "private": False}
        return journal.begin(self.root, store.new_name(), facts | {"folder": str(Path.cwd())})

    def __call__(self, *tasks: Task, book: journal.Journal | None = None, **more: Any) -> RunResult:
        self.events.clear()
        with book or self.book() as ledger:
            job = Job(
                tasks=iter(tasks),
                provider=connect(self.settings.provider, self.gateway.url, None),
                hosted=True,
                sink=Folder(overwrite=False, mark=ledger.run, state=ledger.state),
                ledger=ledger,
                concurrency=4,
            )._replace(**more)
            return self.run(job, ledger)

    def run(self, job: Job, ledger: journal.Journal) -> RunResult:
        return run_job(job, ledger.folder, self.settings, self.events.append)

    def past(self):
        (path,) = self.root.glob("*.jsonl")
        return read_journal(path)


@pytest.fixture
def bench(tmp_path) -> Iterator[Bench]:
    with Gateway() as gateway:
        yield Bench(gateway, tmp_path / "runs")


def made(outcome: Outcome) -> list[str]:
    return [saved.path for saved in outcome.saved]


def test_tasks_of_two_models_with_two_deliveries_are_one_run(bench):
    bench.gateway.answers(image(noise(64)))
    tasks = (task(1, SMALL, "a", key="fox", about={"request": "9f2c"}), task(2), task(3, SMALL))
    result = bench(*tasks)
    assert [made(one) for one in result.outcomes] == [
        ["out/1-32.webp"],
        ["out/2.jpg"],
        ["out/3-32.webp"],
    ]
    assert sorted(body["model"] for body in bench.gateway.posts) == ["a", "b", "b"]
    assert look("out/1-32.webp") == ("webp", (32, 32))
    assert json.loads(Path("out/2.json").read_text())["prompt"] == "a cat"
    assert not Path("out/1.json").exists()
    assert [one.key for one in result.outcomes] == ["fox", "", ""]
    assert {event.key for event in bench.events if event.number == 1} == {"fox"}
    first, *others = bench.past().calls
    assert (first.key, first.about, first.model) == ("fox", {"request": "9f2c"}, "a")
    assert [call.state for call in (first, *others)] == ["saved"] * 3


def test_tasks_are_taken_when_there_is_room_for_them(bench):
    """A million of them are never in memory."""
    taken = []

    def tasks() -> Iterator[Task]:
        for number in range(1, 9):
            taken.append((number, sum(event.kind == "saved" for event in bench.events)))
            yield task(number)

    bench(tasks=tasks(), concurrency=2)
    assert [number for number, _ in taken] == [*range(1, 9)]
    assert all(number - saved <= 2 for number, saved in taken)


def test_a_budget_holds_for_tasks_of_different_prices(bench):
    """Each costs 0.06 USD: the two that say so fit, the dear one does not, the cheap one does."""
    prices = (COST, 5.0, COST, 0.01)
    tasks = [task(number, price_usd=price) for number, price in enumerate(prices, 1)]
    result = bench(*tasks, limit_usd=0.2)
    codes = [one.error and one.error.code for one in result.outcomes]
    assert codes == [None, "not_sent", None, None]
    assert "over" not in str(result.outcomes[1].error)
    assert "the run would cost" in result.outcomes[1].error.message
    assert len(bench.gateway.posts) == 3


def test_a_refusal_of_one_task_does_not_stop_another_and_a_refused_key_does(bench):
    bench.gateway.answers(by_seed({1: status(400, "content_policy"), 3: status(401)}))
    tasks = [task(number, key=f"asset {number}") for number in range(1, 6)]
    result = bench(*tasks, concurrency=1)
    codes = [one.error and one.error.code for one in result.outcomes]
    assert codes == ["moderation", None, "auth", "not_sent", "not_sent"]
    assert result.outcomes[3].error.message == "not sent, because asset 3 failed: auth"
    assert [call.state for call in bench.past().calls] == ["failed", "saved", "failed"]


def test_tasks_whose_files_are_all_there_send_nothing(bench):
    result = bench(task(1, kept=("out/1.png",), is_complete=True), task(2, kept=("out/2.png",)))
    assert [one.kept for one in result.outcomes] == [("out/1.png",), ("out/2.png",)]
    assert (result.outcomes[0].was_there, len(bench.gateway.posts)) == (True, 1)


# --- originals ------------------------------------------------------------------------------------


class Originals:
    """A store that names files by their content. `before` are the files that were made by then."""

    def __init__(self, fails: Callable[[], None] = lambda: None) -> None:
        self.kept: dict[str, str] = {}
        self.before: list[list[str]] = []
        self._fails = fails

    def __call__(self, original: Original) -> str:
        self._fails()
        self.before.append(sorted(os.listdir("out")) if Path("out").exists() else [])
        digest = hashlib.sha256(original.data).hexdigest()
        path = Path(f"{digest}.{original.image.format}")
        path.write_bytes(original.data)
        self.kept[original.task.key] = digest
        assert (original.facts.cost_usd, original.image.width) == (COST, 64)
        return str(path)


def test_an_original_is_stored_as_it_was_received_before_its_files_are_made(bench):
    received = noise(64)
    bench.gateway.answers(image(received))
    store = Originals()
    result = bench(task(1, SMALL, key="fox"), store=store)
    digest = hashlib.sha256(received).hexdigest()
    assert (store.kept, store.before) == ({"fox": digest}, [[]])
    assert Path(f"{digest}.jpeg").read_bytes() == received
    assert made(result.outcomes[0]) == ["out/1-32.webp"]


def test_a_stored_original_needs_no_second_copy_where_its_files_cannot_be_made(bench):
    bench.gateway.answers(image(noise(64)))
    too_wide = SMALL._replace(finish=SMALL.finish._replace(widths=(320,)))
    (outcome,) = bench(task(1, too_wide), store=Originals()).outcomes
    assert (made(outcome), outcome.error.code, outcome.error.billed) == ([], "image", True)
    (stored,) = Path().glob("*.jpeg")
    assert outcome.error.hint == f"saved as received: {stored}"
    assert (bench.past().calls[0].state, Path("out").exists()) == ("saved", False)


def test_an_original_that_cannot_be_stored_waits_for_recovery(bench):
    def fails() -> None:
        raise DiskError("the store is full")

    (outcome,) = bench(task(1), store=Originals(fails)).outcomes
    assert (made(outcome), outcome.error.code, outcome.error.billed) == ([], "disk", True)
    assert "flux recover" in outcome.error.hint
    (call,) = bench.past().calls
    assert call.state == "waiting"


# --- recovery -------------------------------------------------------------------------------------


def test_what_has_arrived_is_recovered_with_the_delivery_of_its_task(bench):
    """Two tasks whose output folder was in the way; one is made with its own originals hook."""
    bench.gateway.answers(image(noise(64)))
    Path("out").touch()
    tasks = (task(1, SMALL, "a", key="fox", about={"take": 1}, price_usd=COST), task(2, key="cat"))
    result = bench(*tasks)
    assert [one.error.code for one in result.outcomes] == ["disk", "disk"]
    Path("out").unlink()
    (path,) = bench.root.glob("*.jsonl")
    past, ledger = resume(find_run(bench.root, path.stem))
    with ledger:
        answers = arrived(past, ledger.folder)
        job = job_of(past, ledger, bench.settings, None, answers)
        first, second = job.tasks
        assert (first.key, first.about, first.price_usd) == ("fox", {"take": 1}, COST)
        assert (first.delivery, second.delivery) == (SMALL, PLAIN)
        store = Originals()
        again = bench.run(job._replace(store=store), ledger)
    assert {one.key: made(one) for one in again.outcomes} == {
        "fox": [f"{Path.cwd()}/out/1-32.webp"],
        "cat": [f"{Path.cwd()}/out/2.jpg"],
    }
    assert ({*store.kept}, len(bench.gateway.posts)) == ({"fox", "cat"}, 2)
