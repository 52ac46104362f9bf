"""The installed command under every fault: exit code, files, POSTs, messages, memory."""

import pytest

from faults.row import KEY, PNG, Row, can_be_proxied
from faults.rows import GROUPS, ROWS
from faults.run import Seen, judge, missing, verdict

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_fault_ends_as_its_row_says(row, tmp_path):
    """A paid image is never lost, an error never costs, a broken server costs only time."""
    if without := missing(row):
        pytest.skip(f"this machine has no {without}")
    wrong = verdict(row, tmp_path)
    assert not wrong, "\n".join(wrong)


# What happens before anything is sent, or after an answer was read, is the same everywhere.
ELSEWHERE = (
    "Base64",
    "Shapes of answers",
    "Images",
    "Images made to take time or memory",
    "Several images in a response",
    "Addresses of images",
    "Statuses",
    "Waiting",
    "Jobs",
    "Many requests",
    "Signals",
    "Sets of images",
    "The disk",
    "Streams",
    "Settings of projects",
    "Files with keys",
    "Links of other users",
)
PROXIED = [
    row
    for name, rows in GROUPS.items()
    if name not in ELSEWHERE
    for row in rows
    if can_be_proxied(row)
]


# Every fourth row, and all with `-m corpus`: rows beside each other break the same thing.
TRIED = [
    pytest.param(row, id=row.name, marks=[pytest.mark.corpus] if place % 4 else [])
    for place, row in enumerate(PROXIED)
]


@pytest.mark.parametrize("row", TRIED)
def test_a_fault_ends_the_same_through_a_proxy(row, tmp_path):
    """There httpx reads the answers. Nothing may depend on whose connection it was."""
    if without := missing(row):
        pytest.skip(f"this machine has no {without}")
    wrong = verdict(row, tmp_path, proxied=True)
    assert not wrong, "\n".join(wrong)


def test_every_row_has_a_name_of_its_own():
    names = [row.name for rows in GROUPS.values() for row in rows]
    assert sorted(names) == sorted(set(names))


RIGHT = Row("any", "any", files=1)
SEEN = Seen(1, b"", "flux: error: gone; it may have been billed", 1, 40, [], [], [])
WRONG = {
    "a hang": (SEEN._replace(code=None), "it hung"),
    "another exit": (SEEN._replace(code=0), "exit 0, not 1"),
    "a POST too many": (SEEN._replace(posts=2), "2 POSTs, not 1"),
    "much memory": (SEEN._replace(memory=257), "257 MB"),
    "a traceback": (
        SEEN._replace(err=SEEN.err + "\nTraceback (most recent call last)"),
        "how flux is made",
    ),
    "the key on stderr": (SEEN._replace(err=f"{SEEN.err} {KEY}"), "the key is shown"),
    "the key on stdout": (SEEN._replace(out=KEY.encode()), "the key is shown"),
    "an escape sequence": (SEEN._replace(err=f"{SEEN.err}\x1b[2J"), "control character"),
    "silence": (SEEN._replace(err=""), "no error is said"),
    "a novel": (SEEN._replace(err=SEEN.err + "\n" * 20), "lines of errors"),
    "a bill that is hidden": (SEEN._replace(err="flux: error: gone"), "hides that the money"),
    "debris": (SEEN._replace(faults=[".flux-1 was left behind"]), ".flux-1"),
}


@pytest.mark.parametrize(("seen", "said"), WRONG.values(), ids=WRONG)
def test_the_judge_sees_what_is_wrong(seen, said, tmp_path):
    """A matrix that finds no fault is worth as much as the judge behind it."""
    path = tmp_path / "fox.png"
    path.write_bytes(PNG)
    assert judge(RIGHT, SEEN._replace(images=[path])) == []
    assert any(said in sentence for sentence in judge(RIGHT, seen._replace(images=[path])))


@pytest.mark.parametrize(
    ("name", "data"), [("fox.png", PNG[:-30]), ("fox.jpg", PNG), ("fox.png", b"")]
)
def test_the_judge_opens_the_images(name, data, tmp_path):
    path = tmp_path / name
    path.write_bytes(data)
    assert judge(RIGHT, SEEN._replace(images=[path])) != []
