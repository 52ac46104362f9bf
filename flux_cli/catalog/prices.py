"""Reads prices: `price_usd`, or a table `price` with those of megapixels or resolutions."""

from flux_cli.catalog.toml_table import Table
from flux_cli.core.errors import UsageError
from flux_cli.core.model import Price
from flux_cli.core.ratio import parse_tier


def read_price(row: Table) -> Price:
    """The price in a table of a model, a route or a provider; unknown if it has none.

    Raises CatalogError for two prices, and for amounts that cannot be one.
    """
    per_image = _amount(row, "price_usd")
    table = row.table("price")
    if table is None:
        return Price(per_image)
    if per_image is not None:
        raise row.wrong("price", "is given beside price_usd; use only one of them")
    first, further = _amount(table, "first_mp"), _amount(table, "further_mp")
    read = _amount(table, "input_mp")
    amounts = table.take_or("tiers", dict, {}) or {}
    tiers = _tiers(Table(table.path, f"{table.key}.tiers", amounts))
    table.end()
    if bool(tiers) == (first is not None):
        raise row.wrong("price", "must have either first_mp or tiers")
    for key, amount in (("further_mp", further), ("input_mp", read)):
        if first is None and amount is not None:
            raise table.wrong(key, "needs first_mp")
    return Price(None, first, further or 0.0, tiers, read)


def _tiers(table: Table) -> dict[str, float]:
    tiers = {}
    for name in table.names():
        try:
            parse_tier(name)
        except UsageError as fault:
            raise table.wrong(name, fault.message) from fault
        tiers[name] = _amount(table, name) or 0.0
    return tiers


def _amount(row: Table, key: str) -> float | None:
    amount = row.take_or(key, float, None)
    if amount is not None and not 0 <= amount < float("inf"):
        raise row.wrong(key, "must not be negative")
    return amount
