"""One row, tried: runs the installed command against a server, and judges what it did."""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from fakes.providers import ENDPOINTS
from fakes.proxy import Proxy, closed_port
from fakes.server import Server
from PIL import Image

from faults.certificates import authority
from faults.row import KEY, Row
from flux_cli.core.errors import ImageError
from flux_cli.images.containers.registry import inspect, look

FLUX = str(Path(sys.executable).parent / "flux")
# Seconds after which a run hangs. The rows' own deadlines are a few seconds; machines may be busy.
HANG = 90.0
TICK = 0.02  # seconds between two looks at the memory
LAST_LINES = 12  # a person reads so much of an error and no more
ORIGINALS = ".flux"  # where builds keep what they received
IMAGES = (".jpg", ".png", ".gif", ".webp", ".avif", ".svg", ".bmp")


class Seen(NamedTuple):
    """What one run left behind."""

    code: int | None  # None: it had to be killed
    out: bytes
    err: str
    posts: int
    memory: int  # MB at its largest
    images: list[Path]  # in the folder
    kept: list[Path]  # images in the state folder
    faults: list[str]  # what was already wrong before anybody looked


def environment(home: Path) -> dict[str, str]:
    """What a child starts with: a home of its own, no keys, no proxies."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT")
        if name in os.environ
    }
    return {**kept, "HOME": str(home), "COLUMNS": "100"}


def attempt(row: Row, root: Path, *, proxied: bool = False) -> Seen:
    """Run the command once under the row's fault, in a new folder below `root`."""
    home, work = root / "home", root / "work"
    for folder in (home, work):
        folder.mkdir(parents=True)
    if row.before:
        row.before(work)
    gets = {f"GET {path}": script for path, script in row.get.items()}
    scripts = {"POST": row.post, **gets}
    certificate = "public" if row.public else row.tls
    tls = authority().contexts[certificate] if certificate else None
    with (
        Server(gets) as other,
        Server(scripts, greet=row.greet, tls=tls, other=other, folder=work) as server,
        Proxy(server, row.proxy) as proxy,
    ):
        env = environment(home) | _address(row, server, proxy, root) | _filled(row.env)
        if proxied:
            env |= _proxy_variables(server, proxy, other)
        code, out, err, memory = _run(row, work, env, server)
        leaks = [request.target for request in other.requests if KEY in str(request)]
        faults = [f"the key went to another host: {leak}" for leak in leaks]
        if row.public:
            hosts = {host.rpartition(":")[0].strip("[]") for host in proxy.hosts}
            strangers = [host for host in sorted(hosts) if not host.endswith("lumenfall.ai")]
            faults += [f"it connected to {host}" for host in strangers]
        posts = server.charges
    with_key = [path for path in _files(root) if KEY.encode() in _bytes(path)]
    faults += [f"the key is in {path.relative_to(root)}" for path in with_key]
    return Seen(code, out, err, posts, memory, _images(work), _kept(home), faults + _debris(work))


def _address(row: Row, server: Server, proxy: Proxy, root: Path) -> dict[str, str]:
    endpoint = ENDPOINTS[row.provider]
    env = {endpoint.key_variable: KEY}
    if row.tls or row.public:
        env["SSL_CERT_FILE"] = str(authority().write(root / "authority.pem"))
    if row.public:
        return env | {"HTTPS_PROXY": proxy.origin, "HTTP_PROXY": proxy.origin}
    base = row.base or server.origin + endpoint.base_path
    base = base.replace("{closed}", str(closed_port())).replace("{port}", str(server.port))
    if row.provider == "lumenfall":
        return env | {"LUMENFALL_BASE_URL": base}
    return env | {"FLUX_PROVIDER": row.provider, "FLUX_BASE_URL": base}


def _proxy_variables(server: Server, proxy: Proxy, other: Server) -> dict[str, str]:
    """Variables that make the server its own proxy: every byte of a fault arrives as it is sent."""
    direct = other.origin.removeprefix("http://")
    return {"HTTP_PROXY": server.origin, "HTTPS_PROXY": proxy.origin, "NO_PROXY": direct}


def _filled(variables: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value.replace("{closed}", str(closed_port())) for name, value in variables.items()
    }


def _run(
    row: Row, work: Path, env: dict[str, str], server: Server
) -> tuple[int | None, bytes, str, int]:
    options = ["--retries", "0", "--timeout", "30", *row.line]
    pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
    start = [*row.wrap, FLUX, *row.command, *options]
    with subprocess.Popen(start, cwd=work, env=env, stdin=subprocess.DEVNULL, **pipes) as process:
        server.process = process
        alarm = threading.Timer(HANG, process.kill)
        alarm.start()
        parts: list[bytes] = []
        reader = threading.Thread(target=lambda: parts.append(process.stderr.read()))  # type: ignore[union-attr]
        reader.start()
        memory = [0]
        watch = threading.Thread(target=_watch, args=(process, memory))
        watch.start()
        out = process.stdout.read()  # type: ignore[union-attr]
        reader.join()
        process.wait()
        hung = alarm.finished.is_set()
        alarm.cancel()
        watch.join()
    code = None if hung else process.returncode
    return code, out, parts[0].decode("utf-8", "replace"), max(memory)


