"""No surprise bill: what is refused or asked before the first request, and said after the last."""

import base64
import contextlib
import fcntl
import io
import os
import pty
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.gateway import Gateway, image, status
from fakes.images import pixels_as
from fakes.messages import reply
from fakes.proxy import Proxy, closed_port
from faults.certificates import authority
from PIL import Image
from sample_images import IMAGES

KEY = "lmnfl_canary.Sup3rS3cretV4lue"
ESTIMATE = reply({"estimated": True, "total_cost_micros": 250_000, "currency": "USD"})
PATIENCE = 20.0  # seconds for a question to appear


class PublicGateway(Gateway):
    """The gateway at its public address, which a proxy leads to. It knows what an estimate is."""

    def __init__(self) -> None:
        super().__init__()
        self._tls = authority().contexts["public"]
        self.estimate = ESTIMATE

    def answer(self, request):
        return self.estimate if "dryRun" in request.query else super().answer(request)


@pytest.fixture
def public() -> Iterator[PublicGateway]:
    with PublicGateway() as server:
        yield server


@pytest.fixture
def outside(flux, public, tmp_path) -> Iterator:
    """Run flux with a key, where every host of the internet is the public gateway."""
    certificate = str(authority().write(tmp_path / "authority.pem"))
    with Proxy(public) as proxy:
        env = {"LUMENFALL_API_KEY": KEY, "SSL_CERT_FILE": certificate, "HTTPS_PROXY": proxy.origin}

        def run(*words, **more):
            return flux(*words, env=env | more)

        run.proxy = proxy
        yield run


# --- a dry run checks what the run checks

OVER = "20 images at 0.06 USD cost 1.20 USD, over the limit of 1.00 USD"


@pytest.mark.parametrize("kind", ["generate", "dry run", "resolve"])
@pytest.mark.parametrize("source", ["option", "variable", "settings file"])
def test_a_limit_refuses_alike_without_a_key_and_a_connection(flux, gateway, home, kind, source):
    words = ["resolve" if kind == "resolve" else "generate", "a red fox", "-n", "20"]
    words += ["--dry-run"] if kind == "dry run" else []
    words += ["--max-cost", "1"] if source == "option" else []
    env = {"LUMENFALL_BASE_URL": gateway.url}
    if source == "variable":
        env["FLUX_MAX_COST"] = "1"
    if source == "settings file":
        folder = home / ".config" / "flux-image-cli"
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text("max_cost = 1\n")
    result = flux(*words, env=env)
    assert (result.code, result.out) == (2, "")
    assert OVER in result.err
    assert "hint: ask for fewer images, or raise --max-cost" in result.err
    assert gateway.connections == 0


def test_a_refused_dry_run_says_so_in_json(generate):
    document = generate("a red fox", "-n", "20", "--max-cost", "1", "--dry-run", "--json").json
    assert (document["status"], document["exit_code"]) == ("failed", 2)
    assert document["errors"][0]["code"] == "budget"


def test_resolve_needs_no_prompt_and_accepts_what_fits(flux):
    result = flux("resolve", "-n", "20", "--max-cost", "1.2")
    assert (result.code, "1.20 USD" in result.out) == (0, True)


def test_without_a_key_a_line_that_is_right_lacks_only_the_key(flux):
    assert flux("generate", "a red fox", "-n", "20", "--max-cost", "2").code == 4
    assert flux("generate", "a red fox", "-n", "20", "--max-cost", "2", "--dry-run").code == 0


# --- no connection without --estimate


@pytest.mark.parametrize("line", [("generate", "a sea", "--dry-run"), ("resolve", "a sea")])
def test_a_key_opens_no_connection(outside, public, line):
    plain = outside(*line)
    with_limit = outside(*line, "-m", "unheard-of", "--max-cost", "1")
    assert (plain.code, with_limit.code) == (0, 0)
    assert (public.connections, outside.proxy.hosts) == (0, [])


def test_an_estimate_gives_a_price_to_a_model_that_is_not_in_the_catalog(outside, public):
    line = ("generate", "a sea", "-m", "unheard-of", "-n", "3", "--dry-run")
    assert "server; --estimate asks the gateway)" in outside(*line).out
    result = outside(*line, "--estimate")
    assert (result.code, result.lines[-1]) == (0, "cost 0.75 USD (estimate of the gateway)")
    document = outside(*line, "--estimate", "--json").json
    assert (document["cost_usd"], document["cost_source"]) == (0.75, "estimate of the gateway")
    resolved = outside("resolve", "a sea", "-m", "unheard-of", "-n", "3", "--estimate")
    assert "0.75 USD (estimate of the gateway)" in resolved.out
    assert (public.paid, len(public.requests)) == ([], 3)
    assert {request.query for request in public.requests} == {"dryRun=true"}


