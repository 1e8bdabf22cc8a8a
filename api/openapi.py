"""The OpenAPI document, with the problems that any call can be answered with."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI

from api.problems import MEDIA_TYPE, Problem

PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    422: {"model": Problem, "description": "What was sent cannot be accepted; every field at fault is named."},
    "4XX": {"model": Problem, "description": "A refusal, with a stable code and what to do about it."},
    "5XX": {"model": Problem, "description": "A passing fault; 503 says when to try again."},
}
"""For `responses` of a router."""


def describe(app: FastAPI) -> FastAPI:
    """The same application, whose document names the media type of problems where it describes one."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        for path in document["paths"].values():
            for operation in path.values():
                for status, response in operation["responses"].items():
                    if status[0] in "45" and "application/json" in response.get("content", {}):
                        response["content"][MEDIA_TYPE] = response["content"].pop("application/json")
        return document

    app.openapi = openapi
    return app
