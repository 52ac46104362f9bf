"""Which lines a CI service would act on. `obeyed` reads a log the way GitHub's runner does."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.text import disarm, disarm_json, github_annotation


def obeyed(log: str) -> list[str]:
    """Commands in a log: `::name ...::` where a line begins, after blanks, `##[name]` anywhere."""
    lines = re.split(r"\r\n|\r|\n", log)
    begun = (re.match(r"::([^:]+?)(?: .*?)?::", line.strip()) for line in lines)
    anywhere = re.finditer(r"##(?:vso|teamcity)?\[(\w[\w.-]*)", log)
    return [match[1] for match in (*begun, *anywhere) if match]


HOSTILE = [
    "::set-env name=PATH::/evil",
    "  ::add-mask::a",
    "\t::stop-commands::x",
    "all is well ##[add-path]/evil",
    "####[group]x",
    "##vso[task.setvariable variable=a]b",
    "##teamcity[buildStop]",
    "::::error::x",
]


@pytest.mark.parametrize("line", HOSTILE)
def test_a_line_of_somebody_else_s_words_is_not_obeyed(line):
    assert obeyed(line) != [] or line.startswith("::::")
    assert obeyed(disarm(line)) == []


@pytest.mark.parametrize(
    "line", ["flux: error: HTTP 500", "a::b", "[1/2] saved a.png", "## heading", "#[x]"]
)
def test_a_line_that_commands_nothing_stays_as_it_is(line):
    assert disarm(line) == line


@given(st.text(st.sampled_from("#[]: abv\tso"), max_size=20))
def test_no_line_commands_anything_after_that(line):
    assert obeyed(disarm(line)) == []
    assert not disarm(line).lstrip().startswith("::")
    assert not re.search(r"##\w*\[", disarm(line))


@given(
    st.dictionaries(
        st.text(st.sampled_from('#[]:\\"av\n'), max_size=9), st.text(st.sampled_from('#[]:\\"av\n'))
    )
)
def test_json_keeps_its_meaning_and_commands_nothing(document):
    text = disarm_json(json.dumps(document, indent=2))
    assert json.loads(text) == document
    assert obeyed(text) == []


def test_an_annotation_holds_message_and_hint_on_one_line():
    annotation = github_annotation("no key", "export KEY=...")
    assert annotation == "::error title=flux::no key%0Ahint: export KEY=..."
    assert github_annotation("no key") == "::error title=flux::no key"


@given(st.text(), st.text())
def test_an_annotation_is_one_error_whatever_it_quotes(message, hint):
    line = github_annotation(message, hint)
    assert "\n" not in line
    assert "\r" not in line
    assert line.startswith("::error title=flux::")
    said = line.removeprefix("::error title=flux::")
    restored = said.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
    assert restored == message + (f"\nhint: {hint}" if hint else "")
