"""`flux recover`: images that were paid for are saved exactly once, wherever the run ended.

Nothing is ever paid for again.
"""

import base64
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.gateway import HISTORY, Gateway, by_seed, held, image, status
from fakes.images import look, noise, pixels_as
from fakes.messages import reply
from fakes.providers import DIRECT_ENDPOINTS, ENDLESS_JOBS, GOOD_JOBS, POLLED_PATHS
from fakes.providers import KEY as UPSTREAM_KEY
from fakes.server import Server

from e2e.conftest import KEY

PATIENCE = 30.0
SAFE = ("--response-format", "b64_json")


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def state(home) -> Path:
    """Where the journals are."""
    return home / ".local" / "state" / "flux-image-cli" / "runs"


@pytest.fixture
def recover(flux, keyed, gateway):
    """Run `flux recover`. It never POSTs, never shows a key, and finishes what it begins."""

    def run(*words: str, env: dict[str, str] | None = None):
        before = len(gateway.posts)
        result = flux("recover", *words, env=keyed | (env or {}))
        assert len(gateway.posts) == before
        assert KEY not in result.out + result.err
        assert "Traceback" not in result.err
        assert "internal error" not in result.err
        return result

    return run


@pytest.fixture
def killed(command, keyed):
    """Run `flux generate` and kill it as soon as something is true."""

    def run(*words: str, when: Callable[[], object], env: dict[str, str] | None = None) -> None:
        line, tick = [command, "generate", "a fox", *words], threading.Event()
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(line, env=keyed | (env or {}), **quiet) as flux:
            while not when():
                assert flux.poll() is None
                tick.wait(0.005)
            flux.kill()
        assert flux.returncode == -signal.SIGKILL

    return run


def journal_says(state: Path, event: str) -> Callable[[], bool]:
    mark = f'"event": "{event}"'
    return lambda: any(mark in path.read_text() for path in state.glob("*.jsonl"))


def files() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())


def folders(state: Path) -> list[Path]:
    return [path for path in state.iterdir() if path.is_dir()]


def states(flux) -> list[str]:
    return [run["state"] for run in flux("runs", "--json").json["runs"]]


# --- killed, at every step ------------------------------------------------------------------------


@pytest.mark.parametrize("form", [(), SAFE], ids=["url", "b64"])
def test_before_the_answer_the_history_knows_what_became_of_it(
    killed, recover, gateway, release, flux, state, form
):
    gateway.answers(held(release))
    killed("--seed", "7", *form, when=lambda: gateway.posts)
    release.set()
    while gateway.history[0]["status"] != "completed":
        pass
    assert states(flux) == ["unclear"]
    result = recover()
    assert (result.code, result.out) == (0, f"{Path.cwd()}/a-fox-7.jpg\n")
    assert look("a-fox-7.jpg")[0] == "jpeg"
    assert (files(), folders(state), states(flux)) == (["a-fox-7.jpg"], [], ["complete"])


@pytest.mark.parametrize("page", [1, 2, 100])
def test_the_history_is_read_page_by_page_and_a_call_that_was_repeated_counts_once(
    killed, recover, gateway, release, flux, page
):
    """The first try failed without cost; the second was paid for, and its line is the newer one."""
    gateway.answers(status(500), held(release))
    gateway.page_size = page
    killed("--seed", "7", when=lambda: len(gateway.posts) == 2)
    release.set()
    while gateway.history[1]["status"] != "completed":
        pass
    gateway.history.reverse()
    assert (recover().code, files(), states(flux)) == (0, ["a-fox-7.jpg"], ["complete"])
    gateway.history.reverse()
    assert flux("runs", "--json").json["runs"][0]["cost_usd"] == 0.06


def test_a_history_that_keeps_no_answers_says_that_it_was_paid_and_is_lost(
    killed, recover, gateway, release, flux
):
    gateway.answers(held(release))
    gateway.keeps_answers = False
    killed("--seed", "7", when=lambda: gateway.posts)
    release.set()
    while gateway.history[0]["status"] != "completed":
        pass
    result = recover()
    assert (result.code, "nothing to save" in result.err) == (0, False)
    assert "flux: note: request 1: the image was made for 0.06 USD" in result.err
    (run,) = flux("runs", "--json").json["runs"]
    (entry,) = flux("runs", run["run"], "--json").json["runs"][0]["entries"]
    assert (entry["state"], "the gateway keeps no copy" in entry["error"]["message"]) == (
        "failed",
        True,
    )
    assert (run["cost_usd"], entry["request_id"]) == (None, "req_h0")
    asked = len(gateway.requests)
    assert "nothing to save" in recover().err
    assert len(gateway.requests) == asked


