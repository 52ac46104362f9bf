"""`flux build FILE.jsonl --ledger DIR` against a server that counts requests."""

import json
import signal

import pytest
from fakes.gateway import by_seed, held, image, status

from e2e.builder import Builder

WORDS = ("-m", "flux1.1-pro-ultra", "-o", "img/{name}.png", "--width", "64", "--ledger", "ledger")
PART = "ledger/1-of-1.jsonl"


def text(count=30, **more):
    rows = [{"name": f"a{seed}", "prompt": f"a fox {seed}", "seed": seed} for seed in range(count)]
    return "\n".join(json.dumps(row | more) for row in rows) + "\n"


@pytest.fixture
def lines(command, keyed, gateway, work):
    """Build the lines: `code, posts, out, err = lines()`. The file is `a.jsonl`."""
    builder = Builder(command, keyed, gateway, work)
    (work / "flux-build.toml").unlink()
    (work / "a.jsonl").write_text(text())

    def run(*words):
        return builder.run("a.jsonl", *WORDS, *words)

    run.builder = builder
    return run


def rows(work):
    found = {}
    for line in (work / PART).read_text().splitlines():
        found |= json.loads(line)["assets"]
    return found


def test_a_second_build_sends_nothing_and_a_changed_line_one_request(lines, work):
    code, posts, out, _ = lines("--yes")
    assert (code, posts, len(out.split())) == (0, 30, 30)
    assert len(rows(work)) == 30
    before = (work / PART).read_bytes()
    assert lines()[:3] == (0, 0, "")
    assert lines("--check")[:2] == (0, 0)
    assert (work / PART).read_bytes() == before
    (work / "a.jsonl").write_text(text().replace("fox 7", "cat 7"))
    code, posts, out, _ = lines("--plan")
    assert (code, posts) == (0, 0)
    assert 'prompt: "a fox 7" -> "a cat 7"' in out
    assert "1 request; 0.06 USD" in out
    assert lines("--check")[0] == 1
    assert lines()[:3] == (0, 1, "img/a7-64.png\n")
    assert lines("--width", "32")[:2] == (0, 0)
    assert (work / "img/a7-32.png").is_file()
    for path in work.glob("img/*"):
        path.unlink()
    assert lines()[:2] == (0, 0)


def test_wrong_lines_and_duplicates_are_skipped_and_reported(lines, work):
    more = '{"name": "b", "promt": "x"}\n{"name": "A3", "prompt": "a cat"}\n'
    more += '{"name": "c", "prompt": "x", "output": "img/a1.png", "width": [64]}\n'
    (work / "a.jsonl").write_text(text(4) + more)
    code, posts, _, err = lines()
    assert (code, posts) == (3, 4), err
    assert "error: a.jsonl, line 5: unknown key 'promt'" in err
    assert "did you mean prompt?" in err
    assert "error: a.jsonl, line 6: A3 is the name of another line" in err
    assert "error: a.jsonl, line 7: another line writes img/a1-64.png, too" in err
    assert lines("--check")[0] == 1
    assert lines()[:2] == (3, 0)


@pytest.mark.parametrize("content", ["", "{}\n" * 200, '{"name": "a"}\n'])
def test_a_file_without_any_right_line_is_refused(lines, work, content):
    (work / "a.jsonl").write_text(content)
    code, posts, _, err = lines("--yes")
    assert (code, posts, err.count("error:")) == (2, 0, 1)


def test_limits_hold_before_and_during_the_build(lines, gateway):
    assert lines("--max-cost", "0.15")[:2] == (2, 0)
    assert lines("--max-cost", "0.15", "--partial")[:2] == (3, 2)
    gateway.answers(image(cost=0.5))
    code, posts, _, err = lines("--max-cost", "2")
    assert code == 3
    assert posts <= 6, err
    assert "the limit is 2.00 USD" in err


