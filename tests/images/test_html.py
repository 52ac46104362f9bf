"""`<picture>` elements: order, widths, and nothing that could break out of an attribute."""

import html.parser
import urllib.parse

from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.outcome import SavedImage
from flux_cli.images.html import picture_element

VARIANTS = (("-640", 640), ("", 640), ("-320", 320))


def source(path: str, file_format: str, width: int, height: int) -> SavedImage:
    return SavedImage(path, file_format, width, height, size=1, as_received=False)


class Reader(html.parser.HTMLParser):
    """The tags of a document, with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_the_smallest_format_first_and_the_surest_in_the_img():
    formats = (("jpeg", "jpg"), ("webp", "webp"), ("avif", "avif"))
    sources = [
        source(f"hero-{width}.{suffix}", name, width, width // 2)
        for name, suffix in formats
        for width in (1280, 640)
    ]
    tags = Reader(picture_element(sources, "a red fox")).tags
    assert [tag for tag, _ in tags] == ["picture", "source", "source", "img"]
    assert [attributes["type"] for tag, attributes in tags if tag == "source"] == [
        "image/avif",
        "image/webp",
    ]
    assert tags[1][1]["srcset"] == "hero-640.avif 640w, hero-1280.avif 1280w"
    assert tags[1][1]["sizes"] == "(max-width: 1280px) 100vw, 1280px"
    image = tags[3][1]
    assert (image["src"], image["width"], image["height"], image["alt"]) == (
        "hero-1280.jpg", "1280", "640", "a red fox",
    )  # fmt: skip


def test_a_width_is_offered_once_and_the_full_image_stands_for_its_variant():
    sources = [source(f"a{tail}.webp", "webp", width, 5) for tail, width in VARIANTS]
    ((_, image),) = Reader(picture_element(sources, "")).tags[1:]
    assert image["srcset"] == "a-320.webp 320w, a.webp 640w"
    assert image["src"] == "a.webp"


def test_one_width_needs_no_sizes():
    text = picture_element([source("a.webp", "webp", 10, 5), source("a.png", "png", 10, 5)], "")
    assert "sizes" not in text
    assert 'alt=""' in text


def test_one_format_is_the_img_itself():
    assert [
        tag for tag, _ in Reader(picture_element([source("a.avif", "avif", 10, 5)], "x")).tags
    ] == [
        "picture",
        "img",
    ]


def test_files_that_browsers_do_not_show_have_no_element():
    sources = [source("a.xyz", "xyz", 10, 5)]
    assert picture_element(sources, "x") == ""
    assert "a.xyz" not in picture_element([*sources, source("a.png", "png", 10, 5)], "x")


words = st.text(st.characters(exclude_characters="\0\r", exclude_categories=("Cs",)), max_size=40)


@given(words, words)
def test_any_words_and_any_name_stay_inside_their_attribute(alt, path):
    tags = Reader(
        picture_element([source(f"{path}-2", "jpeg", 2, 1), source(f"{path}-4", "jpeg", 4, 2)], alt)
    ).tags
    assert [tag for tag, _ in tags] == ["picture", "img"]
    attributes = tags[1][1]
    assert attributes["alt"] == alt
    assert urllib.parse.unquote(attributes["src"]) == f"{path}-4"
    assert len(attributes["srcset"].split(", ")) == 2
    assert set(attributes) == {
        "src",
        "srcset",
        "sizes",
        "width",
        "height",
        "alt",
        "loading",
        "decoding",
    }