def test_a_request_that_is_still_worked_on_is_asked_for_again_later(
    killed, recover, gateway, release, flux
):
    gateway.answers(held(release))
    killed("--seed", "7", when=lambda: gateway.posts)
    later = recover()
    assert (later.code, later.out, states(flux)) == (3, "", ["unclear"])
    assert "the outcome of 1 of 1 requests is not known yet; it may have been billed" in later.err
    assert "nothing to save" not in later.err
    document = recover("--json").json
    (run,) = document["runs"]
    assert {(end["status"], end["exit_code"]) for end in (document, run)} == {("unclear", 3)}
    assert (run["unclear"], run["cost_usd"], run["known_cost_usd"]) == (1, None, 0)
    assert [error["code"] for error in run["errors"]] == ["unclear"]
    release.set()
    while gateway.history[0]["status"] != "completed":
        pass
    document = recover("--json").json
    assert (document["exit_code"], document["runs"][0]["unclear"], files()) == (
        0,
        0,
        ["a-fox-7.jpg"],
    )


def test_a_server_without_a_history_will_never_tell_and_that_is_said_without_end(
    killed, recover, gateway, release
):
    gateway.answers(held(release))
    killed("--seed", "7", "--base-url", gateway.url, when=lambda: gateway.posts)
    release.set()
    result = recover()
    assert (result.code, "nothing to save" in result.err) == (0, False)
    assert "1 of 1 requests of run 20" in result.err
    document = recover("--json").json
    (run,) = document["runs"]
    assert (document["status"], run["status"]) == ("unclear", "unclear")
    assert (run["unclear"], run["cost_usd"], run["errors"]) == (1, None, [])


@pytest.mark.parametrize("where", [HISTORY, f"{HISTORY}/req_h0"], ids=["list", "request"])
def test_a_history_that_fails_today_is_no_word_about_the_image(
    killed, recover, gateway, release, flux, where
):
    gateway.answers(held(release))
    killed("--seed", "7", when=lambda: gateway.posts)
    release.set()
    while gateway.history[0]["status"] != "completed":
        pass
    gateway.serves(where, status(500))
    result = recover(env={"FLUX_RETRIES": "0"})
    assert (result.code, states(flux)) == (1, ["unclear"])
    assert "cannot read the history of lumenfall" in result.err
    gateway.forgets(f"GET {where}")
    assert (recover().code, files()) == (0, ["a-fox-7.jpg"])


def test_what_the_history_does_not_list_is_unclear_for_a_day_and_then_was_never_got(
    killed, recover, gateway, release, flux, state
):
    gateway.answers(held(release))
    killed("--seed", "7", when=lambda: gateway.posts)
    gateway.history.clear()
    assert (recover().code, states(flux)) == (3, ["unclear"])
    (path,) = state.glob("*.jsonl")
    head, _, rest = path.read_text().strip().partition("\n")
    path.write_text(
        json.dumps(json.loads(head) | {"time": json.loads(head)["time"] - 90_000}) + "\n" + rest
    )
    assert (recover().code, states(flux)) == (0, ["failed"])
    assert flux("runs", "--json").json["runs"][0]["cost_usd"] == 0


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"data": 3}'])
def test_a_history_that_is_no_list_says_nothing(killed, recover, gateway, release, flux, body):
    gateway.answers(held(release))
    killed("--seed", "7", when=lambda: gateway.posts)
    gateway.serves(HISTORY, reply(body))
    result = recover()
    assert (result.code, states(flux), "not a list of requests" in result.err) == (
        1,
        ["unclear"],
        True,
    )


def test_a_request_that_was_refused_is_over(killed, recover, gateway, release, flux):
    gateway.answers(held(release, status(400)))
    killed("--seed", "7", when=lambda: gateway.posts)
    release.set()
    while gateway.history[0]["status"] != "rejected":
        pass
    assert (recover().code, files(), states(flux)) == (0, [], ["failed"])


