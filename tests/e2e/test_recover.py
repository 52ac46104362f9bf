"""`flux recover`: images that were paid for are saved exactly once, wherever the run ended.

Nothing is ever paid for again.
"""

import base64
import json
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from fakes.gateway import HISTORY, by_seed, held, image, status
from fakes.images import look, noise, pixels_as
from fakes.messages import reply

from e2e.recovery import PATIENCE, SAFE, SlowGateway, files, folders, journal_says, states

pytestmark = pytest.mark.slow

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
    gateway.answers(by_seed({8: image(first=(status(500), status(500)))}))
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
    gateway.answers(lambda _request: (out.touch(), image())[1])
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


def test_where_files_cannot_grow_to_the_size_of_an_image_nothing_is_sent(
    command, keyed, gateway, flux
):
    """A limit on the size of files lets journals be written, and no image."""
    line = [*limited(command, 3000), "generate", "a fox", "-n", "5", "--seed", "7"]
    done = subprocess.run(line, env=keyed, capture_output=True, text=True, check=False)
    assert (done.returncode, len(gateway.posts), states(flux)) == (2, 0, [])
    assert "ulimit -f" in done.stderr


def test_a_folder_that_is_gone_is_made_again(killed, recover, gateway, state, tmp_path):
    gateway.answers(image(noise(2048)))
    killed(
        "--seed", "7", "-o", f"{tmp_path}/deep/", "-f", "avif", when=journal_says(state, "fetched")
    )
    assert not (tmp_path / "deep").exists()
    assert recover().code == 0
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a-fox-7.avif"]


def test_an_image_that_still_cannot_be_saved_holds_no_other_back(generate, recover, gateway, flux):
    gateway.answers(image(first=(status(500),)))
    line = ("a fox", "-n", "3", "--seed", "7", "-o", "{seed}/fox.jpg")
    assert generate(*line, env={"FLUX_RETRIES": "0"}).code == 1
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


def test_ctrl_c_ends_it_also_while_the_history_of_a_second_run_is_read(
    command, keyed, killed, gateway, release, flux
):
    gateway.answers(held(release))
    for count in (1, 2, 3):
        killed(
            "--seed", "7", "-o", f"{count}.jpg", when=lambda sent=count: sent == len(gateway.posts)
        )
    second = threading.Event()

    def hold(_request):
        second.set()
        return held(release, status(404))

    gateway.serves(HISTORY, status(404), hold)
    with subprocess.Popen(
        [command, "recover"], env=keyed, stderr=subprocess.PIPE, text=True
    ) as run:
        assert second.wait(PATIENCE)
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=PATIENCE)
    assert (run.returncode, "Traceback" in err) == (130, False)
    assert not release.is_set()  # nobody has waited for the gateway
    assert "cannot read the history of lumenfall: interrupted" in err
    assert len([request for request in gateway.requests if request.path == HISTORY]) == 2
    assert states(flux) == ["unclear", "unclear", "unclear"]


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
    headings = [line for line in said if line.endswith(":")]
    assert sorted(headings) == sorted(f"flux: {run}:" for run in runs)
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
    """The call brought two, so small that the journal has them; the run was killed between them."""
    inline = [
        {"b64_json": base64.b64encode(pixels_as("png", 8 + side, 8)).decode()} for side in (0, 1)
    ]
    assert all(len(item["b64_json"]) < 1000 for item in inline)
    gateway.answers(reply({"data": inline, "metadata": {"cost": 0.06}}))
    assert generate("a fox", "--seed", "7").code == 0
    (path,) = state.glob("*.jsonl")
    lines = [line for line in path.read_bytes().split(b"\n") if line]
    second = [place for place, line in enumerate(lines) if json.loads(line)["event"] == "saved"][1]
    path.write_bytes(b"\n".join(lines[:second]))
    Path("a-fox-7-2.png").unlink()
    result = recover()
    assert (result.code, files()) == (0, ["a-fox-7-2.png", "a-fox-7.png"]), result.err


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
    Path("7.jpg").write_bytes(pixels_as("jpeg"))
    line = ("a fox", "-o", "{seed}.jpg", "--seed", "7", "--skip-existing")
    assert generate(*line).code == 0
    assert states(flux) == []
    assert generate(*line, "-n", "2").code == 0
    (run,) = flux("runs", "--json").json["runs"]
    assert (run["state"], run["requests"], run["saved"]) == ("complete", 1, 1)
