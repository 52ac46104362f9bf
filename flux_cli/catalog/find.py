"""The models flux knows: its own, read when it was built, and the user's files, read when they are asked for."""

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
    """The model somebody named, or None and the nearest known name."""

    model: Model | None
    hint: str


def find_model(name: str, folders: Sequence[str] = ()) -> Found:
    """The model of that id or alias, in the user's folders first; a route prefix (`fal/...`) is looked through.

    Raises CatalogError for a file that is wrong, even if another model was asked for and files had to be searched.
    """
    own = _own()
    wanted = {name, split_route(name)[0]}
    for folder in folders:
        for stem in wanted:
            path = f"{folder}/{stem}.toml"
            if "/" not in stem and _is_file(path):
                return Found(_read(path), "")
    for stem in wanted:
        if stem in own:
            return Found(own[stem], "")
    known = {}
    for model in list_models(folders):
        if wanted.intersection((model.id, *model.aliases)):
            return Found(model, "")
        known.update(dict.fromkeys((model.id, *model.aliases)))
    return Found(None, did_you_mean(name, known))


def list_models(folders: Sequence[str] = ()) -> tuple[Model, ...]:
    """Every model, by id; a user's file replaces flux's own model of the same id."""
    rows: dict[str, Model | str] = {**_own()}
    for folder in folders:
        rows |= {name.removesuffix(".toml"): f"{folder}/{name}" for name in _listed(folder) if name.endswith(".toml")}
    return tuple(_read(row) if isinstance(row, str) else row for _, row in sorted(rows.items()))


def read_servers() -> Mapping[str, Dialect]:
    """What kinds of OpenAI-shaped servers make of the parameters, by the name of the kind."""
    from flux_cli.catalog.own_servers import SERVERS

    return SERVERS


def _own() -> Mapping[str, Model]:
    from flux_cli.catalog.own_models import MODELS

    return MODELS


def _read(path: str) -> Model:
    """A user's file. Reading TOML strictly costs several lookups, so only those who have such files pay for it."""
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
    except ValueError:  # bytes that no file name has
        return False
