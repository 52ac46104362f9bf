"""A run that is killed at a random moment, and what `flux recover` can still make of it."""

import io
import json
import random
import signal
import subprocess
import threading
from pathlib import Path

from e2e.drawings import pixels_as
from PIL import Image

from faults.row import KEY
from faults.run import FLUX, environment
from faults.server import Answer, Asked, Server, Talk, message, pause, reply


def by_seed(talk: Talk) -> bytes:
    """A reply whose image depends on the seed, so that a wrong file in a right place shows."""
    return reply({"data": [{"url": f"{{origin}}/{seed_of(talk)}"}], "id": f"req-{seed_of(talk)}"})(
        talk
    )


def seed_of(talk: Talk) -> int:
    return seed_in(talk.asked)


def seed_in(asked: Asked) -> int:
    return json.loads(asked.body)["seed"]


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
    """One run that is killed at a random moment, and what `flux recover` made of it: what is wrong, in sentences."""
    home, work = root / f"home-{number}", root / f"work-{number}"
    home.mkdir()
    work.mkdir()
    moment = random.Random(number)
    seeds = range(7, 11)
    gets: dict[str, tuple[Answer, ...]] = {
        f"/{seed}": ((pause(moment.random() / 10), message(image(seed))),) for seed in seeds
    }
    with Server([(pause(0.02), by_seed), (pause(moment.random() / 5), by_seed)], gets) as server:
        run = start(
            server, work, home, "generate", "a fox", "--seed", "7", "-n", "4", "-o", str(work)
        )
        while not server.paid and run.poll() is None:
            threading.Event().wait(0.005)
        threading.Event().wait(moment.random() / 3)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        told = {
            asked.target for asked in server.requests if asked.method == "GET"
        }  # these replies had arrived
        after = start(server, work, home, "recover")
        _, err = after.communicate(timeout=60)
        posts = [seed_in(asked) for asked in server.requests if asked.method == "POST"]
        again = len(posts) - len(set(posts))
    wrong = (
        [f"recover said {err.decode()!r}"]
        if b"Traceback" in err or after.returncode not in (0, 1, 3)
        else []
    )
    wrong += [f"{again} POSTs were repeated"] if again else []
    wrong += [f"{path.name} was left" for path in work.iterdir() if path.name.startswith(".")]
    there = {pixels(path.read_bytes()) for path in work.rglob("*.png")}
    return wrong + [
        f"the image {target} is lost"
        for target in told
        if pixels(image(int(target[1:]))) not in there
    ]


def pixels(data: bytes) -> tuple[tuple[int, int], bytes]:
    """What an image shows. Its bytes also say how it was made, which those that came did not."""
    with Image.open(io.BytesIO(data)) as image:
        return image.size, image.convert("RGB").tobytes()