def test_an_estimate_counts_more_than_the_price_in_the_gateways_schema(outside, public):
    """The schema says 0.30 USD for an image, and the estimate 0.25 USD."""
    components = [{"type": "output", "metric": "image", "unit_price": 0.3}]
    public.serves("/v1/models/unheard-of", reply({"price": {"components": components}}))
    assert outside("models", "unheard-of", "--refresh").code == 0
    line = ("generate", "a sea", "-m", "unheard-of", "-n", "2", "-o", "x.jpg")
    line += ("--response-format", "b64_json")
    assert "cost 0.60 USD (the gateway's schema of " in outside(*line, "--dry-run").out
    limit = ("--max-cost", "0.5")
    resolve = ("resolve", "a sea", "-m", "unheard-of", "-n", "2")
    assert outside(*resolve, *limit).code == 0
    assert outside(*resolve, "--estimate", "--max-cost", "0.4").code == 2
    assert outside(*line, *limit).code == 0
    public.estimate = status(500)
    result = outside(*line, "--overwrite", *limit, FLUX_RETRIES="0")
    assert (result.code, len(public.paid)) == (2, 2)
    assert "2 images at 0.30 USD cost 0.60 USD" in result.err


def test_requests_that_differ_in_their_prompts_alone_need_one_estimate(outside, public):
    words = ("a {x}", "--var", "x=sea,lake,pond", "-m", "unheard-of", "-m", "flux1.1-pro")
    dry = outside("generate", *words, "--dry-run", "--estimate")
    assert (dry.lines[-1], len(public.requests)) == ("cost 1.50 USD (estimate of the gateway)", 2)
    limited = outside("generate", *words, "--max-cost", "0.86")
    assert "6 images cost 0.87 USD, over the limit of 0.86 USD" in limited.err
    assert (limited.code, public.paid, len(public.requests)) == (2, [], 3)


@pytest.mark.parametrize("line", [("generate", "a sea", "--dry-run"), ("resolve", "a sea")])
def test_an_estimate_counts_for_the_limit(outside, public, line):
    unknown = (*line, "-m", "unheard-of", "-n", "3", "--estimate")
    assert outside(*unknown, "--max-cost", "0.75").code == 0
    result = outside(*unknown, "--max-cost", "0.74")
    assert (result.code, "cost 0.75 USD, over the limit" in result.err) == (2, True)
    assert public.paid == []


def test_an_estimate_at_another_address_of_the_gateway_is_the_user_s_word(generate, gateway):
    gateway.answers(ESTIMATE)
    result = generate("a sea", "--dry-run", "--estimate")
    assert result.lines[-1] == "cost 0.25 USD (estimate of the gateway)"
    assert (gateway.posts, len(gateway.requests)) == ([], 1)


NO_ESTIMATES = {
    "a direct provider": (("--provider", "bfl"), 2, "provider bfl gives no estimates"),
    "offline": (("--offline",), 2, "provider offline gives no estimates"),
    "another server": (("--base-url", "{url}", "--no-key"), 2, "provider openai gives no estimate"),
    "the gateway elsewhere": (
        ("--provider", "lumenfall", "--base-url", "http://127.0.0.1:9/v1"),
        2,
        "is not known to give estimates",
    ),
}


@pytest.mark.parametrize(("words", "code", "said"), NO_ESTIMATES.values(), ids=NO_ESTIMATES)
@pytest.mark.parametrize("line", [("generate", "a sea", "--dry-run"), ("resolve", "a sea")])
def test_where_there_are_no_estimates_flux_says_so(flux, gateway, words, code, said, line):
    more = [word.format(url=gateway.url) for word in words]
    result = flux(*line, *more, "--estimate")
    assert (result.code, result.out, said in result.err) == (code, "", True)
    assert "hint: drop --estimate" in result.err
    assert gateway.connections == 0


