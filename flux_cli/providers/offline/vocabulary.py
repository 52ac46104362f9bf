"""Reads the prompt of a sketch: which words stand for what in the image, and in which colors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeVar

from PIL import ImageColor

from flux_cli.core.lite import NamedTuple
from flux_cli.providers.offline.canvas import RGB, parse_colors, seeded_random
from flux_cli.providers.offline.ground import LANDS
from flux_cli.providers.offline.stage import HOURS, Tint

Item = TypeVar("Item")

PLACES: Final = (*LANDS, "lake", "water")
HOURS_TO_CHOOSE: Final = ("dawn", "noon", "sunset")  # for a prompt that names no hour

# The tags that words stand for. A color before a word applies to its last tag: "red sunset" makes
# the sky red. Words without a tag are known, and nothing is drawn for them.
VOCABULARY: Final = {
    "dawn sky": "dawn sunrise morning daybreak",
    "noon sky": "noon midday day daytime daylight afternoon sun sunny sunlit summer",
    "sunset sky": "sunset sundown evening hour",
    "dusk sky": "dusk twilight",
    "night sky": "night midnight moon moonlight moonlit moonrise star starry starlight",
    "night aurora sky": "aurora borealis northern",
    "storm sky": "storm stormy thunder thunderstorm overcast gloomy",
    "storm rain sky": "rain rainy raining drizzle downpour",
    "clouds sky": "cloud cloudy sky skies",
    "fog": "fog foggy mist misty haze hazy",
    "snowfall snow": "snow snowing snowfall snowflake",
    "storm snowfall snow": "blizzard snowstorm",
    "snow": "snowy winter wintry ice icy frozen frost frosty arctic glacier",
    "mountains rock": "mountain mountainous peak summit alp alpine cliff",
    "hills grass": "hill hilly valley highland countryside meadow field wheat grass grassland "
    "grassy prairie pasture",
    "dunes sand": "desert dune sahara",
    "forest tree": "forest wood woodland tree grove pine fir spruce conifer evergreen cedar",
    "autumn tree": "autumn autumnal fall",
    "water": "sea ocean water wave seascape coast coastal shore seaside beach reflection",
    "water lighthouse": "lighthouse",
    "lake water": "lake lakeside pond river fjord bay lagoon",
    "": "a an the of in on at with and or over under by to from for into through near beside above "
    "below behind between across along is its it this that very big large small little tall huge "
    "full old high low wide deep dark light bright soft calm quiet peaceful landscape nature "
    "scenery horizon photo picture image painting drawing art style scene view background "
    "beautiful stunning dramatic epic majestic detailed realistic cinematic vivid 4k 8k",
}
TAGS_BY_WORD: Final = {
    word: tuple(tags.split()) for tags, words in VOCABULARY.items() for word in words.split()
}
# Colors that CSS does not know, and words that CSS takes for colors.
HUES: Final = {
    "golden": "gold",
    "amber": "#ffb030",
    "rose": "#f08aa0",
    "emerald": "#1f9d63",
    "lavender": "#9a6cd8",
}
THINGS: Final = ("chocolate", "linen", "peru", "plum", "snow", "tomato", "wheat")
# One of these is added to a scene that has only these places.
ADDITIONS: Final = {
    (): (
        "mountains water",
        "mountains forest",
        "hills",
        "water",
        "mountains hills",
        "mountains dunes",
    ),
    ("lake", "water"): ("hills", "mountains", "forest"),
    ("mountains",): ("forest", "forest", "forest water", "hills"),
}


class Scene(NamedTuple):
    """What a prompt asks for, each once: tags, colors, and the words that have no tag."""

    tags: tuple[str, ...]
    tints: tuple[Tint, ...]
    undrawn: tuple[str, ...]


def read_prompt(prompt: str) -> Scene:
    """Read a prompt. If it names no place or no hour, one is chosen."""
    tags: list[str] = []
    tints: list[Tint] = []
    undrawn: list[str] = []
    pending: list[RGB] = []  # colors that wait for the word they belong to
    for word in re.findall(r"[^\W_]+", prompt.lower()):
        if word in HUES or (word in ImageColor.colormap and word not in THINGS):
            pending += parse_colors(HUES.get(word, word))
            continue
        found = _find_tags(word)
        if found is None:
            undrawn.append(word)
            tints += _tint("", pending)
            pending.clear()
        elif found:
            tags += found
            tints += _tint(found[-1], pending)
            pending.clear()
    tints += [Tint("", color) for color in pending]
    tags += _choose_missing(prompt, tags)
    return Scene(_each_once(tags), _each_once(tints), _each_once(undrawn))


def _find_tags(word: str) -> tuple[str, ...] | None:
    """The tags of a word or its singular; None if it is not in the vocabulary."""
    for stem in (word, word.removesuffix("s"), word.removesuffix("es")):
        if stem in TAGS_BY_WORD:
            return TAGS_BY_WORD[stem]
    return None


def _tint(target: str, colors: list[RGB]) -> list[Tint]:
    """The first color is for the target, any others are for the sky."""
    tints = [Tint("sky", color) for color in colors]
    if tints:
        tints[0] = Tint(target, colors[0])
    return tints


def _choose_missing(prompt: str, tags: list[str]) -> list[str]:
    """The tags to add to those of the prompt."""
    rng = seeded_random(prompt)
    places = tuple(place for place in PLACES if place in tags)
    chosen = rng.choice(ADDITIONS.get(places, ("",))).split()
    if not any(hour in [*tags, *chosen] for hour in HOURS):
        chosen.append(rng.choice(HOURS_TO_CHOOSE))
    return chosen


def _each_once(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(dict.fromkeys(items))
