"""Faults of the local machine: disks, names, streams, limits, signals, proxies and certificates."""

import base64
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from fakes.messages import message, reply
from fakes.server import Step
from fakes.steps import hold, interrupt, meanwhile, pause

from faults.row import JPEG, KEY, Row, fine, good, refused
from faults.rows.bodies import image, noise

INLINE = {"data": [{"b64_json": base64.b64encode(JPEG).decode()}], "metadata": {"cost": 0.06}}
OUT = ("-o", "out/fox.jpg")
SAFE = "state|kept|safe"  # how an error says where the image is


def shell(script: str) -> tuple[str, ...]:
    return ("sh", "-c", script, "sh")


def inside(script: str) -> tuple[str, ...]:
    """A shell that may mount, with mounts that no other process sees."""
    return ("unshare", "-rm", *shell(script))


def unpaid(name: str, does: str, **more: Any) -> Row:
    """A fault that is found before anything is sent."""
    return refused(name, does, **{"code": 2, "posts": 0, **more})


def folder(work: Path) -> None:
    (work / "out").mkdir()


def theirs(work: Path) -> None:
    (work / "fox.jpg").write_bytes(JPEG)


def gone(work: Path) -> None:
    shutil.rmtree(work / "out")


def replaced(work: Path) -> None:
    shutil.rmtree(work / "out")
    (work / "out").write_text("a file now")


def dangling(work: Path) -> None:
    (work / "fox.jpg").symlink_to("elsewhere.jpg")


def stateless(work: Path) -> None:
    shutil.rmtree(work.parent / "home/.local/state")


def fill(work: Path) -> None:
    """Let the shell of `FILLS` fill its disk, and wait until that is done."""
    (work / "go").touch()
    wait_for(work / "filled")


def wait_for(path: Path) -> None:
    for _ in range(500):
        if path.exists():
            return
        time.sleep(0.01)


FILLS = 'mount -t tmpfs -o size=20m tmpfs out && { until [ -e go ]; do sleep 0.02; done; head -c 99999999 /dev/zero >out/filler 2>/dev/null; touch filled; } & until mountpoint -q out; do sleep 0.02; done; "$@"; code=$?; [ "$(ls -A out)" = filler ] && exit $code'
FULL = 'mount -t tmpfs -o size=64k tmpfs out && head -c 99999 /dev/zero >out/filler 2>/dev/null; "$@"; code=$?; [ "$(ls -A out)" = filler ] && exit $code'
BOTH = 'mkdir -p "$HOME/.local/state" && mount -t tmpfs -o size=64k tmpfs out && mount --bind out "$HOME/.local/state" && head -c 99999 /dev/zero >out/filler 2>/dev/null; "$@"; code=$?; [ "$(ls -A out | head -c 6)" = filler ] && exit $code'
READ_ONLY = 'mount --bind out out && mount -o remount,bind,ro out && exec "$@"'