def test_standard_input_is_read_before_anything_is_paid_for(flux, keyed, gateway):
    result = flux("build", "-", *WORDS, "--max-cost", "0.1", env=keyed, input=text(3).encode())
    assert (result.code, len(gateway.posts)) == (2, 0), result.err
    result = flux("build", "-", *WORDS, "--max-cost", "0.2", env=keyed, input=text(3).encode())
    assert (result.code, len(gateway.posts)) == (0, 3), result.err


def test_refusals_are_not_sent_again_without_a_person(lines, gateway, work):
    (work / "a.jsonl").write_text(text(3))
    gateway.answers(by_seed({1: status(400, "content_policy_violation", "no")}))
    assert lines()[:2] == (3, 3)
    assert lines()[:2] == (3, 0)
    gateway.answers(image())
    assert lines("--reroll", "a1")[:2] == (0, 1)


def test_a_killed_build_pays_for_nothing_twice(lines, gateway, work, release):
    def slow(request):
        return (
            image()(request) if request.json["seed"] % 2 else release.wait(30) and image()(request)
        )

    (work / "a.jsonl").write_text(text(6))
    gateway.answers(slow)
    words = ("a.jsonl", *WORDS, "--concurrency", "6")
    lines.builder.stop(
        signal.SIGKILL, lambda: lines.builder.images() >= 2 and len(gateway.posts) == 6, *words
    )
    release.set()
    gateway.answers(image())
    code, posts, _, err = lines()
    assert (code, posts) == (3, 0), err
    found = rows(work)
    made = {name for name, row in found.items() if "original" in row}
    assert made == {"a1", "a3", "a5"}
    assert {name for name, row in found.items() if "unclear" in row} == {"a0", "a2", "a4"}
    assert lines("--reroll", "a[024]")[:2] == (0, 3)


def test_an_interrupted_build_keeps_what_has_arrived(lines, gateway, work):
    (work / "a.jsonl").write_text(text(6))
    words = ("a.jsonl", *WORDS, "--concurrency", "1")
    code, _ = lines.builder.stop(signal.SIGINT, lambda: lines.builder.images() >= 2, *words)
    assert code == 130
    assert lines()[0] in (0, 3)
    seeds = [body["seed"] for body in gateway.posts]
    assert len(seeds) == len({*seeds})
    assert len([row for row in rows(work).values() if "original" in row or "unclear" in row]) == 6


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a.jsonl"], "a.jsonl needs a folder for the record"),
        (["a.jsonl", "b.toml", "--ledger", "x"], "JSON lines are built alone"),
        (["a.jsonl", "--ledger", "x", "--prune"], "--prune is for manifests"),
        (["a.jsonl", "--ledger", "x", "--store", "ftp://x"], "--store is not the address"),
        (["a.jsonl", "--ledger", "x", "--merge"], "all parts in the folder of a ledger"),
        (["no.jsonl", "--ledger", "x"], "no.jsonl cannot be read"),
        (["-m", "x"], "--model is for JSON lines"),
        (["--ledger", "x"], "--ledger is for JSON lines"),
    ],
)
def test_options_that_do_not_fit_are_refused(flux, keyed, work, words, message):
    (work / "a.jsonl").write_text(text(1))
    result = flux("build", *words, env=keyed)
    assert result.code == 2
    assert message in result.err
    assert not (work / "x").exists()


def test_shards_pay_for_each_line_once_and_for_none_when_restarted(lines, work):
    (work / "a.jsonl").write_text(text(20))
    counts = []
    for shard in ("1/2", "2/2"):
        code, posts, _, err = lines("--shard", shard, "--max-cost", "1.3")
        assert code == 0, err
        counts.append(posts)
        part = (work / f"ledger/{shard[0]}-of-2.jsonl").read_text()
        assert part.count('"assets"') == posts
        assert '"complete"' in part.splitlines()[-1]
    assert sum(counts) == 20
    assert all(counts)
    for words in (["--shard", "1/2"], ["--shard", "2/3"], ["--shard", "1/1"], ["--check"], []):
        assert lines(*words)[:2] == (0, 0), words
    assert lines("--shard", "1/2", "--width", "32")[:2] == (0, 0)


