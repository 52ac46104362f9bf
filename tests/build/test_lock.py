"""The lock: its text, what is read of it, and merges of two branches in git."""

import json
import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from locks import locks, row

from flux_cli.build.lock.file import load_lock, lock_path, save_lock
from flux_cli.build.lock.reading import Lock, read_lock
from flux_cli.build.lock.rows import Row
from flux_cli.build.lock.text import lock_text
from flux_cli.core.errors import DiskError, ManifestError


def text_of(rows):
    return lock_text(rows).encode("utf-8", "surrogatepass")


@given(locks)
def test_text_and_rows_are_the_same_thing(rows):
    data = text_of(rows)
    lock = read_lock(data, "x.lock")
    assert lock == Lock(rows)
    assert text_of(dict(reversed(lock.rows.items()))) == data
    assert json.loads(data)["schema"] == 1


def test_the_text_has_a_line_per_fact_and_per_file():
    one = row(1, ["b.png", "a.png"], generated={"run": "r", "cost_usd": 0.06}, take=2, adopted=True)
    assert lock_text({"hero": one, "alt": Row("0" * 16, "1" * 16)}) == (
        '{"schema": 1, "assets": {\n'
        '"alt": {\n'
        f' "request": "{"0" * 16}", "resolved": "{"1" * 16}"\n'
        "},\n"
        '"hero": {\n'
        f' "request": "{"1" * 16}", "resolved": "{"1" * 16}",\n'
        ' "requested": {"model": "m", "prompt": "cat 1"},\n'
        ' "generated": {"cost_usd": 0.06, "run": "r"},\n'
        f' "original": {{"sha256": "{"1" * 64}", "bytes": 1001, "width": 64, "height": 64,'
        ' "format": "png"},\n'
        ' "take": 2,\n'
        ' "adopted": true,\n'
        ' "files": {\n'
        f'  "a.png": {{"output": "{"1" * 8}", "sha256": "{"1" * 64}", "bytes": 101,'
        ' "width": 64, "height": 64},\n'
        f'  "b.png": {{"output": "{"1" * 8}", "sha256": "{"1" * 64}", "bytes": 101,'
        ' "width": 64, "height": 64}\n'
        " }\n"
        "}\n"
        "}}\n"
    )


def test_a_hostile_prompt_is_no_command_for_a_ci_service():
    text = lock_text({"a": row(1, requested={"prompt": "\n::set-output x\n##[group]x"})})
    assert "##[" not in text
    assert not any(line.lstrip().startswith("::") for line in text.split("\n"))


def changed(old, new, text=None):
    text = text or lock_text({"hero": row(1, take=3)})
    assert old in text
    return text.replace(old, new, 1)


