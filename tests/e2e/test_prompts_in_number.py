"""Prompts in number: `--prompts` and `--var` make many requests of one run."""

import json
from pathlib import Path

import pytest

from e2e.recovery import files


def prompts_of(gateway) -> list[str]:
    return sorted(body["prompt"] for body in gateway.posts)


def test_each_combination_of_values_is_one_request(generate, gateway):
    result = generate(
        "a {animal} at {hour}", "--var", "animal=fox,owl", "--var", 'hour=dawn,"dusk, late"',
        "--seed", "7", "-o", "{animal}-{hour}.jpg",
    )  # fmt: skip
    assert (result.code, result.lines) == (
        0,
        ["fox-dawn.jpg", "fox-dusk, late.jpg", "owl-dawn.jpg", "owl-dusk, late.jpg"],
    )
    assert prompts_of(gateway) == [
        f"a {animal} at {hour}" for animal in ("fox", "owl") for hour in ("dawn", "dusk, late")
    ]
    assert {body["seed"] for body in gateway.posts} == {7}
    assert "flux: 4 saved, 0.24 USD" in result.err


def test_one_value_fills_the_name_too(generate):
    result = generate("a {x}", "--var", "x=fox", "-o", "the-{x}.jpg", "--json")
    assert [file["path"] for file in result.json["files"]] == ["the-fox.jpg"]


def test_without_var_braces_are_literal_and_doubled_ones_are_with_it(generate, gateway):
    generate("a {fox} {{", "-o", "1.jpg")
    generate("a {fox} {{x}}", "--var", "fox=owl", "-o", "2.jpg")
    assert prompts_of(gateway) == ["a owl {x}", "a {fox} {{"]


@pytest.mark.parametrize(
    "text",
    [
        b"a fox\n\n  an owl  \n# a hash is no comment\n",
        b"\xef\xbb\xbfa fox\r\nan owl\r\n# a hash is no comment",
        "a fox\nan owl\n# a hash is no comment\n".encode("utf-16"),
    ],
    ids=["spaces", "windows", "utf-16"],
)
def test_each_line_of_a_file_is_a_prompt(generate, gateway, text):
    Path("list.txt").write_bytes(text)
    result = generate("--prompts", "list.txt", "--seed", "7")
    assert result.lines == ["a-fox-7.jpg", "an-owl-7.jpg", "a-hash-is-no-comment-7.jpg"]
    assert prompts_of(gateway) == ["# a hash is no comment", "a fox", "an owl"]


def test_lines_of_standard_input_and_values_and_models_combine(generate, gateway):
    words = ("--prompts", "-", "--var", "in=oil,ink", "-m", "flux.2-pro", "-m", "flux.2-max")
    told = generate(*words, "--seed", "1", "--json", input=b"a fox in {in}\nan owl in {in}\n").json
    assert [(part["values"], part["request"]["prompt"], part["request"]["model"])
            for part in told["parts"]] == [
        ({"in": value}, f"{animal} in {value}", model)
        for animal in ("a fox", "an owl")
        for value in ("oil", "ink")
        for model in ("flux.2-pro", "flux.2-max")
    ]  # fmt: skip
    assert [file["values"]["in"] for file in told["files"]] == ["oil", "oil", "ink", "ink"] * 2
    assert len(gateway.posts) == 8


def test_equal_prompts_are_numbered(generate):
    result = generate("--prompts", "-", "--seed", "7", input=b"a fox\na fox\nan owl\n")
    assert result.lines == ["a-fox-7-1.jpg", "a-fox-7-2.jpg", "an-owl-7-3.jpg"]


