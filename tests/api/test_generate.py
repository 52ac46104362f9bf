"""`generate` and `generate_async` make images for a program: no output, no question, no handler."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fakes.gateway import PATIENCE, by_seed, held, image, status, together
from fakes.images import look

import flux_cli
from flux_cli.api.failures import presentable
from flux_cli.core.text import Secret
from flux_cli.runs.interrupts import NAMES

SIGNALS = [signal.Signals[name] for name in NAMES if hasattr(signal, name)]


@pytest.fixture
def release():
    """The event that the gateway waits for; set at the end, so that its threads end."""
    event = threading.Event()
    yield event
    event.set()


def wait_for(path: Path) -> None:
    """Wait in a thread until there is a file."""
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < end, path
        time.sleep(0.01)


# --- what is made


def test_a_sketch_needs_no_key_and_prints_nothing(capfd):
    result = flux_cli.generate("a fox", offline=True, size="16:9", width=320, output="fox.webp")
    assert [(one.path, one.variant, one.width) for one in result.images] == [
        (Path("fox.webp"), None, 2752),
        (Path("fox-320.webp"), "320", 320),
    ]
    assert look("fox-320.webp") == ("webp", (320, 179))
    assert (result.errors, result.run, result.cost_usd) == ((), None, 0)
    result.raise_for_errors()
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("gateway")
def test_an_image_of_a_model_has_all_facts(capfd):
    result = flux_cli.generate("a fox", seed=7, size="1000x1000", output="a.jpg")
    (made,) = result.images
    assert (made.path, made.format, made.width, made.height) == (Path("a.jpg"), "jpeg", 1024, 1024)
    assert (made.model, made.seed, made.cost_usd) == ("flux1.1-pro-ultra", 7, 0.06)
    assert (made.revised_prompt, made.request_id) == ("revised", "req_1")
    assert [note.used for note in result.notes if note.warning] == ["1024x1024"]
    assert result.run in os.listdir(Path.home() / ".local/state/flux-image-cli/runs")[0]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("prompt", ["-", "@secret.txt", "@@x", "--raw", " a\nb "])
def test_a_prompt_is_sent_as_it_is(gateway, prompt):
    Path("secret.txt").write_text("secret")
    flux_cli.generate(prompt)
    assert [post["prompt"] for post in gateway.posts] == [prompt]


@pytest.mark.usefixtures("gateway")
def test_several_models_make_an_image_each():
    models = ["flux1.1-pro-ultra", "flux.2-pro"]
    assert [one.model for one in flux_cli.generate("a fox", model=models).images] == models


def test_the_prompt_of_an_image_is_used_again(gateway):
    flux_cli.generate("a fox", seed=7, output="a.jpg")
    flux_cli.generate(like=Path("a.jpg"), output="b.jpg")
    first, second = gateway.posts
    assert first == second


def test_files_that_match_are_kept(gateway):
    flux_cli.generate("a fox", output="a.jpg")
    again = flux_cli.generate("a fox", output="a.jpg", skip_existing=True)
    assert (again.images, again.kept) == ((), (Path("a.jpg"),))
    assert len(gateway.posts) == 1


def test_what_would_be_printed_is_in_the_result(capfd):
    flux_cli.generate("a fox", offline=True, output="a.jpg")
    result = flux_cli.generate(
        "an owl", offline=True, output="a.jpg", update=True, max_bytes="40kB"
    )
    replaced, reduced = result.warnings
    assert replaced.startswith("replacing a.jpg, which ")
    assert reduced.endswith("to fit 40,000 bytes")
    assert capfd.readouterr() == ("", "")


# --- what is refused, for free


def test_input_errors_cost_nothing(gateway):
    for prompt, given in [(None, {}), ("", {}), ("a", {"n": 0}), ("a", {"output": "/dev/null"})]:
        with pytest.raises(flux_cli.UsageError):
            flux_cli.generate(prompt, **given)
    assert gateway.posts == []


def test_standard_output_belongs_to_the_program(gateway, monkeypatch):
    monkeypatch.setenv("FLUX_OUTPUT", "-")
    with pytest.raises(flux_cli.OutputError, match="belongs to your program"):
        flux_cli.generate("a fox")
    assert gateway.posts == []


class Terminal:
    """A person who says yes to everything."""

    def isatty(self):
        return True

    def readline(self):
        return "y\n"

    def write(self, text):
        raise AssertionError(text)


def test_nobody_is_asked_on_a_terminal(gateway, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(flux_cli.BudgetError, match="more than confirm_cost") as caught:
        flux_cli.generate("a fox", n=100)
    assert "max-cost 6.00" in caught.value.hint
    assert gateway.posts == []


@pytest.mark.usefixtures("gateway")
def test_a_missing_key_is_an_error(monkeypatch):
    monkeypatch.delenv("LUMENFALL_API_KEY")
    with pytest.raises(flux_cli.AuthError, match="LUMENFALL_API_KEY is not set"):
        flux_cli.generate("a fox")


# --- what fails


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (status(401), flux_cli.AuthError),
        (status(402), flux_cli.PaymentError),
        (status(400, "CONTENT_POLICY_VIOLATION"), flux_cli.ModerationError),
        (status(404, "MODEL_NOT_FOUND"), flux_cli.NotFoundError),
        (status(500), flux_cli.ProviderError),
    ],
)
def test_a_failure_has_its_class(gateway, answer, kind):
    gateway.answers(answer)
    with pytest.raises(kind) as caught:
        flux_cli.generate("a fox")
    assert ("it may have been billed" in caught.value.__notes__) == caught.value.billed


def blocking(prompt):
    return flux_cli.generate(prompt)


def awaited(prompt):
    return asyncio.run(flux_cli.generate_async(prompt))


@pytest.mark.parametrize("generate", [blocking, awaited])
def test_no_key_is_in_an_error(gateway, key, generate):
    gateway.answers(status(400, "x", f"\x1b[31mwho is {key}?"))
    with pytest.raises(flux_cli.FluxError, match=r"who is \*\*\*\?") as caught:
        generate("a fox")
    shown = "".join(traceback.TracebackException.from_exception(caught.value).format())
    assert key not in shown + repr(caught.value)
    assert "\x1b" not in shown
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_causes_become_notes(key):
    Secret(key)
    error = flux_cli.DiskError("cannot write", hint="make room")
    error.__cause__ = OSError(f"header {key}")
    shown = presentable(error)
    assert shown.__notes__ == ["hint: make room", "cause: OSError: header ***"]
    assert (shown.__cause__, shown.__context__, shown.__traceback__) == (None, None, None)


def test_no_key_is_in_a_result(gateway, key):
    gateway.answers(image(first=(status(404, message=key),), revised_prompt=key))
    assert key not in repr(flux_cli.generate("a fox"))


def test_some_failures_are_in_the_result_and_all_images_with_them(gateway):
    gateway.answers(by_seed({2: status(400, "CONTENT_POLICY_VIOLATION"), 3: status(400)}))
    result = flux_cli.generate("a fox", n=3, seed=1)
    assert [one.seed for one in result.images] == [1]
    assert [type(error).__name__ for error in result.errors] == [
        "ModerationError",
        "ValidationError",
    ]
    with pytest.raises(flux_cli.ModerationError) as caught:
        result.raise_for_errors()
    assert "2 of 3 requests failed" in caught.value.__notes__


def test_the_error_is_that_of_the_request_that_was_sent(gateway):
    gateway.answers(status(401))
    with pytest.raises(flux_cli.AuthError):
        flux_cli.generate("a fox", n=5, concurrency=1)
    assert len(gateway.posts) == 1


# --- threads and event loops


def test_threads_generate_at_the_same_time(gateway):
    gateway.answers(together(2))
    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(flux_cli.generate, ["a fox", "an owl"]))
    assert len({one.images[0].path for one in results}) == 2


def test_two_runs_share_an_event_loop(gateway, capfd):
    gateway.answers(together(2))

    async def both():
        made = await asyncio.gather(*map(flux_cli.generate_async, ["a fox", "an owl"]))
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return made

    results = asyncio.run(both())
    assert len({one.images[0].path for one in results}) == 2
    assert capfd.readouterr() == ("", "")


def test_no_file_is_paid_for_by_two_runs_of_a_program(gateway, release):
    gateway.answers(held(release))

    async def both():
        runs = [flux_cli.generate_async("a fox", output="a.jpg") for _ in range(2)]
        first, second = map(asyncio.ensure_future, runs)
        done, _ = await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED)
        release.set()
        await asyncio.wait([first, second])
        return done.pop().exception()

    assert "is being generated by another run" in str(asyncio.run(both()))
    assert len(gateway.posts) == 1


def test_errors_are_raised_in_an_event_loop_too(gateway):
    gateway.answers(status(401))
    with pytest.raises(flux_cli.AuthError):
        asyncio.run(flux_cli.generate_async("a fox"))
    with pytest.raises(flux_cli.UsageError):
        asyncio.run(flux_cli.generate_async("a fox", n=0))


def test_a_blocking_call_does_not_block_an_event_loop():
    async def block():
        flux_cli.generate("a fox", offline=True)

    with pytest.raises(RuntimeError, match="use await generate_async"):
        asyncio.run(block())


def test_a_canceled_run_saves_what_has_arrived_and_leaves_the_loop_alone(gateway, release):
    gateway.answers(by_seed({2: held(release)}))

    async def cancel():
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(2, thread_name_prefix="mine"))
        handlers = list(map(signal.getsignal, SIGNALS))
        run = asyncio.create_task(flux_cli.generate_async("a fox", n=2, seed=1))
        await asyncio.to_thread(wait_for, Path("a-fox-1.jpg"))
        assert list(map(signal.getsignal, SIGNALS)) == handlers
        run.cancel()
        await asyncio.sleep(0)
        run.cancel()  # as a group of tasks may do
        with pytest.raises(asyncio.CancelledError):
            await run
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return await asyncio.to_thread(lambda: threading.current_thread().name)

    assert asyncio.run(cancel()).startswith("mine")
    assert look("a-fox-1.jpg")[0] == "jpeg"
    assert len(gateway.posts) == 2


def test_a_deadline_of_the_program_is_a_timeout(gateway, release):
    gateway.answers(held(release))

    async def wait():
        async with asyncio.timeout(0.5):
            await flux_cli.generate_async("a fox")

    with pytest.raises(TimeoutError):
        asyncio.run(wait())


def test_a_run_that_is_canceled_before_it_begins_frees_its_names(gateway):
    async def cancel():
        run = asyncio.create_task(flux_cli.generate_async("a fox", output="a.jpg"))
        await asyncio.sleep(0)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        await asyncio.get_running_loop().shutdown_default_executor()

    asyncio.run(cancel())
    assert gateway.posts == []
    assert len(flux_cli.generate("a fox", output="a.jpg").images) == 1


def test_ctrl_c_ends_a_blocking_call_and_keeps_what_has_arrived(gateway, release):
    def interrupt(_request):
        os.kill(os.getpid(), signal.SIGINT)
        return held(release)

    gateway.answers(by_seed({2: interrupt}))
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        flux_cli.generate("a fox", n=2, seed=1, concurrency=1)
    assert signal.getsignal(signal.SIGINT) is handler
    assert look("a-fox-1.jpg")[0] == "jpeg"


def test_without_a_prompt_nothing_is_read_from_standard_input(command, work):
    program = "import flux_cli; flux_cli.generate(offline=True)"
    python = [str(Path(command).parent / "python"), "-c", program]
    done = subprocess.run(python, input="a fox", capture_output=True, text=True, check=False)
    assert "no prompt given" in done.stderr
    assert list(work.iterdir()) == []
