"""Finds models in the catalog: built-in ones, generated as Python, and the user's files."""

from __future__ import annotations

import os

from flux_cli.core.errors import did_you_mean
from flux_cli.core.model import split_route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flux_cli.core.model import Dialect, Model
    from flux_cli.core.request import Resolved


def find_model(name: str, folders: Sequence[str] = ()) -> Model | None:
    """Find a model by id or alias, in the user's folders first. A route (`fal/...`) is ignored.

    Raises CatalogError for an invalid file, even that of another model if all files have to be
    searched.
    """
    own = _own()
    bare, _ = split_route(name)
    names = {name, bare}
    for folder in folders:
        for stem in names:
            path = f"{folder}/{stem}.toml"
            if "/" not in stem and _is_file(path):
                return _read(path)
    for stem in names:
        if stem in own:
            return own[stem]()
    return _find_alias(names, folders)


def _find_alias(names: set[str], folders: Sequence[str]) -> Model | None:
    """The model with one of these aliases. Of the built-in ones, only that model is made."""
    from flux_cli.catalog.own_models import ALIASES

    users = {model_id: _read(path) for model_id, path in _user_files(folders).items()}
    own = _own()
    for model_id in sorted({*own, *users}):
        model = users.get(model_id)
        aliases = model.aliases if model else ALIASES[model_id]
        if names.intersection((model_id, *aliases)):
            return model or own[model_id]()
    return None


def similar_model(name: str, folders: Sequence[str] = ()) -> str:
    """The hint for a name that no model has: the closest one; "" if none is close."""
    known = [spelling for model in list_models(folders) for spelling in (model.id, *model.aliases)]
    return did_you_mean(name, known)


def explain_schema(resolved: Resolved, path: str, base_url: str) -> Resolved:
    """The request with what the gateway has said about its model, in the file at `path` if any."""
    if not path:
        return resolved
    from flux_cli.catalog.gateway.saved import explain_saved  # few people have such a file

    return explain_saved(resolved, path, base_url)


def list_models(folders: Sequence[str] = ()) -> tuple[Model, ...]:
    """All models, sorted by id. A user's file replaces the built-in model with the same id.

    Raises CatalogError for an invalid file.
    """
    own, files = _own(), _user_files(folders)
    found = {model_id: _read(path) for model_id, path in files.items()}
    built_in = {model_id: make() for model_id, make in own.items() if model_id not in found}
    return tuple(model for _, model in sorted({**built_in, **found}.items()))


def read_servers() -> Mapping[str, Dialect]:
    """What each kind of OpenAI-compatible server does with parameters, by the name of the kind."""
    from flux_cli.catalog.own_servers import SERVERS

    return SERVERS


def _own() -> Mapping[str, Callable[[], Model]]:
    """The functions that make the built-in models, by id."""
    from flux_cli.catalog.own_models import MODELS

    return MODELS


def _read(path: str) -> Model:
    """Read a user's file. The reader is imported only here: that takes longer than a lookup."""
    from pathlib import Path

    from flux_cli.catalog.reading import read

    return read(Path(path))


def _user_files(folders: Sequence[str]) -> dict[str, str]:
    """The paths of the user's model files, by the id of the model."""
    found = {}
    for folder in folders:
        for name in _listed(folder):
            if name.endswith(".toml"):
                found[name.removesuffix(".toml")] = f"{folder}/{name}"
    return found


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
