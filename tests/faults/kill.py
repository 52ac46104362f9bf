"""A run that is killed at a random moment, and what `flux recover` can still make of it."""

import io
import random
import signal
import subprocess
import threading
from pathlib import Path

from fakes.images import pixels_as
from fakes.messages import Reply, reply
from fakes.server import Answer, Exchange, Server
from fakes.steps import pause
from PIL import Image

from faults.row import KEY
from faults.run import FLUX, environment


def by_seed(exchange: Exchange) -> Reply:
    """A reply whose image depends on the seed, so that a wrong file in a right place shows."""
    seed = exchange.request.json["seed"]
    return reply({"data": [{"url": f"{{origin}}/{seed}"}], "id": f"req-{seed}"})


def image(seed: int) -> bytes:
    return pixels_as("png", 40 + seed % 50, 30)


def start(server: Server, work: Path, home: Path, *words: str) -> subprocess.Popen[bytes]:
    env = environment(home) | {
        "LUMENFALL_API_KEY": KEY,
        "LUMENFALL_BASE_URL": server.origin + "/v1",
    }
    pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen([FLUX, *words], cwd=work, env=env, **pipes)


def killed(root: Path, number: int) -> list[str]:
    """Kill a run at a random moment, then recover. Returns what is wrong, in sentences."""
    home, work = root / f"home-{number}", root / f"work-{number}"
    home.mkdir()
    work.mkdir()
    moment = random.Random(number)
    seeds = range(7, 11)
    scripts: dict[str, tuple[Answer, ...]] = {
        f"GET /{seed}": ((pause(moment.random() / 10), reply(image(seed))),) for seed in seeds
    }
    scripts["POST"] = ((pause(0.02), by_seed), (pause(moment.random() / 5), by_seed))
    with Server(scripts) as server:
        run = start(
            server, work, home, "generate", "a fox", "--seed", "7", "-n", "4", "-o", str(work)
        )
        while not server.charges and run.poll() is None:
            threading.Event().wait(0.005)
        threading.Event().wait(moment.random() / 3)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        fetched = {*server.fetched}  # the replies that name these had arrived
        after = start(server, work, home, "recover")
        _, err = after.communicate(timeout=60)
        posted = [body["seed"] for body in server.posts]
    wrong = []
    if b"Traceback" in err or after.returncode not in (0, 1, 3):
        wrong.append(f"recover said {err.decode()!r}")
    if repeated := len(posted) - len(set(posted)):
        wrong.append(f"{repeated} POSTs were repeated")
    wrong += [f"{path.name} was left" for path in work.iterdir() if path.name.startswith(".")]
    saved = {pixels(path.read_bytes()) for path in work.rglob("*.png")}
    expected = {path: pixels(image(int(path[1:]))) for path in fetched}
    return wrong + [f"the image {path} is lost" for path in expected if expected[path] not in saved]


def pixels(data: bytes) -> tuple[tuple[int, int], bytes]:
    """What an image shows. Its bytes also say how it was made, which those that came did not."""
    with Image.open(io.BytesIO(data)) as image:
        return image.size, image.convert("RGB").tobytes()
