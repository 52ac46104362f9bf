"""The review page: whatever is in a text, the page is only the page."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.build.lock.rows import File
from flux_cli.build.planning.steps import Change
from flux_cli.build.review.commands import commands_of, pattern_of, pick_command
from flux_cli.build.review.content import (
    AssetCard,
    CandidateCard,
    CommandLine,
    Difference,
    FileLine,
    Page,
    Picture,
    Section,
    Thumbnail,
)
from flux_cli.build.review.differences import difference_of
from flux_cli.build.review.facts import bytes_text, shown_file
from flux_cli.build.review.markup import text
from flux_cli.build.review.page import POLICY, START, page_html
from flux_cli.build.review.style import STYLE
from flux_cli.build.selection import matches

HOSTILE = (
    "</style></textarea><script>alert(1)</script><img src=//x onerror=x>\"'&<!--]]>\0\u202e\ud800"
)
SOURCE = "data:image/webp;base64,AAAA"
texts = st.text() | st.sampled_from([HOSTILE, "a fox", "::error::x", "##[command]", "\n::x"])


def page_of(word):
    """A page that has the text in every place that takes one."""
    picture = Picture(word, word, Thumbnail(word, SOURCE, 3, 2, ""), word)
    nothing = Picture(word, word, Thumbnail(word, fault=word), word)
    command = CommandLine(word, word)
    candidate = CandidateCard(1, True, picture, ((word, word),), command)
    card = AssetCard(
        word,
        word,
        "changed",
        reason=word,
        failure=word,
        differences=(Difference(word, ((True, word), (False, word)), ((True, word),)),),
        pictures=(picture, nothing),
        prompt=word,
        facts=((word, word),),
        files=(FileLine(word, word, word, word),) * 5,
        commands=(command,),
        candidates=(candidate,),
    )
    sections = (
        Section("changed", word, word, (card,)),
        Section("unchanged", word, word, (card,), is_quiet=True),
    )
    return Page(word, word, ((word, word),), (word,), sections)


class Outline(HTMLParser):
    """The elements of a page with the names of their attributes, in order."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.images, self.values = [], [], [], []
        self.feed(page)
        self.close()
        assert self.open == [], "an element is not closed"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        if tag == "img":
            self.images.append(dict(attrs))
        if tag == "input":
            self.values.append(dict(attrs)["value"])
        if tag not in ("meta", "link", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_comment(self, data):
        raise AssertionError(data)


PLAIN = Outline(page_html(page_of("a")))


@given(texts.filter(bool))
def test_no_text_changes_what_the_page_consists_of(word):
    page = page_html(page_of(word))
    found = Outline(page)
    assert found.elements == PLAIN.elements
    assert {image["src"] for image in found.images} == {SOURCE}
    assert not re.search(r"##\w*\[|^\s*::", page, re.MULTILINE)
    assert page.encode("utf-8")


@given(texts)
def test_equal_values_make_equal_bytes(word):
    assert page_html(page_of(word)) == page_html(page_of(word))


def test_texts_are_shown_as_they_are_without_what_no_page_can_hold():
    assert Outline(page_html(page_of("a & 'b'"))).values == ["a & 'b'"] * 2
    assert text("\0a\u202eb\ud800") == "\ufffda\ufffdb\ufffd"
    assert len(text("x" * 100_000)) < 30_000


def test_the_page_runs_nothing_and_loads_nothing():
    page = page_html(page_of("a"))
    assert page.startswith(START)
    assert f'content="{POLICY}"' in page
    names = {name for _, names in PLAIN.elements for name in names}
    assert not {name for name in names if name.startswith("on")}
    assert "script" not in {tag for tag, _ in PLAIN.elements}
    assert re.findall(r"url\(|@import|https?:", page) == []


def test_every_image_has_words_and_every_section_its_heading():
    assert all(image["alt"] for image in PLAIN.images)
    tags = [tag for tag, _ in PLAIN.elements]
    assert tags.count("h1") == tags.count("main") == tags.count("header") == 1
    page = page_html(page_of("a"))
    for identity in re.findall('aria-labelledby="([^"]*)"', page):
        assert f'<h2 id="{identity}">' in page
        assert f'href="#{identity}"' in page
    assert tags.count("label") == tags.count("input") == 3 - 1


def luminance(color):
    def linear(value):
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(color[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_everything_can_be_read_in_both_color_schemes(scheme):
    block = STYLE.split(":root {")[1 + scheme]
    colors = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block.split("}")[0]))
    for ground in ("ground", "surface"):
        for ink in ("text", "quiet", "accent", "changed", "fault"):
            assert contrast(colors[ink], colors[ground]) >= 4.5, (ink, ground)
        assert contrast(colors["edge"], colors[ground]) >= 3, "the edge of a field"
    for ground in ("old", "new"):
        assert contrast(colors["text"], colors[ground]) >= 4.5


def test_nothing_takes_the_mark_of_the_focus_away():
    assert not re.search(r"outline:\s*(none|0)", STYLE)


def test_words_that_differ_are_marked():
    change = Change("prompt", "a ship leaving, line art", "two ships leaving, line art")
    found = difference_of(change, is_hidden=False)
    assert found.old == ((True, "a ship"), (False, " leaving, line art"))
    assert found.new == ((True, "two ships"), (False, " leaving, line art"))
    numbers = difference_of(Change("seed", None, 8), is_hidden=False)
    assert (numbers.old, numbers.new) == (((True, "none"),), ((True, "8"),))
    assert "ship" not in repr(difference_of(change, is_hidden=True))


@given(texts, texts)
def test_marks_lose_no_character(old, new):
    found = difference_of(Change("prompt", old, new), is_hidden=False)
    assert "".join(part for _, part in found.old) == old
    assert "".join(part for _, part in found.new) == new


def test_commands_are_words_of_a_shell():
    assert pick_command("", "goblin", 3).text == "flux build --pick goblin=3"
    assert pick_command("a b.toml", "it's", 2).text == "flux build 'a b.toml' --pick 'it'\"'\"'s=2'"
    assert pick_command("", "-a", 1).text == "flux build --pick=-a=1"
    (again,) = commands_of("x", "", "fox")
    assert again.text == "flux build --reroll fox"


@given(st.text("ab[]*?-!", min_size=1, max_size=6))
def test_a_command_is_about_one_asset_alone(name):
    others = ["a", "b", "ab", "-", f"{name}x"]
    assert set(matches([name, *others], pattern_of(name), "--only")) == {name}


def test_the_thumbnail_is_of_the_smallest_file_that_is_large_enough():
    def files(*widths):
        return {f"a-{width}.webp": File("0", "0", 1, width, width) for width in widths}

    assert shown_file(files(160, 480, 960), 320) == "a-480.webp"
    assert shown_file(files(80, 160), 320) == "a-160.webp"
    assert shown_file({"a.json": File("0", "0", 1)}, 320) == ""


def test_sizes_are_in_units_that_people_read():
    assert [bytes_text(size) for size in (999, 14_210, 1_300_000)] == [
        "999 bytes",
        "14 kB",
        "1.3 MB",
    ]


def test_digests_of_references_are_short():
    old, new = ("refs/a.png sha256:" + digit * 64 for digit in "ab")
    shown = difference_of(Change("mask", old, new), is_hidden=False)
    assert "".join(text for _, text in shown.old) == f"refs/a.png sha256:{'a' * 12}…"
    assert "".join(text for _, text in shown.new) == f"refs/a.png sha256:{'b' * 12}…"
