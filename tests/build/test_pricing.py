"""What the images of a build cost, as far as the catalog knows."""

import pytest
from manifests import ONE, assets_of

from flux_cli.build.pricing import Catalog
from flux_cli.catalog.find import find_model
from flux_cli.config.load import load_settings
from flux_cli.core.model import Price, Route
from flux_cli.providers.rows import ROWS

MODEL = find_model("flux1.1-pro-ultra")
PRICED = MODEL._replace(price=Price(0.06), routes=(Route("fal", "fal/m", "m", price=Price(0.5)),))


@pytest.mark.parametrize(
    ("line", "price"),
    [
        ('model = "m"', 0.06),
        ('model = "m"\nroute = "fal"', 0.5),
        ('model = "fal/m"', 0.5),
        ('model = "m"\nroute = "replicate"', 0.06),
    ],
)
def test_a_route_may_have_a_price_of_its_own(line, price, monkeypatch):
    monkeypatch.setattr(Catalog, "model", lambda *_: PRICED)
    asset = assets_of(ONE.replace('model = "m"', line))["hero"]
    assert Catalog(load_settings({}, ROWS)).price(asset) == price


@pytest.mark.parametrize(
    ("line", "price"),
    [
        ('model = "m"', 0.03),
        ('model = "m"\nsize = "16:9"', 0.03),
        ('model = "m"\nsize = "2048x2048"', 0.075),
        ('model = "m"\naspect_ratio = "1:1"\nresolution = "2K"', 0.075),
    ],
)
def test_the_price_of_a_model_that_is_billed_by_megapixels_depends_on_the_size(
    line, price, monkeypatch
):
    larger = MODEL.default._replace(width=2048, height=2048, resolution="2K")
    small = [size._replace(native=None) for size in MODEL.sizes]
    model = MODEL._replace(price=Price(None, 0.03, 0.015), sizes=(*small, larger))
    monkeypatch.setattr(Catalog, "model", lambda *_: model)
    asset = assets_of(ONE.replace('model = "m"', line))["hero"]
    assert Catalog(load_settings({}, ROWS)).price(asset) == pytest.approx(price)


def test_a_provider_with_free_sizes_notes_and_prices_what_is_sent_there():
    asset = assets_of(ONE.replace('model = "m"', 'model = "flux.2-pro"\nsize = "1920x1080"'))[
        "hero"
    ]
    catalogs = [Catalog(load_settings({"provider": name}, ROWS)) for name in ("bfl", "lumenfall")]
    digests = {catalog.resolve(asset) for catalog in catalogs}
    used = [
        next(note.used for note in catalog.notes if note.parameter == "size")
        for catalog in catalogs
    ]
    assert used == ["1920x1072", "1365x768"]
    assert [catalog.price(asset) for catalog in catalogs] == [pytest.approx(0.045), None]
    assert len(digests) == 1  # what is meant does not depend on the provider
