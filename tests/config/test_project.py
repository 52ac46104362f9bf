"""A project's flux.toml: it can be stricter than the user, and its files stay inside."""

import json
import os

import pytest

from flux_cli.config import folders
from flux_cli.config.folders import project_folders
from flux_cli.config.load import load_settings
from flux_cli.config.project import check_inside
from flux_cli.core.errors import ConfigError
from flux_cli.providers.rows import ROWS

root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away"
)


@pytest.fixture
def user():
    """The user's settings folder, made."""
    folder = folders.user_folder()
    folder.mkdir(parents=True)
    return folder


def load(flags=None, environ=None):
    return load_settings(flags or {}, ROWS, environ or {})


def write(path, text):
    path.write_text(text)
    return path


STRICTER = [
    ("max_cost", "0.1", "1000", "0.1"),
    ("max_cost", "0.1", "0.1", "0.1"),
    ("max_cost", "0.1", "0.01", "0.01"),
    ("max_cost", "0.0", "0.01", "0.0"),
    ("max_cost", None, "1000.0", "1000.0"),
    ("confirm_cost", None, "1.0", "1.0"),
    ("confirm_cost", "8.0", "6.0", "6.0"),
    ("confirm_cost", "2.0", "6.0", "2.0"),
    ("metadata", "'none'", "'full'", "'none'"),
    ("metadata", "'none'", "'no-prompt'", "'none'"),
    ("metadata", "'no-prompt'", "'none'", "'none'"),
    ("metadata", "'full'", "'no-prompt'", "'no-prompt'"),
    ("metadata", None, "'none'", "'none'"),
    ("journal_prompts", "false", "true", "False"),
    ("journal_prompts", "true", "false", "False"),
    ("journal_prompts", None, "false", "False"),
    ("keep_prompts", None, "'30d'", "'30d'"),
    ("keep_prompts", "'30d'", "'2w'", "'2w'"),
    ("keep_prompts", "'30d'", "'5w'", "'30d'"),
    ("keep_prompts", "'12h'", "'forever'", "'12h'"),
    ("keep_prompts", "'30d'", "'never'", "'never'"),
    ("keep_prompts", "'never'", "'1m'", "'never'"),
]


@pytest.mark.parametrize(("name", "own", "project", "used"), STRICTER)
def test_a_project_can_make_money_and_privacy_only_stricter(name, own, project, used, user, work):
    if own:
        write(user / "config.toml", f"{name} = {own}")
    write(work / "flux.toml", f"{name} = {project}")
    made = load()
    assert repr(made.values[name].value) == used
    is_refused = used != {"true": "True", "false": "False"}.get(project, project)
    assert [(note.parameter, note.behavior) for note in made.notes] == (
        [(name, "ignored")] if is_refused else []
    )
    source = made.values[name].source
    assert source.startswith(str(user / "config.toml") if is_refused else "flux.toml")
    assert ("a project's flux.toml can only" in source) is is_refused


def test_a_project_cannot_raise_the_default_of_what_must_be_confirmed(work):
    write(work / "flux.toml", "confirm_cost = 6")
    made = load()
    assert made.confirm_cost == 5
    assert [(note.parameter, note.behavior) for note in made.notes] == [("confirm_cost", "ignored")]


def test_the_user_s_own_variable_and_option_decide_as_before(user, work):
    write(user / "config.toml", "max_cost = 0.1")
    write(work / "flux.toml", "max_cost = 0.05")
    assert load({}, {"FLUX_MAX_COST": "2"}).max_cost == 2
    assert load({"max_cost": "3"}, {"FLUX_MAX_COST": "2"}).max_cost == 3


