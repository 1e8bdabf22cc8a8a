"""The compose file as Docker reads it: anchors and merges resolved, variables put in from an environment file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

TREE = Path(__file__).resolve().parents[2]
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z0-9_]+)(?::?(?P<kind>[-?])(?P<text>[^}]*))?\}")

Service = dict[str, Any]


class UnsetVariableError(Exception):
    """A variable that the compose file insists on has no value."""


def load() -> dict[str, Any]:
    """The whole file, with variables as they are written."""
    return cast("dict[str, Any]", yaml.safe_load((TREE / "docker-compose.yml").read_text()))


def services() -> dict[str, Service]:
    """Its services by name."""
    return load()["services"]


def variables(text: str) -> set[str]:
    """The variables that `text` refers to."""
    return {match["name"] for match in _VARIABLE.finditer(text)}


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """`text` with `${NAME}`, `${NAME:-text}`, `${NAME-text}`, `${NAME:?text}` replaced. Raises UnsetVariableError."""

    def value(match: re.Match[str]) -> str:
        known = values.get(match["name"], "")
        if known or match["kind"] is None:
            return known
        if match["kind"] == "-":
            return match["text"]
        raise UnsetVariableError(match["name"])

    return _VARIABLE.sub(value, text)


def environment(service: str, values: Mapping[str, str]) -> dict[str, str]:
    """What the processes of a service find in their environment."""
    written = cast("dict[str, str]", services()[service]["environment"])
    return {name: filled_in(value, values) for name, value in written.items()}


def read_env(file: Path) -> dict[str, str]:
    """The variables of an environment file."""
    lines = (line for line in file.read_text().splitlines() if line and not line.startswith("#"))
    return dict(cast("tuple[str, str]", tuple(line.split("=", 1))) for line in lines)
