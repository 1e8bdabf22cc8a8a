"""An issuer on loopback, and Kawal which trusts it."""

from __future__ import annotations

import base64
import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.oidc.settings import IssuerSettings
from tests.oidc.provider import AUDIENCE, OpenIdProvider, provider_at


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[OpenIdProvider]:
    with provider_at(tmp_path) as provider:
        yield provider


@pytest.fixture
def other_issuer(tmp_path: Path) -> Generator[OpenIdProvider]:
    with provider_at(tmp_path) as provider:
        yield provider


def trusted(provider: OpenIdProvider, **more: Any) -> IssuerSettings:
    """How Kawal is told of the issuer."""
    values = {"name": "sso", "issuer": provider.url, "audience": AUDIENCE, "algorithms": ["RS256"], **more}
    return IssuerSettings.model_validate(values)


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a token says of itself."""
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    return header, claims
