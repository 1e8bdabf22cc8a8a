"""Whom each endpoint answers, read off the routes: for the page of permissions, and for the tests that walk them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import BaseRoute

from api.deps import Anyone, Requires, SignedIn

Access = Requires | SignedIn | Anyone


def declared_access(routes: Iterable[BaseRoute | RouteContext]) -> Mapping[str, tuple[Access, ...]]:
    """By `METHOD /template`, what each endpoint declares: one declaration, if all is well."""
    return {
        f"{method} {context.path}": tuple(_declarations(context.dependant))
        for context in iter_route_contexts(list(routes))
        if isinstance(context.original_route, APIRoute)
        for method in sorted(context.methods or ())
    }


def _declarations(dependant: Dependant) -> Iterator[Access]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, Requires | SignedIn | Anyone):
            yield inner.call
        yield from _declarations(inner)
