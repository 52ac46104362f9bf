"""Golden digests: a release that changes one would make people pay again for every image."""

import json
from pathlib import Path

from manifests import DOCS, ICONS, ONE, PRODUCTS, assets_of

from flux_cli.build.references.binding import bind

GOLDEN = Path(__file__).with_name("golden.json")
ALL = (
    ONE
    + """
size = "1200x630"
seed = 7
raw = true
enhance_prompt = false
safety_tolerance = 3
image_prompt = "ref.png"
image_prompt_strength = 0.5
param = { steps = 4, extra = { a = [1, 2.5, "x", true] } }
fit = "cover"
focus = "top"
upscale = true
width = [64, 32]
output_compression = 80
max_bytes = "20kB"
effort = "small"
no_prompt_metadata = true
sidecar = true
output = "img/{name}.{avif,webp,jpg}"
""".replace("output = ", "# output = ")
)
MANIFESTS = {
    "docs": (DOCS, {}),
    "icons": (ICONS, {"products.csv": PRODUCTS[:60].rsplit("\n", 1)[0]}),
    "all": (ALL.replace("hero.png", "img/{name}.{avif,webp,jpg}"), {"ref.png": "bytes"}),
    "seeded": (ONE + "seed = 7\ncandidates = 2\n", {}),
    "unseeded": (ONE + "candidates = 3\n", {}),
    "images": (
        ONE + 'image = ["ref.png", "https://host/a.png", "asset:x"]\nmask = "ref.png"\n',
        {"ref.png": "bytes"},
    ),
    "unicode": (ONE.replace("a cat", "a \\u00e9t\\u00e9 \\U0001F98A"), {}),
}


def digests():
    found = {}
    for title, (text, files) in MANIFESTS.items():
        for name, unbound in assets_of(text, files).items():
            asset = bind(unbound, {"x": "1" * 64})
            found[f"{title}/{name}"] = {"request": asset.request, "files": asset.files}
    return found


def test_digests_are_those_of_every_release():
    assert digests() == json.loads(GOLDEN.read_text())
