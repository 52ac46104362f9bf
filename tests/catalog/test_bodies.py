"""What is sent for each model at each provider, written out in bodies.json.

`python tests/catalog/test_bodies.py` writes the file. Read the difference before you commit it.
"""

import json
from pathlib import Path

import pytest

from flux_cli.catalog.find import list_models
from flux_cli.core.errors import UsageError
from flux_cli.core.request import DRAWN, Request
from flux_cli.providers.rows import ROWS, connect, dialect_of, unit_price
from flux_cli.request.plan import plan
from flux_cli.request.resolve import resolve

FILE = Path(__file__).with_name("bodies.json")
PROVIDERS = ("lumenfall", "bfl", "fal", "replicate")
# By name: what the user asked for. Each has another seed where the model has seeds.
REQUESTS = {
    "plain": {},
    "pixels": {"size": "1920x1080"},
    "ratio": {"aspect_ratio": "5:4", "resolution": "2K", "output_format": "jpeg"},
    "safety": {"safety_tolerance": "2", "n": "2"},
    "enhance": {"enhance_prompt": "false", "output_format": "png"},
    "guided": {"cfg_scale": "3.5", "steps": "30"},
    "unchecked": {"disable_safety_checker": "true"},
    "grounding": {"grounding": "false"},
}


def outcome_of(model, provider, said):
    """The request that is sent, with its price; or why it is refused."""
    row = ROWS[provider]
    try:
        dialect = dialect_of(row, model)
        resolved = resolve(Request(model.id, dict(said), "a fox", named=("steps",)), model, dialect)
        fields = (dialect.fields if dialect else {}) or model.parameters
        takes_seed = "seed" in fields and fields["seed"].behavior != "unsupported"
        planned = plan(resolved, DRAWN, 7) if takes_seed else plan(resolved)
    except UsageError as error:
        return error.message
    post = connect(row, row.base_url, None).request(planned.calls[0])
    usd = unit_price(row, model, dialect, resolved.route, resolved.size)
    path = post.url.removeprefix(row.base_url)
    return {"path": path, "body": post.body, "usd": usd if usd is None else round(usd, 6)}


def outcomes():
    found = {}
    for model in list_models():
        for provider in PROVIDERS:
            for name, said in REQUESTS.items():
                own = {"size", "aspect_ratio", "resolution", "n", "output_format"}
                if said.keys() <= own | model.parameters.keys():
                    key = f"{model.id} at {provider}: {name}"
                    found[key] = outcome_of(model, provider, said)
    return found


OUTCOMES = outcomes()
GOLDEN = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


@pytest.mark.parametrize("key", OUTCOMES | GOLDEN)
def test_the_request_is_the_one_that_is_written_down(key):
    assert OUTCOMES.get(key) == GOLDEN.get(key)


FLUX_3 = {
    "prompt",
    "images",
    "aspect_ratio",
    "resolution",
    "grounding",
    "safety_tolerance",
    "version",
}


@pytest.mark.parametrize("key", [key for key in OUTCOMES if key.startswith("flux-3-image at bfl")])
def test_flux_3_gets_no_field_that_it_refuses(key):
    assert OUTCOMES[key]["body"].keys() <= FLUX_3


@pytest.mark.parametrize("key", [key for key in OUTCOMES if " at bfl" in key and "flux.2" in key])
def test_flux_2_gets_sides_that_black_forest_labs_takes(key):
    outcome = OUTCOMES[key]
    if isinstance(outcome, dict):
        width, height = outcome["body"]["width"], outcome["body"]["height"]
        assert width % 16 == height % 16 == 0
        assert width * height <= 4_194_304


def write():
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in OUTCOMES.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    write()
