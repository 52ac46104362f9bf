"""Manifests in tests: the ones of the documentation, and how to expand one from texts alone."""

from hashlib import sha256

from flux_cli.build.manifest.document import read_document
from flux_cli.build.manifest.expansion import expand
from flux_cli.build.manifest.reading import read_manifest
from flux_cli.core.errors import ManifestError

DOCS = """
max_cost = 5.00
[defaults]
model = "flux1.1-pro-ultra"
size = "16:9"
width = [320, 640, 960]
output = "docs/img/{name}.{avif,webp,jpg}"
style = "brand"
[styles.brand]
prompt_suffix = "isometric line art, two colors, white background"
[assets.hero]
prompt = "a harbor at dawn seen from above"
seed = 11
alt = "A harbor at dawn"
[assets.install]
prompt = "a crane lifting a container"
[assets.plan]
prompt = "a map on a table"
[assets.cache]
prompt = "a warehouse"
[assets.deploy]
prompt = "a ship leaving"
[assets.og]
prompt = "a harbor at dawn, wide, lots of sky"
size = "600x315"
fit = "cover"
width = []
max_bytes = "300kB"
output = "docs/img/og.jpg"
"""
ICONS = """
[vars]
look = "flat, centered"
[assets.icon]
model = "flux1.1-pro-ultra"
rows = "products.csv"
matrix = { theme = ["light", "dark"] }
exclude = [{ sku = "A17", theme = "dark" }]
name = "{sku}-{theme}"
prompt = "icon of a {color} {thing}, {theme} background, {look}"
size = "512x512"
fit = "cover"
output = "shop/icons/{name}.webp"
"""
PRODUCTS = "sku,thing,color,seed\n" + "".join(f"A{n},cup,red,{n}\n" for n in range(100))
ONE = '[assets.hero]\nmodel = "m"\nprompt = "a cat"\noutput = "hero.png"\n'


class Texts:
    """The files that a manifest names, in memory."""

    def __init__(self, files=None):
        self.files = files or {}

    def text(self, path, where):
        if path not in self.files:
            raise ManifestError(f"{where}: {path} cannot be read")
        return self.files[path]

    def digest(self, path, where):
        return sha256(self.text(path, where).encode()).hexdigest()


def manifest_of(text, path="flux-build.toml"):
    return read_manifest(read_document(text.encode(), path), path)


def assets_of(text, files=None, path="flux-build.toml"):
    """The assets of a manifest, by name."""
    return {asset.name: asset for asset in expand(manifest_of(text, path), Texts(files))}
