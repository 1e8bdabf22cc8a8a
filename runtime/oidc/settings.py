"""Which issuers are trusted besides our own, for whom and how far: `KAWAL_OIDC_ISSUERS`."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

SIGNATURES: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"},
)
"""Signatures with a key of two halves. With HMAC, whoever can verify could also issue; `none` is no signature."""


class Binding(StrEnum):
    """How somebody whom an issuer vouches for comes to their account, the first time."""

    ADMINISTRATOR = "administrator"
    """An administrator has bound the account to the issuer's name for them (`sub`)."""
    VERIFIED_EMAIL = "verified_email"
    """Or the issuer says that their e-mail address is verified, and exactly one account has it."""
    USERNAME = "username"
    """Or a claim names the account; for an issuer that gives these names itself."""


def _check_issuer(url: str) -> str:
    """`https`, or a server of this machine; as the issuer writes itself, since it is compared letter by letter."""
    parts = urlsplit(url)
    if not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an address without query and fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("must begin with https://")
    return url


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by name or number."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_algorithms(algorithms: tuple[str, ...]) -> tuple[str, ...]:
    if not algorithms or not SIGNATURES.issuperset(algorithms):
        raise ValueError(f"must be some of {', '.join(sorted(SIGNATURES))}")
    return algorithms


class IssuerSettings(BaseModel):
    """One issuer."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    """What it is called in addresses and commands."""
    title: str = ""
    """What people are shown; the name where it is empty."""
    issuer: Annotated[str, AfterValidator(_check_issuer)]
    """Its `iss`; `/.well-known/openid-configuration` is asked for below it."""
    audience: str | None = Field(default=None, min_length=1)
    """The `aud` of access tokens that are meant for Kawal; none: its access tokens are not taken."""
    algorithms: Annotated[tuple[str, ...], AfterValidator(_check_algorithms)] = ("RS256", "ES256")
    skew: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(minutes=5))] = timedelta(seconds=30)
    """How far its clock may be from ours."""
    keys_fresh_for: Annotated[timedelta, Field(ge=timedelta(seconds=10), le=timedelta(hours=1))] = timedelta(minutes=5)
    """How long its keys are taken as they are known: one that it withdraws is good for this long while it answers."""
    keys_good_for: Annotated[timedelta, Field(ge=timedelta(minutes=1), le=timedelta(days=1))] = timedelta(hours=1)
    """How long at most, while it does not answer."""
    binding: Binding = Binding.ADMINISTRATOR
    username_claim: str = "preferred_username"
    """For the binding by `username`."""
    client_id: str | None = Field(default=None, min_length=1)
    """Under which it knows Kawal, for people who sign in with a browser; none: they do not sign in with it."""
    client_secret: SecretStr | None = None
    scopes: str = Field(default="openid profile email", pattern=r"^openid( [\x21\x23-\x5b\x5d-\x7e]+)*$")

    @model_validator(mode="after")
    def _check_use(self) -> Self:
        if self.audience is None and self.client_id is None:
            raise ValueError("needs an audience, a client_id, or both")
        if self.audience == self.client_id:
            # Its ID tokens have the client's id for an audience: they would pass for access tokens.
            raise ValueError("the audience of access tokens must not be the client_id")
        if self.keys_good_for < self.keys_fresh_for:
            raise ValueError("keys_good_for must not be shorter than keys_fresh_for")
        return self


def check_issuers(issuers: tuple[IssuerSettings, ...]) -> tuple[IssuerSettings, ...]:
    """Every name and every issuer is there once."""
    for what in ("name", "issuer"):
        values = [getattr(issuer, what) for issuer in issuers]
        if len(set(values)) < len(values):
            raise ValueError(f"two of them have the same {what}")
    return issuers
