"""Input errors cost nothing: the server sees a POST only for a command that makes images."""

import subprocess

import pytest
from fakes.server import Server
from hypothesis import example, given, settings
from hypothesis import strategies as st

from faults.batch import Batch
from faults.row import IMAGE, KEY, good
from faults.run import FLUX, environment

pytestmark = pytest.mark.slow

TRIES = settings(max_examples=250)


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    with (
        Server({"POST": [good()], "GET /p": [IMAGE]}) as server,
        Batch(tmp_path_factory.mktemp("batch"), server) as running,
    ):
        yield running


# Values that no option of that name can take, whatever else is on the line.
words_ = st.text(
    st.characters(codec="utf-8", exclude_characters="0123456789-,.;:@ \t"), min_size=1, max_size=12
)
NO_NUMBER = words_.filter(
    lambda text: text.strip() and text.lower() not in ("nan", "inf", "infinity")
)
NO_RESOLUTION = NO_NUMBER.filter(lambda text: "k" not in text.lower() and "mp" not in text.lower())
NEGATIVE_SIZE = st.tuples(st.integers(max_value=0), st.integers()).map(
    lambda size: f"{size[0]}x{size[1]}"
)


def outside(least: int, most: int) -> st.SearchStrategy[str]:
    """Whole numbers below `least` and above `most`."""
    numbers = st.integers(max_value=least - 1) | st.integers(min_value=most + 1)
    return numbers.map(str)


WRONG: dict[str, st.SearchStrategy[str]] = {
    "--seed": NO_NUMBER | st.sampled_from(["1.5", "nan", "inf", "1e3", "0x7", "1,000", "--7"]),
    "-n": NO_NUMBER | outside(1, 100_000),
    "--size": NO_NUMBER | NEGATIVE_SIZE,
    "--aspect-ratio": st.sampled_from(
        ["16:0", "0:9", "-1:1", "16:9:4", ":", "16:", ":9", "1/0", "nan", "x"]
    ),
    "--resolution": NO_RESOLUTION,
    "--format": NO_NUMBER.map(lambda text: f"{text}?"),
    "--quality": NO_NUMBER | outside(0, 100),
    "--safety-tolerance": NO_NUMBER | outside(1, 6),
    "--image-prompt": st.sampled_from(
        ["no.png", ".", "/dev/null", "ftp://127.0.0.1/x.png", "\x00", "x" * 5000]
    ),
    "--image-prompt-strength": NO_NUMBER
    | st.floats(min_value=1.01, allow_infinity=False).map(repr),
    "--response-format": NO_NUMBER,
    "--route": NO_NUMBER,
    "--provider": NO_NUMBER,
    "--base-url": NO_NUMBER
    | st.sampled_from(
        ["http://", "//x", "ftp://h/v1", "http://a b/v1", "http://h:99999/v1", "http://u:p@h"]
    ),
    "--concurrency": NO_NUMBER | outside(1, 99_999),
    "--timeout": NO_NUMBER
    | st.floats(max_value=0, allow_infinity=False).map(repr)
    | st.just("nan"),
    "--retries": NO_NUMBER | outside(0, 999),
    "--max-cost": NO_NUMBER | st.just("nan") | st.sampled_from(["0.01", "0"]),
    "-p": st.sampled_from(["guidance", "=3", "", "=", "prompt=x", "size"]),
    "-o": st.sampled_from(
        ["no\x00.jpg", "x" * 300 + ".jpg", "{nofield}.jpg", "{slug", "/dev/null/x.jpg", "/proc/x/y"]
    ),
    "--" + "z" * 9: NO_NUMBER,
}
PAIRS = st.sampled_from(sorted(WRONG)).flatmap(
    lambda option: WRONG[option].map(lambda value: (option, value))
)


@given(
    PAIRS,
    st.lists(
        st.sampled_from(["--raw", "--json", "--overwrite", "--quiet", "-v"]),
        max_size=2,
        unique=True,
    ),
)
@example(("--seed", "9" * 5000), [])
@example(("-n", "9" * 5000), [])
@example(("--size", "9" * 5000 + "x1"), [])
@example(("--timeout", "1e999"), [])
@example(("--max-cost", "-1"), [])
@TRIES
def test_a_wrong_value_is_said_in_words_and_costs_nothing(batch, pair, flags):
    option, value = pair
    seen = batch(
        "generate",
        "a fox",
        f"{option}={value}" if option.startswith("--") else f"{option}{value}",
        *flags,
    )
    assert (seen["code"], seen["posts"]) == (2, 0), (pair, seen)
    assert seen["err"].startswith("flux: error: ")
    assert len(seen["err"].splitlines()) <= 3 + ("-v" in flags) * 5


FLAGS = (
    "--raw",
    "--json",
    "--dry-run",
    "--offline",
    "--no-key",
    "--overwrite",
    "--help",
    "-m",
    "--",
)
PLAIN = ("generate", "resolve", "sizes", "models", "config", "7", "16:9", "@x", "-")
SOUP = st.lists(st.sampled_from([*WRONG, *FLAGS, *PLAIN]) | st.text(max_size=8), max_size=6)


@given(SOUP)
@TRIES
def test_any_words_at_all_end_in_an_exit_code_of_the_table(batch, words):
    """Words that happen to make an image may cost; words that do not must not."""
    clean = [word.replace("\x00", "") for word in words]
    seen = batch(*clean, "--concurrency", "1", "--timeout", "5", "--retries", "0")
    assert seen["code"] in (0, 1, 2, 3, 4, 5), (clean, seen)
    assert seen["code"] == 0 or seen["posts"] == 0, (clean, seen)


FILES = {
    "config.toml that is no TOML": ("config.toml", "model = ", 2),
    "config.toml of bytes": ("config.toml", "\ufffe\x00", 2),
    "config.toml of nesting": ("config.toml", "model = " + "[" * 5000, 2),
    "config.toml of another key": ("config.toml", 'modle = "x"', 2),
    "config.toml of another type": ("config.toml", "timeout = []", 2),
    "config.toml with a provider that is none": ("config.toml", "[providers]\nmine = 3", 2),
    "credentials.toml that is no TOML": ("credentials.toml", f"LUMENFALL_API_KEY = {KEY}", 2),
    "a model that is no TOML": ("models/mine.toml", "][", 2),
    "a model of another key": ("models/mine.toml", "nonsense = 1", 2),
}


@pytest.mark.parametrize(("name", "text", "code"), FILES.values(), ids=FILES)
def test_a_wrong_file_of_settings_is_named_and_costs_nothing(tmp_path, name, text, code):
    home = tmp_path / "home"
    path = home / ".config/flux-image-cli" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    path.chmod(0o600)
    with Server({"POST": [good()], "GET /p": [IMAGE]}) as server:
        env = environment(home) | {"LUMENFALL_BASE_URL": server.origin + "/v1"}
        env |= {} if name == "credentials.toml" else {"LUMENFALL_API_KEY": KEY}
        line = [FLUX, "generate", "a fox", *(("-m", "mine") if "models" in name else ())]
        done = subprocess.run(
            line, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
    assert (done.returncode, server.charges, done.stdout) == (code, 0, "")
    assert path.name in done.stderr
    assert "Traceback" not in done.stderr
    assert KEY not in done.stderr