def test_an_estimate_that_fails_is_an_error_with_its_exit_code(flux, outside, public):
    line = ("generate", "a sea", "--dry-run", "--estimate", "--retries", "0")
    assert flux(*line).code == 4  # no key
    for answer, code, said in (
        (status(401, "AUTHENTICATION_FAILED"), 4, "key"),
        (status(502), 1, "502"),
        (reply({"estimated": True}), 1, "no price"),
    ):
        public.estimate = answer
        result = outside(*line)
        assert (result.code, said in result.err) == (code, True)
        assert "billed" not in result.err
    offline = outside(*line, HTTPS_PROXY=f"http://127.0.0.1:{closed_port()}")
    assert (offline.code, offline.out) == (1, "")


def test_an_estimate_without_a_dry_run_pays_nothing(generate, gateway):
    result = generate("a sea", "--estimate")
    assert (result.code, gateway.connections) == (2, 0)
    assert "hint: add --dry-run" in result.err


def test_a_run_with_a_limit_asks_for_the_price_that_it_does_not_know(outside, public):
    line = ("generate", "a sea", "-m", "unheard-of", "-n", "2", "--retries", "0")
    line += ("--response-format", "b64_json")
    assert outside(*line, "--max-cost", "0.5").code == 0
    asked, *paid = public.log
    assert "dryRun=true" in asked
    assert sum(line.startswith("POST") for line in paid) == 2
    before = len(public.paid)
    refused = outside(*line, "--max-cost", "0.49")
    assert (refused.code, "cost 0.50 USD, over the limit" in refused.err) == (2, True)
    public.estimate = status(502)
    unknown = outside(*line, "--max-cost", "5")
    assert (unknown.code, "the gateway gives no estimate" in unknown.err) == (2, True)
    assert len(public.paid) == before
    assert outside(*line, "--max-cost", "5", "--yes").code == 0


def test_a_price_below_nothing_is_no_price(outside, public):
    public.estimate = reply({"total_cost_micros": -5, "currency": "USD"})
    line = ("generate", "a sea", "-m", "unheard-of", "-n", "3", "--retries", "0")
    assert outside(*line, "--dry-run", "--estimate").code == 1
    result = outside(*line, "--max-cost", "1")
    assert (result.code, public.paid) == (2, [])
    assert "the gateway gives no estimate" in result.err


@pytest.mark.parametrize(
    ("number", "code"), [(401, "AUTHENTICATION_FAILED"), (402, "INSUFFICIENT_BALANCE")]
)
def test_an_estimate_whose_refusal_the_run_would_meet_as_well_ends_it(
    outside, public, number, code
):
    public.estimate = status(number, code)
    for more in ((), ("--yes",)):
        line = ("generate", "a sea", "-m", "unheard-of", "--max-cost", "1", "--retries", "0")
        result = outside(*line, *more)
        assert (result.code, public.paid, code in result.err) == (4, [], True)


def test_a_price_of_less_than_a_cent_does_not_look_free(outside, public):
    public.estimate = reply({"total_cost_micros": 2_500, "currency": "USD"})
    line = ("generate", "a sea", "-m", "unheard-of", "--dry-run", "--estimate")
    assert outside(*line).lines[-1] == "cost 0.0025 USD (estimate of the gateway)"
    result = outside(*line, "--max-cost", "0.002")
    assert result.code == 2
    assert "1 image at 0.0025 USD costs 0.0025 USD, over the limit of 0.002 USD" in result.err


@pytest.mark.parametrize("count", ["4", '"4"', "4.0"])
def test_images_are_counted_however_their_number_is_written(generate, gateway, count):
    result = generate("a fox", "-p", f"num_images={count}", "--max-cost", "0.2")
    assert (result.code, gateway.connections) == (2, 0)
    assert "4 images at 0.06 USD cost 0.24 USD, over the limit" in result.err


# --- many requests in few lines


def test_equal_requests_are_one_line(generate, gateway):
    result = generate("a fox", "-n", "20", "--seed", "7", "--dry-run", "-o", "{seed}.png")
    _, sends, *files, cost = result.lines
    assert sends.startswith(f"20 x POST {gateway.url}/images/generations {{")
    assert sends.endswith(", seeds 7 to 26")
    assert files == ["file 7.png", "and 18 more files", "file 26.png"]
    assert cost == "cost 1.20 USD (catalog price)"