@root
def test_the_files_of_another_user_are_no_project(work, monkeypatch):
    """As with git's safe.directory: somebody may put a .git and a flux.toml into /tmp."""
    mine = work / "mine"
    mine.mkdir()
    stranger = write(work / "flux.toml", "concurrency = 5")
    (work / ".git").mkdir()
    monkeypatch.chdir(mine)
    assert load().concurrency == 5
    os.chown(stranger, 1234, 1234)
    made = load()
    assert (made.concurrency, made.max_cost) == (16, None)
    assert [(note.asked, note.behavior, note.warning) for note in made.notes] == [
        (str(stranger), "ignored", True)
    ]
    os.chown(stranger, 0, 0)
    os.chown(work / ".git", 1234, 1234)
    assert load().concurrency == 16


@root
def test_root_trusts_the_owner_of_the_folder_it_works_in(work, monkeypatch):
    """Containers run as root in a checkout that belongs to the user of the machine outside."""
    checkout = work / "checkout"
    (checkout / "docs").mkdir(parents=True)
    (checkout / ".git").mkdir()
    project = write(checkout / "flux.toml", "concurrency = 5")
    for path in (checkout, checkout / "docs", checkout / ".git", project):
        os.chown(path, 1234, 1234)
    for folder in (checkout, checkout / "docs"):
        monkeypatch.chdir(folder)
        assert load().concurrency == 5
    os.chown(project, 4321, 4321)
    assert load().concurrency == 16


@root
def test_a_link_that_another_user_has_made_is_not_followed(work):
    (work / "mine").mkdir()
    write(work / "mine" / "flux.toml", "concurrency = 5")
    (work / "flux.toml").symlink_to(work / "mine" / "flux.toml")
    assert load().concurrency == 5
    os.chown(work / "flux.toml", 1234, 1234, follow_symlinks=False)
    assert load().concurrency == 16


@pytest.mark.parametrize(
    "output",
    [
        "/etc/cron.d/x.png", "~/x.png", "~root/x", "../x.png", "a/../../x.png", "a/..", "..",
        ".git/hooks/x.png", ".GIT/x.png", "sub/.git/x", ".git./x.png", "git~1/x.png", "C:/x.png",
        "C:x.png", "\\\\host\\x.png", "a\\..\\..\\x.png", ".git\\hooks\\x.png",
        "\x1b[2J.png", "a\nb.png", "a\u202eb.png", "\x9b2J.png", "::error::x.png",
        "a##[group]x.png", "##vso[x]y.png",
    ],
)  # fmt: skip
def test_an_output_of_a_project_stays_in_the_project_and_acts_on_nothing(output, user, work):
    text = f"output = {json.dumps(output)}"
    write(work / "flux.toml", text)
    with pytest.raises(ConfigError, match="output") as raised:
        load()
    assert raised.value.message.isprintable()
    assert "-o" in raised.value.hint
    (work / "flux.toml").unlink()
    write(user / "config.toml", text)  # the user's own is free
    assert load().output


@pytest.mark.parametrize(
    "output",
    ["images/", "images/{slug}-{seed}.webp", "x.png", ".github/x.png", "a..b/x.png", "..."],
)
def test_other_outputs_of_a_project_are_used(output, work):
    write(work / "flux.toml", f"output = {json.dumps(output)}")
    assert load().output == output


def test_links_cannot_lead_out_of_a_project_or_into_git(work, monkeypatch, tmp_path):
    project, outside = work / "project", tmp_path / "outside"
    for folder in (project / ".git" / "hooks", project / "images", outside):
        folder.mkdir(parents=True)
    (project / "far").symlink_to(outside)
    (project / "hooks").symlink_to(".git/hooks")
    (project / "near").symlink_to("images")
    (project / "images" / "fox.png").symlink_to(outside / "fox.png")
    monkeypatch.chdir(project / "images")
    top = project_folders()[-1]
    check_inside(["cat.png", "new/cat.png", "../near/cat.png", "../cat.png"], top)
    for path in (
        "fox.png",
        "../far/cat.png",
        "../hooks/cat.png",
        "../near/fox.png",
        "../../cat.png",
    ):
        with pytest.raises(ConfigError, match="leads out of the project or into"):
            check_inside(["cat.png", path], top)
