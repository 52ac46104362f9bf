"""Finds models in the catalog: built-in ones, generated as Python, and the user's files."""

from __future__ import annotations

import os

from flux_cli.core.errors import did_you_mean
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import split_route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flux_cli.core.model import Dialect, Model


class Found(NamedTuple):
    """The model with a name, or None and a hint with the closest known name."""

    model: Model | None
    hint: str


def find_model(name: str, folders: Sequence[str] = ()) -> Found:
    """Find a model by id or alias, in the user's folders first. A route prefix (`fal/...`) is ignored.

    Raises CatalogError for an invalid file, even that of another model if all files have to be
    searched.
    """
    own = _own()
    names = {name, split_route(name)[0]}
    for folder in folders:
        for stem in names:
            path = f"{folder}/{stem}.toml"
            if "/" not in stem and _is_file(path):
                return Found(_read(path), "")
    for stem in names:
        if stem in own:
            return Found(own[stem], "")
    known = {}
    for model in list_models(folders):
        if names.intersection((model.id, *model.aliases)):
            return Found(model, "")
        known.update(dict.fromkeys((model.id, *model.aliases)))
    return Found(None, did_you_mean(name, known))


def list_models(folders: Sequence[str] = ()) -> tuple[Model, ...]:
    """All models, sorted by id. A user's file replaces the built-in model with the same id.

    Raises CatalogError for an invalid file.
    """
    rows: dict[str, Model | str] = {**_own()}
    for folder in folders:
        rows |= {
            name.removesuffix(".toml"): f"{folder}/{name}"
            for name in _listed(folder)
            if name.endswith(".toml")
        }
    return tuple(_read(row) if isinstance(row, str) else row for _, row in sorted(rows.items()))


def read_servers() -> Mapping[str, Dialect]:
    """What each kind of OpenAI-compatible server does with parameters, by the name of the kind."""
    from flux_cli.catalog.own_servers import SERVERS

    return SERVERS


def _own() -> Mapping[str, Model]:
    from flux_cli.catalog.own_models import MODELS

    return MODELS


def _read(path: str) -> Model:
    """Read a user's file. The reader is imported only here, because that takes longer than a lookup."""
    from pathlib import Path

    from flux_cli.catalog.reading import read

    return read(Path(path))


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _is_file(path: str) -> bool:
    try:
        return os.path.isfile(path)
    except ValueError:  # a name with a zero byte
        return False