class SlowGateway(Gateway):
    """Images wait until they are released, and are not found if they had to wait."""

    def __init__(self, release: threading.Event) -> None:
        super().__init__()
        self.release = release
        self.arrived = threading.Event()  # somebody has asked for an image

    def answer(self, request):
        if request.path.startswith("/media/") and not self.release.is_set():
            self.arrived.set()
            return held(self.release, status(404))
        return super().answer(request)


def test_after_the_answer_its_address_is_in_the_journal(killed, flux, keyed, release, state):
    """No key is needed: the image is paid for and its address known."""
    with SlowGateway(release) as gateway:
        env = keyed | {"LUMENFALL_BASE_URL": gateway.url}
        killed("--seed", "7", when=gateway.arrived.is_set, env=env)
        release.set()
        del env["LUMENFALL_API_KEY"]
        result = flux("recover", env=env)
        assert (result.code, files(), folders(state), len(gateway.posts)) == (
            0,
            ["a-fox-7.jpg"],
            [],
            1,
        )


@pytest.mark.parametrize("form", [(), SAFE], ids=["url", "b64"])
def test_after_the_download_nothing_is_fetched_again(killed, recover, gateway, state, form):
    """Killed while the encoder works: what came lies in the state folder, for the format asked."""
    gateway.answers(image(noise(2048)))
    killed("--seed", "7", "-f", "avif", *form, when=journal_says(state, "fetched"))
    asked = len(gateway.requests)
    assert recover().code == 0
    assert (files(), folders(state), len(gateway.requests)) == (["a-fox-7.avif"], [], asked)
    assert look("a-fox-7.avif") == ("avif", (2048, 2048))


@pytest.mark.parametrize("name", ["a-fox-7.jpg", "a-fox-7-2.jpg"], ids=["its own name", "aside"])
def test_after_the_file_was_published_it_is_not_doubled(generate, recover, flux, state, name):
    """The journal ends before the line that says so, as after a kill between the two."""
    assert generate("--seed", "7", "a fox").code == 0
    (path,) = state.glob("*.jsonl")
    kept = [
        line
        for line in path.read_bytes().split(b"\n")
        if b'"saved"' not in line and b'"whole"' not in line
    ]
    path.write_bytes(b"\n".join(kept[:-2]))
    if name != "a-fox-7.jpg":
        Path("a-fox-7.jpg").rename(name)
        Path("a-fox-7.jpg").write_bytes(b"somebody else's")
    before = {path: Path(path).read_bytes() for path in files()}
    assert states(flux) == ["recoverable"]
    result = recover()
    assert (result.code, result.lines) == (0, [str(Path(name).absolute())])
    assert {path: Path(path).read_bytes() for path in files()} == before
    assert states(flux) == ["complete"]


def test_a_torn_last_line_does_not_matter(generate, recover, flux, state):
    assert generate("--seed", "7", "a fox").code == 0
    (path,) = state.glob("*.jsonl")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b'"event": "fetched"') + 40])
    assert (recover().code, files(), states(flux)) == (0, ["a-fox-7.jpg"], ["complete"])


def test_what_a_killed_run_was_writing_is_swept_away(generate, recover, state):
    assert generate("--seed", "7", "a fox").code == 0
    (path,) = state.glob("*.jsonl")
    (state / path.stem).mkdir()
    (state / path.stem / "abc").touch()
    Path(f".flux-{path.stem}0011").touch()
    assert (recover().code, files(), folders(state)) == (0, ["a-fox-7.jpg"], [])


# --- jobs at other providers ----------------------------------------------------------------------


def kill_while_polling(command: str, name: str, upstream: Server) -> None:
    """Run `flux generate` for a job that is never done, and kill it at its first poll."""
    endpoint = DIRECT_ENDPOINTS[name]
    upstream.answers(ENDLESS_JOBS[name]())
    polled = f"GET {POLLED_PATHS[name].format(seed=7)}"
    env = {variable: os.environ[variable] for variable in ("PATH", "HOME")}
    env |= {"COLUMNS": "100", endpoint.key_variable: UPSTREAM_KEY}
    address = ("--provider", name, "--base-url", upstream.origin + endpoint.base_path)
    line = [command, "generate", "a fox", *address, "--seed", "7"]
    with subprocess.Popen(line, env=env, stderr=subprocess.DEVNULL) as run:
        while polled not in upstream.log:
            assert run.poll() is None
        run.kill()