DISK = (
    unpaid("a full disk", "no space is left in the folder", wrap=inside(FULL), before=folder, line=OUT, code=1, says=("too little space", "-o"), needs="namespaces"),
    Row("a disk that fills up", "no space is left when the image arrives", post=((meanwhile(fill), good()),), wrap=inside(FILLS), before=folder, line=OUT, kept=1, says=("No space left", SAFE), billed=None, needs="namespaces"),
    Row("a full disk and a full home folder", "no space is left in either", wrap=inside(BOTH), before=folder, line=OUT, code=(1, 2), posts=range(2), says=("space",), billed=None, needs="namespaces"),
    unpaid("a limit on file sizes", "RLIMIT_FSIZE of 64 kB", wrap=shell('ulimit -f 128; exec "$@"'), get=image(noise(200)), says=("large", "ulimit -f")),
    fine("a state folder that vanishes", "removed during the request", post=((meanwhile(stateless), good()),)),
    fine("a state folder that vanishes, and base64", "removed during the request", post=((meanwhile(stateless), reply(INLINE)),)),
    unpaid("a read-only folder", "mounted read-only", wrap=inside(READ_ONLY), before=folder, line=OUT, says=("Read-only",), needs="namespaces"),
    fine("a folder that vanishes", "removed during the request", post=((meanwhile(gone), good()),), before=folder, line=OUT),
    Row("a folder that became a file", "replaced by a file during the request", post=((meanwhile(replaced), good()),), before=folder, line=OUT, kept=1, says=(SAFE,), billed=None),
    fine("a name that is taken meanwhile", "another program saves fox.jpg first", post=((meanwhile(theirs), good()),), line=("-o", "fox.jpg"), files=2),
    fine("a name that is linked meanwhile", "a dangling link appears", post=((meanwhile(dangling), good()),), line=("-o", "fox.jpg")),
    refused("a dangling link", "fox.jpg points to a missing file", before=dangling, line=("-o", "fox.jpg"), code=2, posts=0, says=("fox.jpg is a link to a missing file",)),
    unpaid("a name that is taken", "fox.jpg exists", before=theirs, line=("-o", "fox.jpg"), files=1, says=("already exists",)),
    unpaid("a link to itself", "out points to out", before=lambda work: (work / "out").symlink_to("out"), line=OUT),
    unpaid("a file instead of a folder", "out is a file", before=lambda work: (work / "out").touch(), line=OUT),
    unpaid("a name that is too long", "300 characters", line=("-o", "x" * 300 + ".jpg"), says=("long",)),
    unpaid("a path that is too long", "5,000 characters", line=("-o", "x/" * 2500 + "fox.jpg"), says=("long",)),
    fine("a name with a control character", "0x01 in the file name", line=("-o", "{slug}\x01.jpg"), code=(0, 2), posts=range(2), files=range(2)),
    unpaid("-o a device", "a link to /dev/full", before=lambda work: (work / "device").symlink_to("/dev/full"), line=("-o", "device"), needs="/dev/full"),
    unpaid("-o a device with a suffix", "a link to /dev/full", before=lambda work: (work / "fox.jpg").symlink_to("/dev/full"), line=("-o", "fox.jpg"), needs="/dev/full"),
    unpaid("-o a FIFO", "no process reads it", before=lambda work: os.mkfifo(work / "pipe"), line=("-o", "pipe")),
    unpaid("-o a FIFO with a suffix", "no process reads it", before=lambda work: os.mkfifo(work / "fox.jpg"), line=("-o", "fox.jpg")),
    fine("fewer open files than requests", "RLIMIT_NOFILE of 64, sixty images of base64 at once", post=(reply(INLINE),), wrap=shell('ulimit -n 64; exec "$@"'), line=("-n", "60", "--concurrency", "60"), files=60, posts=60, says=("sent at most",)),
    unpaid("too few open files", "RLIMIT_NOFILE of 8", wrap=shell('ulimit -n 8; exec "$@"'), code=(1, 2), says=("files",)),
    fine("few open files allowed", "RLIMIT_NOFILE of 14, twenty images", wrap=shell('ulimit -n 14; exec "$@"'), line=("-n", "20", "--retries", "6"), code=(0, 1, 3), files=None, kept=range(21), posts=range(21), billed=None),
)  # fmt: skip

STREAMS = (
    fine("no stdin", "closed", wrap=shell('exec "$@" <&-')),
    Row("no stdout", "closed", wrap=shell('exec "$@" >&-'), files=1, says=("standard output.*; saved:",), billed=False),
    fine("no stderr", "closed", wrap=shell('exec "$@" 2>&-')),
    Row("no streams at all", "all closed", wrap=shell('"$@" <&- >&- 2>&-; code=$?; echo "flux: error: nobody hears it" >&2; exit $code'), files=1, billed=False),
    fine("an idle stdin", "a pipe without a writer", before=lambda work: os.mkfifo(work / "idle"), wrap=shell('exec "$@" 0<>idle')),
    Row("a full stdout", "/dev/full", wrap=shell('exec "$@" >/dev/full'), files=1, says=("standard output",), billed=False, needs="/dev/full"),
    fine("a full stderr", "/dev/full", wrap=shell('exec "$@" 2>/dev/full'), needs="/dev/full"),
    Row("an image to a full stdout", "-o - into /dev/full", wrap=shell('exec "$@" >/dev/full'), line=("-o", "-"), kept=1, says=(SAFE,), billed=None, needs="/dev/full"),
    unpaid("an image to a closed stdout", "-o - with stdout closed", wrap=shell('exec "$@" >&-'), line=("-o", "-"), says=("closed",)),
    fine("no terminal", "setsid", wrap=("setsid", "--wait"), needs="setsid"),
    fine("no locale", "LC_ALL=C", env={"LC_ALL": "C", "LANG": "C"}),
)  # fmt: skip


