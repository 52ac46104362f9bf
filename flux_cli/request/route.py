"""Chooses the upstream of the gateway: the one that is forced, or one that honors all parameters.

Most requests name no upstream and no parameter that only some upstreams honor. For those, the
gateway chooses, and this module is not loaded.
"""

from __future__ import annotations

from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.request import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flux_cli.core.model import Model, Route, Size
    from flux_cli.core.request import Request


def forced_route(request: Request, model: Model, name: str) -> Route:
    """The route of that name.

    Raises UsageError if the model lacks it, or if its upstream ignores a parameter that the user
    typed: the image would cost as much as a correct one.
    """
    routes = {route.name: route for route in model.routes}
    if name not in routes:
        hint = did_you_mean(name, routes) or f"routes: {', '.join(routes) or 'none'}"
        raise UsageError(f"{model.id} has no route {name!r}", hint=hint)
    for parameter in _typed(request):
        upstreams = upstreams_of(model, parameter)
        if upstreams and name not in upstreams:
            others = " or ".join(f"--route {upstream}" for upstream in upstreams)
            hint = f"use {others}, or drop {_as_typed(request, parameter)}"
            raise UsageError(f"{name} ignores {parameter}", hint=hint)
    return routes[name]


def honoring_route(request: Request, model: Model) -> tuple[Route | None, tuple[Note, ...]]:
    """The cheapest route that honors every parameter; None if all routes honor them.

    What comes from the image of --like counts only as far as it agrees with what the user typed.
    Raises UsageError if no route honors everything that was typed.
    """
    open_routes = list(model.routes)
    decisive: list[str] = []
    for parameter in (*_typed(request), *request.reused):
        upstreams = upstreams_of(model, parameter)
        left = [route for route in open_routes if not upstreams or route.name in upstreams]
        if not left and parameter not in request.reused:
            raise _contradiction(request, model, [*decisive, parameter])
        if left and len(left) < len(open_routes):
            decisive.append(parameter)
            open_routes = left
    if not decisive:
        return None, ()
    route = min(open_routes, key=lambda route: _price_or_most(route, model))
    names = " and ".join(decisive)
    reason = f"only {_named(open_routes)} honors {names}; no failover to another upstream"
    return route, (Note("route", None, route.name, "default", reason, warning=True),)


def upstreams_of(model: Model, parameter: str) -> tuple[str, ...]:
    """The routes that honor a parameter; empty if all do, or the catalog does not have it."""
    known = model.parameters.get(parameter)
    return known.upstreams if known else ()


def shape_notes(size: Size, model: Model, name: str) -> tuple[Note, ...]:
    """A warning if the upstream of a route does not list the ratio of the size."""
    ratio = size.aspect_ratio
    listed = next(route.aspect_ratios for route in model.routes if route.name == name)
    if not listed or ratio in listed:
        return ()
    reason = f"{name} does not list {ratio}: the gateway may send its closest ratio"
    return (Note("route", name, name, "passthrough", reason, warning=True),)


def _typed(request: Request) -> list[str]:
    return [name for name in request.parameters if name not in request.reused]


def _as_typed(request: Request, parameter: str) -> str:
    """How a parameter was typed: as an option or with -p."""
    if parameter in request.named:
        return f"-p {parameter}"
    return f"--{parameter.replace('_', '-')}"


def _contradiction(request: Request, model: Model, parameters: Iterable[str]) -> UsageError:
    honored = [f"{name} ({_honors(model, name)})" for name in parameters]
    words = [_as_typed(request, name) for name in parameters]
    message = f"no upstream honors both {' and '.join(honored)}"
    return UsageError(message, hint=f"drop {' or '.join(words)}")


def _honors(model: Model, parameter: str) -> str:
    return " or ".join(upstreams_of(model, parameter))


def _named(routes: Iterable[Route]) -> str:
    return " or ".join(route.name for route in routes)


def _price_or_most(route: Route, model: Model) -> float:
    """The price of a route for comparisons: an unknown one comes last."""
    price = model.price_of(route.name)
    return float("inf") if price is None else price
