"""Images that wait in the temporary folder, because the state folder could not take them."""

import re
import shutil
from pathlib import Path

import pytest
from fakes.gateway import image

from e2e.recovery import SAFE, files

pytestmark = pytest.mark.slow


@pytest.fixture
def places(tmp_path):
    """Two folders for temporary files."""
    found = [tmp_path / "first", tmp_path / "second"]
    for place in found:
        place.mkdir()
    return found


def breaking(remove, then):
    """Removes folders while the image is made, and puts a file in place of the output."""

    def answer(_request):
        for path in remove():
            shutil.rmtree(path)
        Path("out").write_text("a file now")
        return then

    return answer


@pytest.mark.parametrize("form", [(), SAFE], ids=["by address", "base64"])
def test_recover_finds_them_also_with_another_folder_for_temporary_files(
    generate, recover, gateway, state, places, form
):
    first, second = places
    gateway.answers(breaking(lambda: [path for path in state.iterdir() if path.is_dir()], image()))
    line = ("a fox", "-o", "out/{seed}.jpg", "--seed", "7", *form)
    result = generate(*line, env={"TMPDIR": str(first)})
    assert result.code == 1
    place = Path(re.search(r"safe in (\S+); to save it: flux recover", result.err)[1])
    assert place.parent.parent == first
    Path("out").unlink()
    asked = len(gateway.requests)
    assert recover(env={"TMPDIR": str(second)}).code == 0
    assert files() == ["out/7.jpg"]
    assert len(gateway.requests) == asked
    assert [*first.iterdir(), *second.iterdir()] == []


def test_without_a_journal_the_error_says_where_they_are_and_promises_nothing(
    generate, gateway, state, places
):
    gateway.answers(breaking(lambda: [state], image()))
    line = ("a fox", "-o", "out/{seed}.jpg", "--seed", "7", *SAFE)
    result = generate(*line, env={"TMPDIR": str(places[0])})
    assert result.code == 1
    assert Path(re.search(r"safe in (\S+)", result.err)[1]).read_bytes()
    assert "flux recover" not in result.err