@pytest.mark.parametrize("name", GOOD_JOBS)
def test_a_job_that_was_under_way_is_polled_by_its_own_address(command, flux, name, state):
    endpoint = DIRECT_ENDPOINTS[name]
    with Server() as upstream:
        kill_while_polling(command, name, upstream)
        done = GOOD_JOBS[name]()(upstream.paid[0])
        for place, script in done.scripts.items():
            upstream.on(place, *script)
        result = flux("recover", env={endpoint.key_variable: UPSTREAM_KEY})
        assert (result.code, files(), folders(state)) == (0, ["a-fox-7.jpg"], [])
        assert len(upstream.paid) == 1
        journals = "".join(path.read_text() for path in state.glob("*.jsonl"))
        assert UPSTREAM_KEY not in result.out + result.err + journals


@pytest.mark.parametrize("name", GOOD_JOBS)
@pytest.mark.parametrize("number", [404, 504])
def test_a_job_nobody_knows_any_more_is_expired_and_one_that_cannot_be_read_now_is_not(
    command, flux, name, number
):
    endpoint = DIRECT_ENDPOINTS[name]
    with Server() as upstream:
        kill_while_polling(command, name, upstream)
        upstream.serves(POLLED_PATHS[name].format(seed=7), status(number))
        more = {endpoint.key_variable: UPSTREAM_KEY, "FLUX_RETRIES": "0", "FLUX_TIMEOUT": "1.5"}
        assert flux("recover", env=more).code == 1
        assert states(flux) == ["expired" if number == 404 else "recoverable"]
        assert len(upstream.paid) == 1


# --- what cannot be had, or not now ---------------------------------------------------------------


def test_without_its_key_a_run_says_which_and_the_others_are_saved(
    killed, recover, generate, gateway, release, flux
):
    gateway.answers(image(first=(status(404),)))
    assert generate("--seed", "8", "a fox", env={"FLUX_RETRIES": "0"}).code == 1
    gateway.answers(held(release))
    killed("--seed", "7", when=lambda: len(gateway.posts) == 2)
    release.set()
    result = recover(env={"LUMENFALL_API_KEY": ""})
    assert (result.code, files()) == (3, ["a-fox-8.jpg"])
    assert "LUMENFALL_API_KEY" in result.err
    assert sorted(states(flux)) == ["complete", "unclear"]
    result = recover("--json", env={"LUMENFALL_API_KEY": ""})
    (run,) = result.json["runs"]
    assert {(end["status"], end["exit_code"]) for end in (result.json, run)} == {("failed", 4)}
    assert (result.code, run["resolved"]["n"], [error["code"] for error in run["errors"]]) == (
        4,
        1,
        ["auth"],
    )


def test_what_could_not_be_fetched_leaves_no_file_that_is_none(generate, gateway, state):
    """The file of the first image is free again when the second one's address fails."""
    gateway.answers(by_seed({8: image(first=(status(404), status(404)))}))
    options = ("-n", "2", "--seed", "7", "--concurrency", "1")
    assert generate("a fox", *options, env={"FLUX_RETRIES": "1"}).code == 3
    (folder,) = folders(state)
    assert list(folder.iterdir()) == []


def test_what_keeps_several_runs_waiting_is_said_once_with_their_names(
    killed, recover, gateway, release, flux
):
    gateway.answers(held(release), held(release))
    for number in (1, 2):
        killed(
            "--seed",
            "7",
            "-o",
            f"{number}.jpg",
            when=lambda sent=number: len(gateway.posts) == sent,
        )
    release.set()
    runs = [row["run"] for row in flux("runs", "--json").json["runs"]]
    said = [
        line
        for line in recover(env={"LUMENFALL_API_KEY": ""}).err.splitlines()
        if "error: " in line
    ]
    assert said in [
        [f"flux: error: {one}, {other}: no key: LUMENFALL_API_KEY is not set"]
        for one, other in (runs, runs[::-1])
    ]
    gateway.serves(HISTORY, status(404))
    result = recover()
    (error, *_) = (line for line in result.err.splitlines() if "error: " in line)
    assert error.startswith("flux: error: 20")
    assert (
        f"hint: {gateway.url} seems to keep no history; see the requests: flux runs 20"
        in result.err
    )
    assert "flux models" not in result.err