def test_kept_files_leave_gaps_in_the_seeds(generate):
    for seed in (8, 9, 12):
        Path(f"{seed}.jpg").write_bytes(IMAGES["jpeg"])
    line = ("a fox", "-n", "7", "--seed", "7", "-o", "{seed}.jpg", "--skip-existing", "--dry-run")
    result = generate(*line)
    assert result.lines[1].endswith(", seeds 7, 10 to 11, 13")
    assert generate(*line, "--json").json["sends"][0]["seeds"] == [[7, 7], [10, 11], [13, 13]]


def test_ten_thousand_requests_are_short_and_quick(generate):
    began = time.monotonic()
    result = generate("a fox", "-n", "10000", "--seed", "1", "--dry-run", "--yes")
    assert (result.code, len(result.lines)) == (0, 6)
    assert result.lines[-1] == "cost 600.00 USD (catalog price)"
    assert time.monotonic() - began < PATIENCE


def test_the_id_of_a_name_stays_open(generate):
    lines = generate("a fox", "-n", "2", "-o", "{id}.png", "--dry-run").lines
    assert lines[2:] == ["2 x file {id}.png", "cost 0.12 USD (catalog price)"]
    line = ("a fox", "-n", "20", "-o", "{id}.png", "--width", "100,200", "--dry-run")
    files = [line for line in generate(*line).lines if "file" in line]
    assert files == [f"20 x file {{id}}{tail}.png" for tail in ("", "-100", "-200")]


# --- one brake

LARGE = ("a fox", "-n", "84")  # 5.04 USD


def test_a_large_bill_needs_a_word_in_a_pipe(generate, gateway):
    for line in (LARGE, (*LARGE, "--dry-run")):
        result = generate(*line)
        assert (result.code, result.out, gateway.connections) == (2, "", 0)
        assert (
            "84 images at 0.06 USD cost 5.04 USD, more than confirm_cost (5.00 USD)" in result.err
        )
        assert "hint: add --max-cost 5.04 to allow that much, or --yes" in result.err


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (("--max-cost", "5.04"), {}),
        (("--yes",), {}),
        ((), {"FLUX_MAX_COST": "6"}),
        ((), {"FLUX_CONFIRM_COST": "5.04"}),
    ],
)
def test_a_word_is_enough(generate, gateway, words, env):
    assert generate(*LARGE, *words, "--dry-run", env=env).code == 0
    assert gateway.connections == 0


def test_yes_never_lifts_the_limit(generate, gateway):
    result = generate(*LARGE, "--max-cost", "5", "--yes")
    assert (result.code, gateway.connections) == (2, 0)


def test_the_limit_of_a_settings_file_is_no_answer(generate, gateway):
    Path("flux.toml").write_text("max_cost = 1000\n")
    assert generate(*LARGE).code == 2
    assert gateway.connections == 0


UNPRICED = ("a fox", "--provider", "openai", "-n", "21", "--dry-run")


def test_many_images_of_unknown_price_need_a_word_unless_they_are_made_here(generate, gateway):
    far = ("--no-key", "--base-url", "https://images.example.org/v1")
    result = generate(*UNPRICED, *far)
    assert (result.code, "21 images of unknown price" in result.err) == (2, True)
    assert "--yes" in result.err
    assert "--max-cost" in result.err
    assert generate(*UNPRICED, *far, "--yes").code == 0
    assert generate(*UNPRICED, *far, "-n", "20").code == 0
    several = generate(*UNPRICED, *far, "-n", "6", "-p", "num_images=4")
    assert (several.code, "24 images of unknown price" in several.err) == (2, True)
    near = ("--no-key", "--base-url", gateway.url)
    assert generate(*UNPRICED, *near).code == 0
    assert generate("a fox", "--offline", "-n", "500", "--dry-run").code == 0


