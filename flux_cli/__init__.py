"""flux: images from a text prompt, on the command line and in Python.

Only `__all__` is public. It is loaded from `api` when it is used: the command line needs none of
it.
"""

__version__ = "0.1.0"
__all__ = (
    "AuthError",
    "BudgetError",
    "CatalogError",
    "ConfigError",
    "DeadlineError",
    "DiskError",
    "FluxError",
    "Image",
    "ImageError",
    "ModerationError",
    "NetworkError",
    "NotFoundError",
    "NotSentError",
    "Note",
    "Options",
    "OutputError",
    "PaymentError",
    "ProviderError",
    "RateError",
    "Resolution",
    "ResourceError",
    "Result",
    "Size",
    "UsageError",
    "ValidationError",
    "generate",
    "generate_async",
    "resolve",
    "sizes",
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.api.interface import generate, generate_async, resolve, sizes
    from flux_cli.api.keywords import Options
    from flux_cli.api.results import Image, Note, Resolution, Result, Size
    from flux_cli.core.errors import (
        AuthError,
        BudgetError,
        CatalogError,
        ConfigError,
        DeadlineError,
        DiskError,
        FluxError,
        ImageError,
        ModerationError,
        NetworkError,
        NotFoundError,
        NotSentError,
        OutputError,
        PaymentError,
        ProviderError,
        RateError,
        ResourceError,
        UsageError,
        ValidationError,
    )
else:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from flux_cli.api import interface, keywords, results
        from flux_cli.core import errors

        modules = (interface, keywords, results, errors)
        return next(getattr(module, name) for module in modules if hasattr(module, name))