HOSTILE = [
    "", "{", "[]", "null", '{"schema": 1}', '{"schema": 2, "assets": {}}',
    '{"schema": 1, "assets": []}', '{"schema": 1, "assets": {"a": 3}}',
    '{"schema": 1, "assets": {"a": {}}}', '{"schema": true, "assets": {}, "x": 1}', "[" * 100_000,
    changed("1111111111111111", "xyz"),
    changed('"a.png"', '"../../etc/passwd"'),
    changed('"a.png"', '"/etc/passwd"'),
    changed('"a.png"', '".git/config"'),
    changed('"a.png"', '"a\\u0000.png"'),
    changed('"bytes": 101', '"bytes": -1'),
    changed('"bytes": 101', '"bytes": 1e99'),
    changed('"bytes": 101', '"bytes": true'),
    changed('"format": "png"', '"format": "../x"'),
    changed('"take": 3', '"take": "3"'),
    changed('"take": 3', '"rank": 3'),
    changed('"take": 3', '"pick": 51'),
    changed('"take": 3', '"adopted": 1'),
    changed('"take": 3', '"refused": {}'),
    changed('"take": 3', '"refused": {"request": "x", "run": "", "number": 1, "code": ""}'),
    changed('"take": 3', '"take": 3,\n "take": 4'),
    changed('"take": 3', '"take": NaN'),
    changed('"model": "m"', '"model": 1e999'),
    changed(' "files": {\n', ' "files": {\n  "a.png": {},\n'),
    changed('"hero": {', '"hero": {},\n"hero": {'),
    changed('"bytes": 101', '"bytes": 101, "bytes": 102'),
    changed('"model": "m"', '"model": "m", "model": "n"'),
    changed('"hero": {', '"hero" {'),
    changed('"hero": {', "3: {"),
    changed('"hero": {', "{}: {"),
    changed('"hero": {', ', "hero": {'),
    changed("\n}}\n", "\n}} x"),
    changed("\n}}\n", ",\n}}\n"),
    changed("\n}}\n", "\n}\n"),
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_lock_that_is_not_right_is_refused_with_a_hint(text):
    with pytest.raises(ManifestError) as caught:
        read_lock(text.encode(), "flux-build.lock")
    assert caught.value.exit_code == 2
    assert "--adopt" in caught.value.hint


@given(st.binary(max_size=80))
def test_no_bytes_give_a_traceback(data):
    with pytest.raises(ManifestError):
        read_lock(data, "flux-build.lock")


@given(locks, st.data())
def test_no_damage_gives_a_traceback(rows, data):
    text = bytearray(text_of(rows))
    for _ in range(3):
        place = data.draw(st.integers(0, len(text) - 1))
        text[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    try:
        lock = read_lock(bytes(text), "x.lock")
    except ManifestError:
        return
    assert read_lock(text_of(lock.rows), "x.lock").rows == lock.rows


def conflicted(ours, theirs, base=None):
    middle = "" if base is None else f"||||||| base\n{base}"
    return f"<<<<<<< HEAD\n{ours}{middle}=======\n{theirs}>>>>>>> topic\n"


@pytest.mark.parametrize("base", [None, ' "requested": {"prompt": "old"},\n'])
def test_both_sides_of_a_conflict_are_read(base):
    ours, theirs = row(1, adopted=True), row(1, adopted=True, requested={"prompt": "theirs"})
    text = lock_text({"a": row(2), "b": ours, "c": row(3)})
    mine = ' "requested": {"model": "m", "prompt": "cat 1"},\n'
    other = ' "requested": {"prompt": "theirs"},\n'
    data = text.replace(mine, conflicted(mine, other, base)).encode()
    lock = read_lock(data, "x.lock")
    assert lock.is_conflicted
    assert lock.rows == {"a": row(2), "b": ours, "c": row(3)}
    assert lock.others == {"a": row(2), "b": theirs, "c": row(3)}


@given(locks, locks)
def test_a_conflict_of_whole_files_has_the_rows_of_both(ours, theirs):
    mine, other = lock_text(ours), lock_text(theirs)
    start, end = '{"schema": 1, "assets": {\n', "}}\n"
    inner = [text.removeprefix(start).removesuffix(end) for text in (mine, other)]
    data = (start + conflicted(*inner) + end).encode("utf-8", "surrogatepass")
    lock = read_lock(data, "x.lock")
    assert lock == Lock({**theirs, **ours}, theirs, is_conflicted=True)


@pytest.mark.parametrize("line", ["what is this", ' "x": ', '"a": 3', ' "request": {'])
def test_a_conflict_with_other_lines_is_refused(line):
    text = lock_text({"a": row(1)}) + conflicted(f"{line}\n", "")
    with pytest.raises(ManifestError):
        read_lock(text.encode(), "x.lock")


def git(folder, *words):
    names = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *names, *words], cwd=folder, capture_output=True, check=False)
    return done.returncode


