"""Reads how a model takes images as input: the tables `references` of models and providers."""

from flux_cli.catalog.prices import read_price
from flux_cli.catalog.toml_table import Table
from flux_cli.core.model import REFERENCE_SPELLINGS, References

FORMS = ("files", "repeated")  # spellings of images as files of a form
ENCODINGS = ("data_uri", "base64")


def read_references(row: Table) -> References | None:
    """How images are taken as input; None where they are not.

    A model or a provider that takes none, although what it shares does, says `most = 0`. Raises
    CatalogError.
    """
    table = row.table("references")
    if table is None:
        return None
    known = References._field_defaults
    spelling = _one_of(table, "spelling", known["spelling"], REFERENCE_SPELLINGS)
    encoding = _one_of(table, "encoding", known["encoding"], ENCODINGS)
    follow = table.take_or("follow", dict, {}) or {}
    references = References(
        most=table.take("most", int),
        field=table.take_or("field", str, known["field"]) or "",
        spelling=spelling,
        encoding=encoding,
        path=table.take_or("path", str, "") or "",
        follow={str(name): str(value) for name, value in follow.items()},
        follows=table.take_or("follows", bool, default=True) is not False,
        price=read_price(table),
        min_side=table.take_or("min_side", int, 1) or 1,
        max_pixels=table.take_or("max_pixels", int, None),
        max_bytes=table.take_or("max_bytes", int, None),
        mask=table.take_or("mask", str, "") or "",
        takes_urls=table.take_or("takes_urls", bool, default=spelling not in FORMS) is not False,
    )
    table.end()
    _check(references, table)
    return references if references.most else None


def _one_of(table: Table, key: str, default: str, known: tuple[str, ...]) -> str:
    value = table.take_or(key, str, default) or ""
    if value not in known:
        raise table.wrong(key, f"must be one of {', '.join(known)}, not {value!r}")
    return value


def _check(references: References, table: Table) -> None:
    """Check values that depend on each other."""
    if references.most < 0:
        raise table.wrong("most", "must not be negative")
    if references.spelling == "single" and references.most > 1:
        raise table.wrong("most", "must be 1, because the field takes a single image")
    for key in ("min_side", "max_pixels", "max_bytes"):
        limit = getattr(references, key)
        if limit is not None and limit < 1:
            raise table.wrong(key, "must be at least 1")
    if references.mask and references.spelling not in FORMS:
        raise table.wrong("mask", "is only known where images are files of a form")
