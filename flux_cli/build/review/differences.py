"""Compares an old and a new value word by word, for people who look at both."""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING

from flux_cli.build.planning.outcome import HIDDEN
from flux_cli.build.review.content import Difference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from flux_cli.build.planning.steps import Change
    from flux_cli.core.model import Json

    Parts: TypeAlias = tuple[tuple[bool, str], ...]

WORDS = re.compile(r"\s+|[^\s,.;:]+|[,.;:]")
MOST_WORDS = 600  # of one text; comparing more of them is slow
NONE = "none"
DIGEST, SHORT = re.compile("(sha256:[0-9a-f]{12})[0-9a-f]{52}"), r"\1…"


def difference_of(change: Change, *, is_hidden: bool) -> Difference:
    """What differs in a change. Of texts that are hidden, only that they differ is shown."""
    old, new = value_text(change.old), value_text(change.new)
    if is_hidden or old.startswith(HIDDEN) or new.startswith(HIDDEN):
        return Difference(change.key, ((True, "hidden"),), ((True, "hidden"),))
    old, new = DIGEST.sub(SHORT, old), DIGEST.sub(SHORT, new)
    before, after = WORDS.findall(old), WORDS.findall(new)
    is_text = isinstance(change.old, str) and isinstance(change.new, str)
    if not is_text or max(len(before), len(after)) > MOST_WORDS:
        return Difference(change.key, ((True, old),), ((True, new),))
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    codes = matcher.get_opcodes()
    olds = [(kind != "equal", "".join(before[a:b])) for kind, a, b, _, _ in codes]
    news = [(kind != "equal", "".join(after[c:d])) for kind, _, _, c, d in codes]
    return Difference(change.key, tuple(_joined(olds)), tuple(_joined(news)))


def _joined(parts: list[tuple[bool, str]]) -> Iterator[tuple[bool, str]]:
    """The parts, of which different ones are one if only blanks are between them."""
    held = ""
    for number, (differs, text) in enumerate(parts):
        is_between = 0 < number < len(parts) - 1 and parts[number + 1][0] and bool(held)
        if differs or (is_between and text.isspace()):
            held += text
            continue
        if held:
            yield True, held
        held = ""
        yield False, text
    if held:
        yield True, held


def value_text(value: Json) -> str:
    """A value of a manifest as people read it."""
    if value is None:
        return NONE
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
