"""A machine that refuses threads or memory, or stops the process: images are saved, or it is said.

Faults of single system calls are made by a library that is loaded before the C library.
"""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes.gateway import held, image, together
from fakes.images import pixels_as

pytestmark = pytest.mark.slow

THREADS = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
static int made;
int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *x) {
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    real = dlsym(RTLD_NEXT, "pthread_create");
    return made++ < atoi(getenv("THREADS")) ? real(t, a, f, x) : EAGAIN;
}
"""
LAUNCHER = "from flux_cli.main import run"  # a line of the script that pip makes
SMALL = pixels_as("png", 40, 40)


@pytest.fixture
def threads(tmp_path) -> dict[str, str]:
    """Variables that let a process start no more than THREADS threads."""
    if not shutil.which("gcc") or not Path("/proc/self").exists():
        pytest.skip("needs Linux and gcc")
    library, source = tmp_path / "threads.so", tmp_path / "threads.c"
    source.write_text(THREADS)
    line = ["gcc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
    subprocess.run(line, check=True)
    return {"LD_PRELOAD": str(library)}


@pytest.fixture
def limited(command, keyed):
    """Run `flux generate` in a shell after a limit: `limited("ulimit -n 33", "a fox")`."""

    def run(limit: str, *words: str) -> subprocess.CompletedProcess[str]:
        line = ["sh", "-c", f'{limit}; exec "$@"', "sh", command, "generate", *words]
        done = subprocess.run(
            line, env=keyed, capture_output=True, text=True, timeout=60, check=False
        )
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("more", [(), ("--response-format", "b64_json"), ("-f", "webp")])
def test_a_run_needs_no_threads(generate, gateway, threads, count, more):
    """A container allows so many processes."""
    gateway.answers(image())
    result = generate("a fox", "-n", "4", *more, env={**threads, "THREADS": str(count)})
    assert (result.code, len(result.lines), len(gateway.posts)) == (0, 4, 4)
    assert all(Path(path).exists() for path in result.lines)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_conversion_needs_no_threads(flux, threads, work, count):
    for number in range(4):
        (work / f"{number}.png").write_bytes(SMALL)
    words = [f"{number}.png" for number in range(4)]
    done = flux("convert", *words, "-f", "webp", env={**threads, "THREADS": str(count)})
    assert (done.code, done.lines) == (0, [f"{number}.webp" for number in range(4)])
    assert len(list(work.iterdir())) == 8


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="macOS ignores RLIMIT_AS")
@pytest.mark.parametrize("megabytes", [30, 60, 90, 150])
def test_without_memory_one_sentence_says_so(limited, gateway, recover, megabytes):
    """What is paid for is saved by `flux recover`, once there is memory."""
    gateway.answers(image(pixels_as("png", 1500, 1500)))
    done = limited(f"ulimit -v {megabytes << 10}", "a fox", "-n", "4")
    assert done.returncode in (0, 1, 3)
    assert done.returncode == 0 or "memory" in done.stderr or "cannot" in done.stderr
    recover()
    assert len(list(Path().glob("*.*"))) == len(gateway.posts)


# A Pillow that finds no memory for the library of a format when it loads it.
NO_LIBRARY = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name in ("PIL._webp", "PIL._avif"):
            raise ImportError(f"{name}.so: failed to map segment from shared object")
sys.meta_path.insert(0, Finder())
from flux_cli.main import answer
sys.exit(answer(sys.argv[1:]))
"""


@pytest.mark.parametrize("suffix", ["webp", "avif"])
def test_a_library_for_which_there_is_no_memory_is_no_missing_feature(environment, work, suffix):
    (work / "a.png").write_bytes(SMALL)
    line = [sys.executable, "-c", NO_LIBRARY, "convert", "a.png", "-f", suffix, "-f", "gif"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("flux: error: a.png: not enough memory\nhint: ")


# The last image never comes, so that no run ends before its signal.
@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_at_any_moment_ends_with_130(command, keyed, gateway, release, number, seconds):
    """Twice, as `timeout` sends it. Only before flux is loaded, the signal itself ends it."""
    gateway.answers(image(SMALL), image(SMALL), held(release))
    line = [command, "generate", "a fox", "-n", "3"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(line, env=keyed, **pipes) as flux:
        time.sleep(seconds)
        flux.send_signal(number)
        flux.send_signal(number)
        out, err = flux.communicate(timeout=60)
    images = {path.name for path in Path().glob("*.*")}
    assert "flux_cli" not in err.replace(LAUNCHER, "")
    assert set(out.split()) == images
    is_early = not out and "flux: " not in err  # Python itself was still starting
    early_codes = (-number, 130, 1)  # 1: Ctrl-C while Python imports its site module
    assert flux.returncode in (early_codes if is_early else (130,))


def test_an_offline_run_that_is_killed_leaves_no_temporary_files(command, environment, tmp_path):
    line = [command, "generate", "a fox", "--offline", "-n", "50"]
    with subprocess.Popen(line, env=environment | {"TMPDIR": str(tmp_path)}) as flux:
        while len(list(Path().glob("*.*"))) < 2 and flux.poll() is None:
            time.sleep(0.01)
        flux.kill()
    for part in Path().glob(".flux-*"):
        part.unlink()
    assert list(tmp_path.iterdir()) == []


def test_with_few_files_requests_are_held_back(limited, gateway):
    """33 leave files for one request. One note says so."""
    gateway.answers(image(SMALL))
    done = limited("ulimit -n 33", "a fox", "-n", "5")
    assert (done.returncode, gateway.most_at_once) == (0, 1)
    assert done.stderr.count("sent at most 1 of 5 requests at a time") == 1


def test_the_limit_on_files_is_raised_as_far_as_allowed(limited, gateway):
    """As on macOS, where 256 files may be open until a process asks for more."""
    gateway.answers(together(60, image(SMALL)))
    words = ("-n", "60", "--concurrency", "60", "--response-format", "b64_json")
    done = limited("ulimit -Sn 64", "a fox", *words)
    assert (done.returncode, gateway.most_at_once) == (0, 60)
    assert "sent at most" not in done.stderr
