"""Chooses the upstream of the gateway: the one that is forced, or one that honors all parameters.

Most requests name no upstream and no parameter that only some upstreams honor. For those, the
gateway chooses, and this module is not loaded.
"""

from __future__ import annotations

from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.request import Note

SHAPES = ("size", "aspect_ratio")  # parameters that set the ratio; the first one overrides

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flux_cli.core.model import Model, Route
    from flux_cli.core.request import Request


def forced_route(request: Request, model: Model, name: str, ratio: str) -> Route:
    """The route of that name. `ratio` is that of the size to send.

    Raises UsageError if the model lacks it, or if its upstream ignores a parameter that the user
    typed: the image would cost as much as a correct one.
    """
    routes = {route.name: route for route in model.routes}
    if name not in routes:
        hint = did_you_mean(name, routes) or f"routes: {', '.join(routes) or 'none'}"
        raise UsageError(f"{model.id} has no route {name!r}", hint=hint)
    for parameter in _typed(request):
        upstreams = upstreams_of(model, parameter, ratio)
        if upstreams and name not in upstreams:
            others = " or ".join(f"--route {upstream}" for upstream in upstreams)
            hint = f"use {others}, or drop {_as_typed(request, parameter)}"
            raise UsageError(f"{name} ignores {_named(parameter, ratio)}", hint=hint)
    return routes[name]


def honoring_route(
    request: Request, model: Model, ratio: str
) -> tuple[Route | None, tuple[Note, ...]]:
    """The cheapest route that honors every parameter; None if all routes honor them.

    `ratio` is that of the size to send.

    What comes from the image of --like counts only as far as it agrees with what the user typed.
    Raises UsageError if no route honors everything that was typed.
    """
    open_routes = list(model.routes)
    decisive: list[str] = []
    for parameter in (*_typed(request), *request.reused):
        upstreams = upstreams_of(model, parameter, ratio)
        left = [route for route in open_routes if not upstreams or route.name in upstreams]
        if not left and parameter not in request.reused:
            raise _contradiction(request, model, [*decisive, parameter], ratio)
        if left and len(left) < len(open_routes):
            decisive.append(parameter)
            open_routes = left
    if not decisive:
        return None, ()
    route = min(open_routes, key=lambda route: _price_or_most(route, model))
    names = " and ".join(_named(parameter, ratio) for parameter in decisive)
    honoring = " or ".join(route.name for route in open_routes)
    reason = f"only {honoring} honors {names}; no failover to another upstream"
    return route, (Note("route", None, route.name, "default", reason, warning=True),)


def upstreams_of(model: Model, parameter: str, ratio: str) -> tuple[str, ...]:
    """The routes that honor a parameter; empty if all do, or the catalog does not have it.

    Of a shape, those that list the `ratio`.
    """
    if parameter not in SHAPES:
        known = model.parameters.get(parameter)
        return known.upstreams if known else ()
    listed = [route.name for route in model.routes if lists_ratio(route, ratio)]
    return () if len(listed) == len(model.routes) else tuple(listed)


def lists_ratio(route: Route, ratio: str) -> bool:
    """Whether an upstream takes a ratio, as far as the catalog knows."""
    return not route.aspect_ratios or ratio in route.aspect_ratios


def shape_notes(route: Route, ratio: str) -> tuple[Note, ...]:
    """A warning if an upstream does not list a ratio, which then nobody typed."""
    if lists_ratio(route, ratio):
        return ()
    reason = f"{route.name} does not list {ratio}: the gateway may send its closest ratio"
    return (Note("route", route.name, route.name, "passthrough", reason, warning=True),)


def _typed(request: Request) -> list[str]:
    typed = [name for name in request.parameters if name not in request.reused]
    return [name for name in typed if name not in SHAPES or name == shape_parameter(request)]


def shape_parameter(request: Request) -> str | None:
    """The parameter that sets the ratio; None if the request has none."""
    return next((name for name in SHAPES if name in request.parameters), None)


def _as_typed(request: Request, parameter: str) -> str:
    """How a parameter was typed: as an option or with -p."""
    if parameter in request.named:
        return f"-p {parameter}"
    return f"--{parameter.replace('_', '-')}"


def _named(parameter: str, ratio: str) -> str:
    return f"the ratio {ratio}" if parameter in SHAPES else parameter


def _contradiction(
    request: Request, model: Model, parameters: Iterable[str], ratio: str
) -> UsageError:
    honored = [
        f"{_named(name, ratio)} ({' or '.join(upstreams_of(model, name, ratio))})"
        for name in parameters
    ]
    words = [_as_typed(request, name) for name in parameters]
    message = f"no upstream honors both {' and '.join(honored)}"
    return UsageError(message, hint=f"drop {' or '.join(words)}")


def _price_or_most(route: Route, model: Model) -> float:
    """The price of a route for comparisons: an unknown one comes last."""
    price = model.price_of(route.name).usd(model.default)
    return float("inf") if price is None else price
