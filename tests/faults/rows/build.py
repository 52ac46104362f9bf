"""Sets of images, `flux build`: what goes wrong with one request, a lock, or a file in the way."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fakes.messages import reply
from fakes.server import Answer
from fakes.steps import hold, meanwhile, reset

from faults.row import IMAGE, Row, good, refused
from faults.rows.machine import ENDS, FILLS, FULL, READ_ONLY, fill, inside, when

MANIFEST = """
[defaults]
model = "flux1.1-pro-ultra"
output = "{name}.jpg"
[assets.a]
prompt = "a fox"
seed = 7
[assets.b]
prompt = "a cat"
seed = 7
"""
GETS: Mapping[str, tuple[Answer, ...]] = {"/p": (IMAGE,)}
NO: Answer = (reply({"error": {"message": "no", "code": "CONTENT_POLICY_VIOLATION"}}, 400),)
YES: Answer = (good(),)
LINE: Mapping[str, Any] = {"command": ("build", "--concurrency", "1"), "get": GETS}


def project(**files: str) -> Callable[[Path], None]:
    """A folder with a manifest, and other files by their names, with `_` for a dot."""

    def prepare(work: Path) -> None:
        (work / "flux-build.toml").write_text(MANIFEST)
        for name, text in files.items():
            (work / name.replace("_", ".")).write_text(text)

    return prepare


def _folder_in_the_way(work: Path) -> None:
    project()(work)
    (work / "a.jpg").mkdir()


def _in_a_folder(work: Path) -> None:
    (work / "out").mkdir()
    (work / "flux-build.toml").write_text(MANIFEST.replace("{name}", "out/{name}"))


MOUNTED: Mapping[str, Any] = {**LINE, "before": _in_a_folder, "needs": "namespaces"}

BUILDS = (
    Row("a refused asset", "moderation refuses one prompt of two", post=(NO, YES), code=3, files=1, posts=2, billed=False, before=project(), says=("a: ",), **LINE),
    Row("a reset asset", "the connection of one of two is reset", post=((reset,), YES), code=3, files=1, posts=2, before=project(), **LINE),
    Row("a garbled asset", "the answer to one of two is no JSON", post=((reply("garbage"),), YES), code=3, files=1, posts=2, before=project(), **LINE),
    refused("assets without a balance", "the account is empty", post=((reply({}, 402),),), code=4, before=project(), **LINE),
    refused("a damaged lock", "the lock is not JSON", code=2, posts=0, before=project(**{"flux-build_lock": "{"}), says=("restore it from git",), **LINE),
    refused("a lock of a newer flux", "a schema that this flux does not know", code=2, posts=0, before=project(**{"flux-build_lock": '{"schema": 9, "assets": {}}'}), says=("schema 9",), **LINE),
    refused("a folder in the way", "a folder has the name of a file, with --overwrite", line=("--overwrite",), code=2, posts=0, before=_folder_in_the_way, says=("a.jpg is not a file", "with the key output"), **LINE),
    refused("a path out of the folder", "output leads out of the folder of the manifest", code=2, posts=0, before=project(**{"flux-build_toml": MANIFEST.replace("{name}.jpg", "../{name}.jpg")}), says=("leaves the folder",), **LINE),
    refused("a full disk for assets", "no space is left in the folder of the files", posts=0, wrap=inside(FULL), says=("too little space",), **MOUNTED),
    refused("a read-only folder for assets", "mounted read-only", code=2, posts=0, wrap=inside(READ_ONLY), says=("Read-only", "key output"), **MOUNTED),
    Row("a disk that fills up with assets", "no space is left when the first image arrives", post=((meanwhile(fill), good()),), wrap=inside(FILLS), kept=1, says=("No space left", "its original is kept", r"0\.06 USD"), billed=None, **MOUNTED),
    *(Row(f"{number.name} during a build", "one signal while an asset is requested", post=((when((number,)), hold),), code=130, before=project(), says=("interrupted",), **LINE) for number in ENDS),
)  # fmt: skip