class Terminal:
    """`flux generate` with a terminal as its stdin and stderr, which it controls."""

    def __init__(self, line, env) -> None:
        self._ours, theirs = pty.openpty()
        self.shown = ""
        self._process = subprocess.Popen(
            line,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            env=env | {"TERM": "xterm", "FLUX_PREVIEW": "off", "FLUX_PROGRESS": "none"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no locks
        )
        os.close(theirs)

    def until(self, text: str) -> None:
        end = time.monotonic() + PATIENCE
        while text not in self.shown:
            assert time.monotonic() < end, self.shown
            self.shown += os.read(self._ours, 65536).decode("utf-8", "replace")

    def press(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def end(self) -> int:
        """The exit code; what is shown until the end is in `shown`."""
        with contextlib.suppress(OSError):  # the other side has gone
            while part := os.read(self._ours, 65536):
                self.shown += part.decode("utf-8", "replace")
        os.close(self._ours)
        self._process.communicate(timeout=60)
        return self._process.returncode


@pytest.fixture
def terminal(command, keyed):
    def start(*words, **env):
        return Terminal([command, "generate", *words], keyed | env)

    return start


CHEAP = {"FLUX_CONFIRM_COST": "0.1"}


@pytest.mark.parametrize(
    ("keys", "code", "sent"),
    [
        (b"y\n", 0, 2),
        (b"Yes\n", 0, 2),
        (b"n\n", 2, 0),
        (b"\n", 2, 0),
        (b"what?\n", 2, 0),
        (b"\xff\n", 2, 0),
        (b"\x04", 2, 0),  # the end of the input
        (b"\x03", 130, 0),  # Ctrl-C
    ],
)
def test_a_terminal_asks_once_before_anything_is_sent(terminal, gateway, keys, code, sent):
    flux = terminal("a fox", "-n", "2", **CHEAP)
    flux.until("[y/N] ")
    assert gateway.connections == 0
    flux.press(keys)
    assert (flux.end(), len(gateway.posts)) == (code, sent)
    question = "2 images at 0.06 USD cost 0.12 USD, more than confirm_cost (0.10 USD). Continue?"
    assert flux.shown.count(question) == 1
    assert "Traceback" not in flux.shown
    assert sent or gateway.connections == 0


@pytest.mark.parametrize(
    ("words", "env", "code"),
    [
        (("--yes",), CHEAP, 0),
        (("--max-cost", "0.12"), CHEAP, 0),
        ((), {}, 0),  # 0.12 USD is less than 5
        (("--dry-run",), CHEAP, 0),  # it says that the run would ask
        ((), {**CHEAP, "CI": "1"}, 2),  # nobody is there
        ((), {**CHEAP, "LUMENFALL_API_KEY": ""}, 4),  # it would be in vain
        (("--log-file", "no/such/folder/run.log"), CHEAP, 2),  # so it would here
    ],
)
def test_a_terminal_does_not_ask_without_need(terminal, words, env, code):
    flux = terminal("a fox", "-n", "2", *words, **env)
    assert flux.end() == code
    assert "[y/N]" not in flux.shown
    assert ("the run asks for confirmation" in flux.shown) is ("--dry-run" in words)


# --- parameters that an upstream ignores


@pytest.fixture
def cat(work) -> str:
    (work / "cat.png").write_bytes(pixels_as("png", 32, 32))
    return "cat.png"


@pytest.mark.parametrize("more", [(), ("--dry-run",), ("--offline",)])
def test_a_forced_upstream_that_ignores_a_parameter_is_refused(generate, gateway, cat, more):
    result = generate("a sea", "--image-prompt", cat, "--route", "fal", *more)
    assert (result.code, result.out, gateway.connections) == (2, "", 0)
    assert "fal ignores image_prompt" in result.err
    assert "hint: use --route replicate, or drop --image-prompt" in result.err


def test_the_automatic_route_is_the_upstream_that_honors_the_parameter(generate, gateway, cat):
    result = generate("a sea", "--image-prompt", cat)
    assert result.code == 0
    assert "note: route replicate: only replicate honors image_prompt" in result.err
    assert [body["model"] for body in gateway.posts] == ["replicate/flux1.1-pro-ultra"]


def test_a_chosen_upstream_that_costs_more_than_the_limit_is_refused(flux, gateway, home, cat):
    source = Path(__file__).parents[2] / "flux_cli/catalog/models/flux1.1-pro-ultra.toml"
    text = source.read_text().replace('id = "flux1.1-pro-ultra"', 'id = "dear"', 1)
    text = text.replace('aliases = ["flux-pro-1.1-ultra"]\n', "")
    text = text.replace("[routes.replicate]\n", "[routes.replicate]\nprice_usd = 0.09\n")
    folder = home / ".config" / "flux-image-cli" / "models"
    folder.mkdir(parents=True)
    (folder / "dear.toml").write_text(text)
    env = {"LUMENFALL_BASE_URL": gateway.url}
    line = ("generate", "a sea", "-m", "dear", "--max-cost", "0.06", "--dry-run")
    assert flux(*line, env=env).code == 0
    result = flux(*line, "--image-prompt", cat, env=env)
    assert (result.code, gateway.connections) == (2, 0)
    assert "only replicate honors image_prompt" in result.err
    assert "1 image at 0.09 USD costs 0.09 USD, over the limit of 0.06 USD" in result.err


# --- what arrived is what was asked for


def warnings_of(generate, gateway, size, *words):
    gateway.answers(image(pixels_as("jpeg", *size)))
    result = generate("a fox", "-o", "fox.jpg", *words, "--json")
    assert result.code == 0
    document = result.json
    for warning in document["warnings"]:
        assert f"flux: note: {warning}" in result.err
    return document["warnings"]


@pytest.mark.parametrize(
    ("words", "size", "said"),
    [
        (("-a", "1:1"), (1365, 768), "the server made 1365x768, not 1:1"),
        (("-a", "16:9"), (768, 1365), "the server made 768x1365, not 16:9"),
        (("-a", "16:9"), (1365, 768), ""),  # nominal
        (("-a", "16:9"), (2752, 1536), ""),  # native
        (("-a", "16:9"), (2731, 1536), ""),  # within 2 %
        (("-a", "16:9"), (512, 288), "the server made 512x288, not 2752x1536"),
        (("-a", "16:9", "--fit", "cover", "-s", "1:1"), (1365, 768), "1365x768, not 1:1"),
        (("-m", "flux1.1-pro", "-a", "1:1"), (1440, 1440), ""),  # its native size is not known
        (("-m", "flux1.1-pro", "-a", "1:1"), (1440, 1024), "made 1440x1024, not 1:1"),
        (("-m", "unheard-of", "-s", "512x512"), (512, 512), ""),
        (("-m", "unheard-of", "-s", "512x512"), (512, 520), ""),  # within 2 %
        (("-m", "unheard-of", "-s", "512x512"), (1365, 768), "made 1365x768, not 512x512"),
        (("-m", "unheard-of", "-a", "16:9"), (1024, 1024), "made 1024x1024, not 16:9"),
        (("-m", "unheard-of", "-s", "auto"), (1024, 1024), ""),
    ],
)
def test_a_wrong_shape_or_size_is_said(generate, gateway, words, size, said):
    warnings = warnings_of(generate, gateway, size, *words)
    if not said:
        assert warnings == []
    else:
        (warning,) = warnings
        assert warning.startswith("fox.jpg: ")
        assert said in warning


def test_a_wrong_shape_is_said_once_for_all_files_of_an_image(generate, gateway):
    gateway.answers(image(pixels_as("jpeg", 1365, 768)))
    line = ("a fox", "-a", "1:1", "-o", "fox.{jpg,webp}", "--width", "100", "--width", "200")
    (warning,) = generate(*line, "--json").json["warnings"]
    assert "the server made 1365x768, not 1:1" in warning


@pytest.mark.parametrize(
    "words", [("-f", "jpeg"), ("-o", "x.jpg"), ("-o", "x.{webp,jpg}"), ("-p", "output_format=jpeg")]
)
def test_a_transparent_jpeg_is_refused(generate, gateway, words):
    for more in ((), ("--dry-run",)):
        result = generate("a logo", "-p", "background=transparent", *words, *more)
        assert (result.code, gateway.connections) == (2, 0)
        assert "jpeg has no transparency" in result.err
        assert "hint: choose png, gif, webp or avif" in result.err


def with_alpha(alpha: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGBA", (1024, 1024), (200, 100, 50, alpha)).save(stream, "png")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "is_missing"),
    [(with_alpha(0), False), (with_alpha(255), True), (pixels_as("png", 1024, 1024), True)],
)
def test_alpha_that_was_asked_for_and_is_not_there_is_said(generate, gateway, data, is_missing):
    gateway.answers(image(data))
    line = ("a logo", "-m", "unheard-of", "-p", "background=transparent", "-o", "logo.png")
    document = generate(*line, "--json").json
    said = ["a transparent background was requested, but the image has none"]
    assert document["warnings"] == (said if is_missing else [])


def test_identical_images_of_one_run_are_said(generate, gateway):
    same = base64.b64encode(pixels_as("jpeg", 1024, 1024)).decode()
    gateway.answers(reply({"data": [{"b64_json": same}]}))
    result = generate("a fox", "-n", "2", "--seed", "1", "--json")
    (warning,) = result.json["warnings"]
    assert warning.startswith("2 images are identical, byte for byte: a-fox-")
    assert warning in result.err