def _watch(process: subprocess.Popen[bytes], memory: list[int]) -> None:
    """Note the peak memory of a process in MB, where the system tells it.

    `wait4` would add its parent's.
    """
    over = threading.Event()
    while process.returncode is None:
        with contextlib.suppress(OSError, IndexError):
            status = Path(f"/proc/{process.pid}/status").read_text()
            memory.append(int(status.partition("VmHWM:")[2].split()[0]) >> 10)
        over.wait(TICK)


def judge(row: Row, seen: Seen) -> list[str]:
    """What the run did wrong, in sentences: by its row, and by the rules of every run."""
    return [*seen.faults, *_outcome(row, seen), *_messages(row, seen)]


def _outcome(row: Row, seen: Seen) -> Iterator[str]:
    codes = row.code if isinstance(row.code, tuple) else (row.code,)
    if seen.code is None:
        yield f"it hung for {HANG:g} s"
    elif seen.code not in codes:
        yield f"exit {seen.code}, not {' or '.join(map(str, codes))}"
    for what, wanted, count in _counts(row, seen):
        allowed = [wanted] if isinstance(wanted, int) else wanted
        if count not in allowed:
            yield f"{count} {what}, not {wanted}"
    if seen.memory > row.memory:
        yield f"{seen.memory} MB of memory, more than {row.memory}"
    for path in (*seen.images, *seen.kept):
        if fault := _unsound(path):
            yield f"{path.name} {fault}"


def _counts(row: Row, seen: Seen) -> Iterator[tuple[str, int | range, int]]:
    """What is counted, how many the row wants, and how many there are."""
    yield "POSTs", row.posts, seen.posts
    yield "images in the state folder", row.kept, len(seen.kept)
    if row.files is None:
        yield "images in all", seen.posts, len(seen.images) + len(seen.kept)
    else:
        yield "images", row.files, len(seen.images)


def _messages(row: Row, seen: Seen) -> Iterator[str]:
    if "Traceback" in seen.err or "internal error" in seen.err:
        yield "a person sees how flux is made"
    if KEY in seen.err or KEY.encode() in seen.out:
        yield "the key is shown"
    if re.search(r"[^\n\x20-\x7e\x80-\U0010ffff]", seen.err):
        yield "a control character reached the terminal"
    if seen.code in range(1, 6) and "flux: error: " not in seen.err:
        yield "no error is said"
    if len(seen.err.splitlines()) > LAST_LINES and "-n" not in row.line:
        yield f"{len(seen.err.splitlines())} lines of errors"
    for words in row.says:
        if not re.search(words, seen.err, re.IGNORECASE):
            yield f"stderr does not say /{words}/"
    said = "may have been billed" in seen.err
    if row.billed is not None and said != row.billed:
        yield "it claims a bill that cannot be" if said else "it hides that the money may be gone"


def _files(root: Path) -> Iterator[Path]:
    return (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())


def _bytes(path: Path) -> bytes:
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return b""


def _images(folder: Path) -> list[Path]:
    found = [path for path in _files(folder) if path.suffix in IMAGES]
    return [path for path in found if ORIGINALS not in path.parts]


def _kept(home: Path) -> list[Path]:
    """Images in the state folder, which have no suffix there."""
    return [path for path in _files(home) if path.suffix in IMAGES or _is_whole(_bytes(path))]


def _is_whole(data: bytes) -> bool:
    try:
        inspect(data)
    except ImageError:
        return False
    return True


def _debris(work: Path) -> list[str]:
    hidden = [path for path in work.rglob("*") if path.name.startswith(".")]
    left = [path for path in hidden if not {".git", ORIGINALS}.intersection(path.parts)]
    return [f"{path.name} was left behind" for path in left]


def _unsound(path: Path) -> str:
    """What is wrong with a saved image: its pixels must be whole, and be what its suffix says."""
    if path.suffix == ".svg":
        return "" if path.read_bytes().endswith(b"</svg>") else "is no whole image"
    try:
        data = look(path.read_bytes()).sound  # damage beside the pixels is not flux's fault
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data)) as image:
            if image.width * image.height < 1 << 25:  # larger ones are meant not to be decoded
                image.load()
            found = (image.format or "").lower()
    except (ImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as fault:
        return f"is no whole image: {fault}"
    suffix = ".jpg" if found == "jpeg" else f".{found}"
    return "" if path.suffix in ("", suffix) else f"is {image.format}"


def verdict(row: Row, root: Path, *, proxied: bool = False) -> list[str]:
    """Try a row and judge it; the evidence is added to what is wrong."""
    seen = attempt(row, root, proxied=proxied)
    wrong = judge(row, seen)
    if not wrong:
        return []
    counts = f"exit {seen.code}, {seen.memory} MB, {seen.posts} POSTs"
    return [*wrong, f"{counts}; stderr:\n{seen.err[-2000:]}"]


def missing(row: Row) -> str:
    """The program, device or right that the row needs and this machine lacks, or ""."""
    if row.needs == "namespaces":
        if not shutil.which("unshare"):
            return "unshare"
        tried = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
        return "" if tried.returncode == 0 else "user namespaces"
    if row.needs == "root":
        return "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "the rights of root"
    if row.needs.startswith("/"):
        return "" if Path(row.needs).exists() else row.needs
    return row.needs if row.needs and not shutil.which(row.needs) else ""
