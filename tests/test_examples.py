"""Every script and manifest in examples/ runs offline and makes what its first lines say."""

import io
import json
import re
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest
from conftest import SCRIPTS
from PIL import Image

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def run(environment):
    """Run an example by its name in the working folder."""

    def start(name, *words, data=b"", **variables):
        path = f"{Path.cwd()}:{SCRIPTS}:{environment['PATH']}"
        return subprocess.run(
            [EXAMPLES / name, *words],
            env=environment | {"PATH": path} | variables,
            input=data,
            capture_output=True,
            timeout=120,
            check=False,
        )

    return start


SITE = {
    "img/hero-640.avif": ("AVIF", (640, 357)),
    "img/hero-640.webp": ("WEBP", (640, 357)),
    "img/hero-640.jpg": ("JPEG", (640, 357)),
    "img/hero-1280.avif": ("AVIF", (1280, 714)),
    "img/hero-1280.webp": ("WEBP", (1280, 714)),
    "img/hero-1280.jpg": ("JPEG", (1280, 714)),
    "img/card.jpg": ("JPEG", (1200, 630)),
    **{f"img/icon-{sku}.webp": ("WEBP", (256, 256)) for sku in ("cup", "bowl", "plate", "jug")},
}


def measured(path):
    with Image.open(path) as image:
        return image.format, image.size


def test_web_images_come_in_every_shape_in_every_format_and_width(run, work):
    done = run("web-images.sh", "a calm lake", "site")
    assert done.returncode == 0, done.stderr
    sizes = {
        "card": (1200, 630),
        "card-600": (600, 315),
        "square": (800, 800),
        "square-400": (400, 400),
    }
    formats = {"avif": "AVIF", "webp": "WEBP", "jpg": "JPEG"}
    wanted = {}
    for name, size in sizes.items():
        for suffix, file_format in formats.items():
            wanted[f"{name}.{suffix}"] = (file_format, size)
    images = [path for path in (work / "site").iterdir() if path.name != "index.html"]
    assert {path.name: measured(path) for path in images} == wanted
    page = (work / "site/index.html").read_text(encoding="utf-8")
    assert set(re.findall(r"[\w-]+\.(?:avif|webp|jpg)", page)) == set(wanted)
    assert page.count("<picture>") == page.count('alt="a calm lake"') == 2


def test_the_nightly_job_pays_once_for_a_banner_and_ends_with_the_code_of_flux(run, work):
    (work / "date").write_text("#!/bin/sh\necho 20261201\n")
    (work / "date").chmod(0o755)
    first = run("nightly-banner.sh")
    assert (first.returncode, first.stdout) == (0, b"All banners are in banners.\n"), first.stderr
    names = ["banners/banner-20261201.webp", "banners/banner-20261202.webp"]
    result = json.loads((work / "banners/result.json").read_text(encoding="utf-8"))
    assert [file["path"] for file in result["files"]] == names
    assert [measured(name)[0] for name in names] == ["WEBP", "WEBP"]
    again = run("nightly-banner.sh")
    result = json.loads((work / "banners/result.json").read_text(encoding="utf-8"))
    assert (again.returncode, result["files"]) == (0, [])
    assert [file["path"] for file in result["skipped"]] == names
    refused = run("nightly-banner.sh", "a lake at night", "elsewhere", FLUX_PROVIDER="lumenfall")
    assert (refused.returncode, refused.stdout[:18]) == (4, b"The key is missing")


def test_the_pipe_takes_a_prompt_and_gives_an_image_of_the_size_asked_for(run, work):
    done = run("pipe.sh", "--size", "16:9", "-f", "png", data=b"a lighthouse")
    assert done.returncode == 0, done.stderr
    with Image.open(io.BytesIO(done.stdout)) as image:
        assert (image.format, image.size) == ("PNG", (2752, 1536))
    assert list(work.iterdir()) == []


def test_the_site_is_built_offline_once_and_checked(flux, work, environment):
    shutil.copytree(EXAMPLES / "site", work, dirs_exist_ok=True)
    build = partial(flux, "build", env=environment)
    planned = build("--plan")
    assert (planned.code, planned.out.splitlines()[0]) == (0, "flux-build.toml: 6 assets, 11 files")
    assert planned.out.splitlines()[-1].startswith("6 requests; 0.36 USD of 1.00")
    made = build("--offline")
    assert (made.code, len(made.out.splitlines())) == (0, 11), made.err
    assert {path: measured(path) for path in made.out.splitlines()} == SITE
    assert (build("--check", "--offline").code, build("--check").code) == (0, 1)
    again = build("--offline")
    assert (again.code, again.out) == (0, "")
    elements = build("--html").out
    assert set(re.findall(r"img/[\w-]+\.(?:avif|webp|jpg)", elements)) == set(SITE)
    assert elements.count('alt="A market by the sea"') == elements.count('alt="A blue bowl"') == 1


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.sh")), ids=lambda path: path.name)
def test_an_example_fits_on_a_screen_and_has_a_test(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 30
    assert f'run("{path.name}"' in Path(__file__).read_text(encoding="utf-8")
