"""Nouns behave like the standard `NamedTuple`; only their price differs."""

from __future__ import annotations

import copy
import pickle
from typing import NamedTuple

import pytest

from flux_cli.core.lite import NamedTuple as Noun


class Plain(NamedTuple):
    """The measure."""

    width: int
    name: str
    tags: tuple[str, ...] = ()

    @property
    def double(self) -> int:
        return self.width * 2


Standard = Plain


class Plain(Noun):
    """What is measured."""

    width: int
    name: str
    tags: tuple[str, ...] = ()

    @property
    def double(self) -> int:
        return self.width * 2


BOTH = (Standard, Plain)


@pytest.mark.parametrize(
    "args",
    [
        ((1, "a"), {}),
        ((1, "a", ("x",)), {}),
        ((1,), {"name": "a"}),
        ((), {"name": "a", "width": 3}),
    ],
)
def test_a_noun_is_made_and_shown_like_the_standard_one(args):
    standard, noun = (kind(*args[0], **args[1]) for kind in BOTH)
    assert noun == standard
    assert hash(noun) == hash(standard)
    assert repr(noun) == repr(standard)
    assert noun._asdict() == standard._asdict()
    assert (noun.width, noun.name, noun.tags, noun.double) == (*standard, standard.double)
    assert noun._replace(width=5) == standard._replace(width=5)
    assert type(noun._replace(width=5)) is Plain
    assert copy.copy(noun) == pickle.loads(pickle.dumps(noun)) == noun


@pytest.mark.parametrize(
    "args",
    [((), {}), ((1,), {}), ((1, 2, 3, 4), {}), ((1, "a"), {"width": 2}), ((1, "a"), {"nope": 2})],
)
@pytest.mark.parametrize("kind", BOTH)
def test_what_the_standard_one_refuses_a_noun_refuses(kind, args):
    with pytest.raises(TypeError):
        kind(*args[0], **args[1])


@pytest.mark.parametrize("kind", BOTH)
def test_a_noun_cannot_be_changed_and_has_no_room_for_more(kind):
    with pytest.raises(AttributeError):
        kind(1, "a").width = 2
    with pytest.raises(AttributeError):
        kind(1, "a").other = 2


@pytest.mark.parametrize("name", ["_fields", "_field_defaults", "__match_args__"])
def test_a_noun_says_the_same_of_its_fields(name):
    assert getattr(Plain, name) == getattr(Standard, name)


@pytest.mark.parametrize("kind", BOTH)
def test_a_noun_can_be_matched_by_place_and_by_name(kind):
    match kind(1, "a"):
        case kind(width, name=name):
            assert (width, name) == (1, "a")
