"""flux: pictures from a text prompt, on the command line."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    __version__: str


def __getattr__(name: str) -> str:
    """Look the version up only when somebody asks: `importlib.metadata` costs as much as a whole lookup."""
    if name == "__version__":
        from importlib.metadata import version

        return version("flux-image-cli")
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