def when(numbers: tuple[signal.Signals, ...], apart: float = 0.05) -> Step:
    return interrupt(*numbers, seconds_between=apart)


ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BUSY = (reply({}, 429, retry_after="60"), pause(0.3))
SIGNALS = (
    *(Row(f"{number.name} during the request", "one signal", post=((when((number,)), hold),), code=130, says=("interrupted",)) for number in ENDS),
    *(Row(f"{number.name} during the download", "one signal", get={"/p": ((when((number,)), hold),)}, code=130, says=("interrupted",)) for number in ENDS),
    *(Row(f"{number.name} before a retry", "one signal", post=((*BUSY, when((number,))),), line=("--retries", "1", "--timeout", "100"), code=130, billed=None) for number in ENDS),
    Row("Ctrl-C twice", "two signals at once", post=((when((signal.SIGINT, signal.SIGINT)), hold),), code=130, billed=None),
    Row("Ctrl-C five times", "five signals at once", post=((when((signal.SIGINT,) * 5, 0.01), hold),), code=130, billed=None),
    Row("Ctrl-C, then SIGTERM", "two different signals", post=((when((signal.SIGINT, signal.SIGTERM)), hold),), code=130, billed=None),
    *(Row(f"{number.name} twice", "two signals within a millisecond, as `timeout` sends them", post=((when((number, number), 0.001), hold),), code=130, says=("interrupted",), billed=None) for number in ENDS),
    fine("stopped beyond the deadline", "Ctrl-Z, the response arrives, and fg after --timeout", post=((when((signal.SIGSTOP,)), good(), pause(2.5), when((signal.SIGCONT,))),), line=("--timeout", "1")),
    fine("stopped beyond the deadline, and base64", "Ctrl-Z, the response arrives, and fg after --timeout", post=((when((signal.SIGSTOP,)), reply(INLINE), pause(2.5), when((signal.SIGCONT,))),), line=("--timeout", "1")),
    fine("stopped and continued", "Ctrl-Z and fg", post=((when((signal.SIGSTOP,)), pause(0.2), when((signal.SIGCONT,)), good()),)),
    Row("kill -9 during the request", "no time to print anything", post=((when((signal.SIGKILL,)), hold),), code=-9, billed=None),
    Row("kill -9 during the download", "no time to print anything", get={"/p": ((message(JPEG)[:300], when((signal.SIGKILL,)), hold),)}, code=-9, billed=None),
    Row("Ctrl-C with some images saved", "two of three are on disk", post=((good(),), (good(),), (pause(0.4), when((signal.SIGINT,)), hold)), line=("-n", "3"), code=130, files=2, posts=3),
)  # fmt: skip

GATE = {"says": ("the proxy 127.0.0.1:", r"no|40\d|502"), "posts": 0}
PROXIES = (
    *(refused(f"a proxy that answers {status}", "instead of opening a tunnel", public=True, proxy=message(b"no", status), **GATE) for status in (403, 407, 502)),
    refused("not a proxy", "the server answers with garbage", public=True, proxy=b"\x00\x01\x02\r\n\r\n", posts=0, says=("the proxy 127.0.0.1:",)),
    refused("an unreachable proxy", "with a password in its URL", public=True, env={"HTTPS_PROXY": f"http://me:{KEY}@127.0.0.1:{{closed}}"}, posts=0, says=("the proxy 127.0.0.1:",)),
    unpaid("an invalid proxy URL", "HTTPS_PROXY=nonsense", public=True, env={"HTTPS_PROXY": "nonsense://?"}),
    fine("NO_PROXY", "names the server; the proxy is unreachable", env={"HTTP_PROXY": "http://127.0.0.1:{closed}", "NO_PROXY": "127.0.0.1"}),
    fine("a proxy on another machine", "the gateway is on this machine", env={"HTTP_PROXY": "http://proxy.invalid:3128", "ALL_PROXY": "http://10.255.255.1:3128"}),
    fine("a NO_PROXY that makes no sense", "beside an address range", env={"HTTP_PROXY": "http://127.0.0.1:{closed}", "NO_PROXY": "a:b:c,b\u00fccher.example,[,127.0.0.0/8"}),
    fine("a SOCKS proxy that is not used", "NO_PROXY names the server", env={"ALL_PROXY": "socks5://127.0.0.1:1", "NO_PROXY": "127.0.0.1"}),
    refused("an unreachable SOCKS proxy", "with a password in its URL", public=True, env={"HTTPS_PROXY": f"socks5://me:{KEY}@127.0.0.1:{{closed}}"}, posts=0),
    unpaid("a SOCKS 4 proxy", "flux cannot use it", public=True, env={"HTTPS_PROXY": "socks4://127.0.0.1:1"}),
    *(unpaid(f"a password with {mark} that is not escaped", f"{mark} in it, and a port that is no number", public=True, env={"HTTPS_PROXY": f"http://me:{KEY}{mark}@127.0.0.1:x"}, says=("HTTPS_PROXY",)) for mark in "#/?"),
    refused("a missing certificate file", "SSL_CERT_FILE=nowhere.pem", tls="good", env={"SSL_CERT_FILE": "nowhere.pem"}, code=(1, 2), posts=0),
    refused("a file without certificates", "SSL_CERT_FILE=/dev/null", tls="good", env={"SSL_CERT_FILE": "/dev/null"}, code=(1, 2), posts=0),
    *(refused(f"{name}=0", "no variable turns off certificate checks", tls="unknown authority", env={name: "0"}, posts=0, says=("certificate",)) for name in ("PYTHONHTTPSVERIFY", "SSL_VERIFY")),
)  # fmt: skip