def test_json_objects_have_parameters_and_fields_of_their_own(generate, gateway):
    Path("list.jsonl").write_text(
        '{"prompt": "a {fox}", "seed": 3, "size": "16:9", "sku": "A 1"}\n\n'
        '{"prompt": "an owl", "n": 2, "model": "flux.2-max", "sku": 7}\n'
    )
    result = generate("--prompts", "list.jsonl", "--seed", "5", "-o", "{sku}-{seed}-{model}.jpg")
    assert result.lines == [
        "A 1-3-flux1.1-pro-ultra.jpg",
        "7-5-flux.2-max.jpg",
        "7-6-flux.2-max.jpg",
    ]
    sent = {body["seed"]: body for body in gateway.posts}
    assert {seed: body["prompt"] for seed, body in sent.items()} == {
        3: "a {fox}", 5: "an owl", 6: "an owl",
    }  # fmt: skip
    assert (sent[3]["size"], sent[5]["model"]) == ("1365x768", "flux.2-max")
    assert sent[3]["model"] != sent[5]["model"]


JSONL = '{"prompt": "a fox"}\n'
REFUSED = {
    "an unknown parameter": ('{"prompt": "x", "sed": 7}', (), "has no parameter 'sed'"),
    "a wrong value": ('{"prompt": "x", "seed": "many"}', (), "list, line 2: "),
    "NaN": ('{"prompt": "x", "seed": NaN}', (), "list, line 2: not valid JSON"),
    "deep JSON": ("[" * 100_000, (), "list, line 2: not valid JSON"),
    "a key twice": ('{"prompt": "x", "prompt": "y"}', (), "line 2: not valid JSON: 'prompt'"),
    "no prompt": ('{"seed": 7}', (), "list, line 2: the prompt is missing"),
    "an empty prompt": ('{"prompt": " "}', (), "list, line 2: the prompt is missing"),
    "a list": ('["a fox"]', (), "list, line 2: not a JSON object"),
    "a local file": ('{"prompt": "x", "image_prompt": "/etc/x.png"}', (), "cannot name a file"),
    "a file as -p": ('{"prompt": "x", "param": {"a": "@/etc/x"}}', (), "list, line 2: "),
    "a size that is a switch": ('{"prompt": "x", "size": true}', (), "list, line 2: "),
    "a number that is a switch": ('{"prompt": "x", "n": true}', (), "list, line 2: n must be"),
    "a switch that is a number": ('{"prompt": "x", "raw": 3}', (), "list, line 2: raw must be"),
    "a size that is a table": ('{"prompt": "x", "size": {"w": 1}}', (), "size takes one value"),
    "a model that is a list": ('{"prompt": "x", "model": ["a"]}', (), "model must be a name"),
    "an empty list": ('{"prompt": "x", "seed": []}', (), "list, line 2: "),
    "a field of flux": ('{"prompt": "x", "index": 3}', (), "the key index cannot be set"),
    "a field that is missing": ('{"prompt": "x"}', ("-o", "{sku}.png"), "there is no field {sku}"),
    "a field that one lacks": (
        '{"prompt": "x", "sku": 1}', ("-o", "{sku}.png"), "list, line 1: sku is missing"
    ),
    "two that share a name": ('{"prompt": "x"}', ("-o", "out.png"), "several requests one name"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_line_is_refused_before_anything_is_sent(generate, gateway, case):
    line, words, message = REFUSED[case]
    Path("list").write_text(JSONL + line + "\n")
    result = generate("--prompts", "list", "--no-seed", "-m", "flux1.1-pro-ultra", *words)
    assert (result.code, gateway.requests, files()) == (2, [], ["list"])
    assert message in result.err
    assert len(result.err) < 1000


HOSTILE = {
    "nothing": (b"\n \n", "list has no prompts"),
    "not UTF-8": (b"a fox\n\xff\xfe\xff", "list, line 2: not valid UTF-8"),
    "NUL": (b"a fox\na\0b\n", "list, line 2: the prompt has NUL characters"),
    "too many": (b"a fox\n" * 10_001, "list has 10,001 prompts"),
    "a JSON object among prompts": (b'a fox\n{"prompt": "x"}\n', "list, line 2: a JSON object"),
    "a prompt among JSON objects": (b'{"prompt": "x"}\na fox\n', "line 2: not valid JSON"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused(generate, gateway, case):
    data, message = HOSTILE[case]
    Path("list").write_bytes(data)
    result = generate("--prompts", "list")
    assert (result.code, gateway.requests) == (2, [])
    assert message in result.err


VALUES = ("a {animal}", "--var", "animal=fox,owl")
LINES = {
    "no name": ((*VALUES, "--var", "fox"), "expected NAME=VALUES"),
    "a field of flux": (("{seed}", "--var", "seed=1,2"), "--var cannot set seed"),
    "given twice": ((*VALUES, "--var", "animal=cat"), "--var animal is given twice"),
    "listed twice": (("a {x}", "--var", "x=1,1"), "--var x lists '1' twice"),
    "an empty value": (("a {x}", "--var", "x=1,,2"), "--var x has an empty value"),
    "an open quote": (("a {x}", "--var", 'x="1,2'), "--var x: invalid values"),
    "not used": ((*VALUES, "--var", "x=1"), "the prompt does not use {x}"),
    "not given": (("a {animl}", *VALUES[1:]), "there is no field {animl}"),
    "open braces": (("a {animal", *VALUES[1:]), "the braces do not match"),
    "no prompt": (("--like", "x.png", *VALUES[1:]), "--var needs a prompt"),
    "two kinds of prompts": (("a fox", "--prompts", "x"), "--prompts and a prompt contradict"),
    "no such file": (("--prompts", "x"), "x cannot be read"),
    "one input for two": (("--prompts", "-", "--like", "-"), "both read standard input"),
    "one name for two": ((*VALUES, "-o", "out.png"), "add {animal} to -o"),
    "a wrong field": ((*VALUES, "-o", "{animl}.png"), "did you mean animal?"),
    "too many": (
        ("{a}{b}", "--var", f"a={','.join(map(str, range(200)))}",
         "--var", f"b={','.join(map(str, range(51)))}"),
        "the run would make 10,200 images",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LINES)
def test_a_wrong_command_line_is_refused_with_a_hint(generate, gateway, case):
    words, message = LINES[case]
    result = generate(*words)
    assert (result.code, gateway.requests, files()) == (2, [], [])
    assert message in result.err
    assert "hint: " in result.err


def test_one_budget_counts_all_prompts(generate, gateway):
    Path("list").write_text("a fox\nan owl\na cat\n")
    result = generate("--prompts", "list", "--max-cost", "0.17")
    assert (result.code, gateway.posts) == (2, [])
    assert "3 images at 0.06 USD cost 0.18 USD, over the limit of 0.17 USD" in result.err


def test_a_private_journal_has_neither_prompts_nor_values(generate, state):
    private = {"FLUX_JOURNAL_PROMPTS": "false"}
    generate("a secret {x}", "--var", "x=hush,whisper", "--seed", "7", "-o", "{x}.jpg", env=private)
    (journal,) = state.glob("*.jsonl")
    text = journal.read_text()
    assert "secret" not in text
    assert "hush" not in text
    assert "whisper" not in text


def test_a_dry_run_of_ten_thousand_prompts_fits_the_screen(generate, gateway):
    lines = "".join(f"a fox {number}\n" for number in range(10_000))
    result = generate("--prompts", "-", "--dry-run", "--yes", input=lines.encode())
    assert (result.code, gateway.requests, len(result.lines)) == (0, [], 8)
    assert [line for line in result.lines if line.startswith("and ")] == [
        "and 9998 more requests",
        "and 9998 more files",
    ]
    assert result.lines[-1] == "cost 600.00 USD (catalog price)"


def test_runs_tell_how_many_prompts_there_were(generate, flux):
    generate("a {x}", "--var", "x=fox,owl", "--seed", "7")
    (run,) = flux("runs", "--json").json["runs"]
    assert (run["model"], run["prompt"]) == ("flux1.1-pro-ultra", None)
    assert [entry["prompt"] for entry in run["entries"]] == ["a fox", "a owl"]
    assert "2 prompts" in flux("runs").out


def test_resolve_shows_each_prompt(flux):
    told = flux("resolve", "a {x}", "--var", "x=fox,owl", "--json").json
    assert [part["request"]["prompt"] for part in told["parts"]] == ["a fox", "a owl"]
    assert [json.dumps(send["body"]["prompt"]) for send in told["sends"]] == ['"a fox"', '"a owl"']
