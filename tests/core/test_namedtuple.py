"""`core.lite.NamedTuple` behaves like the standard one. Only its cost differs."""

from __future__ import annotations

import copy
import pickle
from typing import NamedTuple

import pytest

from flux_cli.core.lite import NamedTuple as Light


class Plain(NamedTuple):
    """Made with the standard library."""

    width: int
    name: str
    tags: tuple[str, ...] = ()

    @property
    def double(self) -> int:
        return self.width * 2


Standard = Plain


class Plain(Light):
    """Made with ours."""

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
def test_it_is_made_and_shown_like_the_standard_one(args):
    standard, light = (kind(*args[0], **args[1]) for kind in BOTH)
    assert light == standard
    assert hash(light) == hash(standard)
    assert repr(light) == repr(standard)
    assert light._asdict() == standard._asdict()
    assert (light.width, light.name, light.tags, light.double) == (*standard, standard.double)
    assert light._replace(width=5) == standard._replace(width=5)
    assert type(light._replace(width=5)) is Plain
    assert copy.copy(light) == pickle.loads(pickle.dumps(light)) == light


@pytest.mark.parametrize(
    "args",
    [((), {}), ((1,), {}), ((1, 2, 3, 4), {}), ((1, "a"), {"width": 2}), ((1, "a"), {"nope": 2})],
)
@pytest.mark.parametrize("kind", BOTH)
def test_it_refuses_what_the_standard_one_refuses(kind, args):
    with pytest.raises(TypeError):
        kind(*args[0], **args[1])


@pytest.mark.parametrize("kind", BOTH)
def test_it_cannot_be_changed_and_has_no_room_for_more(kind):
    with pytest.raises(AttributeError):
        kind(1, "a").width = 2
    with pytest.raises(AttributeError):
        kind(1, "a").other = 2


@pytest.mark.parametrize("name", ["_fields", "_field_defaults", "__match_args__"])
def test_it_says_the_same_of_its_fields(name):
    assert getattr(Plain, name) == getattr(Standard, name)


@pytest.mark.parametrize("kind", BOTH)
def test_it_can_be_matched_by_place_and_by_name(kind):
    match kind(1, "a"):
        case kind(width, name=name):
            assert (width, name) == (1, "a")
