"""Names and files that two assets would share, and files that manifests name."""

import os

import pytest
from manifests import ONE, Texts, manifest_of

from flux_cli.build.manifest.collection import Loaded, collect
from flux_cli.build.manifest.files import Folder, find_manifest, load_manifest
from flux_cli.core.errors import ManifestError

TWO = ONE + ONE.replace("hero]", "other]")


def collected(*texts, folders=("/a", "/b")):
    return collect(
        [
            Loaded(manifest_of(text), Texts({"r.csv": "id\na\nA\n"}), folder)
            for text, folder in zip(texts, folders, strict=False)
        ]
    )


def test_assets_are_listed_by_manifest():
    first, second = collected(ONE, ONE.replace("hero", "other"))
    assert (list(first), list(second)) == (["hero"], ["other"])


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([TWO], "hero and other both write hero.png"),
        ([TWO.replace("hero.png", "Hero.png", 1)], "both write"),
        ([ONE, ONE], "two assets are called hero"),
        (
            [ONE.replace("hero.png", "{name}.png") + 'rows = "r.csv"\nname = "{id}"'],
            "two assets are called A: in assets.hero and in assets.hero",
        ),
        ([ONE + "n = 2"], "hero-1 and hero-2 both write hero.png"),
        ([ONE.replace("hero.png", "a\u0301.png") + ONE.replace("hero]", "b]").replace(
            "hero.png", "\u00e1.png")], "both write"),
    ],
)  # fmt: skip
def test_two_assets_do_not_share_a_name_or_a_file(texts, message):
    with pytest.raises(ManifestError) as caught:
        collected(*texts, folders=("/a", "/a"))
    assert message in caught.value.message
    assert caught.value.hint


def test_equal_paths_in_two_folders_are_two_files():
    assert len(collected(ONE, ONE.replace("hero]", "other]"))) == 2


def test_the_manifest_is_found_above_up_to_the_top_of_the_repository(tmp_path, monkeypatch):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "flux-build.toml").write_text(ONE)
    monkeypatch.chdir(deep)
    assert find_manifest() == "../../flux-build.toml"
    assert load_manifest(find_manifest()).groups[0].name == "hero"
    (tmp_path / "a" / ".git").mkdir()
    with pytest.raises(ManifestError, match=r"no flux-build\.toml"):
        find_manifest()


def test_files_are_read_without_marks_returns_and_blanks(tmp_path):
    (tmp_path / "p.txt").write_bytes(b"\xef\xbb\xbf a cat\r\nat night \r\n")
    folder = Folder(str(tmp_path / "flux-build.toml"))
    assert folder.text("p.txt", "here") == "a cat\nat night"
    assert len(folder.digest("p.txt", "here")) == 64


@pytest.mark.parametrize("path", ["../x.txt", "/etc/passwd", "link.txt", "far/x.txt", "none", "."])
def test_files_outside_of_the_folder_are_refused(tmp_path, path):
    inner = tmp_path / "in"
    inner.mkdir()
    (tmp_path / "x.txt").write_text("secret")
    (inner / "link.txt").symlink_to("../x.txt")
    (inner / "far").symlink_to("..")
    folder = Folder(str(inner / "flux-build.toml"))
    for read in (folder.text, folder.digest):
        with pytest.raises(ManifestError) as caught:
            read(path, "assets.hero")
        assert "secret" not in caught.value.message


def test_a_link_within_the_folder_is_followed(tmp_path):
    (tmp_path / "x.txt").write_text("a cat")
    (tmp_path / "link.txt").symlink_to("x.txt")
    assert Folder(str(tmp_path / "flux-build.toml")).text("link.txt", "here") == "a cat"


@pytest.mark.parametrize("content", [b"\xff\xfe\xff", b"\xc3\x28"])
def test_files_that_are_not_text_are_refused(tmp_path, content):
    (tmp_path / "p.txt").write_bytes(content)
    with pytest.raises(ManifestError):
        Folder(str(tmp_path / "m.toml")).text("p.txt", "here")


def test_pipes_and_large_files_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate((64 << 20) + 1)
    folder = Folder(str(tmp_path / "m.toml"))
    for name in ("pipe", "large.csv"):
        with pytest.raises(ManifestError):
            folder.text(name, "assets.hero: rows")