def test_a_shard_has_its_share_of_the_limit_and_of_the_rate(lines, work):
    (work / "a.jsonl").write_text(text(20))
    code, posts, _, err = lines("--shard", "1/2", "--max-cost", "0.5")
    assert (code, posts) == (2, 0), err
    code, posts, _, err = lines("--shard", "1/2", "--concurrency", "1")
    assert (code, posts) == (2, 0)
    assert "2 shards send at least 2 requests" in err


def test_shards_build_in_one_folder_at_once(lines, work):
    from concurrent.futures import ThreadPoolExecutor

    (work / "a.jsonl").write_text(text(20))
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda one: lines("--shard", one), ("1/2", "2/2")))
    assert [one[0] for one in results] == [0, 0], results
    assert lines("--check")[:2] == (0, 0)
    seeds = [body["seed"] for body in lines.builder.gateway.posts]
    assert sorted(seeds) == list(range(20))


def test_only_the_shard_that_was_killed_settles_what_it_has_left(lines, gateway, work, release):
    def slow(request):
        return release.wait(30) and image()(request)

    (work / "a.jsonl").write_text(text(6))
    gateway.answers(slow)
    one_at_once = ("--concurrency", "2")  # one for each shard
    words = ("a.jsonl", *WORDS, "--shard", "1/2", *one_at_once)
    lines.builder.stop(signal.SIGKILL, lambda: len(gateway.posts) == 1, *words)
    release.set()
    gateway.answers(image())
    for other in (["--shard", "1/3"], []):
        code, posts, _, err = lines(*other)
        assert (code, posts) == (2, 0), err
        assert "--shard 1/2" in err
    assert lines("--shard", "1/2")[0] == 3
    assert lines("--shard", "1/3")[0] in (0, 3)
    assert lines()[0] == 3
    seeds = [body["seed"] for body in gateway.posts]
    assert len(seeds) == len({*seeds})


def test_shards_that_start_again_spend_no_more_than_the_limit(lines, gateway, work, release):
    (work / "a.jsonl").write_text(text(8))
    shard = ("--shard", "1/2", "--concurrency", "4")
    code, _, out, err = lines(*shard, "--max-cost", "0.48", "--plan", "--json")
    own = round(json.loads(out)["limit_usd"] / 0.06)
    assert 2 < own < 8, err
    gateway.answers(image(), held(release))
    words = ("a.jsonl", *WORDS, *shard, "--max-cost", "0.48")
    lines.builder.stop(signal.SIGKILL, lambda: len(gateway.posts) == 3, *words)
    release.set()
    gateway.answers(image())
    code, posts, _, err = lines(*shard, "--max-cost", "0.48", "--reroll", "a*")
    assert (code, posts) == (2, 0), err
    assert "shard 1/2 has already spent 0.18 of its " in err
    for again in (own - 3, 0):
        code, posts, _, err = lines(*shard, "--max-cost", "0.48")
        assert (code, posts) == (3, again), err  # what is unclear is left alone


def test_a_shard_that_was_complete_has_its_share_again(lines, gateway, work):
    (work / "a.jsonl").write_text(text(8))
    shard = ("--shard", "1/2", "--max-cost", "0.48")
    refused = status(400, "content_policy_violation", "no")
    gateway.answers(by_seed({0: refused, 1: refused}))
    code, posts, _, err = lines(*shard)
    assert posts > 2, err
    (work / "a.jsonl").write_text(text(8, size="16:9"))
    gateway.answers(image())
    assert lines(*shard)[:2] == (0, posts)
    (work / "a.jsonl").write_text(text(8, size="9:16"))
    gateway.answers(image(), status(402))
    code, sent, _, err = lines(*shard, "--concurrency", "2")
    assert (code, sent) == (3, 2), err
    (work / "a.jsonl").write_text(text(8, size="4:3"))
    code, sent, _, err = lines(*shard)
    assert (code, sent) == (2, 0), err  # what was spent before the account was empty counts
    assert "has already spent 0.06 of its 0.36 USD" in err
