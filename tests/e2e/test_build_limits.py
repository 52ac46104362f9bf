"""`flux build` at the limits of machine and patience: disks, signals, terminals, huge files."""

import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
from fakes.gateway import held, image
from manifests import DOCS, ICONS, ONE, PRODUCTS

from e2e.builder import SMALL, Builder
from e2e.screen import Screen


@pytest.fixture
def builder(command, keyed, gateway, work):
    return Builder(command, keyed, gateway, work)


def meanwhile(work):
    """An answer before which something happens."""

    def answer(_):
        work()
        return image()

    return answer


def test_4_order_of_rows_axes_and_keys_and_settings_files_change_nothing(builder, work, home):
    manifest = work / "flux-build.toml"
    manifest.write_text(ICONS.replace('"512x512"', '"64x64"'))
    rows = PRODUCTS.splitlines()[:3]
    (work / "products.csv").write_text("\n".join(rows))
    code, posts, _, err = builder.run()
    assert (code, posts) == (0, 4), err
    head, *keys = manifest.read_text().partition("[assets.icon]\n")[2].splitlines()
    turned = [*reversed(keys), head]
    manifest.write_text('[vars]\nlook = "flat, centered"\n[assets.icon]\n' + "\n".join(turned))
    manifest.write_text(manifest.read_text().replace('["light", "dark"]', '["dark", "light"]'))
    columns = [",".join(reversed(row.split(","))) for row in (rows[0], rows[2], rows[1])]
    (work / "products.csv").write_text("\n".join(columns))
    folder = home / ".config" / "flux-image-cli"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('model = "flux1.1-pro"\nprovider = "replicate"\n')
    code, _, out, err = builder.run("--check")
    assert code == 0, out + err


def test_7_nothing_is_sent_for_a_broken_manifest(builder, work):
    for bad in (
        ONE + 'promt = "x"',
        ONE + 'api_key = "x"',
        ONE + 'provider = "x"',
        ONE.replace("hero.png", "a/../../x.png"),
        ONE.replace("hero.png", "/tmp/x.png"),
        ONE + 'image_prompt = "../x.png"',
        ONE.replace('"a cat"', '"@../x.txt"'),
        ONE + 'rows = "../x.csv"\nname = "{sku}"',
    ):
        (work / "flux-build.toml").write_text(bad)
        code, posts, _, err = builder.run("--yes")
        assert (code, posts) == (2, 0), bad
        assert err.count("\nhint: ") == 1, err


def test_8_rows_override_assets_and_assets_styles_and_styles_defaults(builder, work, gateway):
    (work / "flux-build.toml").write_text(
        '[defaults]\nmodel = "flux1.1-pro-ultra"\nseed = 1\nsafety_tolerance = 1\n'
        'enhance_prompt = false\nraw = false\noutput = "{name}.png"\nwidth = [64]\nstyle = "s"\n'
        "[styles.s]\nseed = 2\nsafety_tolerance = 2\nraw = true\n"
        '[assets.a]\nprompt = "x"\nseed = 3\nsafety_tolerance = 3\nrows = "r.csv"\nname = "{k}"\n'
    )
    (work / "r.csv").write_text("k,seed\nb,4\n")
    code, posts, _, err = builder.run()
    assert (code, posts) == (0, 1), err
    sent = gateway.posts[0]
    assert (sent["seed"], sent["safety_tolerance"], sent["raw"]) == (4, "3", True)


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_10_a_terminal_asks_once(builder, work, tmp_path):
    many = DOCS.replace("max_cost = 5.00\n", "") + '[assets.many]\nprompt = "x"\nn = 80\n'
    (work / "flux-build.toml").write_text(many)
    with Screen(builder.line, builder.env, width=100, folder=tmp_path) as screen:
        text = screen.until(lambda text: "Continue?" in text)
        assert "86 requests; 5.16 USD" in text
        screen.press("n", "Enter")
        text = screen.end()
    assert "nothing was sent" in text
    assert "[exit 2]" in text
    assert text.count("Continue?") == 1
    assert len(builder.gateway.posts) == 0


def test_14_after_a_few_kills_no_asset_was_requested_twice(builder, gateway):
    """The quick form of the loop in `test_build_ends`: killed, and killed again while repairing."""
    chance = random.Random(7)
    (builder.work / "flux-build.toml").write_text(SMALL + "seed = 100\n")
    for _ in range(4):
        with builder.start("--concurrency", "2") as process:
            time.sleep(0.2 + chance.random() * 0.6)
            process.kill()
    code, _, _, err = builder.run()
    assert code in (0, 3), err
    seeds = [post["seed"] for post in gateway.posts]
    assert sorted(seeds) == list(range(100, 108))
    for name, row in builder.rows().items():
        assert "unclear" in row or (builder.work / f"img/{name}-64.png").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_16_a_canceled_job_leaves_a_lock_and_no_mess(builder, gateway, release, number):
    gateway.answers(image(), held(release))
    code, err = builder.stop(
        number, lambda: len(gateway.posts) == 2 and builder.images() == 1, "--concurrency", "1"
    )
    assert code == 130, err
    assert "unclear" in builder.rows()["a-2"]
    release.set()
    code, posts, _, err = builder.run()
    assert (code, posts) == (3, 6), err