@pytest.mark.parametrize("number", [403, 404, 410])
def test_an_address_that_has_expired_is_said_to_be_and_not_offered_again(
    generate, recover, gateway, flux, number
):
    gateway.answers(image(first=(status(500),)))
    failed = generate("--seed", "7", "a fox", env={"FLUX_RETRIES": "0"})
    assert failed.code == 1
    assert "flux recover 20" in failed.err
    (path,) = {path for path in gateway.fetched if path.startswith("/media/")}
    gateway.serves(path, status(number))
    result = recover(env={"FLUX_RETRIES": "0"})
    assert (result.code, states(flux)) == (1, ["expired"])
    again = recover()
    assert (again.code, again.err) == (0, "flux: nothing to save\n")
    shown = flux("runs")
    assert "expired" in shown.out
    assert "hint" not in shown.err


def test_a_server_in_trouble_has_not_expired(generate, recover, gateway, flux):
    gateway.answers(image(first=(status(500), status(503))))
    assert generate("--seed", "7", "a fox", env={"FLUX_RETRIES": "0"}).code == 1
    assert (recover(env={"FLUX_RETRIES": "0"}).code, states(flux)) == (1, ["recoverable"])
    assert (recover().code, files(), states(flux)) == (0, ["a-fox-7.jpg"], ["complete"])


def limited(command, size: int) -> list[str]:
    """The command on a disk that takes files up to `size` bytes."""
    return ["prlimit", f"--fsize={size}", command]


@pytest.mark.parametrize("form", [(), SAFE], ids=["url", "b64"])
def test_where_no_file_fits_the_image_is_kept_and_saved_later(
    flux, generate, recover, gateway, state, form, work
):
    """The folder is a file meanwhile: it cannot be written to."""
    out = work / "out"
    gateway.answers(lambda _request: (out.rmdir(), out.touch(), image())[2])
    failed = generate("--seed", "7", "a fox", "-o", "out/", *form)
    assert failed.code == 1
    assert "the image is safe in" in failed.err
    kept = Path(failed.err.split("safe in ")[1].split(";")[0])
    assert look(kept)[0] == "jpeg"
    result = recover()
    assert (result.code, states(flux)) == (1, ["recoverable"])
    assert kept.is_file()
    out.unlink()
    assert (recover().code, files(), folders(state)) == (0, ["out/a-fox-7.jpg"], [])


def test_on_a_full_disk_the_address_is_said_no_further_call_goes_out_and_recovery_works(
    command, keyed, gateway, recover, flux
):
    """A limit on the size of files lets journals be written, and no image."""
    line = [
        *limited(command, 3000),
        "generate",
        "a fox",
        "-n",
        "5",
        "--seed",
        "7",
        "--concurrency",
        "1",
    ]
    done = subprocess.run(line, env=keyed, capture_output=True, text=True, check=False)
    assert (done.returncode, len(gateway.posts)) == (1, 1)
    assert "it may still be available for a while: http" in done.stderr
    assert "flux recover" in done.stderr
    assert states(flux) == ["recoverable"]
    assert (recover().code, files()) == (0, ["a-fox-7.jpg"])


def test_a_base64_answer_on_a_full_disk_is_asked_of_the_history(command, keyed, recover, flux):
    line = [*limited(command, 3000), "generate", "a fox", "--seed", "7", *SAFE]
    done = subprocess.run(line, env=keyed, capture_output=True, text=True, check=False)
    assert (done.returncode, states(flux)) == (1, ["unclear"])
    assert "may have been billed" in done.stderr
    assert (recover().code, files()) == (0, ["a-fox-7.jpg"])


def test_a_folder_that_is_gone_is_made_again(killed, recover, gateway, state, tmp_path):
    gateway.answers(image(noise(2048)))
    killed(
        "--seed", "7", "-o", f"{tmp_path}/deep/", "-f", "avif", when=journal_says(state, "fetched")
    )
    (tmp_path / "deep").rmdir()
    assert recover().code == 0
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a-fox-7.avif"]


def test_an_image_that_still_cannot_be_saved_holds_no_other_back(generate, recover, gateway, flux):
    gateway.answers(image(first=(status(500),)))
    line = ("a fox", "-n", "3", "--seed", "7", "-o", "{seed}/fox.jpg")
    assert generate(*line, env={"FLUX_RETRIES": "0"}).code == 1
    Path("7").rmdir()
    Path("7").touch()
    result = recover()
    assert (result.code, files()) == (3, ["7", "8/fox.jpg", "9/fox.jpg"])
    assert states(flux) == ["recoverable"]


