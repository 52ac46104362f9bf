"""`flux build --on`: what is refused before anything is sent, and where Dask is missing."""

import pytest

from e2e.builder import Builder


@pytest.fixture
def builder(command, keyed, gateway, work):
    """A command that cannot import Dask, even where it is installed."""
    hidden = work / "hidden"
    hidden.mkdir()
    (hidden / "distributed.py").write_text("raise ImportError")
    return Builder(command, keyed | {"PYTHONPATH": str(hidden)}, gateway, work)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--on", "dask"], "--on needs a store"),
        (["--on", "dask", "--store", "memory://x"], "--on needs a store"),
        (["--on", "dask", "--store", "file:///x"], "pip install 'flux-image-cli[dask]'"),
        (["--on", "ray", "--store", "file:///x"], "invalid --on ray"),
        (["--on", "dask://me:secret@host:1", "--store", "file:///x"], "invalid --on"),
        (["--on", "dask://host:99999", "--store", "file:///x"], "invalid --on"),
        (["--on", "dask", "--plan"], "--on and --plan contradict each other"),
        (["--on", "dask", "--check"], "--on and --check contradict each other"),
        (["--on", "dask", "--init"], "--on and --init contradict each other"),
        (["--on", "dask", "--merge"], "--on and --merge contradict each other"),
        (["--on", "dask", "--shard", "1/2"], "--on and --shard contradict each other"),
        (["--on", "dask", "--offline"], "--on and --offline contradict each other"),
        (["--on", "dask", "--prune"], "--on and --prune contradict each other"),
    ],
)
def test_what_several_machines_cannot_do_is_refused_before_anything_is_sent(builder, words, said):
    code, posts, _, err = builder.run(*words)
    assert (code, posts) == (2, 0), err
    assert said in err