@pytest.fixture
def merge(tmp_path):
    """Merges two versions of a lock with a common one, in a real repository."""
    path = tmp_path / "flux-build.lock"

    def work(base, ours, theirs):
        git(tmp_path, "init", "-q", "-b", "main")
        for branch, rows in (("main", base), ("topic", theirs), ("main", ours)):
            if branch == "topic":
                git(tmp_path, "branch", "topic")
            git(tmp_path, "checkout", "-q", branch)
            save_lock(str(path), rows)
            git(tmp_path, "add", ".")
            git(tmp_path, "commit", "-q", "-m", "x", "--allow-empty")
        return git(tmp_path, "merge", "-q", "topic"), load_lock(str(path))

    return work


BASE = {f"asset-{number:02}": row(number, [f"{number}.png"]) for number in range(20)}


def test_branches_that_change_different_assets_merge(merge):
    ours = {**BASE, "asset-03": row(9, ["3.png"]), "asset-03b": row(8)}
    theirs = {**BASE, "asset-11": row(7, ["11.png"]), "asset-15b": row(6)}
    code, lock = merge(BASE, ours, theirs)
    assert code == 0
    assert lock == Lock({**ours, **theirs, "asset-03": ours["asset-03"]})


def test_branches_that_change_files_of_one_asset_merge(merge):
    def files(*changed):
        names = [f"{number}.png" for number in range(9)]
        one = row(1, names)
        made = {
            name: row(2, [name]).files[name] if name in changed else one.files[name]
            for name in names
        }
        return {"a": one._replace(files=made)}

    code, lock = merge(files(), files("1.png"), files("7.png"))
    assert code == 0
    assert lock.rows == files("1.png", "7.png")


def test_branches_that_change_one_asset_conflict_and_are_read(merge):
    ours, theirs = {**BASE, "asset-03": row(9)}, {**BASE, "asset-03": row(8)}
    code, lock = merge(BASE, ours, theirs)
    assert code == 1
    assert lock == Lock(ours, theirs, is_conflicted=True)


def test_branches_that_add_at_the_end_conflict_and_are_read(merge):
    ours, theirs = {**BASE, "x": row(1)}, {**BASE, "y": row(2)}
    code, lock = merge(BASE, ours, theirs)
    assert code == 1
    assert lock.rows == {**ours, **theirs}


def test_the_lock_is_beside_its_manifest():
    assert lock_path("a/flux-build.toml") == "a/flux-build.lock"
    assert lock_path("icons.json") == "icons.lock"


def test_the_lock_is_written_only_if_its_bytes_differ(tmp_path):
    path = tmp_path / "x.lock"
    assert not save_lock(str(path), {})
    assert not path.exists()
    assert save_lock(str(path), {"a": row(1)})
    os.utime(path, (1, 1))
    assert not save_lock(str(path), {"a": row(1)})
    assert path.stat().st_mtime == 1
    assert save_lock(str(path), {})
    assert load_lock(str(path)) == Lock()
    assert [file.name for file in tmp_path.iterdir()] == ["x.lock"]


def test_the_lock_keeps_its_permissions_and_its_link(tmp_path):
    path, link = tmp_path / "x.lock", tmp_path / "link.lock"
    save_lock(str(path), {})
    path.write_text("")
    path.chmod(0o640)
    link.symlink_to("x.lock")
    save_lock(str(link), {"a": row(1)})
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert load_lock(str(path)).rows == {"a": row(1)}


def test_a_lock_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DiskError, match="cannot write"):
        save_lock(str(tmp_path / "file" / "x.lock"), {"a": row(1)})


@pytest.mark.parametrize("candidates", [[], {"2": 7}])
def test_what_is_no_object_is_refused_with_the_name_of_its_asset(candidates):
    made = {"request": "0" * 16, "resolved": "0" * 16}
    for fox in (7, made | {"candidates": candidates}):
        text = json.dumps({"schema": 1, "assets": {"fox": fox}})
        with pytest.raises(ManifestError, match=r"'fox(#2)?': .* is not an object"):
            read_lock(text.encode(), "x")