def test_ctrl_c_ends_it_and_the_next_time_goes_on(command, generate, keyed, flux, release):
    with SlowGateway(release) as gateway:
        env = keyed | {"LUMENFALL_BASE_URL": gateway.url, "FLUX_RETRIES": "0"}
        release.set()
        gateway.answers(image(first=(status(500),)))
        for seed in (7, 8):
            assert generate("a fox", "--seed", seed, env=env).code == 1
        release.clear()
        with subprocess.Popen(
            [command, "recover"], env=env, stderr=subprocess.PIPE, text=True
        ) as run:
            assert gateway.arrived.wait(PATIENCE)
            run.send_signal(signal.SIGINT)
            _, err = run.communicate(timeout=PATIENCE)
        assert (run.returncode, "Traceback" in err, files()) == (130, False, [])
        assert states(flux) == ["recoverable", "recoverable"]
        release.set()
        assert flux("recover", env=env).code == 0
        assert (files(), len(gateway.posts)) == (["a-fox-7.jpg", "a-fox-8.jpg"], 2)


def test_an_image_for_a_pipe_is_saved_as_a_file(command, keyed, gateway, recover):
    """The reader never reads, and the run is killed while it writes."""
    gateway.answers(image(noise(1024)))
    with subprocess.Popen(
        [command, "generate", "a fox", "-o", "-"],
        env=keyed,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as flux:
        while not gateway.fetched:
            assert flux.poll() is None
        flux.stdout.read(1)
        flux.kill()
    result = recover()
    assert (result.code, len(files())) == (0, 1)
    assert files()[0].startswith("a-fox-")
    assert look(files()[0])[0] == "jpeg"


@pytest.mark.parametrize("same", [True, False])
def test_a_name_that_was_taken_meanwhile_is_left_alone(killed, recover, gateway, release, same):
    data = pixels_as("jpeg", 64, 64)
    gateway.answers(held(release, image(data)))
    killed("--seed", "7", when=lambda: gateway.posts)
    release.set()
    while gateway.history[0]["status"] != "completed":
        pass
    Path("a-fox-7.jpg").write_bytes(data if same else b"other")
    assert recover().code == 0
    assert files() == ["a-fox-7.jpg"] if same else ["a-fox-7-2.jpg", "a-fox-7.jpg"]
    assert Path("a-fox-7.jpg").read_bytes() == (data if same else b"other")


# --- together -------------------------------------------------------------------------------------


def test_a_run_under_way_is_left_alone(command, keyed, gateway, release, recover, flux):
    gateway.answers(held(release))
    with subprocess.Popen(
        [command, "generate", "a fox", "--seed", "7"], env=keyed, stderr=subprocess.DEVNULL
    ) as run:
        while not gateway.posts:
            assert run.poll() is None
        assert states(flux) == ["running"]
        assert recover().code == 0
        (one,) = flux("runs", "--json").json["runs"]
        named = recover(one["run"])
        assert (named.code, "under way" in named.err) == (2, True)
        release.set()
        assert run.wait(PATIENCE) == 0
    assert (recover().code, files()) == (0, ["a-fox-7.jpg"])


def test_two_at_once_save_every_image_once(command, keyed, generate, gateway, flux):
    gateway.answers(image(first=(status(500),)))
    assert generate("a fox", "-n", "6", "--seed", "7", env={"FLUX_RETRIES": "0"}).code == 1
    both = [
        subprocess.Popen([command, "recover"], env=keyed, stderr=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert {one.wait(PATIENCE) for one in both} <= {0, 2}
    assert files() == sorted(f"a-fox-{seed}.jpg" for seed in range(7, 13))
    assert (states(flux), len(gateway.posts)) == (["complete"], 6)


def test_each_of_several_runs_is_named_before_its_lines_and_summed_up_after_them(
    generate, recover, gateway, flux
):
    gateway.answers(image(first=(status(500),)))
    for prompt in ("a fox", "a cat"):
        generate(prompt, "-n", "2", "--seed", "7", env={"FLUX_RETRIES": "0"})
    runs = [run["run"] for run in flux("runs", "--json").json["runs"]]
    said = recover().err.splitlines()
    assert sorted(line for line in said if line.endswith(":")) == sorted(
        f"flux: {run}:" for run in runs
    )
    assert [line.startswith("flux: 2 saved, 0.12 USD, ") for line in said] == 2 * [
        False,
        False,
        False,
        True,
    ]


def test_a_second_time_there_is_nothing_to_do(generate, recover, gateway):
    gateway.answers(image(first=(status(500),)))
    generate("--seed", "7", "a fox", env={"FLUX_RETRIES": "0"})
    assert recover().code == 0
    asked = len(gateway.requests)
    again = recover()
    assert (again.code, again.out, again.err) == (0, "", "flux: nothing to save\n")
    assert len(gateway.requests) == asked


def test_json_names_runs_files_and_failures(generate, recover, gateway):
    gateway.answers(image(first=(status(500),)))
    generate("a fox", "-n", "2", "--seed", "7", env={"FLUX_RETRIES": "0"})
    gone = next(path for path in gateway.fetched if path.startswith("/media/8"))
    gateway.serves(gone, status(404))
    result = recover("--json", env={"FLUX_RETRIES": "0"})
    (run,) = result.json["runs"]
    assert (result.code, run["exit_code"], run["status"]) == (3, 3, "partial")
    assert (result.json["exit_code"], result.json["status"]) == (3, "partial")
    assert [file["path"] for file in run["files"]] == [str(Path("a-fox-7.jpg").absolute())]
    assert [(error["index"], error["http_status"]) for error in run["errors"]] == [(2, 404)]
    assert run["run"].startswith("20")


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_without_any_run_there_is_nothing_to_save(recover, more):
    result = recover(*more)
    assert (result.code, "nothing to save" in result.err) == (0, True)


def test_a_run_is_named_by_the_beginning_of_its_name(generate, recover, gateway, flux):
    gateway.answers(image(first=(status(500),)))
    generate("a fox", "--seed", "7", env={"FLUX_RETRIES": "0"})
    (one,) = flux("runs", "--json").json["runs"]
    assert (recover("nonsense").code, recover(one["run"][:-3]).code) == (2, 0)


def test_several_images_of_one_call_are_all_saved(generate, recover, gateway, state):
    """The call brought two; the run was killed between them."""
    inline = [
        {"b64_json": base64.b64encode(pixels_as("png", 200 + side, 20)).decode()} for side in (0, 1)
    ]
    gateway.answers(reply({"data": inline, "metadata": {"cost": 0.06}}))
    assert generate("a fox", "--seed", "7").code == 0
    (path,) = state.glob("*.jsonl")
    lines = [line for line in path.read_bytes().split(b"\n") if line]
    second = [place for place, line in enumerate(lines) if json.loads(line)["event"] == "saved"][1]
    path.write_bytes(b"\n".join(lines[:second]))
    Path("a-fox-7-2.png").unlink()
    assert (recover().code, files()) == (0, ["a-fox-7-2.png", "a-fox-7.png"])


# --- switched off, or not to be had ---------------------------------------------------------------


def test_prompts_can_be_switched_off(generate, recover, gateway, state):
    prompt = "a violet fox under a copper moon"
    gateway.answers(image(first=(status(500),), revised_prompt=prompt))
    env = {"FLUX_JOURNAL_PROMPTS": "0", "FLUX_RETRIES": "0"}
    assert generate(prompt, "-n", "2", "--seed", "7", env=env).code == 1
    assert recover(env=env).code == 0
    assert len(files()) == 2
    written = b"".join(path.read_bytes() for path in state.rglob("*") if path.is_file())
    assert [word for word in (b"violet", b"copper", b"moon") if word in written] == []


def test_a_state_folder_that_cannot_be_written_costs_nothing(generate, gateway, tmp_path):
    (tmp_path / "file").touch()
    result = generate("a fox", env={"FLUX_STATE": str(tmp_path / "file" / "state")})
    assert (result.code, gateway.posts, files()) == (2, [], [])
    assert "FLUX_STATE" in result.err


def test_what_was_there_already_is_no_part_of_the_run(generate, flux):
    Path("7.jpg").touch()
    line = ("a fox", "-o", "{seed}.jpg", "--seed", "7", "--skip-existing")
    assert generate(*line).code == 0
    assert states(flux) == []
    assert generate(*line, "-n", "2").code == 0
    (run,) = flux("runs", "--json").json["runs"]
    assert (run["state"], run["requests"], run["saved"]) == ("complete", 1, 1)
