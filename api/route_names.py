"""The name of the route that a request took, such as `/v1/updates/{update_id}`: what logs and metrics may say of it."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import Scope

UNMATCHED: Final = "unmatched"
"""The name of any address that leads nowhere."""


class RouteNames:
    """Knows the full template of every route; a route itself knows its path below its router only."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def of(self, scope: Scope) -> str:
        """The template of the route that has taken the request. Ask after it was answered."""
        return self._templates.get(id(scope.get("route")), UNMATCHED)

    @cached_property
    def _templates(self) -> dict[int, str]:
        """By the identity of the route, which lives as long as the application."""
        contexts = iter_route_contexts(self._app.routes)
        return {id(context.original_route): context.path for context in contexts if context.path is not None}
