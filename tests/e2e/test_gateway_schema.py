"""`flux models NAME --refresh`: what a gateway says about a model gives notes and prices."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes.gateway import status
from fakes.messages import Reply, reply

from tests.e2e.conftest import KEY

NATIVE = "/v1/models/new-model"
COMPATIBLE = "/openai/v1/models/new-model"
COMPONENTS = [
    {"type": "output", "metric": "image", "unit_price": 0.04},
    {"type": "input", "metric": "image", "unit_price": "0.01"},
]
SCHEMA = {
    "id": "new-model",
    "max_input_images": 4,
    "parameters": {
        "core": [
            {"name": "prompt", "type": "string", "required": True},
            {"name": "seed", "type": "integer"},
        ],
        "additional": [
            {"name": "resolution", "type": "enum", "values": ["1K", "2K"], "default": "1K"},
            {"name": "guidance", "type": "number", "minimum": 1, "maximum": 10},
            {"name": "strength", "modes": ["image-edit"], "description": "How much to change"},
        ],
    },
    "pricing": {"currency": "USD", "components": COMPONENTS},
}


@pytest.fixture
def models(flux, keyed):
    """Run `flux models` with a key for the gateway. It never shows the key, and never POSTs."""

    def run(*words, env=None):
        result = flux("models", *words, env=keyed | (env or {}))
        assert KEY not in result.out + result.err
        assert "Traceback" not in result.err
        assert "\x1b" not in result.out + result.err
        return result

    return run


@pytest.fixture
def cache(home) -> Path:
    return home / ".cache" / "flux-image-cli" / "schemas"


@pytest.fixture
def known(gateway, models, cache) -> Path:
    """The file of a schema that was fetched, of a gateway that has it no more."""
    gateway.serves(NATIVE, reply(SCHEMA))
    assert models("new-model", "--refresh").code == 0
    gateway.forgets(f"GET {NATIVE}")
    gateway.requests.clear()
    (path,) = cache.rglob("*.json")
    return path


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def notes(result) -> dict[str, str]:
    """The reason of each note of `flux resolve --json`, by its parameter."""
    return {note["parameter"]: note["reason"] for note in result.json["notes"]}


def test_a_refresh_shows_what_the_gateway_says_and_that_flux_does_not_check_it(models, gateway):
    gateway.serves(NATIVE, reply(SCHEMA))
    result = models("new-model", "--refresh")
    assert (result.code, result.err, gateway.log) == (0, "", [f"GET {NATIVE}?schema=true"])
    assert gateway.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert result.lines[0] == "new-model: what the gateway says, which flux does not check"
    facts = {line.split()[0]: line for line in result.lines[1:] if line}
    assert f"{gateway.origin}{NATIVE}?schema=true" in facts["source"]
    assert facts["price"].endswith(
        "0.04 USD per output image, 0.01 USD per input image: 0.04 USD per image"
    )
    assert facts["inputs"].endswith("at most 4 images")
    assert facts["resolution"].split()[1:] == ["1K", "2K", "1K"]
    assert facts["guidance"].split()[1:] == ["number", "1..10", "-"]
    assert facts["strength"].split()[1:4] == ["-", "-", "How"]
    assert "(image-edit only)" in facts["strength"]


def test_a_refresh_as_json_is_what_is_shown_of_the_saved_file(models, gateway):
    gateway.serves(NATIVE, reply(SCHEMA))
    document = models("new-model", "--refresh", "--json").json
    assert models("new-model", "--json").json == document
    schema = document["gateway_schema"]
    assert document["models"] == []
    assert (schema["model"], schema["price_usd"], schema["max_input_images"]) == (
        "new-model",
        0.04,
        4,
    )
    assert [*schema["parameters"]] == ["prompt", "seed", "resolution", "guidance", "strength"]
    assert schema["parameters"]["resolution"]["values"] == ["1K", "2K"]
    assert (schema["not_in_catalog"], schema["catalog_price_usd"]) == ([], None)


def test_the_saved_file_is_marked_and_says_where_it_is_from(known, gateway):
    document = json.loads(known.read_text())
    assert document["kind"] == "flux gateway schema"
    assert document["source"] == f"{gateway.origin}{NATIVE}?schema=true"
    assert (document["base_url"], document["model"]) == (gateway.url, "new-model")
    fetched = datetime.fromisoformat(document["fetched"])
    assert timedelta(0) <= datetime.now(UTC) - fetched < timedelta(minutes=5)


def test_a_saved_schema_is_shown_without_the_network(models, known, gateway):
    result = models("new-model")
    assert (result.code, gateway.requests) == (0, [])
    assert "resolution" in result.out
    assert "ago" not in result.out
    edit(known, fetched=days_ago(12.5))
    result = models("new-model")
    assert "12 days ago; renew it with: flux models new-model --refresh" in result.out


@pytest.mark.usefixtures("known")
def test_a_saved_schema_gives_notes_and_refuses_nothing(flux, keyed, gateway):
    wrong = ("-p", "resolution=8K", "-p", "guidence=3", "-p", "strength=0.5")
    result = flux("resolve", "a fox", "-m", "new-model", *wrong, "--json", env=keyed)
    reasons = notes(result)
    assert (result.code, gateway.requests) == (0, [])
    assert "has only 1K, 2K: sent unchecked" in reasons["resolution"]
    assert "did you mean guidance?" in reasons["guidence"]
    assert reasons["strength"].startswith("as in the gateway's schema of ")
    body = result.json["sends"][0]["body"]
    assert (body["resolution"], body["guidence"], body["strength"]) == ("8K", 3, 0.5)
    warned = [note["parameter"] for note in result.json["notes"] if note["warning"]]
    assert warned == ["model", "resolution", "guidence"]
    result = flux("generate", "a fox", "-m", "new-model", *wrong, "-o", "x.png", env=keyed)
    assert (result.code, gateway.log.count(f"GET {NATIVE}?schema=true")) == (0, 0)
    assert "flux: note: guidence 3: not in the gateway's schema of " in result.err


def test_the_price_is_that_of_the_schema_with_its_day(flux, keyed, known, gateway):
    day = json.loads(known.read_text())["fetched"][:10]
    line = ("generate", "a fox", "-m", "new-model", "-n", "3", "-o", "x.png")
    result = flux(*line, "--dry-run", env=keyed)
    assert f"cost 0.12 USD (the gateway's schema of {day})" in result.lines
    assert flux("resolve", "a fox", "-m", "new-model", env=keyed).lines[-1] == (
        f"0.04 USD (the gateway's schema of {day})"
    )
    result = flux(*line, "--max-cost", "0.11", env=keyed)
    assert (result.code, gateway.requests) == (2, [])
    assert "3 images at 0.04 USD cost 0.12 USD, over the limit of 0.11 USD" in result.err
    result = flux(*line, "--max-cost", "0.12", env=keyed)  # each image costs 0.06 in truth
    assert (result.code, len(gateway.posts)) == (3, 2)


@pytest.mark.usefixtures("known")
def test_a_request_with_an_input_image_has_no_known_price(flux, keyed):
    url = "image_prompt=https://example.org/x.png"
    result = flux("resolve", "a fox", "-m", "new-model", "-p", url, env=keyed)
    assert result.lines[-1] == "price unknown"


def test_after_30_days_a_saved_schema_is_not_used(flux, models, keyed, known, gateway):
    edit(known, fetched=days_ago(30.5))
    result = models("new-model")
    assert result.code == 2
    assert "is too old" in result.err
    assert "hint: ask it again: flux models new-model --refresh" in result.err
    result = flux("resolve", "a fox", "-m", "new-model", "-p", "guidence=3", env=keyed)
    assert "schema" not in result.out
    assert gateway.requests == []


def test_a_day_old_schema_says_how_to_renew_it(flux, keyed, known):
    edit(known, fetched=days_ago(1.5))
    result = flux("resolve", "a fox", "-m", "new-model", "--json", env=keyed)
    assert "renew it: flux models new-model --refresh" in notes(result)["model"]


@pytest.mark.usefixtures("known")
def test_a_schema_is_of_one_base_url(flux, keyed, other):
    env = keyed | {"LUMENFALL_BASE_URL": other.url}
    result = flux("resolve", "a fox", "-m", "new-model", env=env)
    assert "schema" not in result.out
    assert flux("models", "new-model", env=env).code == 2


def test_a_saved_file_that_cannot_be_read_counts_as_none(flux, models, keyed, known):
    known.write_text("[" * 100_000)
    result = flux("resolve", "a fox", "-m", "new-model", env=keyed)
    assert (result.code, result.err) == (0, "")
    assert "schema" not in result.out
    result = models("new-model")
    assert (result.code, result.out) == (2, "")
    assert "ask the gateway: flux models new-model --refresh" in result.err


def test_a_cache_that_cannot_be_written_is_a_note(models, gateway, cache):
    gateway.serves(NATIVE, reply(SCHEMA))
    cache.parent.mkdir(parents=True)
    cache.write_text("a file in the way")
    result = models("new-model", "--refresh")
    assert result.code == 0
    assert "resolution" in result.out
    assert "flux: note: the schema is not saved: cannot write " in result.err


def test_where_one_address_is_unknown_the_other_is_asked(models, gateway):
    gateway.serves(NATIVE, status(404))
    gateway.serves(COMPATIBLE, reply(SCHEMA))
    result = models("new-model", "--refresh")
    assert result.code == 0
    assert gateway.fetched == [NATIVE, COMPATIBLE]
    assert COMPATIBLE in result.out


def test_a_model_that_no_address_knows_is_an_error(models, gateway, cache):
    result = models("new-model", "--refresh")
    assert (result.code, result.out) == (1, "")
    assert gateway.fetched == [NATIVE, COMPATIBLE]
    assert "has no schema of model 'new-model'" in result.err
    assert "hint: see the models of the catalog: flux models" in result.err
    assert not cache.exists()


SAY_NOTHING = {
    "the documented reply": {"id": "new-model", "object": "model", "owned_by": "x"},
    "null": None,
    "nothing that is named": {"parameters": [1, None, [], {"type": "string"}]},
    "a page": Reply(b"<html><body>Hello</body></html>", headers={"content_type": "text/html"}),
    "nesting": Reply(b'{"parameters":' * 50_000 + b"1" + b"}" * 50_000),
    "nothing": Reply(b""),
}


@pytest.mark.parametrize("answer", SAY_NOTHING.values(), ids=SAY_NOTHING)
def test_a_reply_without_a_schema_is_an_error_and_the_saved_one_stays(
    models, gateway, known, answer
):
    before = known.read_bytes()
    given = answer if isinstance(answer, Reply) else reply(answer)
    gateway.serves(NATIVE, given)
    gateway.serves(COMPATIBLE, given)
    result = models("new-model", "--refresh")
    assert (result.code, result.out) == (1, "")
    assert "names no parameters and no prices of model 'new-model'" in result.err
    assert known.read_bytes() == before


def test_a_hostile_reply_shows_nothing_but_text(models, gateway, cache):
    evil = "\x1b]0;title\x07::error::x\n##vso[task]" + "x" * 5000
    gateway.serves(
        NATIVE,
        Reply(
            json.dumps(
                {
                    "parameters": {
                        "size": {
                            "type": evil,
                            "description": evil,
                            "default": evil,
                            "values": [evil],
                        },
                        evil: {},
                        "many": {"values": list(range(10_000)), "minimum": 10**200},
                        "odd": {"default": [[]], "values": {}, "required": "yes", "modes": 7},
                        "key": {"description": f"your key is {KEY}"},
                    },
                    "max_input_images": -1,
                    "price": {
                        "components": [{"type": "output", "metric": "image", "unit_price": -1}]
                    },
                }
            )
            .replace('"minimum"', '"maximum": NaN, "default": 1e999, "minimum"')
            .encode()
        ),
    )
    result = models("new-model", "--refresh")
    assert result.code == 0
    assert not any(line.lstrip().startswith("::") for line in result.lines)
    assert "##vso[" not in result.out
    (path,) = cache.rglob("*.json")
    assert len(path.read_bytes()) < 5000
    assert KEY.encode() not in path.read_bytes()
    document = models("new-model", "--json").json["gateway_schema"]
    assert [*document["parameters"]] == ["size", "many", "odd", "key"]
    assert (document["price_usd"], document["max_input_images"]) == (None, None)


def test_a_large_reply_is_refused(models, gateway, cache):
    gateway.serves(NATIVE, Reply(b'{"parameters": ["' + b"a b " * (3 << 20) + b'"]}'))
    result = models("new-model", "--refresh", env={"FLUX_RETRIES": "0"})
    assert (result.code, result.out, cache.exists()) == (1, "", False)
    assert "MiB" in result.err


def test_the_key_does_not_follow_a_redirect(models, gateway, other):
    other.serves(NATIVE, reply(SCHEMA))
    gateway.serves(NATIVE, reply({}, 302, location=f"{other.origin}{NATIVE}"))
    result = models("new-model", "--refresh")
    assert (result.code, other.requests) == (1, [])
    assert "redirects to" in result.err


def test_without_a_key_none_is_sent_and_the_gateway_may_refuse(flux, gateway):
    env = {"LUMENFALL_BASE_URL": gateway.url}
    gateway.serves(NATIVE, status(401, "AUTHENTICATION_FAILED"), reply(SCHEMA))
    result = flux("models", "new-model", "--refresh", env=env)
    assert result.code == 4
    assert "hint: export LUMENFALL_API_KEY=" in result.err
    assert flux("models", "new-model", "--refresh", env=env).code == 0
    assert not any("authorization" in request.headers for request in gateway.requests)


def test_no_key_sends_none(models, gateway):
    gateway.serves(NATIVE, reply(SCHEMA))
    assert models("new-model", "--refresh", "--no-key").code == 0
    assert "authorization" not in gateway.requests[0].headers


def test_the_gateways_key_does_not_go_to_another_server(models, other):
    path = "/v1/models/new-model"
    other.serves(path, reply(SCHEMA))
    result = models("new-model", "--refresh", "--base-url", f"{other.origin}/v1")
    assert (result.code, other.fetched) == (0, [path])
    assert "authorization" not in other.requests[0].headers
    assert models("new-model", "--base-url", f"{other.origin}/v1").code == 0
    assert models("new-model").code == 2


@pytest.mark.parametrize("provider", ["bfl", "offline"])
def test_providers_without_schemas_are_refused(models, gateway, provider):
    result = models("new-model", "--refresh", "--provider", provider)
    assert (result.code, result.out, gateway.requests) == (2, "", [])
    assert f"provider {provider} has n" in result.err
    assert "hint: " in result.err


@pytest.mark.parametrize(
    "line",
    [
        ["--refresh"],
        ["--no-key"],
        ["--provider", "bfl"],
        ["new-model", "--no-key"],
        ["a/../b", "--refresh"],
        ["a?b", "--refresh"],
        ["a b", "--refresh"],
    ],
    ids=" ".join,
)
def test_lines_that_make_no_sense_are_refused(models, gateway, line):
    result = models(*line)
    assert (result.code, result.out, gateway.requests) == (2, "", [])
    assert "hint: " in result.err


def test_a_server_that_is_down_is_a_network_error_and_the_saved_file_stays(models, known):
    before = known.read_bytes()
    env = {"LUMENFALL_BASE_URL": "http://127.0.0.1:1/openai/v1", "FLUX_RETRIES": "0"}
    result = models("new-model", "--refresh", "--json", env=env)
    assert (result.code, result.json["errors"][0]["code"]) == (1, "network")
    assert not result.json["errors"][0]["may_have_been_billed"]
    assert known.read_bytes() == before


def test_a_server_that_fails_is_asked_again_and_nothing_was_billed(models, gateway):
    gateway.serves(NATIVE, status(503), reply(SCHEMA))
    assert models("new-model", "--refresh").code == 0
    gateway.serves(NATIVE, status(500))
    result = models("new-model", "--refresh", env={"FLUX_RETRIES": "0"})
    assert result.code == 1
    assert "billed" not in result.err


def test_the_catalog_stays_in_charge_of_its_models(flux, models, keyed, gateway):
    parameters = {"size": {"values": ["1024x1024"]}, "sharpness": "number"}
    components = [{"type": "output", "metric": "image", "unit_price": 0.07}]
    schema = {"parameters": parameters, "pricing": {"components": components}}
    gateway.serves("/v1/models/flux1.1-pro-ultra", reply(schema))
    result = models("flux-pro-1.1-ultra", "--refresh")
    (line,) = [line for line in result.lines if line.startswith("catalog")]
    assert line.split(maxsplit=1)[1] == (
        "lacks sharpness; has 0.06 USD per image; flux goes by the catalog"
    )
    document = models("flux1.1-pro-ultra", "--refresh", "--json").json
    assert document["models"][0]["id"] == "flux1.1-pro-ultra"
    assert document["gateway_schema"]["not_in_catalog"] == ["sharpness"]
    assert document["gateway_schema"]["catalog_price_usd"] == 0.06
    result = flux("resolve", "a fox", "--raw", env=keyed)
    assert result.lines[-1].endswith("0.06 USD")
    assert "schema" not in result.out


def test_two_refreshes_at_once_leave_one_whole_file(command, keyed, gateway, cache):
    gateway.serves(NATIVE, reply(SCHEMA))
    line = [command, "models", "new-model", "--refresh"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    runs = [subprocess.Popen(line, env=keyed, **quiet) for _ in range(4)]
    assert [run.communicate()[1] for run in runs] == [b""] * 4
    (path,) = [path for path in cache.rglob("*") if path.is_file()]
    assert json.loads(path.read_text())["model"] == "new-model"


def test_a_price_per_megapixel_counts_the_pixels_of_the_request(flux, models, keyed, gateway):
    components = [{"type": "output", "metric": "megapixel", "unit_price": 0.02}]
    gateway.serves(NATIVE, reply({"parameters": ["size"], "price": {"components": components}}))
    models("new-model", "--refresh")
    for words, price in {
        (): "0.02 USD",
        ("-s", "2048x2048"): "0.08 USD",
        ("-s", "16:9"): "0.02 USD",
        ("-r", "2K"): "unknown",
    }.items():
        last = flux("resolve", "a fox", "-m", "new-model", *words, env=keyed).lines[-1]
        assert price in last, words