def test_16_two_builds_that_start_together_send_each_request_once(builder, gateway):
    for _ in range(3):
        with builder.start() as one, builder.start() as other:
            codes = sorted((one.wait(60), other.wait(60)))
        assert codes in ([0, 0], [0, 2])
    assert len(gateway.posts) == 8


def test_a_folder_that_becomes_a_file_loses_no_paid_image(builder, gateway, work):
    (work / "img").mkdir()

    def spoil():
        shutil.rmtree(work / "img", ignore_errors=True)
        (work / "img").write_text("a file now")

    gateway.answers(meanwhile(spoil))
    code, posts, _, err = builder.run("--only", "a-1")
    assert (code, posts) == (1, 1), err
    (work / "img").unlink()
    code, posts, _, err = builder.run("--only", "a-1")
    assert (code, posts) == (0, 0), err


def test_an_original_that_cannot_be_kept_is_recovered(builder, gateway, work, flux, keyed):
    """The disk of originals fails while the request is under way."""
    (work / ".flux" / "originals").mkdir(parents=True)

    def spoil():
        (work / ".flux" / "originals").rmdir()
        (work / ".flux" / "originals").write_text("a file now")

    gateway.answers(meanwhile(spoil))
    code, posts, _, err = builder.run("--only", "a-1")
    assert (code, posts) == (1, 1), err
    assert "flux recover" in err
    (work / ".flux" / "originals").unlink()
    recovered = flux("recover", env=keyed)
    assert "Traceback" not in recovered.err
    code, posts, _, err = builder.run("--only", "a-1")
    assert (code, posts) == (0, 0), err + recovered.err


def test_without_originals_an_image_that_failed_is_kept(builder, gateway, work):
    """`originals = false` deletes them only once all files are made."""
    (work / "flux-build.toml").write_text("originals = false\n" + SMALL)
    (work / "img").mkdir()

    def spoil():
        shutil.rmtree(work / "img", ignore_errors=True)
        (work / "img").write_text("a file now")

    gateway.answers(meanwhile(spoil))
    assert builder.run("--only", "a-1")[0] == 1
    (work / "img").unlink()
    code, posts, _, err = builder.run("--only", "a-1")
    assert (code, posts) == (0, 0), err
    assert [*(work / ".flux" / "originals").iterdir()] == []


def test_originals_of_another_manifest_stay(builder, work):
    (work / "b.toml").write_text("originals = false\n" + SMALL.replace("assets.a", "assets.b"))
    assert builder.run("--only", "a-1")[0] == 0
    assert builder.run("b.toml", "--only", "b-1")[0] == 0
    assert len([*(work / ".flux" / "originals").iterdir()]) == 1


def test_a_read_only_lock_is_replaced_or_refused_before_anything_is_paid(builder, work):
    (work / "flux-build.lock").write_text('{"schema": 1, "assets": {\n}}\n')
    (work / "flux-build.lock").chmod(0o444)
    code, posts, _, err = builder.run()
    assert (code, posts) == (0, 8), err
    assert (work / "flux-build.lock").stat().st_mode & 0o777 == 0o444
    assert builder.run("--check")[0] == 0


MEMORY = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)
"""


@pytest.mark.parametrize("name", ["rows.csv", "flux-build.toml", "flux-build.lock"])
def test_a_gigabyte_without_a_line_break_needs_little_memory(builder, work, name):
    (work / "flux-build.toml").write_text(
        SMALL.partition("[assets")[0]
        + '[assets.a]\nrows = "rows.csv"\nname = "{a}"\nprompt = "x"\n'
    )
    (work / "rows.csv").write_text("a\nb\n")
    with (work / name).open("wb") as file:
        file.write(b"a")
        file.truncate(1 << 30)  # zeros that take no space
    line = [sys.executable, "-c", MEMORY, *builder.line, "--plan"]
    done = subprocess.run(line, env=builder.env, capture_output=True, text=True, check=True)
    code, peak = map(int, done.stdout.split())
    assert code == 2, done.stderr
    assert f"{name} is larger than" in done.stderr
    assert peak < (700 if name.endswith("lock") else 200)
